"""Guards and breaker come out of a snapshot as they went in."""

from __future__ import annotations

from exchange.domain import commands as c
from exchange.domain.order import Side
from exchange.domain.units import SymbolId
from exchange.matching.venue import Venue
from tests.matching.desk import BOB, XYZ, Desk


def test_bands_a_corridor_and_the_breaker_are_restored_whole() -> None:
    desk = Desk()
    desk.send(
        c.AddSymbol(symbol="ABC", name="Abc", reference_price=100_000),
        c.SetPriceBands(symbol_id=XYZ, tier=1),
        c.SetPriceCorridor(
            symbol_id=SymbolId(2), dynamic_bps=200, static_bps=500, call_ns=9, random_ns_max=8, seed=2**64 - 1
        ),
        c.SetMarketBreaker(close_level=1_000),
        c.ReportIndexLevel(level=860),
    )
    desk.time_ns += 900_000_000_000
    desk.send(c.Tick())
    desk.enter(Side.SELL, 10, 101_000, BOB)
    desk.enter(Side.BUY, 20, 105_000)
    before, after = desk.venue._state, Venue.restore(desk.venue.snapshot())._state
    assert after.breaker == before.breaker
    assert (list(after.guarded), after.guards_due) == ([1, 2], before.guards_due)
    for symbol_id in (1, 2):
        restored, guard = after.markets[symbol_id].guard, before.markets[symbol_id].guard
        assert type(restored) is type(guard)
        names = [name for name in type(guard).__slots__ if name != "broken"]  # type: ignore[union-attr]
        assert [getattr(restored, name) for name in names] == [getattr(guard, name) for name in names]
