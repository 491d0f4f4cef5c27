"""Symbols as JSON."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct, field

from exchange.domain.symbol import DEFAULT_TICKS, PROTECTION_BPS_MAX, Symbol, SymbolState
from exchange.domain.units import format_price
from exchange.wire.rest.texts import (
    PAGE_MAX,
    Cursor,
    Id,
    Limit,
    NameText,
    PriceOrZero,
    PriceText,
    QuantityText,
    SharesIn,
    SharesNumber,
    SymbolText,
)

STATES = {state.name.lower(): state for state in SymbolState}
STATE_TEXT = {int(state): text for text, state in STATES.items()}


class SymbolsQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which page of the symbols."""

    limit: Limit = PAGE_MAX
    cursor: Cursor = ""


class TickRowView(Struct, forbid_unknown_fields=True, rename={"from_price": "from"}):
    """From this price upwards, prices are multiples of this tick."""

    from_price: PriceOrZero
    tick: PriceText


class SymbolView(Struct, kw_only=True):
    """A listed symbol. protection_bps: how far from the reference price market orders may trade, 0 for any price."""

    id: Id
    symbol: SymbolText
    name: NameText
    state: Annotated[str, Meta(extra_json_schema={"enum": list(STATES)})]
    round_lot: QuantityText
    reference_price: PriceText
    ticks: list[TickRowView]
    protection_bps: int = 0


class SymbolList(Struct):
    """A page of symbols."""

    items: list[SymbolView]
    next: str | None = None


def _default_ticks() -> list[TickRowView]:
    return [TickRowView(format_price(row.from_price), format_price(row.tick)) for row in DEFAULT_TICKS]


class NewSymbol(Struct, kw_only=True, forbid_unknown_fields=True):
    """A symbol to list."""

    symbol: SymbolText
    name: NameText
    reference_price: PriceText
    round_lot: SharesIn | SharesNumber = "1"
    ticks: list[TickRowView] = field(default_factory=_default_ticks)


class StateChange(Struct, kw_only=True, forbid_unknown_fields=True):
    """Why a symbol is suspended or trades again, for people."""

    reason: Annotated[str, Meta(max_length=64)] = ""


class MarketProtection(Struct, kw_only=True, forbid_unknown_fields=True):
    """How far from the reference price market orders may trade, in basis points; 0 for any price."""

    band_bps: Annotated[int, Meta(ge=0, le=PROTECTION_BPS_MAX)]


class ReferencePrice(Struct, kw_only=True, forbid_unknown_fields=True):
    """The price that the next trade is compared with."""

    price: PriceText


def symbol_view(symbol: Symbol) -> SymbolView:
    """Write a symbol."""
    return SymbolView(
        id=str(symbol.symbol_id),
        symbol=symbol.symbol,
        name=symbol.name,
        state=STATE_TEXT[symbol.state],
        round_lot=str(symbol.round_lot),
        reference_price=format_price(symbol.reference_price),
        ticks=[
            TickRowView(format_price(row.from_price), format_price(row.tick)) for row in symbol.ticks.rows
        ],
        protection_bps=symbol.protection_bps,
    )
