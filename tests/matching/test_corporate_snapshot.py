"""What a snapshot holds of corporate actions and short sales comes back as it was."""

from __future__ import annotations

from exchange.domain import commands as c
from exchange.domain.order import Side
from exchange.domain.phase import Phase
from exchange.matching.venue import Venue
from tests.matching.desk import ANN, BOB, XYZ, Desk, kinds, order


def test_a_restriction_and_its_closing_price_come_back() -> None:
    desk = Desk()
    desk.send(
        c.SetShortSaleTerms(symbol_id=XYZ, trigger_bps=1_000, needs_locate=True),
        order(Side.BUY, 5, 90_000, ANN), order(Side.SELL, 5, 90_000, BOB),
    )  # fmt: skip
    restored = Venue.restore(desk.venue.snapshot())
    assert restored.digest() == desk.venue.digest()
    symbol = restored.directory.symbols[XYZ]
    assert (symbol.is_short_restricted, symbol.short_sales.trigger_bps, symbol.short_sales.needs_locate) == (
        True,
        1_000,
        True,
    )
    desk.venue = restored
    events = desk.send(c.StartBusinessDay(date=20261124), c.StartBusinessDay(date=20261125))
    assert kinds(events) == ["BusinessDayStarted", "ShortSaleRestricted"] * 2
    assert [getattr(event, "days", None) for event in events] == [None, 1, None, 0]


def test_a_trigger_that_is_armed_comes_back_armed() -> None:
    desk = Desk()
    desk.send(c.SetShortSaleTerms(symbol_id=XYZ, trigger_bps=1_000))
    desk.venue = Venue.restore(desk.venue.snapshot())
    events = desk.send(order(Side.BUY, 5, 90_000, ANN), order(Side.SELL, 5, 90_000, BOB))
    assert kinds(events)[-2:] == ["TradeExecuted", "ShortSaleRestricted"]


def test_the_last_split_comes_back() -> None:
    desk = Desk()
    (split, *_) = desk.send(
        c.SetPhase(symbol_id=XYZ, phase=Phase.CLOSED),
        c.SplitSymbol(symbol_id=XYZ, new_shares=2, old_shares=1),
    )[1:]
    data = desk.venue.snapshot()
    assert Venue.restore(data).snapshot() == data
    assert split.sequence.to_bytes(8, "little") in data
