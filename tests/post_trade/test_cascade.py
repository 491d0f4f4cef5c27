"""Cascades: which trades came about because another one reached stop prices."""

from __future__ import annotations

from exchange.domain import events as e
from exchange.domain.order import OrderType, Side
from exchange.post_trade.cascade import cascade
from exchange.wire.records import decode_events
from tests.market_data.venue_flow import VenueFlow


def stop(flow: VenueFlow, price: int) -> bytes:
    return flow.stop(Side.BUY, 10, 1, OrderType.STOP, stop_price=price)


def fall_down_stairs() -> list[e.Event]:
    """Let one trade reach a stop whose trade reaches the next; return the events of the last command."""
    flow = VenueFlow()
    flow.open()
    for price in (1_000_000, 1_010_000, 1_020_000, 1_030_000):
        flow.limit(Side.SELL, price, 10)
    stop(flow, 1_000_000)
    stop(flow, 1_010_000)
    return decode_events(flow.limit(Side.BUY, 1_000_000, 10))


def test_each_trade_is_told_with_the_one_that_caused_it() -> None:
    events = fall_down_stairs()
    trades = [event.sequence for event in events if isinstance(event, e.TradeExecuted)]
    assert len(trades) == 3
    found = cascade(events, trades[0])
    assert [(each.sequence, each.cause, each.depth) for each in found] == [
        (trades[1], trades[0], 1),
        (trades[2], trades[1], 2),
    ]
    assert [each.stop_price for each in found] == [1_000_000, 1_010_000]


def test_a_later_trade_has_caused_only_what_came_after_it() -> None:
    events = fall_down_stairs()
    trades = [event.sequence for event in events if isinstance(event, e.TradeExecuted)]
    rest = [event for event in events if event.sequence >= trades[1]]
    assert [each.sequence for each in cascade(rest, trades[1])] == [trades[2]]
    assert cascade(events, trades[2]) == []


def test_a_sweep_is_no_cascade() -> None:
    flow = VenueFlow()
    flow.open()
    flow.limit(Side.SELL, 1_000_000, 10)
    flow.limit(Side.SELL, 1_010_000, 10)
    events = decode_events(flow.limit(Side.BUY, 1_010_000, 20))
    (first, _) = [event.sequence for event in events if isinstance(event, e.TradeExecuted)]
    assert cascade(events, first) == []
