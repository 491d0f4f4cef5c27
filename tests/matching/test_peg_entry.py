"""Pegged orders in."""

from __future__ import annotations

from exchange.domain import events as e
from exchange.domain.order import PEGS_MAX, PegKind, Side
from exchange.domain.reasons import Reason
from tests.matching.desk import Desk
from tests.matching.test_pegs import pegged


def test_a_symbol_has_so_many_pegged_orders_and_no_more() -> None:
    desk = Desk()
    desk.send(*[pegged(Side.BUY, PegKind.PRIMARY)] * PEGS_MAX)
    (refused,) = desk.send(pegged(Side.BUY, PegKind.PRIMARY))
    assert isinstance(refused, e.OrderRejected)
    assert (refused.reason, refused.measured) == (Reason.DIRECTORY_FULL, PEGS_MAX)
