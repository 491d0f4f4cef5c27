"""Risk before the match in the naive model: rulebook 3.4 and 4, each measure added up anew from orders and trades."""

from __future__ import annotations

from typing import TypeGuard

from exchange.domain import commands as c
from exchange.domain.order import AUCTION_TIMES, CancelReason, OrderFlag, OrderType, Side
from exchange.domain.reasons import Reason
from exchange.domain.risk import LimitKind, RiskScope
from tests.matching.naive_books import BPS, NaiveBooks
from tests.matching.naive_values import Order, Print, Subject, Symbol

SECOND_NS, MS_NS = 1_000_000_000, 1_000_000
MARKET, SYMBOL, PARTICIPANT, ACCOUNT, SESSION = (
    RiskScope.MARKET,
    RiskScope.SYMBOL,
    RiskScope.PARTICIPANT,
    RiskScope.ACCOUNT,
    RiskScope.SESSION,
)
BY_MEMBER, BY_ACCOUNT, BY_ALL = (PARTICIPANT, ACCOUNT), (ACCOUNT,), (SYMBOL, PARTICIPANT, ACCOUNT)
ALLOWED: dict[int, tuple[tuple[int, ...], int, int, int, str]] = {
    LimitKind.SYMBOL_BARRED: (BY_MEMBER, 1, 1, 0, "must"),
    LimitKind.MAX_QUANTITY: (BY_ALL, 1, 2**32 - 1, 0, "no"),
    LimitKind.MAX_NOTIONAL: (BY_ALL, 1, 10**18, 0, "no"),
    LimitKind.COLLAR: (BY_ALL, 1, 10_000, 0, "no"),
    LimitKind.DUPLICATES: (BY_MEMBER, 1, 10**6, 3_600_000, "no"),
    LimitKind.MESSAGES: (BY_MEMBER, 1, 10**6, 10**6, "no"),
    LimitKind.POSITION: (BY_ACCOUNT, 0, 2**32 - 1, 0, "may"),
    LimitKind.BUYING_POWER: (BY_ACCOUNT, 0, 10**18, 0, "no"),
    LimitKind.SHORT_SALES: (BY_ACCOUNT, 1, 1, 0, "may"),
    LimitKind.GROSS: (BY_MEMBER, 1, 10**18, 0, "no"),
    LimitKind.LOSS: (BY_ACCOUNT, 1, 10**18, 0, "no"),
    LimitKind.EXECUTIONS: (BY_MEMBER, 1, 10**6, 3_600_000, "no"),
}
"""Of whom, least and most value, longest span (0 for none), and whether it names a symbol. Rulebook 4.3."""


