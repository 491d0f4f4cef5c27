"""Copies what a reporter's store knows into another one: read in one transaction, written in one.

Webhooks and their dead letters are not copied: they are of the reporter at which they were made, and two that post the
same would post it twice.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from sqlalchemy import Connection, Engine, Table, TypeDecorator, delete, func, select
from sqlalchemy.exc import SQLAlchemyError

from exchange.infra import store_postgres
from exchange.infra.bulk_insert import bulk_insert
from exchange.infra.store import (
    as_long_as_it_takes,
    begin_write,
    directory_events,
    feed_positions,
    newest_version,
    read_held_event,
    read_position,
    reason_of,
)
from exchange.infra.store_retry import begin_read
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
from exchange.reporter.state_stream import (
    FORMAT,
    StateHeader,
    StateReader,
    StateRefused,
    StateRows,
    StateWriter,
)
from exchange.reporter.store import MIGRATIONS

COPIED: dict[str, Table] = {
    str(table.name): table
    for table in (
        feed_positions,
        directory_events,
        business_dates,
        candle_intervals,
        trades,
        candles,
        announcements,
        drop_copies,
        book_snapshots,
        event_batches,
    )
}
PIECE_ROWS = 500
"""Rows of one frame, and those that either side holds in memory."""
Progress = Callable[[int, int], None]


def state_frames(store: Engine, partition: int) -> Generator[bytes, None, None]:
    """Give the frames of a store's state, all of one moment. Raise `StoreUnavailable` where it cannot be read now.

    Each step may be taken in another thread. The transaction ends with the iterator: close it.
    """
    writer = StateWriter()
    with begin_read(store) as connection:
        if store.dialect.name == "postgresql":
            store_postgres.lift_limits(connection)
        header = _header_of(connection, partition)
        yield writer.frame(header)
        sent = dict.fromkeys(COPIED, 0)
        for name, table in COPIED.items():
            found = select(table).where(table.c.partition == partition).order_by(*table.primary_key.columns)
            result = connection.execution_options(stream_results=True, yield_per=PIECE_ROWS).execute(found)
            for part in result.partitions():
                sent[name] += len(part)
                yield writer.frame(StateRows(name, [_plain(table, row) for row in part]))
        yield writer.end(sent)


def take_state(store: Engine, partition: int, reader: StateReader, progress: Progress) -> None:
    """Put a state in the place of what a store holds, whole or not at all; webhooks stay.

    progress: told how many rows of how many are in. Raise `StateRefused` where the state is damaged or does not fit,
    where the store fails, or what reading raises; nothing is changed then.
    """
    check_fits(reader.header, partition)
    try:
        with begin_write(store) as connection, as_long_as_it_takes(connection):
            for table in COPIED.values():
                connection.execute(delete(table).where(table.c.partition == partition))
            _write_rows(connection, reader, progress)
            _check_written(connection, partition, reader.header)
    except SQLAlchemyError as error:
        raise StateRefused(f"its rows cannot be stored: {reason_of(error)}") from error


def check_fits(header: StateHeader, partition: int) -> None:
    """Raise `StateRefused` where a state is of another partition or program than this store."""
    migration = newest_version(MIGRATIONS)
    if header.migration != migration:
        raise StateRefused(
            f"its store is of version {header.migration}, ours of {migration}: run the same program on both"
        )
    if header.partition != partition:
        raise StateRefused(f"it is of partition {header.partition}, wanted {partition}")
    if set(header.rows) != set(COPIED):
        raise StateRefused(f"it has the tables {sorted(header.rows)}, wanted {sorted(COPIED)}")
    if not header.sequence:
        raise StateRefused("it holds no event yet")


def _header_of(connection: Connection, partition: int) -> StateHeader:
    position = read_position(connection, partition)
    counts = {
        name: connection.execute(
            select(func.count()).select_from(table).where(table.c.partition == partition)
        ).scalar_one()
        for name, table in COPIED.items()
    }
    return StateHeader(
        format=FORMAT,
        migration=newest_version(MIGRATIONS),
        partition=partition,
        epoch=position.epoch,
        sequence=position.sequence,
        held=read_held_event(connection, partition),
        rows=counts,
    )


def _write_rows(connection: Connection, reader: StateReader, progress: Progress) -> None:
    written, total = dict.fromkeys(COPIED, 0), sum(reader.header.rows.values())
    while (piece := reader.next()) is not None:
        table = COPIED.get(piece.table)
        if table is None:
            raise StateRefused(f"its state is damaged: there is no table {piece.table[:40]!r}")
        bulk_insert(connection, table, tuple(table.c.keys()), [_bound(table, row) for row in piece.rows])
        written[piece.table] += len(piece.rows)
        progress(sum(written.values()), total)
    if written != reader.header.rows:
        raise StateRefused(f"it sent {written} rows and had said {reader.header.rows}")


def _check_written(connection: Connection, partition: int, header: StateHeader) -> None:
    position = read_position(connection, partition)
    if position != (header.epoch, header.sequence):
        raise StateRefused(f"its rows stand at {position}, its header says event {header.sequence}")
    if read_held_event(connection, partition) != header.held:
        raise StateRefused("its directory is another one than its header says")


def _plain(table: Table, row: Any) -> list[Any]:
    """Return the values of a row as MessagePack can hold them: numbers of any width as text."""
    return [
        str(value) if isinstance(column.type, TypeDecorator) else value
        for column, value in zip(table.columns, row, strict=True)
    ]


def _bound(table: Table, row: list[Any]) -> list[Any]:
    """Return the values of a row that `_plain` made. Raise `StateRefused` where they are not of their columns."""
    if len(row) != len(table.columns):
        raise StateRefused(f"its state is damaged: a row of {table.name} has {len(row)} values")
    values = []
    for column, value in zip(table.columns, row, strict=True):
        is_wide = isinstance(column.type, TypeDecorator)
        kind = str if is_wide else column.type.python_type
        if type(value) is not kind:
            raise StateRefused(f"its state is damaged: {table.name}.{column.name} is {str(value)[:40]!r}")
        try:
            values.append(int(value) if is_wide else value)
        except ValueError as error:
            raise StateRefused(f"its state is damaged: {table.name}.{column.name}: {error}") from error
    return values
