"""A security that is traded: its tick table, round lot, reference price and state."""

from __future__ import annotations

import re
from bisect import bisect_right
from enum import IntEnum
from itertools import pairwise

import msgspec

from exchange.domain.allocation import PRICE_TIME, Allocation
from exchange.domain.phase import Phase
from exchange.domain.units import Price, Quantity, SymbolId
from exchange.domain.volatility import VolatilityTerms

SYMBOL_PATTERN = re.compile(r"[A-Z0-9.\-]{1,8}\Z", re.ASCII)
TICK_ROWS_MAX = 16
SYMBOLS_MAX = 65_535
PROTECTION_BPS_MAX = 10_000
"""The widest protection band of market orders: the whole reference price."""


class SymbolState(IntEnum):
    """Whether a symbol trades. While suspended it takes cancels and nothing else."""

    ACTIVE = 1
    SUSPENDED = 2


class TickRow(msgspec.Struct, frozen=True, gc=False):
    """From this price upwards, prices are multiples of this tick."""

    from_price: Price
    tick: Price


DEFAULT_TICKS = (TickRow(Price(0), Price(1)), TickRow(Price(10_000), Price(100)))
"""Below one currency unit 0.0001, from there on 0.01. SEC Rule 612."""


class TickTable(msgspec.Struct, frozen=True, gc=False):
    """Tick sizes by price. rows: lowest price first, the first from 0."""

    rows: tuple[TickRow, ...] = DEFAULT_TICKS

    def tick_at(self, price: int) -> int:
        """Return the tick that holds at a price."""
        return self.rows[bisect_right(self.rows, price, key=lambda row: row.from_price) - 1].tick

    def is_valid(self) -> bool:
        """Tell whether the rows are few, start at 0, rise, and have ticks above 0."""
        starts = [row.from_price for row in self.rows]
        rising = all(low < high for low, high in pairwise(starts))
        return (
            0 < len(self.rows) <= TICK_ROWS_MAX
            and starts[0] == 0
            and rising
            and all(r.tick > 0 for r in self.rows)
        )


class AuctionTerms(msgspec.Struct, frozen=True, gc=False):
    """How an auction's price is checked; see `SetAuctionTerms`."""

    collar_bps: int = 0
    extension_ns: int = 0
    extensions_max: int = 0


SHORT_TRIGGER_BPS_MAX = 9_999
"""The largest decline that restricts short sales: a price above 0 is left."""


class ShortSaleTerms(msgspec.Struct, frozen=True, gc=False):
    """What is asked of short sales. trigger_bps: the decline from the closing price that restricts them, 0 for none.

    needs_locate: each says that shares to borrow are located; needs_marking: each is marked as one.
    """

    trigger_bps: int = 0
    needs_locate: bool = False
    needs_marking: bool = False


class Symbol(msgspec.Struct, frozen=True, gc=False):
    """A symbol as the directory knows it. protection_bps: of market orders, see `SetMarketProtection`."""

    symbol_id: SymbolId
    symbol: str
    name: str
    round_lot: Quantity
    reference_price: Price
    state: SymbolState
    ticks: TickTable
    protection_bps: int = 0
    phase: Phase = Phase.CONTINUOUS
    auction: AuctionTerms = AuctionTerms()
    allocation: Allocation = PRICE_TIME
    volatility: VolatilityTerms = VolatilityTerms()
    short_sales: ShortSaleTerms = ShortSaleTerms()
    is_short_restricted: bool = False
