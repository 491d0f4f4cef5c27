"""Matching, as whole lists of events; `tests/scenarios` has the rules one by one."""

from __future__ import annotations

from exchange.domain import events as e
from exchange.domain.order import CancelReason, OrderType, Side, TimeInForce
from exchange.domain.symbol import SymbolState
from tests.matching.desk import ANN, BOB, START_NS, XYZ, Desk, kinds


def test_a_fill_is_told_with_everything_that_belongs_to_it() -> None:
    desk = Desk()
    desk.enter(Side.SELL, 30, 100_500, ANN)
    accepted, trade, cancelled = desk.enter(Side.BUY, 100, 101_000, BOB, time_in_force=TimeInForce.IOC)
    header = {"command_sequence": 11, "time_ns": START_NS, "epoch": 1, "partition": 0, "symbol_id": XYZ}
    assert accepted == e.OrderAccepted(
        **header, sequence=11, last_of_command=False, order_id=11, account_id=BOB, side=Side.BUY,
        order_type=OrderType.LIMIT, time_in_force=TimeInForce.IOC, flags=0, price=101_000, quantity=100,
        client_order_id="",
    )  # fmt: skip
    assert trade == e.TradeExecuted(
        **header, sequence=12, last_of_command=False, maker_order_id=10, taker_order_id=11,
        maker_account_id=ANN, taker_account_id=BOB, price=100_500, quantity=30, reference_price=100_000,
        maker_leaves=0, taker_leaves=70, taker_side=Side.BUY, state=SymbolState.ACTIVE,
    )  # fmt: skip
    assert cancelled == e.OrderCancelled(
        **header, sequence=13, last_of_command=True, order_id=11, account_id=BOB, side=Side.BUY,
        reason=CancelReason.IMMEDIATE_OR_CANCEL, price=101_000, quantity=70,
    )  # fmt: skip


def test_a_sweep_takes_a_long_queue_oldest_first() -> None:
    desk = Desk()
    for _ in range(300):
        desk.enter(Side.SELL, 1, 100_000)
    accepted, *trades = desk.enter(Side.BUY, 300, 100_000, BOB)
    assert isinstance(accepted, e.OrderAccepted)
    assert [trade.maker_order_id for trade in trades] == list(range(10, 310))
    assert [trade.taker_leaves for trade in trades] == list(range(299, -1, -1))
    assert desk.venue.live_orders == 0


def test_an_order_that_rests_has_no_event_of_its_own() -> None:
    desk = Desk()
    assert kinds(desk.enter(Side.BUY, 10, 100_000)) == ["OrderAccepted"]
    assert kinds(desk.enter(Side.SELL, 4, 100_000, BOB)) == ["OrderAccepted", "TradeExecuted"]
    (order,) = desk.venue.orders(XYZ)[0]
    assert (order.quantity, order.leaves, order.filled, order.entered_ns) == (10, 6, 4, START_NS)


def test_quantities_at_a_price_may_sum_to_more_than_one_order_can_have() -> None:
    desk = Desk()
    for _ in range(3):
        desk.enter(Side.SELL, 4_000_000_000, 1)
    assert desk.venue.depth(XYZ, 1)[1] == [(1, 12_000_000_000, 3)]
    _, trade = desk.enter(Side.BUY, 4_294_967_295, 1, BOB, time_in_force=TimeInForce.FOK)[:2]
    assert isinstance(trade, e.TradeExecuted)
    assert (trade.quantity, trade.taker_leaves) == (4_000_000_000, 294_967_295)
