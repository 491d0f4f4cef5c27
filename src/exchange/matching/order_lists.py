"""What becomes of an order list when one of its orders trades, is triggered or ends.

A pair is a limit order in the book and a stop order that waits; both are never in the book together. What the limit
order fills, the stop order has less; when the stop order is triggered, the limit order is cancelled; any other end of
one ends the other. What waits for an entry comes in once the entry is done, with what it filled; nothing comes in
where a person took the entry back, or it filled nothing.

The notes of the event stream are followed when the order that came in is done, before a triggered one comes in.
"""

from __future__ import annotations

from typing import Protocol

from msgspec import structs

from exchange.domain import events as e
from exchange.domain.order import NO_TERMS, CancelReason
from exchange.domain.order_list import BY_A_PERSON, ListEnd
from exchange.domain.symbol import SymbolState
from exchange.matching.event_stream import Note
from exchange.matching.market import Market
from exchange.matching.order_book import RestingOrder
from exchange.matching.short_sale_desk import ShortSaleDesk
from exchange.matching.stop_orders import is_reached
from exchange.matching.venue_state import OrderList, VenueState


class Execution(Protocol):
    """What a matcher does for order lists."""

    def come_in(self, market: Market, order: RestingOrder) -> None:
        """Let an accepted order come in, if the limits let it."""

    def trigger_at_once(self, order: RestingOrder, last_price: int) -> None:
        """Let a stop order come in after those that were triggered before."""

    def triggered(self, order_id: int) -> RestingOrder | None:
        """Return an order that was triggered and is still to come in."""

    def forget_triggered(self, order: RestingOrder) -> None:
        """Take out an order that was triggered and is still to come in."""

    def take_out(self, order: RestingOrder) -> None:
        """Take a live order out of where it is."""


