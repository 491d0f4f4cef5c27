"""Orders and fills as JSON: what REST takes and answers, and the way from the domain's numbers into it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from exchange.domain.order import TRAIL_BPS_MAX, CancelReason, OrderFlag, OrderStatus
from exchange.domain.units import format_money, format_price, format_time
from exchange.wire.rest.errors import ErrorBody
from exchange.wire.rest.texts import (
    ORDER_TYPES,
    PAGE_DEFAULT,
    PEGS,
    SELF_TRADE_MODES,
    SIDES,
    TIMES_IN_FORCE,
    AnyNumber,
    ClientOrderIdText,
    Cursor,
    Id,
    IdOrEmpty,
    Limit,
    OffsetText,
    OrderTypeText,
    PegText,
    PriceNumber,
    PriceOrEmpty,
    PriceText,
    QuantityText,
    SharesIn,
    SharesNumber,
    SideText,
    SymbolOrEmpty,
    SymbolText,
    TimeInForceText,
    TimeText,
    choice,
)

ORDERS_PER_REQUEST_MAX = 1_000
PRICES_REMEMBERED = 4_096

SIDE_TEXT = {int(side): text for text, side in SIDES.items()}
ORDER_TYPE_TEXT = {int(order_type): text for text, order_type in ORDER_TYPES.items()}
TIME_IN_FORCE_TEXT = {int(time_in_force): text for text, time_in_force in TIMES_IN_FORCE.items()}
STATUS_TEXT = {int(status): status.name.lower() for status in OrderStatus}
_RARE_FLAGS = {
    OrderFlag.REPRICE: "reprice",
    OrderFlag.ALL_OR_NONE: "all_or_none",
    OrderFlag.HIDDEN: "hidden",
    OrderFlag.DO_NOT_REDUCE: "do_not_reduce",
    OrderFlag.SHORT: "short",
    OrderFlag.SHORT_EXEMPT: "short_exempt",
    OrderFlag.LOCATED: "located",
}
PEG_TEXT = {int(kind): text for text, kind in PEGS.items()}
SELF_TRADE_MODE_TEXT = {int(mode): text for text, mode in SELF_TRADE_MODES.items()}
CANCEL_REASON_TEXT = {int(reason): reason.name.lower() for reason in CancelReason}


# --- what comes in --------------------------------------------------------------------------------


class NewOrder(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """An order to enter. account: may be left out where the key's participant has exactly one.

    reprice: with post_only, rest one tick behind the best opposite price rather than be refused; all_or_none: trade
    whole or wait, unseen; min_qty: trade at least so much at once or wait, unseen; hidden: rest unseen; display_qty:
    how much is shown at a time; expires_at: with time in force gtd; stop_price: of type stop and stop_limit, what the
    last trade must reach; trail_amount, trail_bps: of type stop instead of it, how far it follows the last trade;
    do_not_reduce: a cash dividend does not lower its price; short, short_exempt: a sale of shares that are not there;
    located: of such a one, shares to borrow are located.
    peg: its price follows the best price shown of its own side (primary), of the other (market) or their middle
    (midpoint), unseen; peg_offset: added to that; price: its limit then, or none.
    """

    symbol: SymbolText
    side: SideText
    qty: SharesIn | SharesNumber
    type: OrderTypeText = "limit"
    price: PriceText | PriceNumber | None = None
    time_in_force: TimeInForceText = "day"
    post_only: bool = False
    client_order_id: ClientOrderIdText = ""
    account: IdOrEmpty = ""
    reprice: bool = False
    all_or_none: bool = False
    hidden: bool = False
    do_not_reduce: bool = False
    short: bool = False
    short_exempt: bool = False
    located: bool = False
    min_qty: SharesIn | SharesNumber | None = None
    display_qty: SharesIn | SharesNumber | None = None
    expires_at: TimeText | None = None
    stop_price: PriceText | PriceNumber | None = None
    trail_amount: PriceText | PriceNumber | None = None
    trail_bps: Annotated[int, Meta(ge=1, le=TRAIL_BPS_MAX)] | None = None
    peg: PegText | None = None
    peg_offset: OffsetText | None = None


class ArrayedOrder(NewOrder, kw_only=True, forbid_unknown_fields=True, gc=False):
    """An order in an array; a text that cannot be is refused in the item's own result, so any is taken here."""

    symbol: str
    side: str
    qty: str | AnyNumber
    type: str = "limit"
    price: str | AnyNumber | None = None
    time_in_force: str = "day"
    client_order_id: str = ""
    account: str = ""
    min_qty: str | AnyNumber | None = None
    display_qty: str | AnyNumber | None = None
    expires_at: str | None = None
    stop_price: str | AnyNumber | None = None
    trail_amount: str | AnyNumber | None = None
    trail_bps: AnyNumber | None = None
    peg: str | None = None
    peg_offset: str | None = None


