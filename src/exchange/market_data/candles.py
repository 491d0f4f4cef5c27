"""Candles: the figures of a symbol's trades, interval by interval.

An interval shorter than a day begins at a whole multiple of itself since the epoch, UTC. The longest is the
business date, its start written as midnight UTC of that date: its candle has the symbol's figures of the day.
A candle never holds trades of two business dates; where one begins inside an interval there are two candles
of the same start.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from itertools import pairwise

import msgspec

from exchange.market_data.statistics import Figures

DAY_S = 86_400
SECOND_NS = 1_000_000_000
INTERVALS_MAX = 16
DEFAULT_INTERVALS = ("1s", "5s", "1m", "5m", "15m", "1h", "1d")
_INTERVAL = re.compile(r"(\d{1,5})([smhd])\Z", re.ASCII)
_UNITS_S = {"s": 1, "m": 60, "h": 3_600, "d": DAY_S}


class IntervalError(ValueError):
    """A set of candle intervals that does not work; the message says why."""


class CandleKey(msgspec.Struct, frozen=True, gc=False):
    """Which candle: symbol, interval, business date (YYYYMMDD) and start."""

    symbol_id: int
    interval_s: int
    business_date: int
    start_ns: int


class Candle(msgspec.Struct, frozen=True, gc=False):
    """A candle. figures: None where no trade is in it, or none any more."""

    key: CandleKey
    figures: Figures | None

    @property
    def end_ns(self) -> int:
        """Return the first moment after it."""
        return self.key.start_ns + self.key.interval_s * SECOND_NS

    def with_figures(self, since: Figures) -> Candle:
        """Return the candle with the figures of more trades."""
        return Candle(self.key, self.figures.joined(since) if self.figures is not None else since)


def parse_interval(text: str) -> int:
    """Turn `5m` into seconds. Raise `IntervalError` where it is no interval."""
    found = _INTERVAL.match(text)
    seconds = int(found[1]) * _UNITS_S[found[2]] if found else 0
    if not 0 < seconds <= DAY_S:
        raise IntervalError(f"an interval is a number of s, m or h, or 1d, such as 5m; got {text!r}")
    return seconds


def parse_intervals(texts: Iterable[str]) -> tuple[int, ...]:
    """Turn interval names into seconds, shortest first, the business date last.

    Each must be a whole multiple of the one before, so that longer candles can be added up from shorter ones.
    """
    seconds = sorted({parse_interval(text): None for text in texts} | {DAY_S: None})
    if not 2 <= len(seconds) <= INTERVALS_MAX:
        raise IntervalError(f"there must be 1 to {INTERVALS_MAX - 1} intervals shorter than a day")
    for shorter, longer in pairwise(seconds):
        if longer % shorter:
            names = format_interval(longer), format_interval(shorter)
            raise IntervalError(
                f"interval {names[0]} is not a whole multiple of {names[1]}, the one before it"
            )
    return tuple(seconds)


def format_interval(seconds: int) -> str:
    """Write seconds as the shortest interval text: `1m`, not `60s`."""
    for unit in "dhm":
        if seconds % _UNITS_S[unit] == 0:
            return f"{seconds // _UNITS_S[unit]}{unit}"
    return f"{seconds}s"


def candle_start(interval_s: int, business_date: int, time_ns: int) -> int:
    """Return when the candle begins that a trade of this time and business date falls into."""
    if interval_s == DAY_S:
        return date_start(business_date)
    return time_ns - time_ns % (interval_s * SECOND_NS)


@lru_cache(maxsize=64)
def date_start(number: int) -> int:
    """Return midnight UTC of a date YYYYMMDD in nanoseconds."""
    midnight = datetime(number // 10_000, number // 100 % 100, number % 100, tzinfo=UTC)
    return (midnight - datetime(1970, 1, 1, tzinfo=UTC)).days * DAY_S * SECOND_NS


def fill_empty(candles: Iterable[Candle], until_ns: int) -> Iterator[Candle]:
    """Give candles without a gap up to a moment; where nothing traded, one without figures stands in.

    candles: of one symbol and interval, in the order of their starts; before the first nothing is filled.
    """
    following = 0
    last: CandleKey | None = None
    for candle in candles:
        while last is not None and following < candle.key.start_ns:
            last = msgspec.structs.replace(last, start_ns=following)
            following += last.interval_s * SECOND_NS
            yield Candle(last, None)
        yield candle
        last, following = candle.key, candle.end_ns
    while last is not None and following < until_ns:
        last = msgspec.structs.replace(last, start_ns=following)
        following += last.interval_s * SECOND_NS
        yield Candle(last, None)