class OrderLists:
    """Carries out what the orders of a list do to each other."""

    def __init__(self, state: VenueState, execution: Execution) -> None:
        self._state = state
        self._events = state.events
        self._execution = execution
        self._short_sales = ShortSaleDesk(state)

    def add(self, order_list: OrderList) -> None:
        """Take a list whose orders are about to come in."""
        self._state.order_lists[order_list.list_id] = order_list
        for order_id in ids_of(order_list):
            self._state.list_of[order_id] = order_list

    def follow(self, note: Note) -> None:
        """Do to the other orders of a list what follows from a trade, or the end, of one."""
        order = note.order
        order_list = self._state.list_of.get(order.order_id)
        if order_list is None:
            return
        if order_list.waiting:
            self._follow_entry(order_list, note)
        elif note.reason or not note.leaves:
            self._end_other(order_list, order, ListEnd.CANCELLED if note.reason else ListEnd.FILLED)
        elif order.order_id == order_list.first:
            self._reduce_other(order_list, order, note.quantity)

    def triggered(self, order: RestingOrder) -> None:
        """Cancel the limit order of a pair whose stop order comes in."""
        order_list = self._state.list_of.get(order.order_id)
        if order_list and order.order_id == order_list.second:
            self._end_other(order_list, order, ListEnd.TRIGGERED)

    # --- a pair --------------------------------------------------------------------------------------

    def _end_other(self, order_list: OrderList, order: RestingOrder, end: ListEnd) -> None:
        """End a pair, and its other order: that is taken out as one of the pair, whose stop order reserves nothing."""
        is_first = order.order_id == order_list.first
        other = self._find(order_list.second if is_first else order_list.first)
        if other and other.order_id in self._state.orders:
            self._execution.take_out(other)
        elif other:
            self._execution.forget_triggered(other)
        self._end(order_list, order.order_id, end)
        if other:
            self._events.order_cancelled(other, CancelReason.LINKED)

    def _reduce_other(self, order_list: OrderList, order: RestingOrder, quantity: int) -> None:
        other = self._find(order_list.second)
        assert other is not None, f"order {order_list.second} of a pair is neither live nor triggered"
        if other.leaves <= quantity:
            self._end_other(order_list, order, ListEnd.FILLED)
            return
        other.leaves -= quantity
        other.quantity -= quantity
        self._events.write(
            e.OrderAmended, symbol_id=other.symbol_id, order_id=other.order_id, account_id=other.account_id,
            side=other.side, kept_priority=True, old_price=other.price, price=other.price,
            quantity=other.quantity, leaves=other.leaves,
        )  # fmt: skip

    def _find(self, order_id: int) -> RestingOrder | None:
        return self._state.orders.get(order_id) or self._execution.triggered(order_id)

    # --- an entry ------------------------------------------------------------------------------------

    def _follow_entry(self, order_list: OrderList, note: Note) -> None:
        order_list.filled += note.quantity
        if note.leaves:
            return
        market = self._state.markets[order_list.symbol_id]
        entry_id = note.order.order_id
        if not order_list.filled or note.reason in BY_A_PERSON:
            self._end(order_list, entry_id, ListEnd.CANCELLED)
        elif market.state is not SymbolState.ACTIVE:
            self._end(order_list, entry_id, ListEnd.SUSPENDED)
        else:
            self._bring_in(market, order_list, entry_id)

    def _bring_in(self, market: Market, order_list: OrderList, entry_id: int) -> None:
        orders, order_list.waiting = order_list.waiting, []
        for order in orders:
            order.quantity = order.leaves = order_list.filled
            order.entered_ns = self._events.time_ns
        self._events.write(
            e.OrderListTriggered, symbol_id=market.symbol_id, list_id=order_list.list_id,
            account_id=order_list.account_id, order_id=entry_id, quantity=order_list.filled,
        )  # fmt: skip
        del self._state.list_of[entry_id]
        if len(orders) == 1:
            order_list.first = orders[0].order_id
            self._end(order_list, entry_id, ListEnd.ENTERED)
        else:
            order_list.first, order_list.second = (order.order_id for order in orders)
        for order in reversed(orders):
            self._enter(market, order)

    def _enter(self, market: Market, order: RestingOrder) -> None:
        """Let an order come in that waited for an entry, unless its own time is over.

        A stop price that is reached already triggers it at once.
        """
        self.accept(order)
        if self._short_sales.refusal_of_unmarked(market, order):
            self._events.order_cancelled(order, CancelReason.SHORT_SALE)
            return
        if 0 < order.terms.expires_ns <= self._events.time_ns:
            self._events.order_cancelled(order, CancelReason.EXPIRED)
            return
        is_stop = order.is_waiting
        if (
            is_stop
            and market.last_price
            and is_reached(order.side, order.terms.stop_price, market.last_price)
        ):
            self._execution.trigger_at_once(order, market.last_price)
        else:
            self._execution.come_in(market, order)

    # --- what they share -----------------------------------------------------------------------------

    def accept(self, order: RestingOrder) -> None:
        """Say that an order of a list is taken, and with which terms."""
        self._events.order_accepted(order, order.client_order_id.encode().ljust(36, b"\0"))
        if order.terms is not NO_TERMS:
            self._events.write(
                e.SpecialTermsAccepted, symbol_id=order.symbol_id, order_id=order.order_id,
                account_id=order.account_id, **structs.asdict(order.terms),
            )  # fmt: skip
            self._state.expiries.add(order.terms.expires_ns, order.order_id)

    def _end(self, order_list: OrderList, order_id: int, end: ListEnd) -> None:
        for known in ids_of(order_list):
            self._state.list_of.pop(known, None)
        del self._state.order_lists[order_list.list_id]
        self._events.write(
            e.OrderListEnded, symbol_id=order_list.symbol_id, list_id=order_list.list_id,
            account_id=order_list.account_id, order_id=order_id, end=end,
        )  # fmt: skip


def ids_of(order_list: OrderList) -> list[int]:
    """Return the ids of the orders of a list, live ones and those that wait."""
    live = [order_id for order_id in (order_list.first, order_list.second) if order_id]
    return [*live, *(order.order_id for order in order_list.waiting)]


def renamed(order_list: OrderList, old: int, new: int) -> None:
    """Let another order stand in an order's place."""
    order_list.first = new if order_list.first == old else order_list.first
    order_list.second = new if order_list.second == old else order_list.second
