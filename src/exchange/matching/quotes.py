"""Market makers' quotes: taken, replaced and withdrawn as a whole, and protected.

A quote is at most a bid and an ask, both good for the day. A new one takes the place of the account's quote in the
symbol, in one step. A protection counts what trades of the quotes within a window, which begins with the first trade
after the last one: for a symbol, or for all symbols of the account together. When a limit is reached, the quotes that
it protects are withdrawn as soon as the order in hand is done, and none is taken until the protection is reset.
"""

from __future__ import annotations

from typing import Protocol

from exchange.domain import events as e
from exchange.domain.order import CancelReason, Side
from exchange.domain.quote import ProtectionKind
from exchange.matching.event_stream import Note, int64
from exchange.matching.order_book import RestingOrder
from exchange.matching.venue_state import QuoteDesk, VenueState

MS_NS = 1_000_000
BASIS_POINTS = 10_000


class QuoteExecution(Protocol):
    """What a matcher does for quotes."""

    def take_out(self, order: RestingOrder) -> None:
        """Take a live order out of where it is."""


class Quotes:
    """Withdraws quotes, and counts what trades of them."""

    def __init__(self, state: VenueState, execution: QuoteExecution) -> None:
        self._state = state
        self._events = state.events
        self._execution = execution

    def follow(self, note: Note) -> None:
        """Count a trade of a quote for the protections of its symbol and of all symbols together."""
        order = note.order
        for symbol_id in (order.symbol_id, 0) if note.quantity else ():
            desk = self._state.quote_desks.get((order.account_id, symbol_id))
            if desk and desk.limits.window_ms and not desk.is_reached:
                self._count(desk, note)
                self._look(order.account_id, symbol_id, desk)

    def is_reached(self, account_id: int, symbol_id: int) -> bool:
        """Tell whether a protection was reached that holds for a symbol."""
        desks = [self._state.quote_desks.get((account_id, key)) for key in (symbol_id, 0)]
        return any(desk is not None and desk.is_reached for desk in desks)

    def withdraw(self, account_id: int, symbol_ids: list[int], reason: CancelReason) -> int:
        """Cancel the orders of an account's quotes in some symbols; return how many there were."""
        count = 0
        for symbol_id in symbol_ids:
            desk = self._state.quote_desks.get((account_id, symbol_id))
            for order_id in (desk.bid, desk.ask) if desk else ():
                order = self._state.orders.get(order_id)
                if order:
                    self._execution.take_out(order)
                    self._events.order_cancelled(order, reason)
                    count += 1
            if desk:
                desk.bid = desk.ask = 0
        return count

    def symbols_of(self, account_id: int) -> list[int]:
        """Return the symbols in which an account has quoted, by their ids."""
        return sorted(
            symbol for account, symbol in self._state.quote_desks if account == account_id and symbol
        )

    def _count(self, desk: QuoteDesk, note: Note) -> None:
        now_ns = self._events.time_ns
        if not desk.executions or now_ns - desk.from_ns >= desk.limits.window_ms * MS_NS:
            begin_window(desk)
            desk.from_ns = now_ns
        desk.quantity += note.quantity
        desk.executions += 1
        desk.percent_bps += note.quantity * BASIS_POINTS // note.whole
        desk.bought += note.quantity if note.order.side is Side.BUY else -note.quantity

    def _look(self, account_id: int, symbol_id: int, desk: QuoteDesk) -> None:
        limits = desk.limits
        for kind, measured, limit in (
            (ProtectionKind.QUANTITY, desk.quantity, limits.quantity),
            (ProtectionKind.EXECUTIONS, desk.executions, limits.executions),
            (ProtectionKind.PERCENT, desk.percent_bps, limits.percent_bps),
            (ProtectionKind.DELTA, abs(desk.bought), limits.delta),
        ):
            if limit and measured >= limit:
                desk.is_reached = True
                self._events.write(
                    e.QuoteProtectionReached, symbol_id=symbol_id, account_id=account_id, kind=kind,
                    measured=int64(measured), limit=limit,
                )  # fmt: skip
                symbols = [symbol_id] if symbol_id else self.symbols_of(account_id)
                self.withdraw(account_id, symbols, CancelReason.QUOTE_PROTECTION)
                return


def begin_window(desk: QuoteDesk) -> None:
    """Count from nothing."""
    desk.from_ns = desk.quantity = desk.executions = desk.percent_bps = desk.bought = 0
