"""The default desk: declares participants in default, lets what it costs run through the waterfall, or drills that.

A default in one transaction: what the participant has open of the cycles goes over to another account as it is; what
that is worth less at the prices of the take-over is paid to it out of the waterfall; the engine is to be asked to stop
the participant. The relay then asks until the engine has: the kill switch blocks new orders and cancels what rests.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import NamedTuple

import structlog
from sqlalchemy import Connection, select, update
from sqlalchemy.exc import SQLAlchemyError

from exchange.clearing.book_keeper import BookKeeper
from exchange.clearing.collateral_desk import exposures
from exchange.clearing.engine_client import EngineClient, EngineRefused
from exchange.clearing.house_store import Act, ActRefused, Doing, write_act
from exchange.clearing.house_tables import house_defaults, instructions
from exchange.clearing.instruction_store import KeptInstruction, read_open, save_instructions
from exchange.clearing.settlement_desk import is_ended, last_run
from exchange.clearing.splits import marks_of
from exchange.clearing.store import replace
from exchange.domain.units import format_money
from exchange.infra.clock import Clock
from exchange.infra.errors import InfraError
from exchange.infra.store import reason_of
from exchange.post_trade.books import Books
from exchange.post_trade.house_ledger import Entry, HouseCode, HouseHolder, HouseLedger, house_account
from exchange.post_trade.ledger import CASH
from exchange.post_trade.margin import Exposure
from exchange.post_trade.review import Actor
from exchange.post_trade.waterfall import BASIS_POINTS, Means, Waterfall, entries_of, run

log = structlog.get_logger(component="clearing")
DEFAULT = "default"
ANSWER_CHARACTERS_MAX = 500
LOOK_AGAIN_S = 2
_COLUMNS = ("participant_id", "act", "declared_ns", "blocked_ns", "attempts", "answer")


class FundTerms(NamedTuple):
    """How the waterfall is filled."""

    skin_bps: int = 2_500
    assessment_times: int = 1


class DefaultRow(NamedTuple):
    """A participant in default. blocked_ns: when the engine stopped it, 0 until then; answer: the engine's last."""

    participant_id: int
    act: int
    declared_ns: int
    blocked_ns: int
    attempts: int
    answer: str


class Closing(NamedTuple):
    """A portfolio closed at worse prices. worth: money for all of it, below zero a loss."""

    worth: int
    waterfall: Waterfall


