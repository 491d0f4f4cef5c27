"""What trades of market makers' quotes, and how it is bounded, in the naive model: rulebook 8.7 and 8.8."""

from __future__ import annotations

from dataclasses import dataclass, field

from exchange.domain.order import CancelReason, Side
from exchange.domain.quote import ProtectionKind
from tests.matching.naive_books import BPS
from tests.matching.naive_lists import NaiveLists
from tests.matching.naive_risk import MS_NS
from tests.matching.naive_values import Note, Order, Symbol


@dataclass
class Protection:
    """What of an account's quotes may trade within a window, each 0 for any, and what has.

    traded: (shares, their part of the quantity in basis points, shares bought less sold) of each trade in the window.
    """

    limits: dict[ProtectionKind, int]
    window_ms: int
    began: int = 0
    traded: list[tuple[int, int, int]] = field(default_factory=list)
    is_reached: bool = False

    def measured(self) -> dict[ProtectionKind, int]:
        """Add up what traded in the window."""
        shares, parts, bought = ([each[at] for each in self.traded] for at in range(3))
        return {
            ProtectionKind.QUANTITY: sum(shares),
            ProtectionKind.EXECUTIONS: len(shares),
            ProtectionKind.PERCENT: sum(parts),
            ProtectionKind.DELTA: abs(sum(bought)),
        }


class NaiveQuotes(NaiveLists):
    """Knows the protections by (account, symbol or 0 for all together)."""

    def __init__(self, accounts: dict[int, int], symbols: dict[int, Symbol]) -> None:
        super().__init__(accounts, symbols)
        self.protections: dict[tuple[int, int], Protection] = {}

    def quoted(self, account: int, symbols: list[int]) -> list[Order]:
        """Find the live orders of an account's quotes, by symbol, there the bid first."""
        found = [
            o for o in self.orders if o.live and o.quoted and o.account == account and o.symbol in symbols
        ]
        return sorted(found, key=lambda o: (o.symbol, o.side))

    def withdraw(self, account: int, symbols: list[int], reason: CancelReason) -> int:
        """Cancel an account's quotes in some symbols; return how many orders."""
        orders = self.quoted(account, symbols)
        for order in orders:
            self.kill([order], reason)
        return len(orders)

    def must_reset(self, account: int, symbol: int) -> bool:
        """Tell whether a protection was reached that keeps an account from quoting in a symbol."""
        found = [self.protections.get((account, number)) for number in (symbol, 0)]
        return any(each.is_reached for each in found if each)

    def follow(self, note: Note) -> None:
        """Count a trade of a quote; all else is of lists."""
        if not note.order.quoted:
            super().follow(note)
            return
        account, symbol = note.order.account, note.order.symbol
        for number in (symbol, 0):
            protection = self.protections.get((account, number))
            if note.traded and protection and protection.window_ms and not protection.is_reached:
                self._count(protection, note)
                self._look(protection, account, number)

    def _count(self, protection: Protection, note: Note) -> None:
        if not protection.traded or self.now >= protection.began + protection.window_ms * MS_NS:
            protection.began, protection.traded = self.now, []
        sign = 1 if note.order.side == Side.BUY else -1
        protection.traded.append((note.traded, note.traded * BPS // note.whole, sign * note.traded))

    def _look(self, protection: Protection, account: int, number: int) -> None:
        """Withdraw the quotes where a limit is reached; told is the first that is."""
        for kind, measured in protection.measured().items():
            limit = protection.limits[kind]
            if limit and measured >= limit:
                protection.is_reached = True
                self.said.append(("protection reached", account, number, kind, measured, limit))
                self.withdraw(
                    account, [number] if number else list(self.symbols), CancelReason.QUOTE_PROTECTION
                )
                return
