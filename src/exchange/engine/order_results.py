"""From the events of one's own commands to what REST answers: pure, and straight from the records."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from struct import Struct
from typing import NamedTuple

from exchange.domain import events as e
from exchange.domain.order import OrderFlag, OrderStatus
from exchange.domain.symbol import Symbol
from exchange.domain.units import format_price, format_time
from exchange.engine.refusals import refusal
from exchange.infra.http_routes import ApiError
from exchange.wire.records import EVENT_HEADER, LAST_OF_COMMAND, LAYOUTS, number_of, sequence_of
from exchange.wire.rest.orders import (
    CANCEL_REASON_TEXT,
    ORDER_TYPE_TEXT,
    SIDE_TEXT,
    STATUS_TEXT,
    TIME_IN_FORCE_TEXT,
    AmendedOrder,
    CanceledOrder,
    CanceledOrders,
    Order,
    add_flags,
    add_peg,
    add_terms,
    average_price,
    cancel_status,
    order_status,
    price_or_none,
)

ACCEPTED = number_of(e.OrderAccepted)
REJECTED = number_of(e.OrderRejected)
DUPLICATED = number_of(e.OrderDuplicated)
CANCELLED = number_of(e.OrderCancelled)
AMENDED = number_of(e.OrderAmended)
REPLACED = number_of(e.OrderReplaced)
ORDERS_CANCELLED = number_of(e.OrdersCancelled)
EXECUTED = number_of(e.TradeExecuted)
TERMS_ACCEPTED = number_of(e.SpecialTermsAccepted)
REPRICED = number_of(e.OrderRepriced)
PEG_ACCEPTED = number_of(e.PegAccepted)
COMMAND_REJECTED = number_of(e.CommandRejected)
INDICATED = number_of(e.AuctionIndicated)

LENGTH_AND_TYPE = Struct("<IB")
_ACCEPTED = LAYOUTS[e.OrderAccepted].struct
_REJECTED = LAYOUTS[e.OrderRejected].struct
_POST_ONLY = int(OrderFlag.POST_ONLY)
_NEW = STATUS_TEXT[OrderStatus.NEW]
_DUPLICATED = LAYOUTS[e.OrderDuplicated].struct
_CANCELLED = LAYOUTS[e.OrderCancelled].struct
_AMENDED = LAYOUTS[e.OrderAmended].struct
_REPLACED = LAYOUTS[e.OrderReplaced].struct
_EXECUTED = LAYOUTS[e.TradeExecuted].struct
_TERMS_ACCEPTED = LAYOUTS[e.SpecialTermsAccepted].struct
_PEG_ACCEPTED = LAYOUTS[e.PegAccepted].struct
_REPRICED = LAYOUTS[e.OrderRepriced].struct
_COMMAND_REJECTED = LAYOUTS[e.CommandRejected].struct

TIMES_REMEMBERED = 16

Symbols = Mapping[int, Symbol]


class Duplicate(NamedTuple):
    """The same order came again. order_id: the first one's."""

    order_id: int


def entered(events: bytes, offset: int, symbols: Symbols) -> tuple[Order | Duplicate | ApiError, int]:
    """Return what became of the `EnterOrder` whose events begin at an offset, and where they end."""
    length, number = _type_at(events, offset)
    if number == ACCEPTED:
        return _accepted_order(events, offset, symbols)
    if number == DUPLICATED:
        return Duplicate(_DUPLICATED.unpack_from(events, offset)[10]), offset + length
    if number == REJECTED:
        values = _REJECTED.unpack_from(events, offset)
        reason, measured, limit = values[19:]
        detail = {"order_id": str(values[10]), "seq": values[5]}
        return refusal(reason, measured=measured, limit=limit, extra=detail), offset + length
    return command_refusal(events, offset), offset + length


