"""What an order must be to enter the market: each check gives the first reason of `Reason` that applies."""

from __future__ import annotations

from typing import NamedTuple

from exchange.domain.order import (
    AUCTION_TIMES,
    CLIENT_ORDER_ID_PATTERN,
    ICEBERG_SLICES_MAX,
    TRAIL_BPS_MAX,
    OrderFlag,
    OrderType,
    Side,
    SpecialTerms,
    TimeInForce,
)
from exchange.domain.phase import NO_CANCEL, OPENING, Phase
from exchange.domain.reasons import Reason
from exchange.domain.symbol import SymbolState
from exchange.domain.units import NOTIONAL_MAX, PRICE_MAX
from exchange.matching.market import Market
from exchange.matching.stop_orders import STOPS, TRAILING_STOPS_MAX, is_reached, trailed_price, trails

SIDES = {side.value: side for side in Side}
ORDER_TYPES = {order_type.value: order_type for order_type in OrderType}
TIMES_IN_FORCE = {time_in_force.value: time_in_force for time_in_force in TimeInForce}
FLAGS_KNOWN = sum(flag.value for flag in OrderFlag)
RESTING_TIMES_IN_FORCE = (TimeInForce.DAY, TimeInForce.GTC, TimeInForce.GTD)
POST_ONLY = OrderFlag.POST_ONLY.value
REPRICE = OrderFlag.REPRICE.value
ALL_OR_NONE = OrderFlag.ALL_OR_NONE.value
HIDDEN = OrderFlag.HIDDEN.value
NO_CLIENT_ORDER_ID = bytes(36)

_ACTIVE = SymbolState.ACTIVE
_CONTINUOUS = Phase.CONTINUOUS
_AT_THE_OPEN = TimeInForce.AT_THE_OPEN
_MARKET_ORDER = OrderType.MARKET
_WITHOUT_LIMIT = (OrderType.MARKET, OrderType.MARKET_TO_LIMIT, OrderType.STOP)
_MAY_REST = (OrderType.LIMIT, OrderType.MARKET_TO_LIMIT, OrderType.STOP_LIMIT)
_GOOD_TILL_DATE = TimeInForce.GTD


class Refusal(NamedTuple):
    """A reason with what was measured and the limit it broke; see `REASONS`."""

    reason: Reason
    measured: int = 0
    limit: int = 0


def read_client_order_id(padded: bytes) -> str | None:
    """Return the client order id in its 36 bytes of a record, or nothing where it is none."""
    text = padded.rstrip(b"\0").decode("latin-1")
    return text if CLIENT_ORDER_ID_PATTERN.match(text) else None


def refusal_of_kind(side: int, order_type: int, time_in_force: int, flags: int) -> Refusal | None:
    """Check that the numbers of an order's kind mean something."""
    if flags & ~FLAGS_KNOWN or (flags & REPRICE and not flags & POST_ONLY):
        return Refusal(Reason.COMMAND_MALFORMED, flags)
    if side not in SIDES:
        return Refusal(Reason.SIDE_INVALID, side)
    if order_type not in ORDER_TYPES:
        return Refusal(Reason.ORDER_TYPE_INVALID, order_type)
    if time_in_force not in TIMES_IN_FORCE:
        return Refusal(Reason.TIME_IN_FORCE_INVALID, time_in_force)
    return None


def refusal_of_session(market: Market, order_type: int, time_in_force: int, flags: int) -> Refusal | None:
    """Check that the symbol trades, and that its phase takes such an order."""
    if market.state is not _ACTIVE:
        return Refusal(Reason.SYMBOL_SUSPENDED)
    if market.phase is _CONTINUOUS and time_in_force != _AT_THE_OPEN:
        return None
    return refusal_of_phase(market.phase, order_type, time_in_force, flags)


