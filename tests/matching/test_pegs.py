"""Pegged orders stand where the shown prices put them, and the book is never crossed."""

from __future__ import annotations

import random

import pytest

from exchange.domain import commands as c
from exchange.domain.order import Peg, PegKind, Side, TimeInForce
from exchange.matching.pegs import pegged_price, prices_followed
from exchange.matching.venue import Venue
from tests.matching.desk import ANN, BOB, CAT, XYZ, Desk, order


def pegged(side: Side, kind: PegKind, offset: int = 0, account_id: int = CAT) -> c.EnterPeggedOrder:
    return c.EnterPeggedOrder(
        account_id=account_id, symbol_id=XYZ, side=side, time_in_force=TimeInForce.DAY, kind=kind, offset=offset,
        limit=0, quantity=10,
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(20))
def test_after_each_command_every_peg_has_its_price_and_nothing_is_crossed(seed: int) -> None:
    drawn = random.Random(seed)
    desk = Desk()
    for _ in range(120):
        side = drawn.choice((Side.BUY, Side.SELL))
        if drawn.random() < 0.3:
            kind = drawn.choice(list(PegKind))
            offset = 0 if kind is PegKind.MIDPOINT else drawn.choice((0, 100, -100))
            desk.send(pegged(side, kind, offset))
        else:
            price = 100_000 + 100 * drawn.randrange(-6, 7)
            desk.send(order(side, drawn.randrange(1, 30), price, drawn.choice((ANN, BOB))))
        look(desk.venue, seed)


def look(venue: Venue, seed: int) -> None:
    market = venue._state.markets[XYZ]
    for order_id, peg in venue.pegs().items():
        live = venue.order(order_id)
        assert live, f"seed {seed}: peg {order_id} is dead"
        assert live.price == pegged_price(
            market, live, Peg(*(peg.kind, peg.offset, peg.limit)), prices_followed(market)
        )
    shown, hidden = venue.orders(XYZ), venue.hidden_orders(XYZ)
    bids = [each.price for each in (*shown[0], *hidden[0])]
    asks = [each.price for each in (*shown[1], *hidden[1])]
    assert not bids or not asks or max(bids) < min(asks), f"seed {seed}: {bids} {asks}"


def test_a_new_tick_table_moves_them_at_once() -> None:
    desk = Desk()
    desk.send(
        order(Side.BUY, 1, 100_000), order(Side.SELL, 1, 101_000), pegged(Side.BUY, PegKind.PRIMARY, 300)
    )
    (peg_id,) = desk.venue.pegs()
    restored = Venue.restore(desk.venue.snapshot())
    assert restored.pegs() == desk.venue.pegs()
    live = desk.venue.order(peg_id)
    assert live is not None
    assert live.price == 100_300
