"""Price bands, corridors and the breaker of the market as JSON. An index level is a text with up to four decimals."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct, structs

from exchange.domain import volatility_events as v
from exchange.domain.events import BusinessDayStarted, Event
from exchange.domain.phase import CALL_NS_MAX
from exchange.domain.units import format_money
from exchange.domain.volatility import CORRIDOR_BPS_MAX, TIERS_MAX, LimitState, VolatilityTerms
from exchange.wire.rest.market import price_text, time_text
from exchange.wire.rest.texts import PriceText, SymbolText, TimeText, choice, text

SECOND_NS = 1_000_000_000
STATE_NUMBERS = {state.name.lower(): state for state in LimitState}
LIMIT_STATES = {int(state): name for name, state in STATE_NUMBERS.items()}
MODES = dict.fromkeys(("none", "bands", "corridor"))
CorridorBps = Annotated[int, Meta(ge=0, le=CORRIDOR_BPS_MAX)]
CallSeconds = Annotated[int, Meta(ge=0, le=CALL_NS_MAX // SECOND_NS)]
LevelText = Annotated[str, text("An index level.", r"[0-9]{1,12}(\.[0-9]{1,4})?", "5123.45")]
LIMIT_EVENTS = (
    v.PriceBandsSet, v.PriceCorridorSet, v.PriceBandsMoved, v.LimitStateChanged, v.AuctionCollarSet, v.CorridorLeft,
    v.MarketBreakerSet, v.IndexLevelReported, v.MarketBreakerTripped,
)  # fmt: skip


class BandsChange(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which bands a symbol has: of tier 1 or 2, or with 0 none, and no corridor either."""

    tier: Annotated[int, Meta(ge=0, le=TIERS_MAX)]


