"""Phases, halts and auctions as JSON."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from exchange.domain import events as e
from exchange.domain.phase import (
    CALL_NS_MAX,
    COLLAR_BPS_MAX,
    EXTENSIONS_MAX,
    SETTABLE,
    AuctionKind,
    Phase,
    PhaseCause,
)
from exchange.wire.rest.market import price_text, time_text
from exchange.wire.rest.texts import PriceText, QuantityText, SideText, SymbolOrEmpty, TimeText, choice

SECOND_NS = 1_000_000_000
CALL_S_MAX = CALL_NS_MAX // SECOND_NS
PHASE_TEXT = {int(phase): phase.name.lower() for phase in Phase}
SETTABLE_PHASES = {phase.name.lower(): phase for phase in SETTABLE}
CAUSE_TEXT = {int(cause): cause.name.lower() for cause in PhaseCause}
AUCTION_TEXT = {int(kind): kind.name.lower() for kind in AuctionKind}
SIDE_OR_NONE = {0: None, 1: "buy", 2: "sell"}

ReasonText = Annotated[str, Meta(max_length=64, description="For people.")]
CallSeconds = Annotated[int, Meta(ge=0, le=CALL_S_MAX)]


class PhaseChange(Struct, kw_only=True, forbid_unknown_fields=True):
    """A phase that is to begin now. symbol: empty for all symbols."""

    phase: Annotated[str, choice(SETTABLE_PHASES)]
    symbol: SymbolOrEmpty = ""
    reason: ReasonText = ""


class Halt(Struct, kw_only=True, forbid_unknown_fields=True):
    """A halt. symbol: empty for all symbols."""

    reason: Annotated[str, Meta(min_length=1, max_length=64, description="For people.")]
    symbol: SymbolOrEmpty = ""


class Resumption(Struct, kw_only=True, forbid_unknown_fields=True):
    """The end of a halt: orders gather for so many seconds, up to random_end_s longer by chance; then an auction."""

    symbol: SymbolOrEmpty = ""
    call_s: CallSeconds = 0
    random_end_s: CallSeconds = 0
    reason: ReasonText = ""


class AuctionCheck(Struct, kw_only=True, forbid_unknown_fields=True):
    """How far from the reference price an auction may end, in basis points, 0 for anywhere; and how it goes on."""

    collar_bps: Annotated[int, Meta(ge=0, le=COLLAR_BPS_MAX)]
    extension_s: CallSeconds = 0
    extensions_max: Annotated[int, Meta(ge=0, le=EXTENSIONS_MAX)] = 0


class IndicationView(Struct, kw_only=True):
    """How the auction would end now. price, far_price: null where nothing would trade."""

    price: PriceText | None
    far_price: PriceText | None
    reference_price: PriceText
    paired_qty: QuantityText
    imbalance_qty: QuantityText
    imbalance_side: SideText | None


class ScheduledPhaseView(Struct, kw_only=True):
    """A phase that will begin. symbol: empty for all symbols; by chance it may begin a little later."""

    symbol: SymbolOrEmpty
    phase: Annotated[str, choice(SETTABLE_PHASES)]
    at: TimeText


class ScheduleView(Struct, kw_only=True):
    """What is scheduled, soonest first."""

    items: list[ScheduledPhaseView]


def indication_view(
    price: int, far_price: int, reference_price: int, paired: int, imbalance: int, side: int
) -> IndicationView:
    """Write how an auction would end."""
    return IndicationView(
        price=price_text(price) if price else None,
        far_price=price_text(far_price) if far_price else None,
        reference_price=price_text(reference_price),
        paired_qty=str(paired),
        imbalance_qty=str(imbalance),
        imbalance_side=SIDE_OR_NONE[side],
    )


def auction_fields(event: e.Event) -> dict[str, Any]:
    """Return what a message of the status channel says of a phase or an auction."""
    match event:
        case e.PhaseChanged():
            ends = {"ends_at": time_text(event.ends_ns)} if event.ends_ns else {}
            return {
                "type": "phase", "phase": PHASE_TEXT[event.phase], "cause": CAUSE_TEXT[event.cause],
                "reason": event.reason, **ends,
            }  # fmt: skip
        case e.PhaseScheduled():
            return {
                "type": "phase_scheduled", "phase": PHASE_TEXT[event.phase], "begins_at": time_text(event.at_ns),
            }  # fmt: skip
        case e.AuctionIndicated():
            return {
                "type": "auction_indicated", "auction": AUCTION_TEXT[event.auction],
                "price": _price(event.price), "far_price": _price(event.far_price),
                "reference_price": price_text(event.reference_price), "qty": str(event.paired),
                "imbalance_qty": str(event.imbalance), "imbalance_side": SIDE_OR_NONE[event.side] or "",
            }  # fmt: skip
        case e.AuctionExecuted():
            return {
                "type": "auction_executed", "auction": AUCTION_TEXT[event.auction], "price": _price(event.price),
                "reference_price": price_text(event.reference_price), "qty": str(event.volume),
                "imbalance_qty": str(event.imbalance), "imbalance_side": SIDE_OR_NONE[event.side] or "",
            }  # fmt: skip
        case e.AuctionExtended():
            return {
                "type": "auction_extended", "auction": AUCTION_TEXT[event.auction], "price": price_text(event.price),
                "lowest_price": _price(event.lowest), "highest_price": price_text(event.highest),
                "ends_at": time_text(event.ends_ns),
            }  # fmt: skip
    raise AssertionError(f"{event} is no event of a phase or an auction")


def _price(price: int) -> str:
    return price_text(price) if price else ""