def replaced(events: bytes, symbols: Symbols) -> Order | Duplicate | ApiError:
    """Return what became of a `ReplaceOrder`: the new order, told as if it had been entered."""
    length, number = _type_at(events, 0)
    if number == DUPLICATED:
        return Duplicate(_DUPLICATED.unpack_from(events)[10])
    if number != REPLACED:
        return command_refusal(events, 0)
    values = _REPLACED.unpack_from(events)
    accepted = _ACCEPTED.pack(_ACCEPTED.size, ACCEPTED, *values[2:10], *values[11:17], *values[18:])
    order, _ = _accepted_order(accepted + events[length:], 0, symbols)
    order.replaces = str(values[10])
    return order


def amended(events: bytes, symbols: Symbols) -> AmendedOrder | ApiError:
    """Return what became of an `AmendOrder`."""
    length, number = _type_at(events, 0)
    if number != AMENDED:
        return command_refusal(events, 0)
    values = _AMENDED.unpack_from(events)
    order_id, account_id, side, kept_priority, _, price, quantity, leaves = values[10:]
    if not values[3] & LAST_OF_COMMAND:
        rest = _rest_of_command(events, length, order_id, leaves)
        leaves, price, quantity = rest.leaves, rest.price or price, rest.quantity or quantity
    return AmendedOrder(
        id=str(order_id),
        account=str(account_id),
        symbol=symbols[values[9]].symbol,
        side=SIDE_TEXT[side],
        qty=str(quantity),
        price=format_price(price),
        filled_qty=str(quantity - leaves),
        leaves_qty=str(leaves),
        status=STATUS_TEXT[order_status(quantity, leaves)],
        kept_priority=bool(kept_priority),
        seq=values[5],
        updated_at=format_time(values[7]),
    )


def cancelled(events: bytes, symbols: Symbols) -> CanceledOrder | ApiError:
    """Return what became of a `CancelOrder`."""
    if _type_at(events, 0)[1] != CANCELLED:
        return command_refusal(events, 0)
    values = _CANCELLED.unpack_from(events)
    order_id, account_id, side, reason, price, quantity = values[10:]
    return CanceledOrder(
        id=str(order_id),
        account=str(account_id),
        symbol=symbols[values[9]].symbol,
        side=SIDE_TEXT[side],
        price=price_or_none(price),
        canceled_qty=str(quantity),
        cancel_reason=CANCEL_REASON_TEXT[reason],
        seq=values[5],
        updated_at=format_time(values[7]),
    )


def all_cancelled(events: bytes) -> CanceledOrders | ApiError:
    """Return what became of a `CancelOrders`."""
    ids: list[str] = []
    offset, end, sequence = 0, len(events), 0
    while offset < end:
        length, number = _type_at(events, offset)
        if number == CANCELLED:
            ids.append(str(_CANCELLED.unpack_from(events, offset)[10]))
        elif number == COMMAND_REJECTED:
            return command_refusal(events, offset)
        sequence = sequence_of(events, offset)
        offset += length
    return CanceledOrders(count=len(ids), ids=ids, seq=sequence)


def command_refusal(events: bytes, offset: int = 0, *, in_money: bool = False) -> ApiError:
    """Return the error of the `CommandRejected` or `OrderRejected` at an offset."""
    _, number = _type_at(events, offset)
    if number == REJECTED:
        reason, measured, limit = _REJECTED.unpack_from(events, offset)[19:]
    else:
        assert number == COMMAND_REJECTED, f"event type {number} is no refusal"
        _, reason, _, measured, limit = _COMMAND_REJECTED.unpack_from(events, offset)[10:]
    return refusal(reason, measured=measured, limit=limit, in_money=in_money)


def is_refused(events: bytes, offset: int = 0) -> bool:
    """Tell whether the event at an offset refuses its command."""
    return _type_at(events, offset)[1] in (COMMAND_REJECTED, REJECTED)


def last_of(events: bytes, event_type: type[e.Event]) -> int:
    """Return the offset of a command's last event of a type: what follows from it may be told behind it."""
    wanted, last, offset = number_of(event_type), -1, 0
    while offset < len(events):
        length, number = _type_at(events, offset)
        if number == wanted:
            last = offset
        offset += length
    assert last >= 0, f"the command told of no {event_type.__name__}"
    return last


