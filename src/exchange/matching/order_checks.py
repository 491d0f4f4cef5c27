"""What an order must be to enter the market: each check gives the first reason of `Reason` that applies."""

from __future__ import annotations

from typing import NamedTuple

from exchange.domain.order import CLIENT_ORDER_ID_PATTERN, OrderFlag, OrderType, Side, TimeInForce
from exchange.domain.reasons import Reason
from exchange.domain.symbol import SymbolState
from exchange.domain.units import NOTIONAL_MAX, PRICE_MAX
from exchange.matching.market import Market

SIDES = {side.value: side for side in Side}
ORDER_TYPES = {order_type.value: order_type for order_type in OrderType}
TIMES_IN_FORCE = {time_in_force.value: time_in_force for time_in_force in TimeInForce}
FLAGS_KNOWN = sum(flag.value for flag in OrderFlag)
RESTING_TIMES_IN_FORCE = (TimeInForce.DAY, TimeInForce.GTC)
POST_ONLY = OrderFlag.POST_ONLY.value
NO_CLIENT_ORDER_ID = bytes(36)

_ACTIVE = SymbolState.ACTIVE
_MARKET_ORDER = OrderType.MARKET


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
    if flags & ~FLAGS_KNOWN:
        return Refusal(Reason.COMMAND_MALFORMED, flags)
    if side not in SIDES:
        return Refusal(Reason.SIDE_INVALID, side)
    if order_type not in ORDER_TYPES:
        return Refusal(Reason.ORDER_TYPE_INVALID, order_type)
    if time_in_force not in TIMES_IN_FORCE:
        return Refusal(Reason.TIME_IN_FORCE_INVALID, time_in_force)
    return None


def refusal_of_terms(market: Market | None, order_type: int, price: int, quantity: int) -> Refusal | None:
    """Check that the symbol trades, quantity and price; without a market, what holds for all symbols."""
    if market and market.state is not _ACTIVE:
        return Refusal(Reason.SYMBOL_SUSPENDED)
    if quantity <= 0:
        return Refusal(Reason.QUANTITY_NOT_POSITIVE, quantity)
    if market and quantity % market.round_lot:
        return Refusal(Reason.QUANTITY_NOT_IN_LOTS, quantity, market.round_lot)
    if order_type == _MARKET_ORDER:
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
    if order_type == _MARKET_ORDER and time_in_force == TimeInForce.GTC:
        return Refusal(Reason.TIME_IN_FORCE_NOT_ALLOWED, time_in_force)
    if flags & POST_ONLY and (order_type == _MARKET_ORDER or time_in_force not in RESTING_TIMES_IN_FORCE):
        return Refusal(Reason.POST_ONLY_NOT_ALLOWED)
    return None


def refusal_of_post_only(market: Market, side: Side, flags: int, price: int) -> Refusal | None:
    """Check that a post-only order would not trade at once."""
    if flags & POST_ONLY and market.book.would_trade(side, price):
        best = market.book.opposite_side(side).best_level().price
        return Refusal(Reason.POST_ONLY_WOULD_TRADE, price, best)
    return None
