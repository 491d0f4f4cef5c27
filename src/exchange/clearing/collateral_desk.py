"""The collateral desk: works out margin, calls what is missing, and books what is paid in and out.

Payments follow from a reference that who orders them gives: the same once more finds the payment that is there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec
import structlog
from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from exchange.clearing.book_keeper import BookKeeper
from exchange.clearing.cycle_store import last_cycle, read_netted
from exchange.clearing.house_store import (
    Act,
    ActRefused,
    Doing,
    find_act,
    list_acts,
    read_act,
    read_entries,
    write_act,
)
from exchange.clearing.house_tables import margin_accounts
from exchange.clearing.instruction_store import price_history, read_open
from exchange.clearing.splits import marks_of, read_splits
from exchange.clearing.store import replace
from exchange.domain.units import format_date, format_money
from exchange.infra.clock import Clock
from exchange.infra.errors import InfraError
from exchange.infra.store import read_position, reason_of
from exchange.post_trade.books import Books
from exchange.post_trade.house_ledger import Entry, HouseCode, HouseHolder, house_account, reversal
from exchange.post_trade.ledger import CASH
from exchange.post_trade.margin import (
    OBSERVATIONS_MAX,
    Exposure,
    MarginRules,
    Requirement,
    changes,
    require,
)
from exchange.post_trade.review import Actor

log = structlog.get_logger(component="clearing")
SECONDS_PER_MINUTE = 60
MARGIN, PAYMENT, CORRECTION = "margin", "payment", "correction"
NS_PER_MINUTE = 60_000_000_000
MARGIN_OF, FUND_OF, CAPITAL = "margin", "fund", "capital"
EVIDENCE_PAIRS_MAX = 100_000
"""Holdings of accounts in symbols that a run of margin keeps for the proof; a run over more keeps none."""
_SIDES = {
    MARGIN_OF: (HouseHolder.SETTLED, HouseHolder.MARGIN, HouseCode.MARGIN),
    FUND_OF: (HouseHolder.SETTLED, HouseHolder.FUND, HouseCode.FUND),
    CAPITAL: (HouseHolder.OWNERS, HouseHolder.CAPITAL, HouseCode.CAPITAL),
}


class AccountMargin(NamedTuple):
    """What the last run required of an account. called: what is missing; due_ns: until when, 0 for no call."""

    account_id: int
    act: int
    time_ns: int
    variation: int
    value_at_risk: int
    floor: int
    haircut: int
    called: int
    due_ns: int

    @property
    def required(self) -> int:
        """Return what the account must have."""
        return Requirement(self.variation, self.value_at_risk, self.floor, self.haircut).total


class Payment(NamedTuple):
    """Money into margin, the fund or the house's own, or below zero out of it. account_id: 0 for the house's own."""

    reference: str
    what: str
    account_id: int
    amount: int


class CollateralDesk:
    """Margin and payments of one partition."""

    def __init__(self, keeper: BookKeeper, rules: MarginRules, call_within_min: int = 60) -> None:
        self._keeper = keeper
        self._rules = rules
        self._call_ns = call_within_min * NS_PER_MINUTE

    def run(self, actor: Actor, why: str, now_ns: int) -> Act:
        """Work out the margin of all accounts, and call what is missing. Raise as `BookKeeper.release` does."""
        return self._keeper.within(
            lambda connection, books: self._run(self._doing(connection, books, actor, why, now_ns))
        )

    def pay(self, payment: Payment, actor: Actor, why: str, now_ns: int) -> Act:
        """Book a payment, once for its reference. Raise `ActRefused`, or as `BookKeeper.release` does."""
        return self._keeper.within(
            lambda connection, books: self._pay(self._doing(connection, books, actor, why, now_ns), payment)
        )

    def correct(self, number: int, actor: Actor, why: str, now_ns: int) -> Act:
        """Take a payment back by entries the other way round, once. Raise as `pay` does."""
        return self._keeper.within(
            lambda connection, books: self._correct(
                self._doing(connection, books, actor, why, now_ns), number
            )
        )

    def _doing(self, connection: Connection, books: Books, actor: Actor, why: str, now_ns: int) -> Doing:
        return Doing(connection, self._keeper.partition, books, actor, why, now_ns)

    # --- margin -----------------------------------------------------------------------------------------

    def _run(self, doing: Doing) -> Act:
        connection, partition, books = doing.connection, doing.partition, doing.books
        exposed = exposures(connection, partition, books)
        symbols = sorted(
            {symbol_id for each in exposed.values() for symbol_id, n in each.quantities.items() if n}
        )
        today = books.business_date
        marks = marks_of(connection, partition, books.directory, symbols, today)
        moves = self._moves(connection, partition, marks, today)
        ledger, before = (
            doing.ledger(),
            {each.account_id: each for each in read_margins(connection, partition, None)},
        )
        number = doing.next_number()
        rows = []
        for account_id in sorted({*exposed, *before}):
            found = require(_held(exposed.get(account_id)), marks, moves, self._rules)
            missing = max(0, found.total - ledger.net(HouseHolder.MARGIN, account_id, CASH))
            open_since = before[account_id].due_ns if account_id in before else 0
            due_ns = (open_since or doing.now_ns + self._call_ns) if missing else 0
            rows.append(AccountMargin(account_id, number, doing.now_ns, *found, missing, due_ns))
        body = {
            "accounts": len(rows),
            "required": sum(row.required for row in rows),
            "called": sum(row.called for row in rows),
            "simulated": sum(len(moves[symbol_id]) >= self._rules.observations_min for symbol_id in symbols),
            "margins": [list(row) for row in rows],
            "evidence": self._evidence(connection, partition, exposed, marks),
        }
        source = f"margin/{format_date(today)}/{number}"
        act = write_act(doing, MARGIN, source, today, body, (), ledger)
        save_margins(connection, partition, rows)
        return act

    def _evidence(
        self, connection: Connection, partition: int, exposed: dict[int, Exposure], marks: dict[int, int]
    ) -> dict[str, Any] | None:
        """Return what the proof needs to make the requirements anew; None where that is too much to keep."""
        if sum(len(each.quantities) for each in exposed.values()) > EVIDENCE_PAIRS_MAX:
            return None
        last = last_cycle(connection, partition)
        return {
            "event": read_position(connection, partition).sequence,
            "closed": last.business_date if last else 0,
            "rules": self._rules,
            "marks": {str(symbol_id): mark for symbol_id, mark in marks.items()},
            "exposures": [
                [account_id, each.cash, sorted([n, held] for n, held in each.quantities.items() if held)]
                for account_id, each in sorted(exposed.items())
            ],
        }

    def _moves(
        self, connection: Connection, partition: int, marks: dict[int, int], today: int
    ) -> dict[int, list[int]]:
        """Return the changes of each symbol's prices up to now; a split is none."""
        days, splits = OBSERVATIONS_MAX + self._rules.horizon_days, read_splits(connection, partition)
        found = {}
        for symbol_id, mark in marks.items():
            prices = price_history(connection, partition, symbol_id, today, days, splits)
            found[symbol_id] = changes([*prices, *([mark] if mark else [])], self._rules.horizon_days)
        return found

    # --- payments ---------------------------------------------------------------------------------------

    def _pay(self, doing: Doing, payment: Payment) -> Act:
        connection, partition = doing.connection, doing.partition
        source, body = f"payment/{payment.reference}", payment._asdict()
        there = find_act(connection, partition, source)
        entries = [entry_of_payment(payment)]
        if there is not None:
            if read_entries(connection, partition, there.number) == entries:
                return there
            raise ActRefused(f"The reference {payment.reference!r} has another payment, act {there.number}.")
        if (payment.what == CAPITAL) == bool(payment.account_id):
            raise ActRefused("Margin and the fund are of an account; the house's own money is of none.")
        ledger = doing.ledger()
        row = next(iter(read_margins(connection, partition, [payment.account_id])), None)
        has = ledger.net(HouseHolder.MARGIN, payment.account_id, CASH)
        if (
            payment.what == MARGIN_OF
            and payment.amount < 0
            and row is not None
            and has + payment.amount < row.required
        ):
            raise ActRefused(
                f"Account {payment.account_id} must keep {format_money(row.required)} of margin and has "
                f"{format_money(has)}; work margin out anew if that has changed."
            )
        act = write_act(doing, PAYMENT, source, doing.books.business_date, body, entries, ledger)
        if payment.what == MARGIN_OF and row is not None:
            missing = max(0, row.required - has - payment.amount)
            due_ns = (row.due_ns or doing.now_ns + self._call_ns) if missing else 0
            save_margins(connection, partition, [row._replace(called=missing, due_ns=due_ns)])
        return act

    def _correct(self, doing: Doing, number: int) -> Act:
        connection, partition = doing.connection, doing.partition
        wrong = read_act(connection, partition, number)
        if wrong is None or wrong.kind != PAYMENT:
            raise ActRefused(f"The house has no payment {number}; only payments are taken back.")
        source = f"correction/{number}"
        there = find_act(connection, partition, source)
        if there is not None:
            return there
        entries = reversal(read_entries(connection, partition, number))
        return write_act(doing, CORRECTION, source, doing.books.business_date, {"corrects": number}, entries)


