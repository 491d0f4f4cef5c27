"""What happened about price bands, corridors and the market's breaker; events like those of `events.py`."""

from __future__ import annotations

from exchange.domain.events import Event
from exchange.domain.units import Price
from exchange.domain.volatility import LimitState


class PriceBandsSet(Event, frozen=True, kw_only=True):
    """The bands of a tier protect a symbol from now on, or with 0 nothing; see `SetPriceBands`."""

    tier: int


class PriceCorridorSet(Event, frozen=True, kw_only=True):
    """A corridor protects a symbol from now on, or nothing; see `SetPriceCorridor`."""

    dynamic_bps: int
    static_bps: int
    call_ns: int
    random_ns_max: int


class PriceBandsMoved(Event, frozen=True, kw_only=True):
    """A symbol's bands are these from now on. lower: 0 for none; is_doubled: late in the day."""

    reference_price: Price
    lower: Price
    upper: Price
    is_doubled: bool


class LimitStateChanged(Event, frozen=True, kw_only=True):
    """The best shown prices stand differently to the bands. bid, ask: 0 for none; ends_ns: when a pause follows."""

    state: LimitState
    bid: Price
    ask: Price
    ends_ns: int


class AuctionCollarSet(Event, frozen=True, kw_only=True):
    """An auction after a pause may end from lower to upper. reference_price: the band reached; extension: 0 first."""

    reference_price: Price
    lower: Price
    upper: Price
    extension: int


class CorridorLeft(Event, frozen=True, kw_only=True):
    """An order would have traded at a price outside the corridor from lowest to highest; an auction follows."""

    price: Price
    lowest: Price
    highest: Price


class MarketBreakerSet(Event, frozen=True, kw_only=True):
    """The market stops when the index falls far below this level from now on; 0: it does not."""

    close_level: int


class IndexLevelReported(Event, frozen=True, kw_only=True):
    """The index stands here. fall_bps: below its close, in basis points, rounded down; 0 where it is not below."""

    level: int
    fall_bps: int


class MarketBreakerTripped(Event, frozen=True, kw_only=True):
    """The market stops, each symbol by its own event. level: 1 to 3; ends_ns: 0 where an operator ends it."""

    level: int
    index_level: int
    ends_ns: int