class AmendRequest(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """New values for an order that keeps its id. qty: whole, filled part included; what is left out stays."""

    qty: SharesIn | SharesNumber | None = None
    price: PriceText | PriceNumber | None = None


class ReplaceRequest(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """Values of the order that takes another's place; what is left out is taken from the old one's rest."""

    qty: SharesIn | SharesNumber | None = None
    price: PriceText | PriceNumber | None = None
    client_order_id: ClientOrderIdText = ""


class OrdersQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which orders to list, newest first."""

    status: Literal["open", "closed", "all"] = "all"
    symbol: SymbolOrEmpty = ""
    account: IdOrEmpty = ""
    limit: Limit = PAGE_DEFAULT
    cursor: Cursor = ""


class CancelQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which live orders to cancel; what is left out means any."""

    symbol: SymbolOrEmpty = ""
    account: IdOrEmpty = ""
    side: Literal["", "buy", "sell"] = ""
    min_price: PriceOrEmpty = ""
    max_price: PriceOrEmpty = ""


class ClientOrderIdQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which order to look up. account: may be left out where the key's participant has exactly one."""

    client_order_id: ClientOrderIdText
    account: IdOrEmpty = ""


class PreventedQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which prevented matches to list, newest first."""

    symbol: SymbolOrEmpty = ""
    account: IdOrEmpty = ""
    limit: Limit = PAGE_DEFAULT
    cursor: Cursor = ""


class FillsQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which fills to list, newest first."""

    symbol: SymbolOrEmpty = ""
    account: IdOrEmpty = ""
    order_id: IdOrEmpty = ""
    limit: Limit = PAGE_DEFAULT
    cursor: Cursor = ""


# --- what goes out --------------------------------------------------------------------------------


class Reject(Struct, gc=False):
    """Why an order was refused. code: the reason's number, never reused."""

    code: int
    reason: str
    message: str
    field: str


class Order(Struct, gc=False):
    """An order and where it stands.

    seq: sequence of the event that took or refused it; filled_qty and avg_price count what stands: shares of
    busted trades are in busted_qty instead; leaves_qty: what may still trade. stop_price: of a
    trailing stop where it stands, while it waits. price: of a pegged order where it stands, none while it waits aside;
    limit_price: its limit.
    """

    id: Id
    client_order_id: str
    account: Id
    symbol: SymbolText
    seq: int
    side: SideText
    type: OrderTypeText
    time_in_force: TimeInForceText
    qty: QuantityText
    price: PriceText | None
    post_only: bool
    status: Annotated[str, Meta(extra_json_schema={"enum": list(STATUS_TEXT.values())})]
    filled_qty: QuantityText
    avg_price: PriceText | None
    leaves_qty: QuantityText
    created_at: TimeText
    updated_at: TimeText
    busted_qty: QuantityText | UnsetType = UNSET
    cancel_reason: str | UnsetType = UNSET
    replaces: Id | UnsetType = UNSET
    replaced_by: Id | UnsetType = UNSET
    reject: Reject | UnsetType = UNSET
    reprice: bool | UnsetType = UNSET
    all_or_none: bool | UnsetType = UNSET
    hidden: bool | UnsetType = UNSET
    do_not_reduce: bool | UnsetType = UNSET
    short: bool | UnsetType = UNSET
    short_exempt: bool | UnsetType = UNSET
    located: bool | UnsetType = UNSET
    min_qty: QuantityText | UnsetType = UNSET
    display_qty: QuantityText | UnsetType = UNSET
    expires_at: TimeText | UnsetType = UNSET
    stop_price: PriceText | UnsetType = UNSET
    trail_amount: PriceText | UnsetType = UNSET
    trail_bps: int | UnsetType = UNSET
    triggered_at: TimeText | UnsetType = UNSET
    peg: str | UnsetType = UNSET
    peg_offset: str | UnsetType = UNSET
    limit_price: PriceText | UnsetType = UNSET


class OrderList(Struct):
    """A page of orders."""

    items: list[Order]
    next: str | None = None


class OrderResult(Struct, kw_only=True, omit_defaults=True, gc=False):
    """What became of one item of an array. status: the HTTP status it would have had alone."""

    status: int
    order: Order | None = None
    error: ErrorBody | None = None


class OrderResults(Struct):
    """What became of each item of an array, in its order."""

    items: list[OrderResult]


class CanceledOrder(Struct, kw_only=True, gc=False):
    """A cancel that was carried out. seq: sequence of its event."""

    id: Id
    account: Id
    symbol: SymbolText
    side: SideText
    price: PriceText | None
    canceled_qty: QuantityText
    cancel_reason: str
    seq: int
    updated_at: TimeText
    status: Literal["canceled"] = "canceled"


class CanceledOrders(Struct, kw_only=True):
    """A mass cancel that was carried out. seq: sequence of its last event."""

    count: int
    ids: list[Id]
    seq: int


class AmendedOrder(Struct, kw_only=True, gc=False):
    """An amendment that was carried out, with the fills it led to. seq: sequence of its event."""

    id: Id
    account: Id
    symbol: SymbolText
    side: SideText
    qty: QuantityText
    price: PriceText
    filled_qty: QuantityText
    leaves_qty: QuantityText
    status: str
    kept_priority: bool
    seq: int
    updated_at: TimeText


class Fill(Struct, kw_only=True, gc=False):
    """One order's part in a trade. price and qty: as they stand, after corrections."""

    match_id: Id
    order_id: Id
    client_order_id: str
    account: Id
    symbol: SymbolText
    side: SideText
    price: PriceText
    qty: QuantityText
    liquidity: Literal["maker", "taker"]
    status: Literal["executed", "corrected", "busted"]
    executed_at: TimeText


class FillList(Struct):
    """A page of fills."""

    items: list[Fill]
    next: str | None = None


class PreventedMatch(Struct, kw_only=True, gc=False):
    """Two orders of one self-trade group that did not trade. id: sequence of the event.

    resting and incoming order and account: only where they belong to the key's participant. qty: what both had left
    at least; mode: of the incoming order's participant.
    """

    id: Id
    symbol: SymbolText
    price: PriceText
    qty: QuantityText
    mode: Annotated[str, choice(SELF_TRADE_MODES)]
    incoming_side: SideText
    at: TimeText
    resting_order_id: Id | UnsetType = UNSET
    resting_account: Id | UnsetType = UNSET
    incoming_order_id: Id | UnsetType = UNSET
    incoming_account: Id | UnsetType = UNSET


class PreventedMatches(Struct):
    """A page of prevented matches."""

    items: list[PreventedMatch]
    next: str | None = None


_price_text = lru_cache(PRICES_REMEMBERED)(format_price)

# --- what only some orders have -------------------------------------------------------------------


def add_flags(order: Order, flags: int) -> None:
    """Write the flags other than post-only that an order has."""
    for flag, field in _RARE_FLAGS.items():
        if flags & flag:
            setattr(order, field, True)


def add_terms(order: Order, terms: Sequence[int]) -> None:
    """Write the special terms that an order has, given in the order of `SpecialTerms`."""
    minimum_quantity, display_quantity, stop_price, trail_amount, trail_bps, expires_ns = terms
    if stop_price:
        order.stop_price = format_price(stop_price)
    if trail_amount:
        order.trail_amount = format_price(trail_amount)
    if trail_bps:
        order.trail_bps = trail_bps
    if minimum_quantity:
        order.min_qty = str(minimum_quantity)
    if display_quantity:
        order.display_qty = str(display_quantity)
    if expires_ns:
        order.expires_at = format_time(expires_ns)


def add_peg(order: Order, kind: int, offset: int, limit: int) -> None:
    """Write how a pegged order gets its price."""
    order.peg = PEG_TEXT[kind]
    if offset:
        order.peg_offset = format_money(offset)
    if limit:
        order.limit_price = format_price(limit)


# --- from the domain's numbers --------------------------------------------------------------------


def price_or_none(price: int) -> str | None:
    """Write a price; 0 is none."""
    return _price_text(price) if price else None


def average_price(notional: int, quantity: int) -> str | None:
    """Write the average price of a quantity, rounded half up. notional: sum of price × quantity."""
    return format_money((2 * notional + quantity) // (2 * quantity)) if quantity else None


def order_status(quantity: int, leaves: int, ended: int = 0) -> int:
    """Return where an order stands. ended: its last status where it did not end by filling, else 0."""
    if ended:
        return ended
    if leaves == 0:
        return OrderStatus.FILLED
    return OrderStatus.PARTIALLY_FILLED if leaves < quantity else OrderStatus.NEW


def cancel_status(reason: int) -> OrderStatus:
    """Return the status of an order that was cancelled for a reason."""
    expired = reason in (CancelReason.DAY_ENDED, CancelReason.EXPIRED)
    return OrderStatus.EXPIRED if expired else OrderStatus.CANCELED
