"""Bands and corridors by themselves; `tests/scenarios/price_bands.txt` and `price_corridors.txt` have the rules."""

from __future__ import annotations

from exchange.domain.units import PRICE_MAX
from exchange.domain.volatility import BUCKETS, VolatilityTerms
from exchange.matching.price_guard import PriceBands, PriceCorridor


def test_the_mean_is_of_the_trades_of_five_minutes() -> None:
    bands = PriceBands(1, 100_000)
    bands.forget(1, 1)
    assert bands.mean() == 0
    bands.note_trade(1, 100)
    bands.forget(1, 10)
    bands.note_trade(12, 201)
    assert bands.mean() == 150
    bands.forget(BUCKETS - 1, 20)
    assert bands.mean() == 201
    bands.forget(10**9, 30)
    assert (bands.mean(), len(bands.buckets)) == (0, BUCKETS)


def test_rulings_change_the_mean_of_those_trades_that_are_in_it() -> None:
    bands = PriceBands(1, 100_000)
    bands.forget(1, 10)
    bands.note_trade(12, 100)
    bands.note_trade(13, 200)
    bands.correct(13, 200, 300)
    assert bands.mean() == 200
    bands.bust(12, 100)
    assert bands.mean() == 300
    bands.bust(9, 100)
    bands.bust(13, 300)
    bands.bust(13, 300)
    bands.correct(13, 1, 900)
    assert bands.mean() == 0


def test_no_mean_is_above_the_highest_price() -> None:
    bands = PriceBands(1, 100_000)
    bands.forget(1, 1)
    bands.note_trade(1, PRICE_MAX)
    bands.correct(1, 1, PRICE_MAX)
    assert bands.mean() == PRICE_MAX


def test_a_corridor_is_where_both_ranges_are() -> None:
    corridor = PriceCorridor(VolatilityTerms(dynamic_bps=200, static_bps=300), 0, 101_000)
    assert corridor.limits(100_000) == (98_000, 102_000)
    assert corridor.limits(103_000) == (100_940, 104_030)
    assert PriceCorridor(VolatilityTerms(), 0, 1).limits(5) == (0, PRICE_MAX)


def test_a_corridor_remembers_the_first_price_beyond_it() -> None:
    corridor = PriceCorridor(VolatilityTerms(dynamic_bps=1), 0, 1)
    corridor.leave(5, 1, 2)
    corridor.leave(6, 1, 2)
    assert (corridor.is_left, corridor.broken) == (True, (5, 1, 2))
    corridor.stop()
    assert not corridor.is_left
