"""Intervals, where candles begin, and what stands where nothing traded."""

from __future__ import annotations

import pytest

from exchange.domain.units import parse_time
from exchange.market_data.candles import (
    DAY_S,
    DEFAULT_INTERVALS,
    SECOND_NS,
    Candle,
    CandleKey,
    IntervalError,
    candle_start,
    date_start,
    fill_empty,
    format_interval,
    parse_interval,
    parse_intervals,
)
from exchange.market_data.statistics import figures_of_trade

NOON = parse_time("2026-11-23T12:00:00Z")
DATE = 20261123


def candle(start_s: int, sequence: int = 1, price: int = 100, date: int = DATE) -> Candle:
    key = CandleKey(1, 60, date, NOON + start_s * SECOND_NS)
    return Candle(key, figures_of_trade(sequence, price, 10))


def test_the_default_intervals_are_read_and_written_back() -> None:
    seconds = parse_intervals(DEFAULT_INTERVALS)
    assert seconds == (1, 5, 60, 300, 900, 3_600, 86_400)
    assert tuple(map(format_interval, seconds)) == DEFAULT_INTERVALS


def test_the_business_date_is_always_among_the_intervals() -> None:
    assert parse_intervals(["5m"]) == (300, DAY_S)


@pytest.mark.parametrize("text", ["", "5", "m", "0s", "-1m", "2d", "25h", "1.5m", "1w", "100000s"])
def test_what_is_no_interval_is_refused(text: str) -> None:
    with pytest.raises(IntervalError, match="an interval is a number of"):
        parse_interval(text)


def test_intervals_that_do_not_fit_into_each_other_are_refused() -> None:
    with pytest.raises(IntervalError, match="interval 5m is not a whole multiple of 2m"):
        parse_intervals(["2m", "5m"])
    with pytest.raises(IntervalError, match="interval 1d is not a whole multiple of 7h"):
        parse_intervals(["7h"])
    with pytest.raises(IntervalError, match="1 to 15 intervals"):
        parse_intervals([])


def test_a_candle_begins_at_a_whole_multiple_and_a_day_at_midnight_of_its_date() -> None:
    late = parse_time("2026-11-23T22:30:07.5Z")
    assert candle_start(5, DATE, late) == parse_time("2026-11-23T22:30:05Z")
    assert candle_start(3_600, DATE, late) == parse_time("2026-11-23T22:00:00Z")
    assert candle_start(DAY_S, 20261124, late) == parse_time("2026-11-24T00:00:00Z") == date_start(20261124)


def test_a_candle_ends_where_the_next_begins() -> None:
    assert candle(0).end_ns == candle(60).key.start_ns


def test_empty_intervals_are_filled_between_candles_and_up_to_the_end() -> None:
    filled = list(fill_empty([candle(0), candle(180)], candle(300).key.start_ns))
    assert [(each.key.start_ns - NOON) // SECOND_NS for each in filled] == [0, 60, 120, 180, 240]
    assert [each.figures is None for each in filled] == [False, True, True, False, True]


def test_nothing_is_filled_before_the_first_trade() -> None:
    assert list(fill_empty([], NOON)) == []
