"""The cycle desk: closes trading days. A closed day's obligations are stored once and never changed.

What is ruled later on its trades comes out in the next cycle (`post_trade/netting.py`).
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import ColumnElement, Connection, TextClause, select

from exchange.clearing import tables
from exchange.clearing.book_keeper import BookKeeper
from exchange.clearing.cycle_store import (
    NO_CYCLES,
    Cycle,
    add_to_netted,
    last_cycle,
    read_netted,
    save_cycle,
    save_obligations,
    save_waiting,
)
from exchange.clearing.fee_store import charge_fees
from exchange.clearing.house_store import Doing
from exchange.clearing.instruction_store import close_prices, write_instructions
from exchange.clearing.review_store import write_audit
from exchange.clearing.settlement_desk import SettlementTerms
from exchange.clearing.store import STREAMED, TRADE_COLUMNS, trade_of
from exchange.domain.units import format_date
from exchange.infra.store import as_long_as_it_takes, read_position
from exchange.post_trade.books import Books
from exchange.post_trade.fees import FeeSchedule
from exchange.post_trade.invariants import BooksBroken
from exchange.post_trade.netting import KEPT_OUT, CycleSum, in_pieces, net
from exchange.post_trade.review import Actor
from exchange.post_trade.settlement_days import SettlementCalendar
from exchange.post_trade.trade import Trade
from exchange.post_trade.trade_life import TradeState, TransitionRefused

NO_FEES = FeeSchedule()
EVERY_DAY = SettlementTerms(SettlementCalendar(range(7)))
ROWS_WRITTEN_MAX = 50_000
"""Rows of a cycle that are held at once while they are written."""


class CycleRefused(TransitionRefused):
    """This day cannot be closed now; the message is a sentence for people."""


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

        def work(connection: Connection, books: Books) -> Cycle:
            with as_long_as_it_takes(connection):
                return self._close(connection, books, business_date, actor, why, now_ns)

        return self._keeper.within(work)

    def _close(
        self, connection: Connection, books: Books, business_date: int, actor: Actor, why: str, now_ns: int
    ) -> Cycle:
        partition = self._keeper.partition
        last = last_cycle(connection, partition)
        check_day(business_date, books.business_date, last)
        found = self._store(connection, books, business_date, last.hash if last else NO_CYCLES)
        waiting = _waiting(connection, partition, business_date)
        cycle = Cycle(
            business_date, now_ns, read_position(connection, partition).sequence, found.count, len(waiting),
            actor.who, why, found.hash,
        )  # fmt: skip
        save_cycle(connection, partition, cycle)
        save_waiting(connection, partition, business_date, waiting)
        write_instructions(connection, partition, business_date, self._terms.due(business_date))
        close_prices(connection, partition, books.directory, business_date)
        doing = Doing(connection, partition, books, actor, why, now_ns)
        before_that = (last.business_date, last.sequence) if last else (0, 0)
        charge_fees(doing, self._fees, business_date, *before_that)
        subject = f"trading day {format_date(business_date)}"
        write_audit(connection, partition, actor, "closed", subject, why, now_ns, f"hash {cycle.hash.hex()}")
        return cycle

    def _store(self, connection: Connection, books: Books, business_date: int, before: bytes) -> CycleSum:
        """Store what a cycle owes, piece by piece as it is worked out. Raise `BooksBroken`."""
        partition, found = self._keeper.partition, CycleSum(before, business_date)
        owed = net(
            books.positions.positions,
            _left_out(connection, partition, business_date),
            read_netted(connection, partition),
        )
        for piece in in_pieces(owed, ROWS_WRITTEN_MAX):
            found.add(piece)
            save_obligations(connection, partition, business_date, piece)
        for fault in found.faults():
            raise BooksBroken(f"cycle {format_date(business_date)}: {fault}")
        add_to_netted(connection, partition, business_date)
        return found


def check_day(business_date: int, present: int, last: Cycle | None) -> None:
    """Refuse a day that is not over, or is closed already. Raise `CycleRefused`."""
    if last is not None and business_date <= last.business_date:
        raise CycleRefused(
            f"The trading days up to {format_date(last.business_date)} are closed; what was ruled since is in the next."
        )
    if business_date >= present:
        until = f"the trading day {format_date(present)} has begun" if present else "no trading day has begun"
        raise CycleRefused(f"The trading day {format_date(business_date)} is not over: only {until}.")


def _left_out(connection: Connection, partition: int, business_date: int) -> Iterator[Trade]:
    """Read the trades that stand and are not of this cycle: waiting for a ruling, or of later days."""
    columns = tables.trades.c
    others = [state.value for state in (TradeState.BUSTED, *sorted(KEPT_OUT))]
    later = columns.business_date > business_date, columns.state.not_in(others)
    for which in (_waits(), later):
        query = select(*TRADE_COLUMNS).where(columns.partition == partition, *which)
        for row in connection.execute(query.execution_options(**STREAMED)):
            yield trade_of(row)


def _waiting(connection: Connection, partition: int, business_date: int) -> list[int]:
    """Return the trades up to a day that wait; `+ 0` keeps SQLite from reading the whole day for it."""
    columns = tables.trades.c
    until = columns.business_date + 0 <= business_date
    query = select(columns.match_id).where(columns.partition == partition, until, *_waits())
    return list(connection.execute(query.order_by(columns.match_id)).scalars())


def _waits() -> tuple[TextClause, ColumnElement[bool]]:
    """Return which trades wait for a ruling or for the engine, in words that have them found by their index."""
    return tables.IS_UNUSUAL, tables.trades.c.state.in_([state.value for state in sorted(KEPT_OUT)])
