"""The desk of guards and breaker by itself; `tests/scenarios/market_breaker.txt` has the rules."""

from __future__ import annotations

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain.phase import Phase
from exchange.domain.volatility import VolatilityTerms
from exchange.matching.venue import Venue
from tests.matching.desk import BUSINESS_DATE, XYZ, Desk, kinds


def test_the_directory_knows_what_protects_a_symbol() -> None:
    desk = Desk()
    desk.send(c.SetPriceBands(symbol_id=XYZ, tier=2), c.SetMarketBreaker(close_level=1_000))
    for venue in (desk.venue, Venue.restore(desk.venue.snapshot())):
        assert venue.directory.symbols[XYZ].volatility == VolatilityTerms(tier=2)
        assert venue.directory.breaker_close == 1_000
    desk.send(c.SetPriceCorridor(symbol_id=XYZ, dynamic_bps=1, static_bps=2, call_ns=3, random_ns_max=4))
    corridor = VolatilityTerms(dynamic_bps=1, static_bps=2, call_ns=3, random_ns_max=4)
    assert Venue.restore(desk.venue.snapshot()).directory.symbols[XYZ].volatility == corridor


def test_where_no_day_ends_the_third_level_lasts_until_an_operator_ends_it() -> None:
    desk = Desk(opening=[c.StartBusinessDay(date=BUSINESS_DATE), c.AddSymbol(
        symbol="XYZ", name="Xyzzy", reference_price=100_000
    )])  # fmt: skip
    events = desk.send(c.SetMarketBreaker(close_level=10), c.ReportIndexLevel(level=8))
    changed = events[-1]
    assert isinstance(changed, e.PhaseChanged)
    assert (changed.phase, changed.ends_ns, desk.venue.next_deadline) == (Phase.HALTED, 0, 0)


def test_the_breaker_goes_on_from_a_snapshot() -> None:
    desk = Desk()
    desk.send(c.SetMarketBreaker(close_level=1_000), c.ReportIndexLevel(level=930))
    desk.venue = Venue.restore(desk.venue.snapshot())
    assert kinds(desk.send(c.ReportIndexLevel(level=929))) == ["IndexLevelReported"]
    assert kinds(desk.send(c.StartBusinessDay(date=BUSINESS_DATE + 1))) == [
        "BusinessDayStarted", "MarketBreakerSet"
    ]  # fmt: skip
    assert desk.venue.directory.breaker_close == 929
