"""What the compiled module does with bytes is what the definition does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.wire.records import ProtocolError, split

native = pytest.importorskip(
    "exchange.wire.native",
    reason="the wheel exchange-native is not installed: install Rust and run `make setup`",
    exc_type=ImportError,
)
RECORDS = st.lists(st.binary(min_size=12, max_size=40).map(lambda b: (len(b) + 4).to_bytes(4, "little") + b))


@given(RECORDS, st.binary(max_size=20))
def test_records_are_counted_alike_and_the_same_runs_are_refused(records: list[bytes], rest: bytes) -> None:
    run = b"".join(records) + rest
    try:
        expected = sum(1 for _ in split(run))
    except ProtocolError:
        with pytest.raises(ValueError, match="whole records"):
            native.count_records(run)
    else:
        assert native.count_records(run) == expected
