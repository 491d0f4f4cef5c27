"""Tests of exchange.engine.order_projection: what runs of events do to the tables, one by one and all at once."""

from __future__ import annotations

from exchange.domain import commands as c
from exchange.domain.order import CancelReason, OrderStatus, Side
from exchange.domain.units import OrderId, ParticipantId, Price, Quantity
from exchange.engine.order_projection import CANCELLED_COLUMNS, TRADED_COLUMNS, FillState, Update, project
from exchange.wire.records import decode_event
from tests.engine.own_commands import Desk, order

MAIN = 1_892_000


def test_an_accepted_order_is_kept_as_its_record() -> None:
    desk = Desk()
    events = desk.do(order(1, Side.BUY, 30, MAIN, client_order_id="one"))
    changes = project(events)
    assert changes.orders == [(8, 1, 1, "one", 30, 0, events)]
    assert decode_event(changes.orders[0][-1]) == desk.events()[-1]
    assert not changes.updates


def test_a_refused_order_is_kept_as_ended() -> None:
    desk = Desk()
    (row,) = project(desk.do(order(1, Side.BUY, 30, MAIN + 1))).orders
    assert row[4:6] == (0, OrderStatus.REJECTED)


def test_a_trade_updates_both_orders_and_fills_both() -> None:
    desk = Desk()
    changes = project(desk.do(order(1, Side.BUY, 30, MAIN), order(2, Side.SELL, 10, MAIN)))
    assert changes.updates[8][:TRADED_COLUMNS] == [8, changes.updates[8][1], 20, 10, 10 * MAIN]
    assert changes.updates[9][Update.LEAVES] == 0
    maker, taker = changes.fills
    assert maker[:8] == (1, 10, Side.BUY, 8, 1, MAIN, 10, 1)
    assert taker[:8] == (2, 10, Side.SELL, 9, 1, MAIN, 10, 0)


def test_updates_are_as_long_as_what_they_say() -> None:
    desk = Desk()
    desk.do(order(1, Side.BUY, 30, MAIN), order(1, Side.BUY, 30, MAIN - 100))
    cancelled = project(desk.do(c.CancelOrder(order_id=OrderId(8), participant_id=ParticipantId(1)))).updates[
        8
    ]
    assert len(cancelled) == CANCELLED_COLUMNS
    assert cancelled[Update.ENDED :] == [OrderStatus.CANCELED, CancelReason.REQUESTED]
    amend = c.AmendOrder(
        order_id=OrderId(9), participant_id=ParticipantId(1), quantity=Quantity(20), price=Price(MAIN)
    )
    amended = project(desk.do(amend)).updates[9]
    assert len(amended) == len(Update)
    assert (amended[Update.PRICE], amended[Update.QUANTITY], amended[Update.LEAVES]) == (MAIN, 20, 20)


def test_a_replacement_ends_the_old_order_and_begins_the_new() -> None:
    desk = Desk()
    desk.do(order(1, Side.BUY, 30, MAIN))
    change = c.ReplaceOrder(
        order_id=OrderId(8), participant_id=ParticipantId(1), quantity=Quantity(5), price=Price(MAIN)
    )
    changes = project(desk.do(change))
    assert changes.orders[0][:5] == (9, 1, 1, "", 5)
    old = changes.updates[8]
    assert (old[Update.ENDED], old[Update.REPLACED_BY], old[Update.LEAVES]) == (OrderStatus.REPLACED, 9, 0)


def test_rulings_take_back_what_was_filled() -> None:
    desk = Desk()
    desk.do(order(1, Side.BUY, 30, MAIN), order(2, Side.SELL, 30, MAIN))
    trade = desk.events()[-1]
    facts = {
        "match_id": trade.sequence, "symbol_id": 1, "price": MAIN, "quantity": 30, "buy_account_id": 1,
        "sell_account_id": 2, "buy_order_id": 8, "sell_order_id": 9, "executed_ns": trade.time_ns,
        "ruling_id": 0, "reason": ord("E"),
    }  # fmt: skip
    corrected = project(desk.do(c.CorrectTrade(**facts, new_price=MAIN - 100, new_quantity=20)))  # type: ignore[arg-type]
    assert corrected.rulings == [(MAIN - 100, 20, FillState.CORRECTED, trade.sequence, 1, 2)]
    change = corrected.updates[8]
    assert change[Update.FILLED] == -10
    assert change[Update.BUSTED] == 10
    assert change[Update.NOTIONAL] == 20 * (MAIN - 100) - 30 * MAIN
    busted = project(desk.do(c.BustTrade(**facts)))  # type: ignore[arg-type]
    assert busted.rulings == [(None, None, FillState.BUSTED, trade.sequence, 1, 2)]
    assert busted.updates[9][Update.FILLED] == -20


def test_events_of_no_order_change_nothing() -> None:
    desk = Desk()
    changes = project(desk.stream)
    assert (changes.orders, changes.updates, changes.fills, changes.rulings) == ([], {}, [], [])
