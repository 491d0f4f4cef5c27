"""What operators and members do about risk: the kill switch, cancel timers, and limits."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain.order import CancelReason
from exchange.domain.participant import Role, is_valid_name
from exchange.domain.reasons import Reason
from exchange.domain.risk import (
    LIMIT_TERMS,
    TIMER_MS_MAX,
    BlockCause,
    LimitKind,
    LimitTerms,
    RiskScope,
)
from exchange.matching.order_book import RestingOrder
from exchange.matching.order_checks import Refusal
from exchange.matching.order_entry import OrderEntry
from exchange.matching.risk_checks import RiskChecks, session_of_order
from exchange.matching.venue_state import VenueState
from exchange.risk.risk_book import MS_NS, RiskBook
from exchange.wire.records import number_of

SCOPES = {scope.value: scope for scope in RiskScope}
KINDS = {kind.value: kind for kind in LimitKind}
MAY_LIFT = (Role.RISK, Role.OPERATOR)


class RiskDesk:
    """Judges and carries out the commands about risk. Enum fields may come as numbers that mean nothing."""

    def __init__(self, state: VenueState, order_entry: OrderEntry) -> None:
        self._state = state
        self._events = state.events
        self._directory = state.directory
        self._order_entry = order_entry
        self._checks = RiskChecks(state)

    # --- kill switch ---------------------------------------------------------------------------------

    def block(self, command: c.BlockTrading) -> None:
        """Block a subject; with `cancels_orders` cancel its live orders in the sequence of their entry."""
        key = (command.scope, command.subject_id)
        refusal = self._refusal_of_subject(*key)
        if refusal is None and command.note and not is_valid_name(command.note):
            refusal = Refusal(Reason.NAME_INVALID)
        if refusal is None and key in self._directory.blocks:
            refusal = Refusal(Reason.ALREADY_BLOCKED)
        if refusal:
            self._refuse(command, command.subject_id, refusal)
            return
        count = 0
        if command.cancels_orders:
            count = self._cancel(lambda order: self._is_of(order, *key), CancelReason.KILL_SWITCH)
        event = self._events.write(
            e.TradingBlocked, scope=SCOPES[command.scope], subject_id=command.subject_id, key_id=command.key_id,
            role=command.role, cause=BlockCause.ORDERED, count=count, note=command.note,
            symbol_id=symbol_of(*key),
        )  # fmt: skip
        self._directory.apply(event)

    def unblock(self, command: c.UnblockTrading) -> None:
        """Lift a block, by another role than pulled the switch."""
        key = (command.scope, command.subject_id)
        block = self._directory.blocks.get(key)
        refusal = self._refusal_of_subject(*key)
        if refusal is None and command.note and not is_valid_name(command.note):
            refusal = Refusal(Reason.NAME_INVALID)
        if refusal is None and block is None:
            refusal = Refusal(Reason.NOT_BLOCKED)
        if refusal is None and block and (command.role not in MAY_LIFT or command.role == block.role):
            refusal = Refusal(Reason.ANOTHER_ROLE_NEEDED, command.role, block.role)
        if refusal:
            self._refuse(command, command.subject_id, refusal)
            return
        event = self._events.write(
            e.TradingUnblocked, scope=SCOPES[command.scope], subject_id=command.subject_id, key_id=command.key_id,
            role=command.role, note=command.note, symbol_id=symbol_of(*key),
        )  # fmt: skip
        self._directory.apply(event)

    def _opens(self, order: RestingOrder, scope: int, subject_id: int) -> bool:
        return self._is_of(order, scope, subject_id) and not self._state.reserves_nothing(order)

    def _is_of(self, order: RestingOrder, scope: int, subject_id: int) -> bool:
        match scope:
            case RiskScope.SYMBOL:
                return order.symbol_id == subject_id
            case RiskScope.PARTICIPANT:
                return self._state.owner_of(order.account_id) == subject_id
            case RiskScope.ACCOUNT:
                return order.account_id == subject_id
            case RiskScope.SESSION:
                return session_of_order(order.client_order_id) == subject_id
        return True

    # --- cancel timers -------------------------------------------------------------------------------

    def set_timer(self, command: c.SetCancelTimer) -> None:
        """Let a participant's timer run from now on, or stop it."""
        refusal = None
        if command.participant_id not in self._directory.participants:
            refusal = Refusal(Reason.UNKNOWN_PARTICIPANT, command.participant_id)
        elif command.timeout_ms > TIMER_MS_MAX:
            refusal = Refusal(Reason.TIMER_INVALID, command.timeout_ms, TIMER_MS_MAX)
        if refusal:
            self._refuse(command, command.participant_id, refusal)
            return
        expires_ns = self._events.time_ns + command.timeout_ms * MS_NS if command.timeout_ms else 0
        self._state.cancel_timers.set(command.participant_id, expires_ns)
        self._events.write(e.CancelTimerSet, participant_id=command.participant_id, expires_ns=expires_ns)

    def expire_timers(self, now_ns: int) -> None:
        """Cancel the orders of those whose timer is over, the soonest first."""
        while participant_id := self._state.cancel_timers.take_due(now_ns):
            count = self._cancel(
                partial(self._is_of, scope=RiskScope.PARTICIPANT, subject_id=participant_id),
                CancelReason.CANCEL_TIMER,
            )
            self._events.write(e.CancelTimerExpired, participant_id=participant_id, count=count)

    # --- limits --------------------------------------------------------------------------------------

    def set_limit(self, command: c.SetRiskLimit) -> None:
        """Set a limit or take it away. The books of a subject begin with its first limit."""
        refusal = self._refusal_of_limit(command)
        if refusal:
            self._refuse(command, command.subject_id, refusal)
            return
        value, span = (command.value, command.span) if command.is_set else (0, 0)
        event = self._events.write(
            e.RiskLimitSet, scope=SCOPES[command.scope], subject_id=command.subject_id, kind=KINDS[command.kind],
            is_set=command.is_set, value=value, span=span, symbol_id=command.symbol_id,
        )  # fmt: skip
        self._directory.apply(event)
        self._note_limit(command)

    def _note_limit(self, command: c.SetRiskLimit) -> None:
        key, books = (int(command.scope), command.subject_id), self._state.risk_books
        limit = (int(command.kind), command.symbol_id)
        if command.is_set:
            if key not in books:
                books[key] = RiskBook(*key)
                for order in self._state.live_orders(lambda order: self._opens(order, *key)):
                    books[key].open(order.side, order.symbol_id, order.price, order.leaves)
            books[key].limits[limit] = (command.value, command.span)
        elif key in books:
            books[key].limits.pop(limit, None)
            if not books[key].limits:
                del books[key]

    def _refusal_of_limit(self, command: c.SetRiskLimit) -> Refusal | None:
        if command.scope == RiskScope.MARKET or (
            refusal := self._refusal_of_subject(command.scope, command.subject_id)
        ):
            return Refusal(Reason.SCOPE_INVALID, command.subject_id)
        terms = LIMIT_TERMS[KINDS[command.kind]] if command.kind in KINDS else None
        symbol_id = command.symbol_id
        if symbol_id and symbol_id not in self._directory.symbols:
            return Refusal(Reason.UNKNOWN_SYMBOL, symbol_id)
        if terms is None or not is_allowed(terms, command):
            return Refusal(Reason.RISK_LIMIT_INVALID, command.kind)
        limits = self._directory.risk_limits
        is_new = (command.scope, command.subject_id, symbol_id, command.kind) not in limits
        if command.is_set and is_new and len(limits) >= self._state.limits.risk_limits:
            return Refusal(Reason.DIRECTORY_FULL, len(limits), self._state.limits.risk_limits)
        return refusal

    # --- what they share -----------------------------------------------------------------------------

    def _refusal_of_subject(self, scope: int, subject_id: int) -> Refusal | None:
        directory = self._directory
        known: dict[int, bool] = {
            RiskScope.MARKET: subject_id == 0,
            RiskScope.SYMBOL: subject_id in directory.symbols,
            RiskScope.PARTICIPANT: subject_id in directory.participants,
            RiskScope.ACCOUNT: subject_id in directory.accounts,
            RiskScope.SESSION: 0 < subject_id <= directory.keys_created,
        }
        return None if known.get(scope, False) else Refusal(Reason.SCOPE_INVALID, subject_id)

    def _cancel(self, fits: Callable[[RestingOrder], bool], reason: CancelReason) -> int:
        fitting = self._state.live_orders(fits)
        for order in fitting:
            self._order_entry.cancel_for(order, reason)
        return len(fitting)

    def _refuse(self, command: c.Command, subject: int, refusal: Refusal) -> None:
        self._events.command_rejected(
            number_of(type(command)), refusal.reason, subject=subject, measured=refusal.measured,
            limit=refusal.limit,
        )  # fmt: skip


def is_allowed(terms: LimitTerms, command: c.SetRiskLimit) -> bool:
    """Tell whether a limit is of a scope, symbol, value and span that its kind allows."""
    symbol_fits = bool(command.symbol_id) if terms.needs_symbol else terms.symbol or not command.symbol_id
    if command.scope not in terms.scopes or not symbol_fits:
        return False
    span_fits = 1 <= command.span <= terms.span_most if terms.span_most else command.span == 0
    return not command.is_set or (terms.least <= command.value <= terms.most and span_fits)


def symbol_of(scope: int, subject_id: int) -> int:
    """Return the symbol that an event of a subject concerns, 0 for none."""
    return subject_id if scope == RiskScope.SYMBOL else 0
