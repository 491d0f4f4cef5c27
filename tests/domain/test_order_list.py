"""The words of order lists."""

from __future__ import annotations

from exchange.domain.order import SpecialTerms
from exchange.domain.order_list import ORDERS_OF, Contingency, ListedOrder


def test_every_kind_of_list_says_how_many_orders_it_has() -> None:
    assert {kind: ORDERS_OF[kind] for kind in Contingency} == {
        Contingency.ONE_CANCELS_OTHER: 2, Contingency.ONE_TRIGGERS_OTHER: 2, Contingency.BRACKET: 3
    }  # fmt: skip


def test_an_order_of_a_list_gives_its_terms() -> None:
    order = ListedOrder(1, 3, 0, 0, 0, 5, minimum_quantity=1, display_quantity=2, stop_price=3, trail_bps=4)
    assert order.terms == SpecialTerms(minimum_quantity=1, display_quantity=2, stop_price=3, trail_bps=4)