class NaiveRisk(NaiveBooks):
    """Knows who is blocked, what limits hold, and whose timer runs."""

    def __init__(self, accounts: dict[int, int], symbols: dict[int, Symbol]) -> None:
        super().__init__(accounts, symbols)
        self.blocks: dict[tuple[int, int], int] = {}
        """The role that pulled the switch, by (scope, subject)."""
        self.limits: dict[tuple[int, int, int, int], tuple[int, int]] = {}
        """(value, span) by (scope, subject, kind, symbol)."""
        self.subjects: dict[tuple[int, int], Subject] = {}
        self.timers: dict[int, int] = {}
        self.keys = 0

    # --- 4.1 kill switch, 3.4 cancel timer -----------------------------------------------------------

    def _knows(self, scope: int, subject: int) -> bool:
        known = {
            MARKET: [0],
            SYMBOL: self.symbols,
            PARTICIPANT: self.accounts.values(),
            ACCOUNT: self.accounts,
            SESSION: range(1, self.keys + 1),
        }
        return subject in known.get(scope, [])  # type: ignore[call-overload, operator]

    def block(self, command: c.BlockTrading) -> Reason | None:
        """Pull the switch."""
        key = (command.scope, command.subject_id)
        if not self._knows(*key):
            return Reason.SCOPE_INVALID
        if command.note != command.note.strip():
            return Reason.NAME_INVALID
        if key in self.blocks:
            return Reason.ALREADY_BLOCKED
        orders = [o for o in self.orders if command.cancels_orders and self._is_of(o, *key)]
        count = self.kill(orders, CancelReason.KILL_SWITCH)
        self.blocks[key] = command.role
        self.said.append(("blocked", *key, count))
        return None

    def unblock(self, command: c.UnblockTrading) -> Reason | None:
        """Lift a block."""
        key = (command.scope, command.subject_id)
        if not self._knows(*key):
            return Reason.SCOPE_INVALID
        if command.note != command.note.strip():
            return Reason.NAME_INVALID
        if key not in self.blocks:
            return Reason.NOT_BLOCKED
        if command.role not in (3, 5) or command.role == self.blocks[key]:
            return Reason.ANOTHER_ROLE_NEEDED
        del self.blocks[key]
        self.said.append(("unblocked", *key))
        return None

    def _is_of(self, order: Order, scope: int, subject: int) -> bool:
        owner = self.accounts[order.account]
        own = {SYMBOL: order.symbol, PARTICIPANT: owner, ACCOUNT: order.account, SESSION: order.session}
        return subject == own.get(RiskScope(scope), 0)

    def set_timer(self, command: c.SetCancelTimer) -> Reason | None:
        """Let a member's timer run, or stop it."""
        member, timeout_ms = command.participant_id, command.timeout_ms
        if member not in self.accounts.values():
            return Reason.UNKNOWN_PARTICIPANT
        if timeout_ms > 3_600_000:
            return Reason.TIMER_INVALID
        self.timers[member] = self.now + timeout_ms * MS_NS if timeout_ms else 0
        self.said.append(("timer", member, self.timers[member]))
        return None

    def end_timers(self, until: int) -> None:
        """End the timers that are over, the soonest first."""
        for ends, member in sorted((ends, member) for member, ends in self.timers.items()):
            if 0 < ends <= until:
                self.timers[member] = 0
                orders = [o for o in self.orders if self.accounts[o.account] == member]
                self.said.append(("timer over", member, self.kill(orders, CancelReason.CANCEL_TIMER)))

    # --- 4.3 limits ----------------------------------------------------------------------------------

    def set_limit(self, command: c.SetRiskLimit) -> Reason | None:
        """Set a limit, or take one away; the first begins a subject's day, the last ends it."""
        subject, symbol = (int(command.scope), command.subject_id), command.symbol_id
        if command.scope == MARKET or not self._knows(*subject):
            return Reason.SCOPE_INVALID
        if symbol not in (0, *self.symbols):
            return Reason.UNKNOWN_SYMBOL
        if command.kind not in ALLOWED:
            return Reason.RISK_LIMIT_INVALID
        scopes, least, most, longest, names = ALLOWED[command.kind]
        fits = command.scope in scopes and (names == "may" or (names == "must") == (symbol != 0))
        in_range = least <= command.value <= most
        in_span = 1 <= command.span <= longest if longest else command.span == 0
        if not fits or (command.is_set and not (in_range and in_span)):
            return Reason.RISK_LIMIT_INVALID
        self.limits.pop((*subject, command.kind, symbol), None)
        if command.is_set:
            self.limits[*subject, command.kind, symbol] = (command.value, command.span)
        if not any(limit[:2] == subject for limit in self.limits):
            self.subjects.pop(subject, None)
        elif subject not in self.subjects:
            self.subjects[subject] = Subject(since=len(self.prints))
        return None

    def begin_risk_day(self) -> None:
        """Forget what the day added up."""
        for subject in self.subjects.values():
            subject.since, subject.alerted, subject.splits = len(self.prints), {}, []

    def _limit(self, subject: tuple[int, int], kind: int, symbol: int = 0) -> tuple[int, int] | None:
        of_any = self.limits.get((*subject, kind, 0))
        return self.limits.get((*subject, kind, symbol), of_any)

    def _subjects_of(self, account: int) -> list[tuple[int, int]]:
        both = [(int(PARTICIPANT), self.accounts[account]), (int(ACCOUNT), account)]
        return [subject for subject in both if subject in self.subjects]

    def _accounts_of(self, subject: tuple[int, int]) -> list[int]:
        scope, number = subject
        return [
            account
            for account, owner in self.accounts.items()
            if number == (owner if scope == PARTICIPANT else account)
        ]

    # --- what limits measure -------------------------------------------------------------------------

    def _open(self, subject: tuple[int, int], side: int, without: Order | None) -> list[Order]:
        """Find a subject's live orders of a side but one; a triggered stop order is none until it comes in."""
        accounts = self._accounts_of(subject)
        return [
            o for o in self.orders
            if o.live and o.side == side and o.account in accounts and not o.reached and o is not without
            and not self._reserves_nothing(o)
        ]  # fmt: skip

    def open_shares(
        self, subject: tuple[int, int], side: int, symbol: int, without: Order | None = None
    ) -> int:
        """Add up what is open of a symbol."""
        shares = sum(o.left for o in self._open(subject, side, without) if o.symbol == symbol)
        return shares - (without.left if self._measured_before(without, side) else 0)

    def open_money(self, subject: tuple[int, int], side: int, without: Order | None = None) -> int:
        """Add up what is open at its own price."""
        money = sum(o.left * o.price for o in self._open(subject, side, without))
        return money - (without.left * without.price if self._measured_before(without, side) else 0)

    def _reserves_nothing(self, order: Order) -> bool:
        """Tell whether an order is the stop order of a pair. Rulebook 8.6."""
        return order.waits and any(order.id == listing.stop for listing in self.lists)

    def _measured_before(self, order: Order | None, side: int) -> TypeGuard[Order]:
        """Tell whether an order reserves nothing, so that a change of it is measured by what it needs more."""
        return order is not None and order.side == side and self._reserves_nothing(order)

    def _day(self, subject: tuple[int, int]) -> list[tuple[int, Print]]:
        """List (1 for a buy, -1 for a sale; print) of a subject's trades today."""
        accounts, prints = self._accounts_of(subject), self.prints[self.subjects[subject].since :]
        bought = [(1, p) for p in prints if p.buyer in accounts]
        return bought + [(-1, p) for p in prints if p.seller in accounts]

    def gross(self, subject: tuple[int, int]) -> int:
        """Add up the notional traded today, both sides."""
        return sum(p.price * p.quantity for _, p in self._day(subject))

    def loss(self, subject: tuple[int, int]) -> int:
        """Compare what today's trades paid with what they would now, at the reference prices."""
        paid = sum(sign * p.quantity * p.price for sign, p in self._day(subject))
        paid -= sum(money for _, _, money in self.subjects[subject].splits)
        return paid - sum(self.day_shares(subject, s) * self.reference(s) for s in self.symbols)

    def day_shares(self, subject: tuple[int, int], symbol: int) -> int:
        """Add up what today's trades bought, less what they sold, in shares of now."""
        traded = sum(sign * p.quantity for sign, p in self._day(subject) if p.symbol == symbol)
        return traded + sum(more for number, more, _ in self.subjects[subject].splits if number == symbol)

    def worst_price(self, order: Order) -> int:
        """Rulebook 4.4."""
        buys, best = order.side == Side.BUY, self.best(order.symbol, order.side, order.left)
        if order.waits:
            return order.price
        gathers = self.gathers(order.symbol) or order.tif in AUCTION_TIMES
        if order.type == OrderType.MARKET and gathers:
            return self.reference(order.symbol)
        if order.type == OrderType.MARKET and buys:
            highest = max((o.price for o in self.resting(order.symbol, Side.SELL)), default=0)
            edge = self.edge(order.symbol, order.side)
            return min(edge, highest) if edge else highest
        if order.type == OrderType.LIMIT and buys:
            return order.price
        if order.flags & OrderFlag.REPRICE and self.crosses(
            order.symbol, order.side, order.price, order.left
        ):
            return self.behind(order.symbol, order.side, order.left)
        return max(order.price, best)

    # --- the checks ----------------------------------------------------------------------------------

    def access_reasons(self, account: int, symbol: int, session: int) -> dict[Reason, bool]:
        """Tell whether market, participant, account, session or symbol is blocked, or the symbol barred."""
        owner = self.accounts.get(account, 0)
        return {
            Reason.MARKET_BLOCKED: (MARKET, 0) in self.blocks,
            Reason.PARTICIPANT_BLOCKED: (PARTICIPANT, owner) in self.blocks,
            Reason.ACCOUNT_BLOCKED: (ACCOUNT, account) in self.blocks,
            Reason.SESSION_BLOCKED: (SESSION, session) in self.blocks,
            Reason.SYMBOL_BLOCKED: (SYMBOL, symbol) in self.blocks,
            Reason.SYMBOL_BARRED: any(
                (scope, subject, LimitKind.SYMBOL_BARRED, symbol) in self.limits
                for scope, subject in ((PARTICIPANT, owner), (ACCOUNT, account))
            ),
        }

    def broken_limit(self, order: Order, before: Order | None) -> tuple[Reason, int, int] | None:
        """Ask the limits, in the sequence of rulebook 4.3, of an order as it would be; before: as it is now."""
        own = self._subjects_of(order.account)
        if before and order.price == before.price and order.left < before.left:
            return self._early_message(own)
        everybody = [(int(SYMBOL), order.symbol), *own]
        return (
            self._too_large(everybody, order)
            or self._too_costly(everybody, order)
            or self._outside_collar(everybody, order)
            or (None if before else self._duplicate(own, order))
            or self._early_message(own)
            or self._position(own, order, before)
            or self._power(own, order, before)
            or self._gross(own, order, before)
            or self._lost(own)
        )

    def why_not_triggered(self, order: Order) -> CancelReason | None:
        """Ask once more of a stop order that comes in."""
        if any(self.access_reasons(order.account, order.symbol, order.session).values()):
            return CancelReason.KILL_SWITCH
        own = self._subjects_of(order.account)
        everybody = [(int(SYMBOL), order.symbol), *own]
        itself = None if self._reserves_nothing(order) else order
        broken = (
            self._too_costly(everybody, order)
            or self._power(own, order, itself)
            or self._gross(own, order, itself)
        )
        return CancelReason.RISK_LIMIT if broken else None

    def _too_large(self, subjects: list[tuple[int, int]], order: Order) -> tuple[Reason, int, int] | None:
        for subject in subjects:
            limit = self._limit(subject, LimitKind.MAX_QUANTITY)
            if limit and order.quantity > limit[0]:
                return Reason.MAX_QUANTITY, order.quantity, limit[0]
        return None

    def _too_costly(self, subjects: list[tuple[int, int]], order: Order) -> tuple[Reason, int, int] | None:
        notional = self.worst_price(order) * order.left
        for subject in subjects:
            limit = self._limit(subject, LimitKind.MAX_NOTIONAL)
            if limit and notional > limit[0]:
                return Reason.MAX_NOTIONAL, notional, limit[0]
        return None

    def _outside_collar(
        self, subjects: list[tuple[int, int]], order: Order
    ) -> tuple[Reason, int, int] | None:
        reference = self.reference(order.symbol)
        for subject in subjects:
            limit = self._limit(subject, LimitKind.COLLAR)
            if not limit or order.type not in (OrderType.LIMIT, OrderType.STOP_LIMIT):
                continue
            band = reference * limit[0] // BPS
            if order.side == Side.BUY and order.price > reference + band:
                return Reason.PRICE_COLLAR, order.price, reference + band
            if order.side == Side.SELL and order.price < reference - band:
                return Reason.PRICE_COLLAR, order.price, reference - band
        return None

    def _duplicate(self, subjects: list[tuple[int, int]], order: Order) -> tuple[Reason, int, int] | None:
        same = (order.side, order.symbol, order.price, order.quantity)
        for subject in subjects:
            if limit := self._limit(subject, LimitKind.DUPLICATES):
                began, seen = self.subjects[subject].same
                if self.now - began >= limit[1] * MS_NS:
                    began, seen = self.now, []
                seen.append(same)
                self.subjects[subject].same = (began, seen)
                if seen.count(same) > limit[0]:
                    return Reason.DUPLICATE_ORDERS, seen.count(same), limit[0]
        return None

    def _early_message(
        self, subjects: list[tuple[int, int]], *, passes: bool = False
    ) -> tuple[Reason, int, int] | None:
        """Take a message out of each bucket; it is too early where less than one is in it."""
        for subject in subjects:
            if limit := self._limit(subject, LimitKind.MESSAGES):
                of_one = SECOND_NS // limit[0]
                missing = max(self.subjects[subject].full_again_ns - self.now, 0)
                early = missing + of_one - limit[1] * of_one
                if early > 0 and not passes:
                    return Reason.MESSAGE_RATE, -(-early // MS_NS), limit[0]
                self.subjects[subject].full_again_ns = self.now + min(missing + of_one, limit[1] * of_one)
        return None

    def count_cancel(self, account: int) -> None:
        """Count a cancel as a message; it passes. Rulebook 4.2."""
        self._early_message(self._subjects_of(account), passes=True)

    def _position(
        self, subjects: list[tuple[int, int]], order: Order, before: Order | None
    ) -> tuple[Reason, int, int] | None:
        held = self.balance(order.account, order.symbol) * (1 if order.side == Side.BUY else -1)
        for subject in subjects:
            limit = self._limit(subject, LimitKind.POSITION, order.symbol)
            worst = held + self.open_shares(subject, order.side, order.symbol, before) + order.left
            if limit and worst > limit[0]:
                return Reason.POSITION_LIMIT, worst, limit[0]
        return None

    def _power(
        self, subjects: list[tuple[int, int]], order: Order, before: Order | None
    ) -> tuple[Reason, int, int] | None:
        for subject in subjects:
            limit = self._limit(subject, LimitKind.BUYING_POWER)
            if not limit:
                continue
            cost = self.worst_price(order) * order.left
            cash = self.balance(order.account, 0) + limit[0] - self.open_money(subject, Side.BUY, before)
            if order.side == Side.BUY and cost > cash:
                return Reason.BUYING_POWER, cost, cash
            shares = self.balance(order.account, order.symbol)
            shares -= self.open_shares(subject, Side.SELL, order.symbol, before)
            may_be_short = self._limit(subject, LimitKind.SHORT_SALES, order.symbol)
            if order.side == Side.SELL and not may_be_short and order.left > shares:
                return Reason.SHORT_SALE, order.left, shares
        return None

    def _gross(
        self, subjects: list[tuple[int, int]], order: Order, before: Order | None
    ) -> tuple[Reason, int, int] | None:
        for subject in subjects:
            limit = self._limit(subject, LimitKind.GROSS)
            total = self.gross(subject) + self.worst_price(order) * order.left
            total += sum(self.open_money(subject, side, before) for side in Side)
            if limit and total > limit[0]:
                return Reason.GROSS_LIMIT, total, limit[0]
        return None

    def _lost(self, subjects: list[tuple[int, int]]) -> tuple[Reason, int, int] | None:
        for subject in subjects:
            limit = self._limit(subject, LimitKind.LOSS)
            if limit and self.loss(subject) >= limit[0]:
                return Reason.LOSS_LIMIT, self.loss(subject), limit[0]
        return None

    def reserved(self, account: int, symbol: int) -> int:
        """Return what open orders need of an account's cash or shares, beyond its credit."""
        subject = (int(ACCOUNT), account)
        limit = self._limit(subject, LimitKind.BUYING_POWER)
        if not limit:
            return 0
        if symbol == 0:
            return max(self.open_money(subject, Side.BUY) - limit[0], 0)
        may_be_short = self._limit(subject, LimitKind.SHORT_SALES, symbol)
        return 0 if may_be_short else self.open_shares(subject, Side.SELL, symbol)

    # --- after a trade -------------------------------------------------------------------------------

    def note_trade(self, maker: Order, taker: Order) -> None:
        """Count the trade that was printed last, block who trades too often, and tell what is nearly used up."""
        for order in (maker, taker):
            for subject in self._subjects_of(order.account):
                if limit := self._limit(subject, LimitKind.EXECUTIONS):
                    self._count_execution(subject, order.side, *limit)
                if limit := self._limit(subject, LimitKind.GROSS):
                    self._alert(subject, LimitKind.GROSS, self.gross(subject), limit[0])
                if limit := self._limit(subject, LimitKind.LOSS):
                    self._alert(subject, LimitKind.LOSS, self.loss(subject), limit[0])

    def _count_execution(self, subject: tuple[int, int], side: int, most: int, window_ms: int) -> None:
        began, sides = self.subjects[subject].executions
        if self.now - began >= window_ms * MS_NS:
            began, sides = self.now, []
        sides.append(side)
        self.subjects[subject].executions = (began, sides)
        if sides.count(side) >= most and subject not in self.blocks:
            self.blocks[subject] = 0
            self.said.append(("blocked", *subject, 0))

    def _alert(self, subject: tuple[int, int], kind: int, measured: int, limit: int) -> None:
        percent = max((p for p in (70, 90, 100) if measured * 100 >= limit * p), default=0)
        if percent > self.subjects[subject].alerted.get(kind, 0):
            self.subjects[subject].alerted[kind] = percent
            self.said.append(("alert", *subject, kind, percent, measured, limit))
