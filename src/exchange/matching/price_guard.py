"""What protects one symbol from sudden prices while it trades continuously: price bands, or a corridor.

Bands stand around the mean price of the last five minutes. An order priced beyond a band gets the band's price, and
what may not rest is cancelled. A corridor stands around the last price and the last auction's price; an order that
would trade beyond it trades up to it, and then orders gather for an auction.
"""

from __future__ import annotations

from exchange.domain.trade import BASIS_POINTS
from exchange.domain.units import PRICE_MAX
from exchange.domain.volatility import BUCKETS, LimitState, VolatilityTerms


class PriceBands:
    """The bands of a symbol. They hold in continuous trading, while `update_ns` is not 0."""

    __slots__ = (
        "base", "buckets", "collar_lower", "collar_step", "collar_upper", "is_late", "limit_ends_ns", "lower",
        "reference", "state", "tier", "update_ns", "upper",
    )  # fmt: skip
    reprices = True
    is_left = False
    """Bands are never left."""

    def __init__(self, tier: int, base: int) -> None:
        self.tier = tier
        self.base = base
        """The last price of the day before, which picks the row of the table."""
        self.reference = 0
        """The price around which they stand, 0 before the first."""
        self.lower = 0
        self.upper = 0
        self.is_late = False
        self.state = LimitState.NORMAL
        self.limit_ends_ns = 0
        """When a pause follows, 0 for none."""
        self.update_ns = 0
        """When the reference is measured next, 0 while they do not hold."""
        self.collar_lower = 0
        self.collar_upper = 0
        """From where to where the auction after the pause may end, 0 and 0 where there is none."""
        self.collar_step = 0
        self.buckets: list[list[int]] = []
        """[sequence of the first event, trades, sum of their prices] of half a minute each, the newest last."""

    def limits(self, _: int) -> tuple[int, int]:
        """Return the lowest and highest price at which an order may trade now, whatever the last one was."""
        return self.lower, self.upper

    def leave(self, price: int, lowest: int, highest: int) -> None:
        """Hear of a price beyond the bands: nothing follows but that the order does not trade there."""

    def stop(self) -> None:
        """Hold no longer: the symbol does not trade continuously."""
        self.update_ns = self.limit_ends_ns = 0
        self.state = LimitState.NORMAL
        self.collar_lower = self.collar_upper = self.collar_step = 0
        self.buckets.clear()

    def note_trade(self, sequence: int, price: int) -> None:
        """Take a trade into the mean of the last five minutes."""
        newest = self.buckets[-1]
        newest[1] += 1
        newest[2] += price

    def bust(self, sequence: int, price: int) -> None:
        """Leave a trade out of the mean from now on; the bands stay where they are until they are measured next."""
        bucket = self._bucket_of(sequence)
        if bucket and bucket[1]:
            bucket[1] -= 1
            bucket[2] = max(bucket[2] - price, 0)

    def correct(self, sequence: int, old_price: int, price: int) -> None:
        """Give a trade another price in the mean from now on."""
        bucket = self._bucket_of(sequence)
        if bucket and bucket[1]:
            bucket[2] = max(bucket[2] + price - old_price, 0)

    def mean(self) -> int:
        """Return the mean price of the trades of the last five minutes, rounded down; 0 where there are none."""
        trades = sum(bucket[1] for bucket in self.buckets)
        return min(sum(bucket[2] for bucket in self.buckets) // trades, PRICE_MAX) if trades else 0

    def forget(self, steps: int, next_sequence: int) -> None:
        """Begin a new half minute, so many after the last one; what is older than five minutes is forgotten."""
        empty = [[next_sequence, 0, 0] for _ in range(min(steps, BUCKETS))]
        self.buckets = (self.buckets + empty)[-BUCKETS:]

    def _bucket_of(self, sequence: int) -> list[int] | None:
        return next((bucket for bucket in reversed(self.buckets) if bucket[0] <= sequence), None)


class PriceCorridor:
    """The corridor of a symbol; see `SetPriceCorridor`."""

    __slots__ = ("broken", "is_left", "seed", "static_price", "terms")
    reprices = False

    def __init__(self, terms: VolatilityTerms, seed: int, static_price: int) -> None:
        self.terms = terms
        self.seed = seed
        self.static_price = static_price
        """Of the last auction; before the first the last price of the day before."""
        self.is_left = False
        """Whether an order of this command would have traded beyond it: from then on orders gather."""
        self.broken = (0, 0, 0)
        """The price at which it would have, and the limits then."""

    def limits(self, last_price: int) -> tuple[int, int]:
        """Return the lowest and highest price at which an order may trade now."""
        lowest, highest = 0, int(PRICE_MAX)
        ranges = ((last_price, self.terms.dynamic_bps), (self.static_price, self.terms.static_bps))
        for price, bps in ranges:
            if bps:
                width = price * bps // BASIS_POINTS
                lowest, highest = max(lowest, price - width), min(highest, price + width)
        return lowest, highest

    def leave(self, price: int, lowest: int, highest: int) -> None:
        """Hear of a price beyond the corridor at which an order would have traded."""
        if not self.is_left:
            self.is_left = True
            self.broken = (price, lowest, highest)

    def stop(self) -> None:
        """Begin anew: the symbol does not trade continuously."""
        self.is_left = False

    def note_trade(self, sequence: int, price: int) -> None:
        """Take no note: the market knows its last price."""

    def bust(self, sequence: int, price: int) -> None:
        """Take no note: the last price stays what it was."""

    def correct(self, sequence: int, old_price: int, price: int) -> None:
        """Take no note: the last price stays what it was."""


PriceGuard = PriceBands | PriceCorridor
