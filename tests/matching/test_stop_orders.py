"""Stop orders by themselves; `tests/scenarios/stop_orders.txt` has the rules."""

from __future__ import annotations

from exchange.domain import commands as c
from exchange.domain.order import OrderType, Side, SpecialTerms, TimeInForce
from exchange.domain.reasons import Reason
from exchange.matching.order_book import RestingOrder
from exchange.matching.stop_orders import TRAILING_STOPS_MAX, StopOrders, trailed_price
from tests.matching.desk import ANN, XYZ, Desk


def stop(order_id: int, side: Side, **terms: int) -> RestingOrder:
    return RestingOrder(
        order_id, 1, 1, side, OrderType.STOP, TimeInForce.DAY, 0, 0, 10, 10, "", 0, SpecialTerms(**terms)
    )


def test_a_trade_takes_out_what_it_reaches_nearest_first() -> None:
    stops = StopOrders()
    for order_id, price in ((1, 105), (2, 102), (3, 105), (4, 106)):
        stops.add(stop(order_id, Side.BUY, stop_price=price))
    stops.add(stop(5, Side.SELL, stop_price=90))
    assert [order.order_id for order in stops.take_triggered(105)] == [2, 1, 3]
    assert list(stops.waiting) == [4, 5]


def test_what_trails_follows_and_is_last_at_its_new_price() -> None:
    stops = StopOrders()
    stops.add(stop(1, Side.SELL, stop_price=90, trail_amount=10))
    stops.add(stop(2, Side.SELL, stop_price=95))
    assert stops.take_triggered(105) == []
    assert [(order.order_id, order.terms.stop_price) for order in stops.of_side(Side.SELL)] == [
        (2, 95),
        (1, 95),
    ]
    assert stops.take_triggered(104) == []
    assert stops.trailing == 1
    assert [order.order_id for order in stops.take_triggered(95)] == [2, 1]
    assert stops.trailing == 0


def test_a_share_of_a_small_price_is_at_least_the_smallest_step() -> None:
    assert trailed_price(Side.BUY, SpecialTerms(trail_bps=1), 50) == 51
    assert trailed_price(Side.SELL, SpecialTerms(trail_amount=60), 50) == -10


def test_a_symbol_has_so_many_trailing_stops_and_no_more() -> None:
    desk = Desk()
    trailing = c.EnterSpecialOrder(
        account_id=ANN, symbol_id=XYZ, side=Side.SELL, order_type=OrderType.STOP, time_in_force=TimeInForce.DAY,
        quantity=1, trail_amount=100,
    )  # fmt: skip
    for _ in range(TRAILING_STOPS_MAX):
        desk.send(trailing)
    refused = desk.only(trailing)
    assert (refused.reason, refused.measured) == (Reason.DIRECTORY_FULL, TRAILING_STOPS_MAX)
