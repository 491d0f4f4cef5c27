"""The reporter's store: a batch of events and all it causes go in in one transaction, and a start comes out.

What can be found again is written once: trades, candles, announcements, the directory. The books are kept as a
snapshot and the events since; a new snapshot is written when these have become many.

A batch that failed may be committed again: what is in memory is read from the store first, for where the connection was
lost in a commit only the store knows whether that took place.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec.structs import astuple
from sqlalchemy import Connection, Engine, delete, insert, select
from sqlalchemy.exc import SQLAlchemyError

from exchange.domain import events as e
from exchange.domain.directory import Directory
from exchange.infra.bulk_insert import bulk_insert
from exchange.infra.store import (
    Position,
    StoreError,
    begin_write,
    open_store,
    read_directory,
    read_held_event,
    read_position,
    reason_of,
    shown,
    write_directory_events,
    write_position,
)
from exchange.market_data.book_builder import BookBuilder
from exchange.market_data.candles import DAY_S, Candle
from exchange.market_data.tape import Tape, TapeUpdate
from exchange.market_data.trade import Trade
from exchange.reporter.announcements import WHOLE_EXCHANGE, Announcement, Announcer
from exchange.reporter.batch_scan import BatchScan, scan
from exchange.reporter.drop_copies import rows_of
from exchange.reporter.history import StoredHistory
from exchange.reporter.queries import Queries
from exchange.reporter.rows import trade_of
from exchange.reporter.schema import (
    announcements,
    book_snapshots,
    business_dates,
    candle_intervals,
    candles,
    drop_copies,
    event_batches,
    trades,
)
from exchange.wire.envelope import EventBatch

MIGRATIONS = "exchange.reporter.migrations"
BOOK_SNAPSHOT_EVENTS = 100_000
"""After this many events, or as many as there are live orders, the books are written again."""


class Committed(msgspec.Struct):
    """What a batch of events caused, now that it is stored.

    slices: its events, cut between commands into pieces that take little time each; notable: its events that are
    neither orders nor trades, in order; previous_days: last candles of dates before the present that have changed;
    accounts: those that a trade, cancel, bust or correction concerned.
    """

    batch: EventBatch
    slices: list[bytes]
    notable: list[e.Event]
    updates: list[TapeUpdate]
    announcements: list[Announcement]
    previous_days: dict[int, Candle | None]
    accounts: frozenset[int] = frozenset()


class Restored(msgspec.Struct):
    """Where a reporter begins: what the store knew at its position.

    days, previous_days: each symbol's candle of the present business date and of the last one before it; newest:
    its newest candles, by symbol and interval; latest: its latest trades, oldest first.
    """

    position: Position
    held: tuple[int, bytes] | None
    directory: Directory
    builder: BookBuilder
    business_date: int
    days: dict[int, Candle]
    previous_days: dict[int, Candle]
    newest: dict[tuple[int, int], Candle]
    latest: dict[int, list[Trade]]
    trade_chains: dict[int, int]
    status_chains: dict[int, int]


class ReporterStore:
    """The store of one partition. One thread at a time commits; `queries` may be used beside it."""

    def __init__(
        self,
        url: str,
        partition: int,
        intervals_s: tuple[int, ...],
        snapshot_events: int = BOOK_SNAPSHOT_EVENTS,
    ) -> None:
        self.partition = partition
        self.intervals_s = intervals_s
        self.engine: Engine = open_store(url, MIGRATIONS)
        self.queries = Queries(self.engine, partition)
        self._snapshot_events = snapshot_events
        self._events_since_snapshot = 0
        self._history = StoredHistory(partition)
        self._tape = Tape(self._history, intervals_s)
        self._announcer = Announcer(partition)
        self._tried: Committed | None = None
        self._is_in_doubt = False

    def close(self) -> None:
        """Close the database."""
        self.engine.dispose()

    # --- in ---------------------------------------------------------------------------------------

    def commit(self, batch: EventBatch, builder: BookBuilder) -> Committed:
        """Store a batch and what it causes, or nothing. builder: the books as they are before it.

        Raise `StoreError` where the database fails; the same batch may then be committed again.
        """
        try:
            if self._is_in_doubt and self._was_stored(batch):
                assert self._tried is not None
                return self._tried
            self._is_in_doubt, self._tried = True, None
            with begin_write(self.engine) as connection:
                self._tried = self._commit(connection, batch, builder)
            self._is_in_doubt = False
        except SQLAlchemyError as error:
            raise StoreError(
                f"{shown(self.engine.url)}: events {batch.first_sequence} to {batch.last_sequence} "
                f"cannot be stored: {reason_of(error)}; free space or repair it, then start again"
            ) from error
        finally:
            self._history.connection = None
        return self._tried

    def _was_stored(self, batch: EventBatch) -> bool:
        """Read again where the store stands after a failure; tell whether it has the batch that was tried."""
        self._tape = Tape(self._history, self.intervals_s)
        self._announcer = Announcer(self.partition)
        sequence = self.restore(1).position.sequence
        if sequence < batch.first_sequence - 1:
            raise StoreError(
                f"{shown(self.engine.url)}: it has lost the events {sequence + 1} to {batch.first_sequence - 1}, which "
                "were stored already; start the reporter again, and it is filled from the engine's events"
            )
        self._is_in_doubt = False
        return sequence >= batch.last_sequence

    def _commit(self, connection: Connection, batch: EventBatch, builder: BookBuilder) -> Committed:
        found = scan(batch.events)
        self._history.connection = connection
        updates = self._tape.apply(batch.events)
        self._tape.save()
        told = self._announcer.announce(found.notable, updates)
        if told:
            rows = ((self.partition, *astuple(each)) for each in told)
            bulk_insert(connection, announcements, ("partition", *Announcement.__struct_fields__), rows)
        copies = [(self.partition, *each) for each in rows_of(batch.events)]
        bulk_insert(connection, drop_copies, ("partition", "account_id", "sequence", "events"), copies)
        self._keep_notable(connection, found)
        self._keep_events(connection, batch, builder)
        write_position(connection, self.partition, batch.epoch, batch.last_sequence)
        return Committed(
            batch,
            found.slices,
            found.notable,
            updates,
            told,
            self._previous_days_changed(updates),
            frozenset(account_id for _, account_id, _, _ in copies),
        )

    def _keep_notable(self, connection: Connection, found: BatchScan) -> None:
        """Store events that change the directory or the date."""
        write_directory_events(connection, found.of_directory)
        dates = [
            {
                "partition": self.partition,
                "sequence": event.sequence,
                "date": event.date,
                "began_ns": event.time_ns,
            }
            for event in found.notable
            if isinstance(event, e.BusinessDayStarted)
        ]
        if dates:
            connection.execute(insert(business_dates), dates)

    def _keep_events(self, connection: Connection, batch: EventBatch, builder: BookBuilder) -> None:
        """Store the events for the books; first write these anew if the events since have become many."""
        if self._events_since_snapshot >= max(self._snapshot_events, len(builder.orders)):
            self._write_snapshot(connection, builder)
        connection.execute(
            insert(event_batches).values(
                partition=self.partition, last_sequence=batch.last_sequence, events=batch.events
            )
        )
        self._events_since_snapshot += batch.count

    def _write_snapshot(self, connection: Connection, builder: BookBuilder) -> None:
        snapshots, batches = book_snapshots, event_batches
        connection.execute(delete(snapshots).where(snapshots.c.partition == self.partition))
        connection.execute(
            insert(snapshots).values(
                partition=self.partition, sequence=builder.sequence, state=builder.snapshot()
            )
        )
        connection.execute(
            delete(batches).where(
                batches.c.partition == self.partition, batches.c.last_sequence <= builder.sequence
            )
        )
        self._events_since_snapshot = 0

    def _previous_days_changed(self, updates: Iterable[TapeUpdate]) -> dict[int, Candle | None]:
        """Look up the last close of the symbols of which a trade of an earlier date was changed."""
        date = self._tape.business_date
        assert self._history.connection is not None
        return {
            update.trade.symbol_id: self._previous_day(self._history.connection, update.trade.symbol_id, date)
            for update in updates
            if update.before is not None and update.trade.business_date < date
        }

    # --- out --------------------------------------------------------------------------------------

    def position(self) -> Position:
        """Read how far the store has come; (0, 0) while it is empty."""
        with self.engine.connect() as connection, connection.begin():
            return read_position(connection, self.partition)

    def restore(self, latest_trades: int) -> Restored:
        """Read where the reporter stopped. latest_trades: how many of each symbol to bring."""
        self._keep_intervals()
        with self.engine.connect() as connection, connection.begin():
            position = read_position(connection, self.partition)
            directory = read_directory(connection)
            held = read_held_event(connection, self.partition)
            builder = self._restore_books(connection, position)
            date = self._last_business_date(connection)
            restored = Restored(position, held, directory, builder, date, {}, {}, {}, {}, {}, {})
            for symbol_id in (WHOLE_EXCHANGE, *directory.symbols):
                self._restore_symbol(connection, restored, symbol_id, latest_trades)
        self._tape.business_date = date
        self._tape.chains = dict(restored.trade_chains)
        self._announcer.chains = dict(restored.status_chains)
        self._announcer.know(directory)
        return restored

    def _keep_intervals(self) -> None:
        """Make the candles anew from the trades where the set of intervals is another than before."""
        table = candle_intervals
        with begin_write(self.engine) as connection:
            found = select(table.c.interval_s).where(table.c.partition == self.partition)
            before = sorted(connection.execute(found).scalars())
            if before == list(self.intervals_s):
                return
            connection.execute(delete(table).where(table.c.partition == self.partition))
            rows = [{"partition": self.partition, "interval_s": each} for each in self.intervals_s]
            connection.execute(insert(table), rows)
            connection.execute(delete(candles).where(candles.c.partition == self.partition))
            self._history.connection = connection
            kept = select(trades).where(trades.c.partition == self.partition).order_by(trades.c.sequence)
            Tape(self._history, self.intervals_s).rebuild(map(trade_of, connection.execute(kept)))
            self._history.connection = None

    def _restore_books(self, connection: Connection, position: Position) -> BookBuilder:
        found = select(book_snapshots.c.state).where(book_snapshots.c.partition == self.partition)
        state = connection.execute(found).scalar()
        builder = BookBuilder.restore(state) if state is not None else BookBuilder()
        since = (
            select(event_batches.c.events)
            .where(event_batches.c.partition == self.partition)
            .where(event_batches.c.last_sequence > builder.sequence)
            .order_by(event_batches.c.last_sequence)
        )
        self._events_since_snapshot = position.sequence - builder.sequence
        for (events,) in connection.execute(since):
            builder.apply(events)
        if builder.sequence != position.sequence:
            raise StoreError(
                f"{shown(self.engine.url)}: its books stand at event {builder.sequence}, its position at "
                f"{position.sequence}; move it away and start again: it is filled from the engine's events"
            )
        return builder

    def _last_business_date(self, connection: Connection) -> int:
        found = (
            select(business_dates.c.date)
            .where(business_dates.c.partition == self.partition)
            .order_by(business_dates.c.sequence.desc())
            .limit(1)
        )
        return connection.execute(found).scalar() or 0

    def _restore_symbol(
        self, connection: Connection, restored: Restored, symbol_id: int, latest_trades: int
    ) -> None:
        restored.status_chains[symbol_id] = self.queries.last_announcement(connection, "status", symbol_id)
        if symbol_id == WHOLE_EXCHANGE:
            return
        latest = self.queries.trades_before(connection, symbol_id, limit=latest_trades)[::-1]
        if not latest:
            return
        restored.latest[symbol_id] = latest
        told = self.queries.last_announcement(connection, "trades", symbol_id)
        restored.trade_chains[symbol_id] = max(told, latest[-1].sequence)
        for interval_s in self.intervals_s:
            newest = self.queries.newest_candle(connection, symbol_id, interval_s)
            if newest is not None:
                restored.newest[symbol_id, interval_s] = newest
        day = restored.newest.get((symbol_id, DAY_S))
        if day is not None and day.key.business_date == restored.business_date:
            restored.days[symbol_id] = day
        previous = self._previous_day(connection, symbol_id, restored.business_date)
        if previous is not None:
            restored.previous_days[symbol_id] = previous

    def _previous_day(self, connection: Connection, symbol_id: int, date: int) -> Candle | None:
        return self.queries.newest_candle(connection, symbol_id, DAY_S, before_date=date)
