"""The words of a trade: why it is busted, and how far from its reference a price may be."""

from __future__ import annotations

from enum import IntEnum

BASIS_POINTS = 10_000

GUIDELINE_TIERS: tuple[tuple[int, int], ...] = ((250_000, 1_000), (500_000, 500), (0, 300))
"""(highest reference price of the tier, 0 for no end; basis points). Nasdaq 11890, core session."""


class TradeCondition(IntEnum):
    """How the symbol traded when a trade happened."""

    CONTINUOUS = 1
    SUSPENDED = 2
    """Not at all: such a trade should not be."""
    AUCTION = 3
    """In an auction: both orders were there, and the auction made the price."""
    WITHIN_LIMITS = 4
    """Continuously, inside the price bands or the corridor that protected the symbol."""


class BustReason(IntEnum):
    """Why a trade is broken or corrected, as the ASCII code that OUCH 5.0 Broken Trade carries."""

    ERRONEOUS = ord("E")
    CONSENT = ord("C")
    SUPERVISORY = ord("S")
    EXTERNAL = ord("X")


def guideline_bps(reference_price: int) -> int:
    """Return the numerical guideline for a reference price, in basis points."""
    for up_to, bps in GUIDELINE_TIERS[:-1]:
        if reference_price <= up_to:
            return bps
    return GUIDELINE_TIERS[-1][1]


def is_outlier(price: int, reference_price: int) -> bool:
    """Tell whether a price equals or exceeds the guideline around its reference. Nasdaq 11890(a)(2)(C)(1)."""
    return abs(price - reference_price) * BASIS_POINTS >= reference_price * guideline_bps(reference_price)
