"""Tests of exchange.engine.order_views: stored orders and fills as REST shows them."""

from __future__ import annotations

from pathlib import Path

from msgspec import UNSET

from exchange.domain import commands as c
from exchange.domain.order import Side
from exchange.domain.units import OrderId, ParticipantId, Price, Quantity
from exchange.engine import order_results
from exchange.engine.order_store import OrderFilter, OrderStore
from exchange.engine.order_views import fill_view, order_view, symbol_name
from exchange.wire.envelope import EventBatch
from exchange.wire.rest.orders import Order
from tests.engine.own_commands import Desk, order

MAIN = 1_892_000


def stored(desk: Desk, folder: Path) -> OrderStore:
    store = OrderStore(folder / "orders.sqlite", 0)
    store.commit(EventBatch(0, 1, 1, desk.venue.event_sequence, desk.stream))
    return store


def test_the_history_shows_an_order_as_its_own_answer_did(tmp_path: Path) -> None:
    desk = Desk()
    desk.do(order(2, Side.SELL, 10, MAIN))
    answer, _ = order_results.entered(
        desk.do(order(1, Side.BUY, 30, MAIN, client_order_id="x")), 0, desk.symbols
    )
    store = stored(desk, tmp_path)
    row = store.order(9)
    assert row is not None
    assert isinstance(answer, Order)
    assert order_view(row, desk.symbols) == answer
    store.close()


def test_rare_fields_are_shown_only_where_they_say_something(tmp_path: Path) -> None:
    desk = Desk()
    desk.do(order(1, Side.BUY, 30, MAIN), order(1, Side.BUY, 30, MAIN + 1))
    desk.do(
        c.ReplaceOrder(
            order_id=OrderId(8), participant_id=ParticipantId(1), quantity=Quantity(5), price=Price(MAIN)
        )
    )
    desk.do(c.CancelOrder(order_id=OrderId(10), participant_id=ParticipantId(0)))
    store = stored(desk, tmp_path)
    replacement, refused, first = (order_view(row, desk.symbols) for row in store.orders(OrderFilter()))
    assert (first.status, first.replaced_by, first.cancel_reason) == ("replaced", "10", UNSET)
    assert (replacement.status, replacement.replaces, replacement.cancel_reason) == (
        "canceled",
        "8",
        "operator",
    )
    assert refused.status == "rejected"
    assert refused.reject is not UNSET
    assert first.reject is UNSET
    store.close()


def test_a_fill_says_who_rested(tmp_path: Path) -> None:
    desk = Desk()
    desk.do(order(1, Side.BUY, 30, MAIN, client_order_id="mine"), order(2, Side.SELL, 10, MAIN))
    store = stored(desk, tmp_path)
    (fill,) = (fill_view(row, desk.symbols) for row in store.fills(OrderFilter(accounts=(1,))))
    assert (fill.liquidity, fill.side, fill.qty, fill.client_order_id) == ("maker", "buy", "10", "mine")
    store.close()


def test_a_symbol_that_is_not_listed_is_shown_by_number() -> None:
    assert symbol_name(77, {}) == "#77"
