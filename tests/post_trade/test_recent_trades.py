"""The bounded memory of trades: what it counts as a repetition, and what it forgets."""

from __future__ import annotations

import pytest

from exchange.domain.events import TradeExecuted
from exchange.post_trade import recent_trades
from exchange.post_trade.recent_trades import RecentTrades
from exchange.post_trade.trade import Trade, captured
from tests.post_trade.stream import NS_PER_MS, Stream


def captured_trades(stream: Stream) -> list[Trade]:
    return [captured(event) for event in stream.events if isinstance(event, TradeExecuted)]


def repetitions_of_last(stream: Stream, within_ms: int, at_most: int = 100) -> int:
    *earlier, last = captured_trades(stream)
    recent = RecentTrades()
    for trade in earlier:
        recent.remember(trade)
    return recent.repetitions(last, within_ms * NS_PER_MS, at_most)


def test_equal_trades_by_different_incoming_orders_are_repetitions() -> None:
    stream = Stream()
    for _ in range(5):
        stream.trade(1, 2, 100)
    assert repetitions_of_last(stream, within_ms=1_000) == 5


@pytest.mark.parametrize(
    "other",
    [
        {"buyer": 3}, {"seller": 3}, {"quantity": 101}, {"price": "189.21"}, {"symbol_id": 2},
    ],
)  # fmt: skip
def test_a_trade_that_differs_in_one_thing_is_no_repetition(other: dict[str, object]) -> None:
    stream = Stream()
    stream.trade(**{"buyer": 1, "seller": 2, "quantity": 100} | other)  # type: ignore[arg-type]
    stream.trade(1, 2, 100)
    assert repetitions_of_last(stream, within_ms=1_000) == 1


def test_one_order_that_meets_many_equal_ones_counts_once() -> None:
    stream = Stream()
    for _ in range(5):
        stream.trade(1, 2, 100, taker_order_id=77)
    assert repetitions_of_last(stream, within_ms=1_000) == 1


def test_only_the_time_before_the_trade_counts_its_start_included() -> None:
    stream = Stream()
    for _ in range(10):
        stream.trade(1, 2, 100)
    assert repetitions_of_last(stream, within_ms=3) == 4


def test_counting_ends_at_the_number_that_is_asked_for() -> None:
    stream = Stream()
    for _ in range(10):
        stream.trade(1, 2, 100)
    assert repetitions_of_last(stream, within_ms=1_000, at_most=3) == 3


def test_the_oldest_trade_is_forgotten_when_the_memory_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent_trades, "RECENT_TRADES_MAX", 4)
    stream = Stream()
    for _ in range(3):
        stream.trade(1, 2, 100, taker_order_id=77)
    stream.trade(1, 2, 100)
    for _ in range(3):
        stream.trade(2, 3, 50)
    stream.trade(1, 2, 100)
    *earlier, last = captured_trades(stream)
    recent = RecentTrades()
    for trade in earlier:
        recent.remember(trade)
    assert len(recent) == 4
    assert recent.repetitions(last, 1_000 * NS_PER_MS, 100) == 2
