"""A captured trade has the facts of its event, turned from maker and taker to buyer and seller."""

from __future__ import annotations

import msgspec

from exchange.domain.events import TradeExecuted
from exchange.domain.order import Side
from exchange.post_trade.trade import captured, differences
from exchange.post_trade.trade_life import TradeState
from tests.post_trade.stream import Stream


def executed(**changes: object) -> TradeExecuted:
    stream = Stream(partition=3)
    stream.trade(1, 2, 100)
    event = stream.events[-1]
    assert isinstance(event, TradeExecuted)
    return msgspec.structs.replace(event, **changes)


def test_a_buying_taker_is_the_buyer() -> None:
    event = executed()
    trade = captured(event)
    assert (trade.buy_account_id, trade.sell_account_id) == (1, 2)
    assert (trade.buy_order_id, trade.sell_order_id) == (event.taker_order_id, event.maker_order_id)
    assert trade.taker_order_id == event.taker_order_id
    assert (trade.state, trade.version, trade.notional) == (TradeState.CAPTURED, 1, 1_892_000 * 100)


def test_a_selling_taker_is_the_seller() -> None:
    trade = captured(executed(taker_side=Side.SELL))
    assert (trade.buy_account_id, trade.sell_account_id) == (2, 1)


def test_the_match_id_carries_the_partition_and_the_event_sequence() -> None:
    event = executed()
    assert captured(event).match_id == 3 << 56 | event.sequence


def test_a_later_event_with_the_same_facts_does_not_differ() -> None:
    stream = Stream()
    match_id = stream.trade(1, 2, 100)
    event = stream.events[-1]
    assert isinstance(event, TradeExecuted)
    assert differences(captured(event), stream.bust(match_id)) == []


def test_each_other_fact_of_a_later_event_is_named() -> None:
    stream = Stream()
    match_id = stream.trade(1, 2, 100)
    event = stream.events[-1]
    assert isinstance(event, TradeExecuted)
    assert differences(captured(event), stream.bust(match_id, quantity=50, price=7)) == [
        "price is 7 in the engine's event and 1892000 here",
        "quantity is 50 in the engine's event and 100 here",
    ]