def exposures(connection: Connection, partition: int, books: Books) -> dict[int, Exposure]:
    """Return what each account traded and has not settled: what is not netted yet, and what is open of the cycles."""
    found: dict[int, Exposure] = {}
    netted = dict(read_netted(connection, partition))
    for (account_id, symbol_id), position in books.positions.positions.items():
        quantity, cash = netted.pop((account_id, symbol_id), (0, 0))
        rest = position.traded - quantity, -position.cost - cash
        if any(rest):
            found.setdefault(account_id, Exposure({}, 0)).add(symbol_id, *rest)
    for (account_id, symbol_id), (quantity, cash) in netted.items():
        found.setdefault(account_id, Exposure({}, 0)).add(symbol_id, -quantity, -cash)
    for each in read_open(connection, partition):
        found.setdefault(each.account_id, Exposure({}, 0)).add(each.symbol_id, each.quantity, each.cash)
    return found


def entry_of_payment(payment: Payment) -> Entry:
    """Return what a payment books."""
    outer, inner, code = _SIDES[payment.what]
    debit = house_account(outer, payment.account_id, CASH)
    credit = house_account(inner, payment.account_id, CASH)
    if payment.amount < 0:
        debit, credit = credit, debit
    return Entry(debit, credit, abs(payment.amount), code)


