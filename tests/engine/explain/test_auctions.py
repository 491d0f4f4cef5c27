"""An auction as its orders saw it: why this price, and who came first."""

from __future__ import annotations

from exchange.domain import commands as c
from exchange.domain.order import Side, TimeInForce
from exchange.domain.phase import Phase
from tests.engine.explain.told import ToldDesk, rules, said
from tests.matching.desk import ANN, BOB, CAT, XYZ

BUY, SELL = Side.BUY, Side.SELL


def test_an_auction_is_told_by_its_table_and_who_came_first(desk: ToldDesk) -> None:
    desk.send(c.SetPhase(symbol_id=XYZ, phase=Phase.OPENING_AUCTION))
    first = desk.id_of(desk.enter(BUY, 100, 100_200, BOB))
    own = desk.id_of(desk.enter(BUY, 100, 100_100, ANN))
    low = desk.id_of(desk.enter(BUY, 10, 99_000, ANN, time_in_force=TimeInForce.AT_THE_OPEN))
    desk.enter(SELL, 150, 100_000, CAT)
    waiting = desk.explain(own)
    assert "XYZ is in opening auction: nothing trades until that is over." in said(waiting)
    desk.send(c.SetPhase(symbol_id=XYZ, phase=Phase.CONTINUOUS))
    told = desk.explain(own)
    auction = told.moments[-1]
    assert auction.title == "Traded"
    assert "of them leave 50 over: 10.01, for all leave buyers over, so it is the highest." in said(auction)
    assert "It traded 50 of its 100 shares: 100 shares came before it, and 150 shares trade in all." in said(
        auction
    )
    table = auction.tables[0]
    assert table.rows[table.mark] == ["10.01", "200", "150", "150", "50 buy "]
    assert "nobody came before it" in said(desk.explain(first).moments[-1])
    missed = desk.explain(low)
    assert "Its limit of 9.90 is below the auction's price of 10.01, so it could not trade." in said(
        missed.moments[-1]
    )
    assert "5.6" in rules(missed)
