"""Orders in, changed and out: what their events carry; `tests/scenarios` has the rules one by one."""

from __future__ import annotations

from typing import Any

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain.order import CancelReason, OrderFlag, OrderType, Side, TimeInForce
from exchange.domain.reasons import Reason
from exchange.domain.units import public_id
from exchange.matching.venue import Venue
from exchange.wire.records import encode_command
from tests.matching.desk import ANN, BOB, START_NS, XYZ, Desk, order


def header(command: int, event: int, *, last: bool = True, symbol_id: int = XYZ) -> dict[str, Any]:
    return {
        "command_sequence": command, "sequence": event, "time_ns": START_NS, "epoch": 1, "last_of_command": last,
        "symbol_id": symbol_id,
    }  # fmt: skip


def test_a_rejected_order_is_told_as_it_was_sent() -> None:
    command = order(Side.BUY, 7, 100_050, BOB, client_order_id="mine", time_in_force=TimeInForce.GTC)
    assert Desk().send(command) == [
        e.OrderRejected(
            **header(10, 10), order_id=10, account_id=BOB, side=1, order_type=2, time_in_force=1, flags=0,
            price=100_050, quantity=7, client_order_id="mine", reason=Reason.PRICE_NOT_ON_TICK, measured=100_050,
            limit=100,
        )
    ]  # fmt: skip


def test_an_order_with_numbers_that_mean_nothing_is_told_as_it_was_sent() -> None:
    command = c.EnterOrder(
        account_id=9, symbol_id=8, side=7, order_type=6, time_in_force=5, quantity=0, price=4, flags=0
    )  # fmt: skip
    assert Desk().send(command) == [
        e.OrderRejected(
            **header(10, 10, symbol_id=8), order_id=10, account_id=9, side=7, order_type=6, time_in_force=5, flags=0,
            price=4, quantity=0, client_order_id="", reason=Reason.SIDE_INVALID, measured=7, limit=0,
        )
    ]  # fmt: skip


def test_a_client_order_id_that_is_none_is_left_out_of_the_rejection() -> None:
    record = bytearray(encode_command(order(Side.BUY, 7, 100_000)))
    record[-36:] = b"\xff" * 36
    (event,) = Desk().send_record(bytes(record))
    assert isinstance(event, e.OrderRejected)
    assert (event.reason, event.client_order_id) == (Reason.CLIENT_ORDER_ID_INVALID, "")


def test_a_replace_is_told_with_both_orders() -> None:
    desk = Desk()
    desk.send(order(Side.SELL, 50, 100_000, time_in_force=TimeInForce.GTC, flags=OrderFlag.POST_ONLY))
    command = c.ReplaceOrder(
        order_id=10, participant_id=ANN, quantity=80, price=100_100, client_order_id="new"
    )
    assert desk.send(command) == [
        e.OrderReplaced(
            **header(11, 11), order_id=10, new_order_id=11, account_id=ANN, side=Side.SELL,
            order_type=OrderType.LIMIT, time_in_force=TimeInForce.GTC, flags=1, cancelled_quantity=50,
            price=100_100, quantity=80, client_order_id="new",
        )
    ]  # fmt: skip
    live = desk.venue.order(11)
    assert live is not None
    assert (live.time_in_force, live.flags, live.client_order_id) == (TimeInForce.GTC, 1, "new")


def test_an_amend_is_told_with_the_old_and_the_new_price() -> None:
    desk = Desk()
    desk.enter(Side.BUY, 50, 100_000)
    desk.enter(Side.SELL, 20, 100_000, BOB)
    assert desk.send(c.AmendOrder(order_id=10, participant_id=ANN, quantity=40, price=99_900)) == [
        e.OrderAmended(
            **header(12, 13), order_id=10, account_id=ANN, side=Side.BUY, kept_priority=False, old_price=100_000,
            price=99_900, quantity=40, leaves=20,
        )
    ]  # fmt: skip


def test_a_refused_command_names_what_it_was_about() -> None:
    desk = Desk()
    desk.enter(Side.BUY, 50, 100_000)
    amend = c.AmendOrder(order_id=10, participant_id=ANN, quantity=50, price=100_000)
    assert desk.send(amend) == [
        e.CommandRejected(
            **header(11, 11), command_type=42, reason=Reason.NOTHING_TO_AMEND, subject=10, measured=0, limit=0
        )
    ]
    assert desk.send(c.CancelOrder(order_id=10, participant_id=BOB)) == [
        e.CommandRejected(
            **header(12, 12, symbol_id=0), command_type=41, reason=Reason.UNKNOWN_ORDER, subject=10,
            measured=10, limit=0,
        )
    ]  # fmt: skip


def test_a_mass_cancel_ends_with_its_count() -> None:
    desk = Desk()
    desk.enter(Side.BUY, 50, 100_000)
    cancelled, ended = desk.send(c.CancelOrders(participant_id=ANN, symbol_id=XYZ))
    assert cancelled == e.OrderCancelled(
        **header(11, 11, last=False), order_id=10, account_id=ANN, side=Side.BUY, reason=CancelReason.MASS_CANCEL,
        price=100_000, quantity=50,
    )  # fmt: skip
    assert ended == e.OrdersCancelled(**header(11, 12), participant_id=ANN, count=1)


def test_public_ids_carry_the_partition() -> None:
    desk = Desk(Venue(partition=5))
    order_id = public_id(5, 10)
    assert desk.only(order(Side.BUY, 50, 100_000)).order_id == order_id
    trade = desk.enter(Side.SELL, 20, 100_000, BOB)[1]
    assert isinstance(trade, e.TradeExecuted)
    assert (trade.maker_order_id, trade.taker_order_id, trade.partition) == (order_id, public_id(5, 11), 5)
    assert desk.only(c.CancelOrder(order_id=10, participant_id=ANN)).reason is Reason.UNKNOWN_ORDER
    assert desk.only(c.CancelOrder(order_id=order_id, participant_id=ANN)).quantity == 30
