"""Symbols as JSON."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct, field

from exchange.domain.allocation import (
    LEAD_MAKERS_MAX,
    SHARE_MAX,
    STEPS_MAX,
    Allocation,
    AllocationStep,
    Rounding,
    StepKind,
)
from exchange.domain.symbol import DEFAULT_TICKS, PROTECTION_BPS_MAX, Symbol, SymbolState
from exchange.domain.units import QUANTITY_MAX, format_price
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
    choice,
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


STEPS = {kind.name.lower(): kind for kind in StepKind}
ROUNDINGS = {"": Rounding.NONE, "down": Rounding.DOWN, "up": Rounding.UP}
STEP_TEXT = {int(kind): text for text, kind in STEPS.items()}
ROUNDING_TEXT = {int(rounding): text for text, rounding in ROUNDINGS.items()}
Shares = Annotated[int, Meta(ge=0, le=QUANTITY_MAX)]


class StepView(Struct, kw_only=True, forbid_unknown_fields=True):
    """A step. rounding: of pro_rata, down unless said; share_bps: of top (0: all) and split; minimum, maximum: shares.

    minimum: of pro_rata, what it gives at least or nothing, of top, how large the order must be; maximum: of top.
    """

    step: Annotated[str, choice(STEPS)]
    rounding: Annotated[str, choice(ROUNDINGS)] = ""
    share_bps: Annotated[int, Meta(ge=0, le=SHARE_MAX)] = 0
    minimum: Shares = 0
    maximum: Shares = 0


class LeadMakerView(Struct, kw_only=True, forbid_unknown_fields=True):
    """A lead market maker and its share."""

    account: Id
    share_bps: Annotated[int, Meta(ge=0, le=SHARE_MAX)]


class AllocationView(Struct, kw_only=True, forbid_unknown_fields=True):
    """How trades are shared out among the orders at one price. No steps: price-time priority."""

    steps: Annotated[list[StepView], Meta(extra_json_schema={"maxItems": STEPS_MAX})] = []
    lead_makers: Annotated[list[LeadMakerView], Meta(extra_json_schema={"maxItems": LEAD_MAKERS_MAX})] = []


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
    allocation: AllocationView = field(default_factory=AllocationView)


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
        allocation=allocation_view(symbol.allocation),
    )


def allocation_view(allocation: Allocation) -> AllocationView:
    """Write an allocation."""
    steps = [
        StepView(
            step=STEP_TEXT[step.kind], rounding=ROUNDING_TEXT[step.rounding], share_bps=step.share_bps,
            minimum=step.minimum, maximum=step.maximum,
        )
        for step in allocation.steps
    ]  # fmt: skip
    makers = [
        LeadMakerView(account=str(each.account_id), share_bps=each.share_bps)
        for each in allocation.lead_makers
    ]
    return AllocationView(steps=steps, lead_makers=makers)


def step_of(view: StepView) -> AllocationStep:
    """Return the step that a view asks for, its words being some that there are; what is not said is as usual."""
    kind, rounding, share_bps = STEPS[view.step], ROUNDINGS[view.rounding], view.share_bps
    if kind is StepKind.PRO_RATA:
        rounding = rounding or Rounding.DOWN
    if kind is StepKind.TOP:
        share_bps = share_bps or SHARE_MAX
    return AllocationStep(kind, rounding, share_bps, view.minimum, view.maximum)
