"""The words of market makers' quotes and their protection."""

from __future__ import annotations

from enum import IntEnum

import msgspec

QUOTES_MAX = 100
"""Symbols of one mass quote."""
PROTECTION_WINDOW_MS_MAX = 3_600_000
"""The longest window in which a protection counts."""
PROTECTIONS_MAX = 100_000
"""Protections that hold at a time; one more is refused."""


class Quote(msgspec.Struct, frozen=True, gc=False):
    """A market maker's two sides in a symbol; a side of quantity 0 is none."""

    symbol_id: int
    bid_price: int
    bid_quantity: int
    ask_price: int
    ask_quantity: int


class ProtectionKind(IntEnum):
    """What of a protection was reached."""

    QUANTITY = 1
    """Shares traded."""
    EXECUTIONS = 2
    """Trades."""
    PERCENT = 3
    """The sum over all trades of the part of the quoted quantity that traded, in basis points."""
    DELTA = 4
    """Shares bought less shares sold, whichever way."""


class ProtectionLimits(msgspec.Struct, frozen=True, gc=False):
    """What may trade of a maker's quotes within a window before they are withdrawn; 0 for no limit."""

    quantity: int
    executions: int
    percent_bps: int
    delta: int
    window_ms: int


NO_PROTECTION = ProtectionLimits(0, 0, 0, 0, 0)