def read_margins(
    connection: Connection, partition: int, accounts: Sequence[int] | None
) -> list[AccountMargin]:
    """Read what the last run required, by account. accounts: None for all."""
    columns = [margin_accounts.c[name] for name in AccountMargin._fields]
    query = select(*columns).where(margin_accounts.c.partition == partition)
    if accounts is not None:
        query = query.where(margin_accounts.c.account_id.in_(accounts))
    return [AccountMargin(*row) for row in connection.execute(query.order_by(margin_accounts.c.account_id))]


def save_margins(connection: Connection, partition: int, rows: Iterable[AccountMargin]) -> None:
    """Put rows in the place of those of the same accounts."""
    replace(connection, margin_accounts, 2, [(partition, *row) for row in rows])


def margin_faults(connection: Connection, partition: int) -> list[str]:
    """Say where what is stored of margin is not what the last run said."""
    last = next(iter(list_acts(connection, partition, MARGIN, 0, 1)), None)
    rows = read_margins(connection, partition, None)
    if last is None:
        return ["margin is stored and no run required it"] if rows else []
    body: dict[str, Any] = msgspec.json.decode(last.body)
    said = [row[:7] for row in body["margins"]]
    return (
        [] if said == [list(row[:7]) for row in rows] else [f"margin is not what act {last.number} required"]
    )


def _held(exposure: Exposure | None) -> Exposure:
    return exposure or Exposure({}, 0)


class MarginClock:
    """Works margin out again and again during the day. problem: why that failed last, empty while all is well."""

    def __init__(self, desk: CollateralDesk, clock: Clock, every_min: int) -> None:
        self.problem = ""
        self._desk = desk
        self._clock = clock
        self._every_min = every_min

    async def run(self) -> None:
        """Work on until cancelled; where it is off, only wait. Where the store fails, try again at the next time."""
        while True:
            await asyncio.sleep((self._every_min or 60) * SECONDS_PER_MINUTE)
            if self._every_min:
                await self.look()

    async def look(self) -> None:
        """Work margin out once."""
        try:
            await asyncio.to_thread(self._desk.run, Actor(0, "clearing"), "intraday", self._clock.now_ns())
        except (SQLAlchemyError, InfraError, ActRefused) as error:
            self.problem = reason_of(error)
            log.warning("margin_not_worked_out", reason=self.problem)
            return
        self.problem = ""