class DefaultDesk:
    """Defaults of one partition."""

    def __init__(self, keeper: BookKeeper, terms: FundTerms) -> None:
        self._keeper = keeper
        self._terms = terms

    def declare(
        self, participant_id: int, taker: int, worse_bps: int, actor: Actor, why: str, now_ns: int
    ) -> Act:
        """Declare a default. taker: the account that takes over; worse_bps: by how much its prices are worse.

        Raise `ActRefused`, or as `BookKeeper.release` does.
        """
        partition = self._keeper.partition
        return self._keeper.within(
            lambda connection, books: self._declare(
                Doing(connection, partition, books, actor, why, now_ns), participant_id, taker, worse_bps
            )
        )

    def drill(self, connection: Connection, books: Books, participant_id: int, worse_bps: int) -> Closing:
        """Let one default run through the waterfall as it is filled now; nothing is booked. Raise `ActRefused`."""
        partition = self._keeper.partition
        own = accounts_of(books, participant_id)
        whole = Exposure({}, 0)
        for account_id, exposure in exposures(connection, partition, books).items():
            if account_id in own:
                for symbol_id, quantity in exposure.quantities.items():
                    whole.add(symbol_id, quantity, 0)
                whole.cash += exposure.cash
        ledger = Doing(connection, partition, books, Actor(0, ""), "", 0).ledger()
        return self._close(connection, books, own, whole, worse_bps, ledger)

    def _close(
        self,
        connection: Connection,
        books: Books,
        own: list[int],
        whole: Exposure,
        worse_bps: int,
        ledger: HouseLedger,
    ) -> Closing:
        marks = marks_of(
            connection, self._keeper.partition, books.directory, whole.quantities, books.business_date
        )
        worth = whole.cash + sum(
            quantity * worse_price(marks[symbol_id], quantity, worse_bps)
            for symbol_id, quantity in whole.quantities.items()
        )
        means = self._means(connection, books, own, ledger)
        return Closing(worth, run(max(0, -worth), means))

    def _means(self, connection: Connection, books: Books, own: list[int], ledger: HouseLedger) -> Means:
        defaulted = {row.participant_id for row in list_defaults(connection, self._keeper.partition)}
        others = [
            int(account_id)
            for account_id, account in sorted(books.directory.accounts.items())
            if account_id not in own and account.participant_id not in defaulted
        ]

        def of(holder: HouseHolder, accounts: list[int]) -> dict[int, int]:
            found = {account_id: ledger.spendable(holder, account_id, CASH) for account_id in accounts}
            return {account_id: amount for account_id, amount in found.items() if amount > 0}

        return Means(
            own_cash=of(HouseHolder.SETTLED, own),
            own_margin=of(HouseHolder.MARGIN, own),
            own_fund=of(HouseHolder.FUND, own),
            capital=max(0, ledger.spendable(HouseHolder.CAPITAL, 0, CASH)),
            skin_bps=self._terms.skin_bps,
            others_fund=of(HouseHolder.FUND, others),
            others_cash=of(HouseHolder.SETTLED, others),
            assessment_times=self._terms.assessment_times,
        )

    def _declare(self, doing: Doing, participant_id: int, taker: int, worse_bps: int) -> Act:
        connection, partition, books = doing.connection, doing.partition, doing.books
        own = accounts_of(books, participant_id)
        self._check(doing, own, taker)
        open_ = [each for each in read_open(connection, partition) if each.account_id in own]
        whole = Exposure({}, 0)
        for each in open_:
            whole.add(each.symbol_id, each.quantity, each.cash)
        ledger = doing.ledger()
        worth, waterfall = self._close(connection, books, own, whole, worse_bps, ledger)
        if waterfall.uncovered:
            raise ActRefused(
                f"The loss is {format_money(waterfall.loss)}, and {format_money(waterfall.uncovered)} of it nobody can "
                "bear; bring in capital or margin, or find who takes over at better prices."
            )
        body = {
            "participant": participant_id,
            "taker": taker,
            "worse_bps": worse_bps,
            "worth": worth,
            "instructions": len(open_),
            "shares": [[str(share.layer), share.account_id, share.amount] for share in waterfall.shares],
        }
        before = next(
            (r for r in list_defaults(connection, partition) if r.participant_id == participant_id), None
        )
        source = f"default/{participant_id}/{before.act + 1 if before else 1}"
        entries = entries_of(waterfall.shares) + _take_over_entries(own[0], taker, worth)
        act = write_act(doing, DEFAULT, source, books.business_date, body, entries, ledger)
        _take_over(connection, partition, open_, taker, books.business_date)
        row = (
            before._replace(act=act.number)
            if before
            else DefaultRow(participant_id, act.number, doing.now_ns, 0, 0, "")
        )
        replace(connection, house_defaults, 2, [(partition, *row)])
        return act

    def _check(self, doing: Doing, own: list[int], taker: int) -> None:
        account = doing.books.directory.accounts.get(taker)
        defaulted = {row.participant_id for row in list_defaults(doing.connection, doing.partition)}
        if account is None or taker in own or account.participant_id in defaulted:
            raise ActRefused(
                f"Account {taker} cannot take over: it must be one of another participant in good standing."
            )
        last = last_run(doing.connection, doing.partition)
        if last is not None and not is_ended(doing.connection, doing.partition, last):
            raise ActRefused("A run of settlement is reserved; end it or give it up first.")


def accounts_of(books: Books, participant_id: int) -> list[int]:
    """Return a participant's accounts. Raise `ActRefused` where there is none."""
    found = sorted(int(account.account_id) for account in books.directory.accounts_of(participant_id))
    if not found:
        raise ActRefused(f"There is no participant {participant_id} with an account.")
    return found


