"""The proof of netting: what each closed day owes, made anew from the ledger and not from what was stored of it.

A chain of the ledger says by itself whose shares and money of which symbol it moves and at which event, and the ledger
is proved from the engine's events by its own hash. So all that is taken on trust of a cycle is which trades waited.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from exchange.domain.units import format_date, sequence_of
from exchange.post_trade.ledger import CASH, Holder, Transfer, TransferCode, account_of
from exchange.post_trade.netting import Obligation, Pair, add_to, sum_of

OF_TRADES = (TransferCode.TRADE, TransferCode.BUST, TransferCode.CORRECTION)
Sums = dict[Pair, tuple[int, int]]
"""Shares and money by account and symbol."""


class ClosedDay(NamedTuple):
    """A cycle as it is stored. sequence: the event at which the books stood; waiting: trades that were left out."""

    business_date: int
    sequence: int
    hash: bytes
    waiting: frozenset[int]


class NettingProof:
    """Makes the obligations of cycles anew as the chains of the ledger pass.

    days: (sequence of its first trade, business date), in their order, of all that has been traded.
    """

    def __init__(
        self, cycles: Iterable[ClosedDay], days: Iterable[tuple[int, int]], no_cycles: bytes
    ) -> None:
        self.faults: list[str] = []
        self._cycles = list(cycles)
        self._days = list(days)
        self._running = no_cycles
        self._closed = 0
        self._sums: dict[int, Sums] = {}
        self._standing: Sums = {}
        self._owed: Sums = {}
        self._apart: dict[int, Sums] = {
            match_id: {} for cycle in self._cycles for match_id in sorted(cycle.waiting)
        }

    def add_chain(self, chain: Sequence[Transfer]) -> None:
        """Let the next chain of the ledger pass."""
        if chain[0].code not in OF_TRADES or self._closed == len(self._cycles):
            return
        self._close_until(chain[0].sequence - 1)
        date, match_id = self._date_of(chain[0].subject), chain[0].subject
        for pair, moved in moved_by(chain):
            add_to(self._sums.setdefault(date, {}), pair, *moved)
            if match_id in self._apart:
                add_to(self._apart[match_id], pair, *moved)

    def finish(self) -> list[str]:
        """Close what is left, after the last chain; return where a cycle is not what the trades make it."""
        if self._cycles:
            self._close_until(max(cycle.sequence for cycle in self._cycles))
        return self.faults

    def _close_until(self, sequence: int) -> None:
        while self._closed < len(self._cycles) and self._cycles[self._closed].sequence <= sequence:
            self._close(self._cycles[self._closed])
            self._closed += 1

    def _close(self, cycle: ClosedDay) -> None:
        for date in sorted(self._sums):
            if date <= cycle.business_date:
                for pair, moved in self._sums.pop(date).items():
                    add_to(self._standing, pair, *moved)
        owed = dict(self._standing)
        for match_id in sorted(cycle.waiting):
            for pair, (quantity, cash) in self._apart[match_id].items():
                add_to(owed, pair, -quantity, -cash)
        self._running = sum_of(self._running, cycle.business_date, obligations_between(self._owed, owed)).hash
        self._owed = owed
        if self._running != cycle.hash and not self.faults:
            self.faults.append(
                f"the cycle of {format_date(cycle.business_date)} is not what the trades up to event {cycle.sequence} "
                "owe, made anew from the ledger"
            )

    def _date_of(self, match_id: int) -> int:
        place = bisect_right(self._days, (sequence_of(match_id), 1 << 62))
        return self._days[place - 1][1] if place else 0


def obligations_between(before: Sums, now: Sums) -> Iterator[Obligation]:
    """Yield what is owed now and was not before, by account and symbol."""
    for pair in sorted({*before, *now}):
        quantity, cash = now.get(pair, (0, 0))
        was_quantity, was_cash = before.get(pair, (0, 0))
        if quantity != was_quantity or cash != was_cash:
            yield Obligation(*pair, quantity - was_quantity, cash - was_cash)


def moved_by(chain: Sequence[Transfer]) -> Iterator[tuple[Pair, tuple[int, int]]]:
    """Yield what a chain of a trade moves for its sides: account and symbol, shares and money, each leg by itself."""
    (symbol_id,) = {account_of(each.debit).asset for each in chain} - {CASH}
    for each in chain:
        debit, credit = account_of(each.debit), account_of(each.credit)
        own, amount = (debit, -each.amount) if debit.holder is Holder.DUE else (credit, each.amount)
        yield (own.account_id, symbol_id), (0, amount) if own.asset == CASH else (amount, 0)
