"""What the compiled module does with bytes is what the definition does."""

from __future__ import annotations

import importlib
import subprocess
import sys
import types
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.wire.records import ProtocolError, split

STUB = Path(__file__).parents[2] / "native/python/exchange_native.pyi"
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


def test_the_number_of_the_interface_is_that_of_the_stub() -> None:
    """Where the stub was changed, write its new number into `wire/native.py`, so that old wheels are told apart."""
    assert crc32(STUB.read_bytes()) == native.INTERFACE


@pytest.mark.parametrize("seen", [{}, {"INTERFACE": 5}])
def test_a_wheel_of_another_version_is_not_taken_and_says_what_to_do(
    seen: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = types.ModuleType("exchange_native")
    other.__dict__.update(seen)
    monkeypatch.setitem(sys.modules, "exchange_native", other)
    monkeypatch.delitem(sys.modules, "exchange.wire.native")
    what = f"is {seen.get('INTERFACE', 'older')}.*needed is {native.INTERFACE}; run `make setup` again"
    with pytest.raises(ImportError, match=what) as refused:
        importlib.import_module("exchange.wire.native")
    assert not isinstance(refused.value, ModuleNotFoundError)


def test_with_an_old_wheel_everything_runs_in_python(tmp_path: Path) -> None:
    """A wheel that is installed but too old, as `import exchange_native` finds it first."""
    (tmp_path / "exchange_native.py").write_text("RULES_VERSION = 1\n")
    program = (
        "from exchange.engine.replay import choose_matcher\n"
        "from exchange.infra.journal_choice import open_journal\n"
        "from exchange.wire.numbering import count\n"
        "from exchange.wire.ouch_choice import translator_kind\n"
        "kind = choose_matcher('auto')\n"
        "assert translator_kind().__name__ == 'OuchTranslator'\n"
        "assert count(b'') == 0\n"
        "print(kind.name, kind.instead)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("python the installed wheel exchange-native is of another version")
    assert done.stdout.endswith("run `make setup` again\n")
