"""Symbols as JSON."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct, field, structs

from exchange.domain.allocation import (
    LEAD_MAKERS_MAX,
    SHARE_MAX,
    STEPS_MAX,
    Allocation,
    AllocationStep,
    Rounding,
    StepKind,
)
from exchange.domain.phase import Phase
from exchange.domain.symbol import (
    DEFAULT_TICKS,
    PROTECTION_BPS_MAX,
    SHORT_TRIGGER_BPS_MAX,
    AuctionTerms,
    Symbol,
    SymbolState,
)
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

PHASES = {int(phase): phase.name.lower() for phase in Phase}
SECOND_NS = 1_000_000_000
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


class AuctionTermsView(Struct, kw_only=True):
    """How far from the reference price an auction may end, and how it goes on outside."""

    collar_bps: int
    extension_s: int
    extensions_max: int


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


class ShortSaleSettings(Struct, kw_only=True, forbid_unknown_fields=True):
    """What is asked of short sales. trigger_bps: the decline from the closing price that restricts them, 0 for none."""

    trigger_bps: Annotated[int, Meta(ge=0, le=SHORT_TRIGGER_BPS_MAX)] = 0
    needs_locate: bool = False
    needs_marking: bool = False


class ShortSalesView(Struct, kw_only=True):
    """What is asked of short sales now. restricted: they must be above the best bid."""

    trigger_bps: int = 0
    needs_locate: bool = False
    needs_marking: bool = False
    restricted: bool = False


class SymbolView(Struct, kw_only=True):
    """A listed symbol. protection_bps: how far from the reference price market orders may trade, 0 for any price.

    phase: what its market does now; auction: how the price of auctions is checked, null where it is not.
    """

    id: Id
    symbol: SymbolText
    name: NameText
    state: Annotated[str, Meta(extra_json_schema={"enum": list(STATES)})]
    round_lot: QuantityText
    reference_price: PriceText
    ticks: list[TickRowView]
    protection_bps: int = 0
    phase: Annotated[str, Meta(extra_json_schema={"enum": list(PHASES.values())})] = "continuous"
    auction: AuctionTermsView | None = None
    allocation: AllocationView = field(default_factory=AllocationView)
    short_sales: ShortSalesView = field(default_factory=ShortSalesView)


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


def _auction_view(terms: AuctionTerms) -> AuctionTermsView | None:
    if terms == AuctionTerms():
        return None
    return AuctionTermsView(
        collar_bps=terms.collar_bps,
        extension_s=terms.extension_ns // SECOND_NS,
        extensions_max=terms.extensions_max,
    )


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
        phase=PHASES[symbol.phase],
        auction=_auction_view(symbol.auction),
        allocation=allocation_view(symbol.allocation),
        short_sales=ShortSalesView(
            **structs.asdict(symbol.short_sales), restricted=symbol.is_short_restricted
        ),
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
