"""Tables of the market in files, one for each business date and symbol: `TABLE/2026-11-23/AAPL.parquet`, csv or arrow.

A file is written beside its name and takes it when it is whole, so a reader never finds half of one.
"""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from exchange.domain import events as e
from exchange.domain.units import format_date, format_money, format_price, format_time
from exchange.infra.event_source import EventSource
from exchange.market_data.day_tables import COLUMNS, Column, DayRow, DayTable, Kind, Row
from exchange.market_data.lobster_rows import LobsterRows, message_line
from exchange.wire.fields import RECORD_START, field_struct

if TYPE_CHECKING:
    import pyarrow as pa

FORMATS = ("parquet", "arrow", "csv")
ROWS_AT_ONCE = 50_000
"""Rows of a file that are gathered before they are written."""
FILES_MAX = 500
"""Files that may be open at a time."""
UNFINISHED = ".unfinished"
_TIME = field_struct(e.Event, "time_ns")


class TooManyFiles(Exception):
    """More files would be open than is reasonable; the message says what to ask for instead."""


class TableFile(msgspec.Struct):
    """What was written for one business date and symbol."""

    date: int
    symbol: str
    path: Path
    rows: int = 0
    bytes: int = 0


class Writer(Protocol):
    """Writes rows to one file."""

    def write(self, rows: Sequence[Row]) -> None:
        """Write rows."""

    def close(self) -> None:
        """Write what a file ends with."""


class TableFiles:
    """The files of one table in a folder. kind: one of `FORMATS`. Everything may raise `OSError`."""

    def __init__(self, folder: Path, table: str, kind: str) -> None:
        self.files: dict[tuple[int, str], TableFile] = {}
        self._folder = folder / table
        self._columns = COLUMNS[table]
        self._kind = kind
        self._waiting: dict[tuple[int, str], list[Row]] = {}
        self._writers: dict[tuple[int, str], Writer] = {}

    def take(self, rows: Iterable[DayRow]) -> None:
        """Put rows into the files of their dates and symbols. Raise `TooManyFiles`."""
        for date, symbol, row in rows:
            waiting = self._waiting.setdefault((date, symbol), [])
            waiting.append(row)
            if len(waiting) >= ROWS_AT_ONCE:
                self._write((date, symbol))

    def close(self) -> None:
        """Write what waits, and give every file its name."""
        for key in sorted(self._waiting):
            self._write(key)
            self._writers.pop(key).close()
            file = self.files[key]
            unfinished = file.path.with_name(file.path.name + UNFINISHED)
            file.bytes = unfinished.stat().st_size
            unfinished.replace(file.path)

    def _write(self, key: tuple[int, str]) -> None:
        file = self.files.get(key)
        if file is None:
            date, symbol = key
            path = self._folder / format_date(date) / f"{symbol}.{self._kind}"
            file = self.files[key] = TableFile(date, symbol, path)
            if len(self._writers) >= FILES_MAX:
                raise TooManyFiles(f"more than {FILES_MAX} files at a time; export one date or one symbol")
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writers[key] = _writer(self._kind, path.with_name(path.name + UNFINISHED), self._columns)
        rows = self._waiting[key]
        self._writers[key].write(rows)
        file.rows += len(rows)
        rows.clear()


def _writer(kind: str, path: Path, columns: Sequence[Column]) -> Writer:
    return CsvWriter(path, columns) if kind == "csv" else ArrowWriter(path, columns, kind)


class CsvWriter:
    """Rows as text, under a line with the names of the columns."""

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        self._file = path.open("w", encoding="utf-8", newline="")
        self._rows = csv.writer(self._file, lineterminator="\n")
        self._rows.writerow([name for name, _ in columns])
        self._kinds = [kind for _, kind in columns]

    def write(self, rows: Sequence[Row]) -> None:
        """Write rows."""
        self._rows.writerows(
            [_text(kind, value) for kind, value in zip(self._kinds, row, strict=True)] for row in rows
        )

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _text(kind: Kind, value: Any) -> str:
    match kind:
        case Kind.PRICE:
            return format_price(value) if value else ""
        case Kind.MONEY:
            return format_money(value)
        case Kind.TIME:
            return format_time(value) if value else ""
        case Kind.ID:
            return str(value) if value else ""
    return str(value)


