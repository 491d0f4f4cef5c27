"""The words of volatility protection: price bands and corridors of a symbol, and the breaker of the whole market."""

from __future__ import annotations

from enum import IntEnum

import msgspec

TIERS_MAX = 2
CORRIDOR_BPS_MAX = 10_000
"""The widest corridor: the whole reference price."""
SECOND_NS = 1_000_000_000
BANDS_EVERY_NS = 30 * SECOND_NS
"""So often a new reference of the bands is measured. LULD plan."""
BUCKETS = 10
"""Of `BANDS_EVERY_NS` each: the trades of the last five minutes."""
LIMIT_STATE_NS = 15 * SECOND_NS
PAUSE_NS = 300 * SECOND_NS
"""A trading pause, and each of its extensions."""
LATE_NS = 1_500 * SECOND_NS
"""So long before the scheduled end of continuous trading the bands are doubled: 25 minutes."""
BREAKER_LATE_NS = 2_100 * SECOND_NS
"""So long before it the first two levels of the breaker halt no more: 35 minutes."""
BREAKER_HALT_NS = 900 * SECOND_NS
BREAKER_BPS = (700, 1_300, 2_000)
"""The falls at which the breaker trips, by level."""
MOVED_BPS = 100
"""A new reference holds where it is so far from the old one at least: 1 %."""
DEAR_PRICE = 30_000
"""3.00: above it the bands are those of the tier."""
CHEAP_PRICE = 7_500
"""0.75: below it the bands have an amount beside their percentage."""
CHEAP_AMOUNT = 1_500
"""0.15."""
CHEAP_BPS = 7_500
MIDDLE_BPS = 2_000
TIER_BPS = {1: 500, 2: 1_000}
COLLAR_BPS = 500
"""Of a price above `DEAR_PRICE`, how wide an auction after a pause is on the side of the band, and by how much wider
it gets."""
INDEX_LEVEL_MAX = 2**53


class LimitState(IntEnum):
    """Where the best shown prices stand to the bands."""

    NORMAL = 1
    LIMIT = 2
    """The best bid is the upper band, or the best ask the lower one: a pause follows unless that ends."""
    STRADDLE = 3
    """The best bid is below the lower band, or the best ask above the upper one."""


class VolatilityTerms(msgspec.Struct, frozen=True, gc=False):
    """How a symbol is protected. tier: of its bands, 0 for none; the others are its corridor's: `SetPriceCorridor`."""

    tier: int = 0
    dynamic_bps: int = 0
    static_bps: int = 0
    call_ns: int = 0
    random_ns_max: int = 0


def band_widths(tier: int, base: int, reference: int, *, is_late: bool) -> tuple[int, int]:
    """Return how far the lower and the upper band are from the reference. base: the price that picks the row."""
    if base >= CHEAP_PRICE:
        bps = TIER_BPS[tier] if base > DEAR_PRICE else MIDDLE_BPS
        doubles = is_late and (tier == 1 or base <= DEAR_PRICE)
        width = reference * bps * (1 + doubles) // 10_000
        return width, width
    width = min(CHEAP_AMOUNT, reference * CHEAP_BPS // 10_000)
    return width, min(2 * CHEAP_AMOUNT, reference * 2 * CHEAP_BPS // 10_000) if is_late else width


def collar_width(price: int) -> int:
    """Return how wide the auction after a pause is beyond a band, and by how much it gets wider."""
    return price * COLLAR_BPS // 10_000 if price > DEAR_PRICE else CHEAP_AMOUNT


def breaker_level(close_level: int, level: int) -> int:
    """Return the highest level of the breaker that an index has fallen to, 0 for none."""
    return sum(level * 10_000 <= close_level * (10_000 - bps) for bps in BREAKER_BPS)