def worse_price(mark: int, quantity: int, worse_bps: int) -> int:
    """Return the price at which a quantity is closed, so much worse for who has it, and at least 0."""
    if quantity >= 0:
        return max(0, mark * (BASIS_POINTS - worse_bps) // BASIS_POINTS)
    return -(-mark * (BASIS_POINTS + worse_bps) // BASIS_POINTS)


def _take_over_entries(estate: int, taker: int, worth: int) -> list[Entry]:
    """Return how the taker is paid what the portfolio is worth less than nothing, or pays what it is worth."""
    house = house_account(HouseHolder.HOUSE, 0, CASH)
    owner, other = (house_account(HouseHolder.SETTLED, account_id, CASH) for account_id in (estate, taker))
    if worth < 0:
        return [Entry(house, other, -worth, HouseCode.DEFAULT)]
    legs = [Entry(other, house, worth, HouseCode.DEFAULT), Entry(house, owner, worth, HouseCode.DEFAULT)]
    return legs if worth else []


def _take_over(
    connection: Connection, partition: int, open_: list[KeptInstruction], taker: int, day: int
) -> None:
    columns = [instructions.c[name] for name in KeptInstruction._fields]
    query = select(*columns).where(instructions.c.partition == partition, instructions.c.account_id == taker)
    kept = {row[0:3]: KeptInstruction(*row) for row in map(tuple, connection.execute(query))}
    changed: dict[tuple[int, ...], KeptInstruction] = {}
    for each in open_:
        key = each.cycle, taker, each.symbol_id
        mine = changed.get(key) or kept.get(key)
        mine = mine or KeptInstruction(each.cycle, taker, each.symbol_id, each.due, 0, 0, 0, 0, 0)
        quantity, cash = mine.quantity + each.quantity, mine.cash + each.cash
        changed[key] = mine._replace(
            quantity=quantity,
            cash=cash,
            moved=mine.moved + each.quantity,
            settled_on=0 if quantity or cash else day,
        )
        changed[each.open.key] = each._replace(
            quantity=0, cash=0, moved=each.moved - each.quantity, settled_on=day or each.due
        )
    save_instructions(connection, partition, changed.values())


def list_defaults(connection: Connection, partition: int) -> list[DefaultRow]:
    """Read who is in default, by participant."""
    columns = [house_defaults.c[name] for name in _COLUMNS]
    query = select(*columns).where(house_defaults.c.partition == partition)
    return [DefaultRow(*row) for row in connection.execute(query.order_by(house_defaults.c.participant_id))]


class DefaultRelay:
    """Has the engine stop who is in default, and asks again until it has."""

    def __init__(self, keeper: BookKeeper, engine: EngineClient, clock: Clock) -> None:
        self.problem = ""
        self._keeper = keeper
        self._engine = engine
        self._clock = clock
        self._added = asyncio.Event()

    def wake(self) -> None:
        """Look now; a default was declared."""
        self._added.set()

    async def run(self) -> None:
        """Ask for ever; the owner of the task cancels it."""
        while True:
            self._added.clear()
            await self.look()
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_AGAIN_S):
                    await self._added.wait()

    async def look(self) -> None:
        """Ask the engine once for each participant that it has not stopped yet."""
        try:
            waiting = [row for row in await asyncio.to_thread(self._read) if not row.blocked_ns]
            for row in waiting:
                blocked_ns, answer = await self._ask(row)
                await asyncio.to_thread(self._note, row.participant_id, blocked_ns, answer)
        except SQLAlchemyError as error:
            self._complain(f"the store failed: {reason_of(error)}")

    async def _ask(self, row: DefaultRow) -> tuple[int, str]:
        try:
            answer = await self._engine.stop_participant(row.participant_id, f"in default, act {row.act}")
        except (EngineRefused, InfraError) as error:
            self._complain(str(error))
            return 0, str(error)
        self.problem = ""
        log.warning("participant_stopped", participant=row.participant_id, answer=answer)
        return self._clock.now_ns(), answer

    def _complain(self, problem: str) -> None:
        if not self.problem:
            log.error("default_waits_for_engine", reason=problem)
        self.problem = problem

    def _read(self) -> list[DefaultRow]:
        with self._keeper.store.connect() as connection:
            return list_defaults(connection, self._keeper.partition)

    def _note(self, participant_id: int, blocked_ns: int, answer: str) -> None:
        columns = house_defaults.c
        noted = (
            update(house_defaults)
            .where(columns.partition == self._keeper.partition, columns.participant_id == participant_id)
            .values(
                blocked_ns=blocked_ns, attempts=columns.attempts + 1, answer=answer[:ANSWER_CHARACTERS_MAX]
            )
        )
        self._keeper.within(lambda connection, books: connection.execute(noted))