class CorridorChange(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which corridor a symbol has, in basis points around the last price and the last auction's price; 0 for none.

    call_s: how long orders gather before a trade beyond it, up to random_end_s longer by chance.
    """

    dynamic_bps: CorridorBps = 0
    static_bps: CorridorBps = 0
    call_s: CallSeconds = 120
    random_end_s: CallSeconds = 30


class BreakerChange(Struct, kw_only=True, forbid_unknown_fields=True):
    """The last close of the index that the breaker watches; 0 for no breaker."""

    close_level: LevelText


class IndexLevel(Struct, kw_only=True, forbid_unknown_fields=True):
    """Where the index stands."""

    level: LevelText


class BreakerView(Struct, kw_only=True):
    """The last close of the index that the breaker watches, null where there is none."""

    close_level: str | None


class BreakerStandView(Struct, kw_only=True):
    """Where the breaker of the market stands, as it was told since the reporter began.

    index_level: null where none was; fall_bps: below its close; tripped_level: today's highest, 0 for none; ends_at: of
    what followed, null where it does not end by itself.
    """

    close_level: str
    index_level: str | None = None
    fall_bps: int = 0
    tripped_level: int = 0
    ends_at: TimeText | None = None


class BandsView(Struct, kw_only=True):
    """The bands that were told last. lowest_price: null where there is none; state: as of the limit state."""

    reference_price: PriceText
    lowest_price: PriceText | None
    highest_price: PriceText
    state: Annotated[str, choice(STATE_NUMBERS)]


class LimitsView(Struct, kw_only=True):
    """What protects a symbol from sudden prices, and where its limits stand now: null while none hold.

    reference_price: of bands; state: of bands, how the best prices stand to them; pause_at: when a limit state leads to
    a pause.
    """

    symbol: SymbolText
    mode: Annotated[str, choice(MODES)]
    tier: int = 0
    dynamic_bps: int = 0
    static_bps: int = 0
    call_s: int = 0
    random_end_s: int = 0
    reference_price: PriceText | None = None
    lowest_price: PriceText | None = None
    highest_price: PriceText | None = None
    state: Annotated[str, choice(STATE_NUMBERS)] = "normal"
    pause_at: TimeText | None = None


def limits_view(
    symbol: str, terms: VolatilityTerms, now: tuple[int, int, int, int, int] | None
) -> LimitsView:
    """Write a symbol's protection. now: what `Venue.price_limits` gives."""
    has_corridor = terms.dynamic_bps or terms.static_bps
    view = LimitsView(
        symbol=symbol, mode="bands" if terms.tier else "corridor" if has_corridor else "none", tier=terms.tier,
        dynamic_bps=terms.dynamic_bps, static_bps=terms.static_bps, call_s=terms.call_ns // SECOND_NS,
        random_end_s=terms.random_ns_max // SECOND_NS,
    )  # fmt: skip
    if now is not None:
        reference, lowest, highest, state, ends_ns = now
        view.reference_price = price_text(reference) if reference else None
        view.lowest_price = price_text(lowest) if lowest else None
        view.highest_price = price_text(highest)
        view.state = LIMIT_STATES[state]
        view.pause_at = time_text(ends_ns) if ends_ns else None
    return view


def bands_view(moved: v.PriceBandsMoved | None, state: int) -> BandsView | None:
    """Write bands that were told, and how the best prices stand to them."""
    if moved is None:
        return None
    return BandsView(
        reference_price=price_text(moved.reference_price),
        lowest_price=price_text(moved.lower) if moved.lower else None,
        highest_price=price_text(moved.upper),
        state=LIMIT_STATES[state],
    )


def breaker_after(before: BreakerStandView | None, event: Event) -> BreakerStandView | None:
    """Return where the breaker stands after an event; none without a close that it watches."""
    match event:
        case v.MarketBreakerSet(close_level=close):
            return BreakerStandView(close_level=format_money(close)) if close else None
        case v.IndexLevelReported() if before is not None:
            return structs.replace(before, index_level=format_money(event.level), fall_bps=event.fall_bps)
        case v.MarketBreakerTripped() if before is not None:
            ends_at = time_text(event.ends_ns) if event.ends_ns else None
            return structs.replace(before, tripped_level=event.level, ends_at=ends_at)
        case BusinessDayStarted() if before is not None:
            return structs.replace(before, fall_bps=0, tripped_level=0, ends_at=None)
    return before


def limit_fields(event: Event) -> dict[str, Any]:
    """Return what a message of the status channel says of a price limit or the breaker."""
    match event:
        case v.PriceBandsSet(tier=tier):
            return {"type": "price_bands_set", "tier": tier}
        case v.PriceCorridorSet():
            return {
                "type": "price_corridor_set", "dynamic_bps": event.dynamic_bps, "static_bps": event.static_bps,
            }  # fmt: skip
        case v.PriceBandsMoved():
            return {
                "type": "price_bands", "reference_price": price_text(event.reference_price),
                "is_doubled": event.is_doubled, **_limits(event.lower, event.upper),
            }  # fmt: skip
        case v.LimitStateChanged():
            ends = {"ends_at": time_text(event.ends_ns)} if event.ends_ns else {}
            return {
                "type": "limit_state", "state": LIMIT_STATES[event.state], "bid": _price(event.bid),
                "ask": _price(event.ask), **ends,
            }  # fmt: skip
        case v.AuctionCollarSet():
            return {
                "type": "auction_collar", "reference_price": price_text(event.reference_price),
                "extension": event.extension, **_limits(event.lower, event.upper),
            }  # fmt: skip
        case v.CorridorLeft():
            limits = _limits(event.lowest, event.highest)
            return {"type": "corridor_left", "price": price_text(event.price), **limits}
        case v.MarketBreakerSet():
            return {"type": "market_breaker", "index_level": format_money(event.close_level)}
        case v.IndexLevelReported():
            return {
                "type": "index_level", "index_level": format_money(event.level), "fall_bps": event.fall_bps,
            }  # fmt: skip
        case v.MarketBreakerTripped():
            ends = {"ends_at": time_text(event.ends_ns)} if event.ends_ns else {}
            index_level = format_money(event.index_level)
            return {"type": "breaker_tripped", "level": event.level, "index_level": index_level, **ends}
    raise AssertionError(f"{event} is no event of a price limit or the breaker")


def _limits(lowest: int, highest: int) -> dict[str, str]:
    return {"lowest_price": _price(lowest), "highest_price": price_text(highest)}


def _price(price: int) -> str:
    return price_text(price) if price else ""
