"""Files of the audit trail: CSV, JSON lines or Parquet, written row by row and read again to be verified."""

from __future__ import annotations

import csv
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import msgspec

from exchange.infra.errors import InfraError
from exchange.infra.event_source import EventSource
from exchange.surveillance.audit_trail import COLUMNS, COLUMNS_BEFORE, AuditTrail, Row, first_fault, title_of
from exchange.wire.records import decode_events

Format = Literal["csv", "json", "parquet"]
ROWS_AT_ONCE = 10_000
_NAME = re.compile(r"audit-(\d{4})-(\d\d)-(\d\d)-(\d{1,3})\.(csv|json|parquet)\Z", re.ASCII)


class AuditFile:
    """A file that is being written; at the end it gets its name, so that half a file is never taken for one."""

    def __init__(self, folder: Path, partition: int, date: int, kind: Format) -> None:
        self.path = folder / f"{title_of(partition, date)}.{kind}"
        self._part = self.path.with_suffix(f".{kind}.part")
        self._kind = kind
        self._rows: list[Row] = []
        self._parquet: Any = None

    def __enter__(self) -> AuditFile:
        if self._kind == "parquet":
            import pyarrow
            from pyarrow import parquet

            self._schema = pyarrow.schema([(name, pyarrow.string()) for name in COLUMNS])
            self._parquet = parquet.ParquetWriter(self._part, self._schema)
        else:
            self._file = self._part.open("w", encoding="utf-8", newline="")
            if self._kind == "csv":
                csv.writer(self._file, lineterminator="\n").writerow(COLUMNS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._flush()
        (self._parquet or self._file).close()
        if error is None:
            self._part.replace(self.path)
        else:
            self._part.unlink(missing_ok=True)

    def write(self, row: Row) -> None:
        """Add a row."""
        self._rows.append(row)
        if len(self._rows) >= ROWS_AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        rows, self._rows = self._rows, []
        if self._kind == "csv":
            csv.writer(self._file, lineterminator="\n").writerows(rows)
        elif self._kind == "json":
            for row in rows:
                self._file.write(msgspec.json.encode(dict(zip(COLUMNS, row, strict=True))).decode() + "\n")
        elif rows:
            import pyarrow

            columns = [pyarrow.array(column, pyarrow.string()) for column in zip(*rows, strict=True)]
            self._parquet.write_table(pyarrow.Table.from_arrays(columns, schema=self._schema))


async def export_audit(source: EventSource, trail: AuditTrail, file: AuditFile) -> AsyncIterator[int]:
    """Write a day's trail from the engine's events, giving the sequence that was reached now and then."""
    after = 0
    while (batch := await source.fetch(after)).count:
        for event in decode_events(batch.events):
            for row in trail.take(event):
                file.write(row)
        after = batch.last_sequence
        yield after
    file.write(trail.end())


def verify_file(path: Path) -> tuple[str, int, str]:
    """Verify a file; return its first fault (empty for none), its rows and its last hash. Raise `InfraError`."""
    found = _NAME.search(path.name)
    if not found:
        raise InfraError(f"{path.name} is no name of an audit trail, such as audit-2026-11-23-0.csv")
    year, month, day, partition, kind = found.groups()
    return first_fault(_rows_of(path, kind), int(partition), int(year + month + day))


def _rows_of(path: Path, kind: str) -> Iterator[Sequence[str]]:
    try:
        if kind == "parquet":
            from pyarrow import parquet

            for batch in parquet.ParquetFile(path).iter_batches():
                yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)
            return
        with path.open(encoding="utf-8", newline="") as file:
            if kind == "csv":
                rows = csv.reader(file)
                if tuple(next(rows, ())) not in (COLUMNS, COLUMNS_BEFORE):
                    raise InfraError(f"{path}: the first line does not name the columns of an audit trail")
                yield from rows
            else:
                for line in file:
                    row = msgspec.json.decode(line, type=dict[str, str])
                    yield (
                        list(row.values())
                        if tuple(row) in (COLUMNS, COLUMNS_BEFORE)
                        else [row.get(name, "") for name in COLUMNS]
                    )
    except (OSError, ValueError, csv.Error) as error:
        raise InfraError(f"{path} cannot be read: {error}") from error
