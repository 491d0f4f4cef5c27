"""The cycle desk: closes trading days. A closed day's obligations are stored once and never changed.

What is ruled later on its trades comes out in the next cycle (`post_trade/netting.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, and_, func, or_, select, tuple_

from exchange.clearing import tables
from exchange.clearing.book_keeper import BookKeeper
from exchange.clearing.cycle_tables import cycles, netted, obligations
from exchange.clearing.fee_store import charge_fees
from exchange.clearing.house_store import Doing
from exchange.clearing.instruction_store import close_prices, write_instructions
from exchange.clearing.review_store import write_audit
from exchange.clearing.settlement_desk import SettlementTerms
from exchange.clearing.store import ROWS_READ_MAX, TRADE_COLUMNS, replace, trade_of
from exchange.domain.units import format_date
from exchange.infra.bulk_insert import bulk_insert
from exchange.infra.store import read_position
from exchange.post_trade.books import Books
from exchange.post_trade.fees import FeeSchedule
from exchange.post_trade.invariants import BooksBroken
from exchange.post_trade.netting import KEPT_OUT, Obligation, Pair, cycle_hash, faults, net
from exchange.post_trade.review import Actor
from exchange.post_trade.settlement_days import SettlementCalendar
from exchange.post_trade.trade import Trade
from exchange.post_trade.trade_life import TradeState, TransitionRefused

NO_FEES = FeeSchedule()
EVERY_DAY = SettlementTerms(SettlementCalendar(range(7)))
NO_CYCLES = bytes(16)
"""The hash before the first cycle."""


class CycleRefused(TransitionRefused):
    """This day cannot be closed now; the message is a sentence for people."""


class Cycle(NamedTuple):
    """A closed day."""

    business_date: int
    closed_ns: int
    sequence: int
    obligations: int
    left_out: int
    who: str
    why: str
    hash: bytes


class CycleDesk:
    """Closes the days of one partition."""

    def __init__(
        self, keeper: BookKeeper, terms: SettlementTerms = EVERY_DAY, fees: FeeSchedule = NO_FEES
    ) -> None:
        self._keeper = keeper
        self._fees = fees
        self._terms = terms

    def close(self, business_date: int, actor: Actor, why: str, now_ns: int) -> Cycle:
        """Net everything up to a day that is over, and store what it owes.

        Raise `CycleRefused`, `BooksBroken` where the house would not be flat, or as `BookKeeper.release` does.
        """
        return self._keeper.within(
            lambda connection, books: self._close(connection, books, business_date, actor, why, now_ns)
        )

    def _close(
        self, connection: Connection, books: Books, business_date: int, actor: Actor, why: str, now_ns: int
    ) -> Cycle:
        partition = self._keeper.partition
        last = last_cycle(connection, partition)
        check_day(business_date, books.business_date, last)
        before = read_netted(connection, partition)
        found = net(books.positions.positions, _left_out(connection, partition, business_date), before)
        for fault in faults(found):
            raise BooksBroken(f"cycle {format_date(business_date)}: {fault}")
        cycle = Cycle(
            business_date, now_ns, read_position(connection, partition).sequence, len(found),
            _waiting(connection, partition, business_date), actor.who, why,
            cycle_hash(last.hash if last else NO_CYCLES, business_date, found),
        )  # fmt: skip
        _save(connection, partition, cycle, found, before)
        write_instructions(connection, partition, business_date, self._terms.due(business_date), found)
        close_prices(connection, partition, books.directory, business_date)
        doing = Doing(connection, partition, books, actor, why, now_ns)
        before_that = (last.business_date, last.sequence) if last else (0, 0)
        charge_fees(doing, self._fees, business_date, *before_that)
        subject = f"trading day {format_date(business_date)}"
        write_audit(connection, partition, actor, "closed", subject, why, now_ns, f"hash {cycle.hash.hex()}")
        return cycle


def check_day(business_date: int, present: int, last: Cycle | None) -> None:
    """Refuse a day that is not over, or is closed already. Raise `CycleRefused`."""
    if last is not None and business_date <= last.business_date:
        raise CycleRefused(
            f"The trading days up to {format_date(last.business_date)} are closed; what was ruled since is in the next."
        )
    if business_date >= present:
        until = f"the trading day {format_date(present)} has begun" if present else "no trading day has begun"
        raise CycleRefused(f"The trading day {format_date(business_date)} is not over: only {until}.")


def last_cycle(connection: Connection, partition: int) -> Cycle | None:
    """Return the last day that was closed."""
    return next(iter(list_cycles(connection, partition, 0, 1)), None)


def list_cycles(connection: Connection, partition: int, before: int, limit: int) -> list[Cycle]:
    """Read closed days, newest first. before: the last day seen, 0 for none."""
    query = select(*(cycles.c[name] for name in Cycle._fields)).where(cycles.c.partition == partition)
    if before:
        query = query.where(cycles.c.business_date < before)
    return [
        Cycle(*row) for row in connection.execute(query.order_by(cycles.c.business_date.desc()).limit(limit))
    ]


def list_obligations(
    connection: Connection,
    partition: int,
    business_date: int,
    accounts: Sequence[int] | None,
    after: Pair,
    limit: int,
) -> list[Obligation]:
    """Read a page of a day's obligations, by account and symbol. accounts: None for all."""
    columns = obligations.c
    query = select(columns.account_id, columns.symbol_id, columns.quantity, columns.cash).where(
        columns.partition == partition,
        columns.business_date == business_date,
        tuple_(columns.account_id, columns.symbol_id) > tuple_(*after),
    )
    if accounts is not None:
        query = query.where(columns.account_id.in_(accounts))
    rows = connection.execute(query.order_by(columns.account_id, columns.symbol_id).limit(limit))
    return [Obligation(*row) for row in rows]