def _accepted_order(events: bytes, offset: int, symbols: Symbols) -> tuple[Order, int]:
    (
        length, _, _, flags, _, seq, _, time_ns, _, symbol_id,
        order_id, account_id, side, order_type, time_in_force, order_flags, price, quantity, client_order_id,
    ) = _ACCEPTED.unpack_from(events, offset)  # fmt: skip
    at, whole = _time_text(time_ns), f"{quantity}"
    # In the order of the fields: their names would take more time than all the rest.
    order = Order(
        f"{order_id}", client_order_id.rstrip(b"\0").decode("ascii"), f"{account_id}", symbols[symbol_id].symbol,
        seq, SIDE_TEXT[side], ORDER_TYPE_TEXT[order_type], TIME_IN_FORCE_TEXT[time_in_force], whole,
        price_or_none(price), order_flags & _POST_ONLY != 0, _NEW, "0", None, whole, at, at,
    )  # fmt: skip
    offset += length
    if order_flags:
        add_flags(order, order_flags)
    if not flags & LAST_OF_COMMAND:
        rest = _rest_of_command(events, offset, order_id, quantity)
        offset = rest.offset
        order.filled_qty, order.leaves_qty = str(rest.filled), str(rest.leaves)
        order.avg_price = average_price(rest.notional, rest.filled)
        ended = 0
        if rest.cancel_reason:
            ended = cancel_status(rest.cancel_reason)
            order.cancel_reason = CANCEL_REASON_TEXT[rest.cancel_reason]
        if rest.price:
            order.price = price_or_none(rest.price)
        if rest.terms:
            add_terms(order, rest.terms)
        if rest.peg:
            add_peg(order, *rest.peg)
        order.qty = str(rest.quantity or quantity)
        order.status = STATUS_TEXT[order_status(rest.quantity or quantity, rest.leaves, ended)]
    return order, offset


class Rest(NamedTuple):
    """What the rest of a command's events did to its order, and where they end.

    notional: sum of price × quantity; cancel_reason, price, quantity: 0 where it was not cancelled, repriced or
    decremented; terms, peg: the fields of its special terms and of its peg, if it has any.
    """

    filled: int
    notional: int
    leaves: int
    cancel_reason: int
    price: int
    quantity: int
    terms: tuple[int, ...]
    peg: tuple[int, ...]
    offset: int


def _rest_of_command(events: bytes, offset: int, order_id: int, leaves: int) -> Rest:
    filled = notional = cancel_reason = new_price = new_quantity = flags = 0
    terms: tuple[int, ...] = ()
    peg: tuple[int, ...] = ()
    while not flags & LAST_OF_COMMAND:
        length, number, _, flags, *_ = EVENT_HEADER.unpack_from(events, offset)
        if number == EXECUTED:
            values = _EXECUTED.unpack_from(events, offset)
            if order_id in values[10:12]:
                filled += values[15]
                notional += values[14] * values[15]
                leaves = values[18] if values[11] == order_id else values[17]
        elif number == CANCELLED:
            values = _CANCELLED.unpack_from(events, offset)
            if values[10] == order_id:
                leaves, cancel_reason = 0, values[13]
        elif number == AMENDED:
            values = _AMENDED.unpack_from(events, offset)
            if values[10] == order_id:
                new_quantity, leaves = values[16:]
        elif number == REPRICED:
            values = _REPRICED.unpack_from(events, offset)
            new_price = values[14] if values[10] == order_id else new_price
        elif number == TERMS_ACCEPTED:
            values = _TERMS_ACCEPTED.unpack_from(events, offset)
            terms = values[12:] if values[10] == order_id else terms
        elif number == PEG_ACCEPTED:
            values = _PEG_ACCEPTED.unpack_from(events, offset)
            peg = values[12:] if values[10] == order_id else peg
        offset += length
    return Rest(filled, notional, leaves, cancel_reason, new_price, new_quantity, terms, peg, offset)


_time_text = lru_cache(TIMES_REMEMBERED)(format_time)
"""All commands of a batch have one time."""


def _type_at(events: bytes, offset: int) -> tuple[int, int]:
    """Return length and type of the record at an offset."""
    return LENGTH_AND_TYPE.unpack_from(events, offset)
