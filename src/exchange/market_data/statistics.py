"""The figures of a run of trades: of a candle, of a business date, of anything between two moments.

Figures combine: those of two runs make those of both, whichever comes first. So a bust is answered by adding
up again what is left, from the shortest candle to the longest.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from exchange.domain.units import SCALE


class Figures(msgspec.Struct, frozen=True, gc=False):
    """Open, high, low, last, volume, notional (sum of price × quantity) and number of at least one trade.

    first_sequence, last_sequence: of the trades that made open and last.
    """

    first_sequence: int
    last_sequence: int
    open: int
    high: int
    low: int
    last: int
    volume: int
    notional: int
    trades: int

    def with_trade(self, sequence: int, price: int, quantity: int) -> Figures:
        """Return the figures with one more trade, which may be earlier than others."""
        first, last = self.first_sequence, self.last_sequence
        return Figures(
            first if first < sequence else sequence,
            last if last > sequence else sequence,
            self.open if first < sequence else price,
            self.high if self.high > price else price,
            self.low if self.low < price else price,
            self.last if last > sequence else price,
            self.volume + quantity,
            self.notional + price * quantity,
            self.trades + 1,
        )

    def joined(self, other: Figures) -> Figures:
        """Return the figures of both runs of trades together, whichever comes first."""
        is_first = self.first_sequence < other.first_sequence
        is_last = self.last_sequence > other.last_sequence
        return Figures(
            self.first_sequence if is_first else other.first_sequence,
            self.last_sequence if is_last else other.last_sequence,
            self.open if is_first else other.open,
            self.high if self.high > other.high else other.high,
            self.low if self.low < other.low else other.low,
            self.last if is_last else other.last,
            self.volume + other.volume,
            self.notional + other.notional,
            self.trades + other.trades,
        )

    @property
    def vwap(self) -> int:
        """Return the volume-weighted average price, rounded half up."""
        return (2 * self.notional + self.volume) // (2 * self.volume)


def figures_of_trade(sequence: int, price: int, quantity: int) -> Figures:
    """Return the figures of one trade alone."""
    return Figures(sequence, sequence, price, price, price, price, quantity, price * quantity, 1)


def combine(parts: Iterable[Figures]) -> Figures | None:
    """Return the figures of several runs of trades together, None for none."""
    runs = sorted(parts, key=lambda run: run.first_sequence)
    if not runs:
        return None
    latest = max(runs, key=lambda run: run.last_sequence)
    return Figures(
        runs[0].first_sequence,
        latest.last_sequence,
        runs[0].open,
        max(run.high for run in runs),
        min(run.low for run in runs),
        latest.last,
        sum(run.volume for run in runs),
        sum(run.notional for run in runs),
        sum(run.trades for run in runs),
    )


def change_bps(price: int, since: int) -> int:
    """Return how far a price is from an earlier one, in hundredths of a percent, rounded half up."""
    return (2 * (price - since) * SCALE + since) // (2 * since)