def read_netted(connection: Connection, partition: int) -> dict[Pair, tuple[int, int]]:
    """Read what all cycles together owe: shares and money by account and symbol."""
    rows: Sequence[Row[Any]] = connection.execute(select(netted).where(netted.c.partition == partition)).all()
    return {(row.account_id, row.symbol_id): (row.quantity, row.cash) for row in rows}


def first_cycle_fault(connection: Connection, partition: int) -> str:
    """Make the hashes of all cycles and their sum anew; return where they differ first, empty for nowhere."""
    running, sums = NO_CYCLES, dict[Pair, tuple[int, int]]()
    for cycle in reversed(list_cycles(connection, partition, 0, 1_000_000)):
        owed = list_obligations(connection, partition, cycle.business_date, None, (-1, -1), 1 << 31)
        running = cycle_hash(running, cycle.business_date, owed)
        if running != cycle.hash:
            return f"the obligations of {format_date(cycle.business_date)} are not those that were closed"
        _add(sums, owed)
    if {pair: each for pair, each in sums.items() if any(each)} != {
        pair: each for pair, each in read_netted(connection, partition).items() if any(each)
    }:
        return "what all cycles together owe is not the sum of them"
    return ""


def _left_out(connection: Connection, partition: int, business_date: int) -> Iterator[Trade]:
    """Read the trades that stand and are not of this cycle: of later days, or waiting for a ruling."""
    columns = tables.trades.c
    later = and_(columns.business_date > business_date, columns.state != TradeState.BUSTED.value)
    waits = columns.state.in_([state.value for state in sorted(KEPT_OUT)])
    query = select(*TRADE_COLUMNS).where(columns.partition == partition, or_(later, waits))
    for row in connection.execute(query.execution_options(stream_results=True, yield_per=ROWS_READ_MAX)):
        yield trade_of(row)


def _waiting(connection: Connection, partition: int, business_date: int) -> int:
    columns = tables.trades.c
    query = select(func.count()).where(
        columns.partition == partition,
        columns.business_date <= business_date,
        columns.state.in_([state.value for state in sorted(KEPT_OUT)]),
    )
    return connection.execute(query).scalar() or 0


def _save(
    connection: Connection,
    partition: int,
    cycle: Cycle,
    found: Sequence[Obligation],
    before: dict[Pair, tuple[int, int]],
) -> None:
    bulk_insert(connection, cycles, ("partition", *Cycle._fields), [(partition, *cycle)])
    rows = [
        (partition, cycle.business_date, each.account_id, each.symbol_id, each.quantity, each.cash)
        for each in found
    ]
    bulk_insert(connection, obligations, tuple(obligations.c.keys()), rows)
    sums = dict(before)
    _add(sums, found)
    touched = [(each.account_id, each.symbol_id) for each in found]
    replace(connection, netted, 3, [(partition, *pair, *sums[pair]) for pair in touched])


def _add(sums: dict[Pair, tuple[int, int]], found: Sequence[Obligation]) -> None:
    for each in found:
        quantity, cash = sums.get((each.account_id, each.symbol_id), (0, 0))
        sums[each.account_id, each.symbol_id] = quantity + each.quantity, cash + each.cash
