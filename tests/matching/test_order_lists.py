"""Pairs never fill more than their quantity, whatever comes."""

from __future__ import annotations

import random

import pytest

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain.order import OrderType, Side, TimeInForce
from exchange.domain.order_list import Contingency, ListedOrder
from tests.matching.desk import ANN, BOB, XYZ, Desk, order

QUANTITY = 20


def pair(side: Side, limit: int, stop: int) -> list[c.Command]:
    common = {"side": side, "time_in_force": TimeInForce.GTC, "flags": 0, "quantity": QUANTITY}
    first = ListedOrder(order_type=OrderType.LIMIT, price=limit, **common)
    second = ListedOrder(order_type=OrderType.STOP_LIMIT, price=stop, stop_price=stop, **common)
    return [
        c.ReserveOrderId(),
        c.EnterOrderList(
            account_id=ANN, symbol_id=XYZ, contingency=Contingency.ONE_CANCELS_OTHER, orders=(first, second)
        ),
    ]


@pytest.mark.parametrize("seed", range(30))
def test_both_orders_of_a_pair_together_fill_no_more_than_its_quantity(seed: int) -> None:
    drawn = random.Random(seed)
    desk = Desk()
    events = desk.send(*pair(Side.SELL, 100_300, 99_700), *pair(Side.BUY, 99_600, 100_400))
    lists = {event.list_id: event for event in events if isinstance(event, e.OrderListAccepted)}
    assert len(lists) == 2
    filled = dict.fromkeys(lists, 0)
    for _ in range(80):
        price = 100_000 + 100 * drawn.randrange(-5, 6)
        side = drawn.choice((Side.BUY, Side.SELL))
        for event in desk.send(order(side, drawn.randrange(1, 12), price, BOB)):
            if isinstance(event, e.TradeExecuted):
                for order_id in (event.maker_order_id, event.taker_order_id):
                    for list_id in lists:
                        filled[list_id] += event.quantity * (order_id in (list_id, list_id - 1))
    assert max(filled.values()) <= QUANTITY, f"seed {seed}: {filled}"
    assert sum(filled.values()) > 0, f"seed {seed}: nothing traded"