def refusal_of_phase(phase: Phase, order_type: int, time_in_force: int, flags: int) -> Refusal | None:
    """Check that a phase takes such an order."""
    if phase is Phase.HALTED:
        return Refusal(Reason.SYMBOL_HALTED)
    if phase is Phase.CLOSED:
        return Refusal(Reason.PHASE_TAKES_NO_ORDERS, phase)
    if phase is Phase.POST_CLOSE:
        stays = time_in_force in (TimeInForce.GTC, _GOOD_TILL_DATE)
        is_taken = stays and order_type in (OrderType.LIMIT, *STOPS) and not flags & POST_ONLY
    else:
        is_at_once = time_in_force in (TimeInForce.IOC, TimeInForce.FOK)
        is_taken = not (is_at_once or order_type == OrderType.MARKET_TO_LIMIT or flags & POST_ONLY)
    if not is_taken and phase is not _CONTINUOUS:
        return Refusal(Reason.ORDER_NOT_IN_PHASE, phase)
    is_late = time_in_force == _AT_THE_OPEN and phase not in OPENING
    return Refusal(Reason.AUCTION_OVER, phase) if is_late else None


def refusal_of_change(market: Market) -> Refusal | None:
    """Check that the symbol trades, and that orders can be changed in its phase."""
    if market.state is not _ACTIVE:
        return Refusal(Reason.SYMBOL_SUSPENDED)
    if market.phase is Phase.HALTED:
        return Refusal(Reason.SYMBOL_HALTED)
    if market.phase is Phase.CLOSED:
        return Refusal(Reason.PHASE_TAKES_NO_ORDERS, market.phase)
    return refusal_of_cancel(market)


def refusal_of_cancel(market: Market) -> Refusal | None:
    """Check that members can take orders back."""
    return Refusal(Reason.PHASE_TAKES_NO_CANCELS, market.phase) if market.phase in NO_CANCEL else None


