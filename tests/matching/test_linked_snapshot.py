"""Order lists, pegs and quotes go through a snapshot."""

from __future__ import annotations

from exchange.domain import commands as c
from exchange.domain.order import PegKind, Side
from exchange.matching.venue import Venue
from tests.matching.desk import ANN, Desk
from tests.matching.test_order_lists import pair
from tests.matching.test_pegs import pegged
from tests.matching.test_quotes import quoted


def test_a_restored_venue_has_the_same_lists_pegs_and_quotes() -> None:
    desk = Desk()
    desk.send(
        *pair(Side.SELL, 100_300, 99_700), pegged(Side.BUY, PegKind.MIDPOINT), *quoted(5),
        c.SetQuoteProtection(
            account_id=ANN, symbol_id=0, quantity=9, executions=1, percent_bps=2, delta=3, window_ms=4
        ),
        c.ReserveOrderId(),
    )  # fmt: skip
    restored = Venue.restore(desk.venue.snapshot())
    assert restored.snapshot() == desk.venue.snapshot()
    assert restored.order_lists() == desk.venue.order_lists()
    assert restored.pegs() == desk.venue.pegs()
    assert restored.quote_desks() == desk.venue.quote_desks()
    assert restored._state.ids_reserved() == 0
    assert restored._state.reserved_count == 1