class ArrowWriter:
    """Rows as columns of Arrow, in a Parquet file or an Arrow file: decimals and nanoseconds are exact."""

    def __init__(self, path: Path, columns: Sequence[Column], kind: str) -> None:
        import pyarrow as pa

        self._kinds = [kind for _, kind in columns]
        self._schema = pa.schema([(name, _arrow_type(pa, kind)) for name, kind in columns])
        if kind == "parquet":
            import pyarrow.parquet

            self._writer: Any = pyarrow.parquet.ParquetWriter(path, self._schema, compression="zstd")
        else:
            import pyarrow.ipc

            self._writer = pyarrow.ipc.new_file(str(path), self._schema)

    def write(self, rows: Sequence[Row]) -> None:
        """Write rows."""
        if rows:
            self._writer.write_table(self._table(rows))

    def close(self) -> None:
        """Write what such a file ends with."""
        self._writer.close()

    def _table(self, rows: Sequence[Row]) -> pa.Table:
        import pyarrow as pa

        columns = [
            pa.array([_value(kind, value) for value in values], field.type)
            for kind, values, field in zip(self._kinds, zip(*rows, strict=True), self._schema, strict=True)
        ]
        return pa.Table.from_arrays(columns, schema=self._schema)


def _arrow_type(pa: Any, kind: Kind) -> Any:
    match kind:
        case Kind.PRICE | Kind.MONEY:
            return pa.decimal128(38, 4)
        case Kind.TIME:
            return pa.timestamp("ns", "UTC")
        case Kind.ID:
            return pa.uint64()
        case Kind.NUMBER:
            return pa.int64()
    return pa.string()


def _value(kind: Kind, value: Any) -> Any:
    match kind:
        case Kind.PRICE:
            return Decimal(value).scaleb(-4) if value else None
        case Kind.MONEY:
            return Decimal(value).scaleb(-4)
        case Kind.TIME | Kind.ID:
            return value or None
    return value


async def export_table(
    source: EventSource, table: DayTable, files: TableFiles, until_ns: int
) -> AsyncIterator[int]:
    """Write a table from an engine's first event to its newest one, or to a time; give the sequence on the way.

    Raise `EventsGone` where the first events are no longer kept, and `TooManyFiles`.
    """
    async for events, sequence in _all_events(source, until_ns):
        files.take(table.apply(events))
        yield sequence
    files.take(table.finish())
    files.close()


class LobsterFiles:
    """A message file and a book file for each business date of one symbol, named as LOBSTER names them."""

    def __init__(self, folder: Path, symbol: str, levels: int, wanted_date: int = 0) -> None:
        self.files: dict[int, list[TableFile]] = {}
        self.rows = LobsterRows(symbol, levels)
        self._folder = folder
        self._symbol = symbol
        self._levels = levels
        self._wanted_date = wanted_date

    def take(self, events: bytes) -> None:
        """Append what events make."""
        texts: dict[int, tuple[io.StringIO, io.StringIO, int]] = {}
        for date, message, levels in self.rows.apply(events):
            if self._wanted_date not in (0, date):
                continue
            messages, book, count = texts.get(date) or (io.StringIO(), io.StringIO(), 0)
            messages.write(message_line(message) + "\n")
            book.write(",".join(map(str, levels)) + "\n")
            texts[date] = messages, book, count + 1
        for date, (messages, book, count) in texts.items():
            for file, text in zip(self._files(date), (messages.getvalue(), book.getvalue()), strict=True):
                with file.path.open("a", encoding="ascii") as opened:
                    opened.write(text)
                file.rows += count
                file.bytes += len(text)

    def _files(self, date: int) -> list[TableFile]:
        """Return the two files of a date; the first time they begin anew."""
        if date not in self.files:
            name = f"{self._symbol}_{format_date(date)}_0_86400000"
            self.files[date] = [
                TableFile(date, self._symbol, self._folder / f"{name}_{what}_{self._levels}.csv")
                for what in ("message", "orderbook")
            ]
            for file in self.files[date]:
                file.path.write_bytes(b"")
        return self.files[date]


async def export_lobster(source: EventSource, files: LobsterFiles, until_ns: int) -> AsyncIterator[int]:
    """Write a symbol's days from an engine's first event to its newest one, or to a time; give the sequence."""
    async for events, sequence in _all_events(source, until_ns):
        files.take(events)
        yield sequence


async def _all_events(source: EventSource, until_ns: int) -> AsyncIterator[tuple[bytes, int]]:
    """Give all events with the sequence that they reach, up to a time, so that it ends although the market goes on."""
    sequence = 0
    while True:
        batch = await source.fetch(sequence)
        if not batch.count:
            return
        sequence = batch.last_sequence
        yield batch.events, sequence
        if _last_time(batch.events) >= until_ns:
            return


def _last_time(events: bytes) -> int:
    """Return the time of the last event."""
    offset = last = 0
    while offset < len(events):
        last = offset
        offset += RECORD_START.unpack_from(events, offset)[0]
    (time_ns,) = _TIME.unpack_from(events, last)
    return int(time_ns)
