"""The texts of market data."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from exchange.domain.units import format_time
from exchange.wire.rest.market import CandlesQuery, TradeView, price_text, time_text


@given(st.integers(0, 4 * 10**18))
def test_a_time_is_written_as_the_domain_writes_it(time_ns: int) -> None:
    assert time_text(time_ns) == format_time(time_ns)


def test_a_price_is_written_the_same_each_time() -> None:
    assert [price_text(1_892_000), price_text(1_892_000)] == ["189.20", "189.20"]


def test_candles_are_asked_for_from_and_to_a_time() -> None:
    query = msgspec.convert({"symbol": "AAPL", "from": "2026-11-23T00:00:00Z"}, CandlesQuery)
    assert query.from_time == "2026-11-23T00:00:00Z"


def test_a_trade_that_nothing_has_changed_says_nothing_of_changes() -> None:
    names = TradeView.__struct_fields__
    trade = TradeView(**{name: "" for name in names if not name.startswith(("changed_", "executed_", "r"))},
                      executed_at="", reference_price="")  # fmt: skip
    assert not {"changed_seq", "executed_price", "reason"} & msgspec.to_builtins(trade).keys()