def refusal_of_terms(market: Market | None, order_type: int, price: int, quantity: int) -> Refusal | None:
    """Check quantity and price; without a market, what holds for all symbols."""
    if quantity <= 0:
        return Refusal(Reason.QUANTITY_NOT_POSITIVE, quantity)
    if market and quantity % market.round_lot:
        return Refusal(Reason.QUANTITY_NOT_IN_LOTS, quantity, market.round_lot)
    if order_type in _WITHOUT_LIMIT:
        return Refusal(Reason.PRICE_NOT_ALLOWED, price) if price else None
    if price <= 0:
        return Refusal(Reason.PRICE_MISSING)
    if price > PRICE_MAX:
        return Refusal(Reason.PRICE_TOO_HIGH, price, PRICE_MAX)
    if market and price % (tick := market.tick_at(price)):
        return Refusal(Reason.PRICE_NOT_ON_TICK, price, tick)
    if price * quantity > NOTIONAL_MAX:
        return Refusal(Reason.NOTIONAL_OVERFLOW, quantity, NOTIONAL_MAX // price)
    return None


def refusal_of_handling(order_type: int, time_in_force: int, flags: int) -> Refusal | None:
    """Check that type, time in force and post-only go together."""
    if order_type == _MARKET_ORDER and time_in_force in (TimeInForce.GTC, _GOOD_TILL_DATE):
        return Refusal(Reason.TIME_IN_FORCE_NOT_ALLOWED, time_in_force)
    if order_type == OrderType.MARKET_TO_LIMIT and time_in_force in AUCTION_TIMES:
        return Refusal(Reason.TIME_IN_FORCE_NOT_ALLOWED, time_in_force)
    if order_type in STOPS and time_in_force not in RESTING_TIMES_IN_FORCE:
        return Refusal(Reason.TIME_IN_FORCE_NOT_ALLOWED, time_in_force)
    if flags & POST_ONLY and (order_type != OrderType.LIMIT or time_in_force not in RESTING_TIMES_IN_FORCE):
        return Refusal(Reason.POST_ONLY_NOT_ALLOWED)
    return None


def may_rest(order_type: int, time_in_force: int) -> bool:
    """Tell whether what is left of an order of this kind may stay in the market."""
    return order_type in _MAY_REST and time_in_force in RESTING_TIMES_IN_FORCE


def refusal_of_special(
    market: Market,
    side: Side,
    order_type: int,
    time_in_force: int,
    flags: int,
    quantity: int,
    terms: SpecialTerms,
    now_ns: int,
) -> Refusal | None:
    """Check an order's flags and special terms against each other and against its kind."""
    is_till_date = time_in_force == _GOOD_TILL_DATE
    if is_till_date != (terms.expires_ns != 0) or (is_till_date and terms.expires_ns <= now_ns):
        return Refusal(Reason.EXPIRY_INVALID, terms.expires_ns, now_ns)
    minimum = terms.minimum_quantity
    is_for_auction = time_in_force in AUCTION_TIMES and (minimum or flags & ALL_OR_NONE)
    if minimum > quantity or (minimum and flags & ALL_OR_NONE) or is_for_auction:
        return Refusal(Reason.MINIMUM_QUANTITY_INVALID, minimum, quantity)
    display = terms.display_quantity
    hides = flags & (HIDDEN | ALL_OR_NONE) or minimum
    if ((flags & HIDDEN or display) and not may_rest(order_type, time_in_force)) or (display and hides):
        return Refusal(Reason.DISPLAY_NOT_ALLOWED)
    if display > quantity or display % market.round_lot or 0 < display < least_display(quantity):
        return Refusal(Reason.DISPLAY_QUANTITY_INVALID, display, least_display(quantity))
    if order_type in STOPS:
        return refusal_of_trail(market, side, order_type, terms) or refusal_of_stop(market, side, terms)
    if terms.stop_price or trails(terms):
        return Refusal(Reason.STOP_PRICE_NOT_ALLOWED, terms.stop_price)
    return None


def refusal_of_stop(market: Market, side: Side, terms: SpecialTerms) -> Refusal | None:
    """Check that a stop price that does not trail is one an order could have, and is not reached yet."""
    stop_price = terms.stop_price
    if trails(terms):
        return None
    if stop_price == 0:
        return Refusal(Reason.STOP_PRICE_MISSING)
    if stop_price > PRICE_MAX or stop_price % market.tick_at(stop_price):
        return Refusal(Reason.STOP_PRICE_INVALID, stop_price, market.tick_at(stop_price))
    if market.last_price and is_reached(side, stop_price, market.last_price):
        return Refusal(Reason.STOP_ALREADY_REACHED, stop_price, market.last_price)
    return None


def refusal_of_trail(market: Market, side: Side, order_type: int, terms: SpecialTerms) -> Refusal | None:
    """Check that a trail leads to a stop price, and that there is room for one more."""
    if not trails(terms):
        return None
    stop_price = first_stop_price(market, side, terms)
    of_two_kinds = (terms.trail_amount and terms.trail_bps) or terms.stop_price
    too_wide = terms.trail_bps > TRAIL_BPS_MAX or not 0 < stop_price <= PRICE_MAX
    if order_type != OrderType.STOP or of_two_kinds or too_wide:
        return Refusal(Reason.TRAIL_INVALID, terms.trail_amount or terms.trail_bps)
    if market.stops.trailing >= TRAILING_STOPS_MAX:
        return Refusal(Reason.DIRECTORY_FULL, market.stops.trailing, TRAILING_STOPS_MAX)
    return None


def first_stop_price(market: Market, side: Side, terms: SpecialTerms) -> int:
    """Return where a trailing stop stands at first: away from the last trade, else from the reference price."""
    return trailed_price(side, terms, market.last_price or market.reference.price)


def refusal_of_display(display_quantity: int, quantity: int) -> Refusal | None:
    """Check that an order is not shown in too many parts."""
    least = least_display(quantity)
    return (
        Refusal(Reason.DISPLAY_QUANTITY_INVALID, display_quantity, least)
        if 0 < display_quantity < least
        else None
    )


def least_display(quantity: int) -> int:
    """Return the smallest display quantity that an order may have."""
    return -(-quantity // ICEBERG_SLICES_MAX)


def refusal_of_post_only(market: Market, side: Side, flags: int, price: int, quantity: int) -> Refusal | None:
    """Check that a post-only order would not trade at once, or can have a price at which it does not."""
    if not flags & POST_ONLY:
        return None
    best = market.book.willing(side, quantity)
    if best is None or not market.book.reaches(side, price, best.price):
        return None
    if flags & REPRICE and market.price_behind(best.price, side) > 0:
        return None
    return Refusal(Reason.POST_ONLY_WOULD_TRADE, price, best.price)


def refusal_of_market_to_limit(market: Market, side: Side, order_type: int, quantity: int) -> Refusal | None:
    """Check that a market-to-limit order is not too large at the price it would get."""
    best = market.book.willing(side, quantity) if order_type == OrderType.MARKET_TO_LIMIT else None
    if best and best.price * quantity > NOTIONAL_MAX:
        return Refusal(Reason.NOTIONAL_OVERFLOW, quantity, NOTIONAL_MAX // best.price)
    return None
