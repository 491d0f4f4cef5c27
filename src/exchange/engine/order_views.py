"""Stored orders and fills as REST shows them: pure."""

from __future__ import annotations

from collections.abc import Callable

from exchange.domain import corporate_events as ce
from exchange.domain import events as e
from exchange.domain.order import OrderFlag, OrderStatus, SpecialTerms
from exchange.domain.reasons import REASONS, Reason
from exchange.domain.units import format_price, format_time
from exchange.engine.order_projection import FillState
from exchange.engine.order_results import Symbols
from exchange.engine.order_store import StoredFill, StoredOrder, StoredPrevented
from exchange.matching.order_book import RestingOrder
from exchange.wire.records import decode_event
from exchange.wire.rest.errors import reason_name
from exchange.wire.rest.orders import (
    CANCEL_REASON_TEXT,
    ORDER_TYPE_TEXT,
    SELF_TRADE_MODE_TEXT,
    SIDE_TEXT,
    STATUS_TEXT,
    TIME_IN_FORCE_TEXT,
    Fill,
    Order,
    PreventedMatch,
    Reject,
    add_flags,
    add_peg,
    add_terms,
    average_price,
    order_status,
    price_or_none,
)
from exchange.wire.rest.rejects import reject_message

_FILL_STATUS = {int(state): state.name.lower() for state in FillState}


def order_view(stored: StoredOrder, symbols: Symbols, live: RestingOrder | None = None) -> Order:
    """Write a stored order; with the live one a trailing stop has the stop price at which it stands."""
    placed = decode_event(stored.placed)
    assert isinstance(placed, e.OrderAccepted | e.OrderReplaced | e.OrderRejected), placed
    quantity = placed.quantity if stored.quantity is None else stored.quantity
    order = Order(
        id=str(stored.order_id),
        client_order_id=stored.client_order_id,
        account=str(stored.account_id),
        symbol=symbol_name(stored.symbol_id, symbols),
        seq=placed.sequence,
        side=SIDE_TEXT.get(placed.side, str(int(placed.side))),
        type=ORDER_TYPE_TEXT.get(placed.order_type, str(int(placed.order_type))),
        time_in_force=TIME_IN_FORCE_TEXT.get(placed.time_in_force, str(int(placed.time_in_force))),
        qty=str(quantity),
        price=price_or_none(placed.price if stored.price is None else stored.price),
        post_only=bool(placed.flags & OrderFlag.POST_ONLY),
        status=STATUS_TEXT[order_status(quantity, stored.leaves, stored.ended)],
        filled_qty=str(stored.filled),
        avg_price=average_price(stored.notional, stored.filled),
        leaves_qty=str(stored.leaves),
        created_at=format_time(placed.time_ns),
        updated_at=format_time(placed.time_ns if stored.updated_ns is None else stored.updated_ns),
    )
    _add_rare_fields(order, stored, placed)
    if live and live.is_waiting:
        order.stop_price = format_price(live.terms.stop_price)
    return order


def fill_view(fill: StoredFill, symbols: Symbols) -> Fill:
    """Write a stored fill."""
    return Fill(
        match_id=str(fill.match_id),
        order_id=str(fill.order_id),
        client_order_id=fill.client_order_id,
        account=str(fill.account_id),
        symbol=symbol_name(fill.symbol_id, symbols),
        side=SIDE_TEXT[fill.side],
        price=format_price(fill.price),
        qty=str(fill.quantity),
        liquidity="maker" if fill.maker else "taker",
        status=_FILL_STATUS[fill.state],  # type: ignore[arg-type]
        executed_at=format_time(fill.executed_ns),
    )


def prevented_view(row: StoredPrevented, symbols: Symbols, may_see: Callable[[int], bool]) -> PreventedMatch:
    """Write a prevented match. may_see: tells whether the reader may see what belongs to an account."""
    view = PreventedMatch(
        id=str(row.sequence),
        symbol=symbol_name(row.symbol_id, symbols),
        price=format_price(row.price),
        qty=str(row.quantity),
        mode=SELF_TRADE_MODE_TEXT[row.mode],
        incoming_side=SIDE_TEXT[row.taker_side],
        at=format_time(row.at_ns),
    )
    if may_see(row.maker_account_id):
        view.resting_order_id, view.resting_account = str(row.maker_order_id), str(row.maker_account_id)
    if may_see(row.taker_account_id):
        view.incoming_order_id, view.incoming_account = str(row.taker_order_id), str(row.taker_account_id)
    return view


def symbol_name(symbol_id: int, symbols: Symbols) -> str:
    """Return a symbol's name; of a refused order's unknown symbol its number."""
    symbol = symbols.get(symbol_id)
    return symbol.symbol if symbol else f"#{symbol_id}"


def _add_rare_fields(
    order: Order, stored: StoredOrder, placed: e.OrderAccepted | e.OrderReplaced | e.OrderRejected
) -> None:
    add_flags(order, placed.flags)
    if stored.terms:
        terms = decode_event(stored.terms)
        if isinstance(terms, e.PegAccepted):
            add_peg(order, terms.kind, terms.offset, terms.limit)
        else:
            assert isinstance(terms, e.SpecialTermsAccepted | ce.SpecialTermsAdjusted), terms
            add_terms(order, [getattr(terms, name) for name in SpecialTerms.__struct_fields__])
    if stored.triggered_ns:
        order.triggered_at = format_time(stored.triggered_ns)
    if stored.busted:
        order.busted_qty = str(stored.busted)
    if stored.replaced_by:
        order.replaced_by = str(stored.replaced_by)
    if isinstance(placed, e.OrderReplaced):
        order.replaces = str(placed.order_id)
    if isinstance(placed, e.OrderRejected):
        order.reject = Reject(
            placed.reason,
            reason_name(placed.reason),
            reject_message(placed.reason, placed.measured, placed.limit),
            REASONS[Reason(placed.reason)].field,
        )
    elif stored.ended in (OrderStatus.CANCELED, OrderStatus.EXPIRED):
        order.cancel_reason = CANCEL_REASON_TEXT[stored.reason]
