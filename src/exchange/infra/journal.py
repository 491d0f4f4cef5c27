"""The journal: commands on disk before anybody hears that they were taken.

Files of a fixed size, filled with zeroes before use, so that a write changes no length and one sync costs one disk
flush. A failed write or sync is final: what the disk then holds is unknown, and a second sync may lie. A log that is
replicated elsewhere can stand in for it behind `Journal`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec

from exchange.infra import disk
from exchange.infra import journal_format as form
from exchange.infra.errors import InfraError
from exchange.infra.journal_format import BatchHeader, Kind, Link
from exchange.infra.journal_segments import JournalEnd, segment_path

MIB = 1 << 20
PREPARE_BYTES = 256 * 1024
"""How much of the next segment is filled with zeroes at a time, so that no batch waits long for it."""
RESERVE_BYTES = 2 * form.HEADER_BYTES
"""Kept free at the end of a segment for a seal and a close record, so that neither ever begins a segment."""
_SPARE = "next.segment"


class JournalFailed(InfraError):
    """A write or sync of the journal failed. It is not tried again."""


class CommandBatch(msgspec.Struct, frozen=True, gc=False):
    """Commands that were matched together at one time. Hash and event sequence: of the venue before and after them."""

    first_sequence: int
    count: int
    time_ns: int
    payload: bytes
    hash_before: int
    hash_after: int
    events_before: int
    events_after: int


class JournalStats(msgspec.Struct, frozen=True):
    """What the journal did since it was opened. spare_failure: why the next segment could not be prepared, or empty."""

    durability: str
    segment: str
    segment_bytes: int
    used_bytes: int
    batches: int
    seals: int
    bytes_written: int
    segments_begun: int
    spare_failure: str


class Journal(Protocol):
    """What the sequencer needs of a journal. All of it is called from one thread, after the opening."""

    partition: int
    payload_bytes_max: int

    def append(self, batch: CommandBatch) -> None:
        """Store a batch; it is durable on return. Raise `JournalFailed` where it may not be."""
        ...

    def seal(self) -> None:
        """Write a seal after the last batch, once."""
        ...

    def prepare(self) -> bool:
        """Do one small step towards room for later batches; tell whether there is more to do."""
        ...

    def prepare_is_urgent(self) -> bool:
        """Tell whether `prepare` should go on even while batches come."""
        ...

    def close(self, *, clean: bool) -> None:
        """End; a clean end writes a close record."""
        ...

    def stats(self) -> JournalStats:
        """Return the counters; from any thread."""
        ...


class SegmentFile:
    """A file written at offsets. Tests put a failing one in its place."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def write_at(self, offset: int, data: bytes) -> None:
        """Write all of the data at an offset."""
        disk.write_at(self._descriptor, offset, data)

    def sync(self) -> None:
        """Return when all that was written is on disk."""
        disk.sync_data(self._descriptor)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


def open_last(
    path: Path, end: JournalEnd, segment_bytes: int, open_file: Callable[[Path], SegmentFile] = SegmentFile
) -> tuple[SegmentFile, int]:
    """Open the last segment, cut what is torn, and fill it with zeroes; return it and its full size."""
    size = path.stat().st_size if end.path else 0
    limit = max(size, segment_bytes)
    file = open_file(path)
    for offset in range(end.offset, limit, PREPARE_BYTES):
        if end.torn_bytes or offset + PREPARE_BYTES > size:
            file.write_at(offset, bytes(min(PREPARE_BYTES, limit - offset)))
    file.sync()
    disk.sync_folder(path.parent)
    return file, limit


class SegmentedJournal:
    """A journal of one folder. One thread at a time may use it."""

    def __init__(
        self,
        folder: Path,
        end: JournalEnd,
        *,
        partition: int,
        rules_version: int,
        epoch: int,
        segment_bytes: int = 16 * MIB,
        durability: str = "fsync",
        open_file: Callable[[Path], SegmentFile] = SegmentFile,
    ) -> None:
        """Open a journal behind its last good batch; whatever stands there is cut, durably.

        end: from `JournalReader`, read to its end. durability: "buffered" leaves the writing to the system's leisure.
        """
        self.folder = folder
        self.partition = partition
        self.payload_bytes_max = segment_bytes - form.HEADER_BYTES - RESERVE_BYTES
        self._rules_version = rules_version
        self._epoch = epoch
        self._segment_bytes = segment_bytes
        self._durability = durability
        self._open_file = open_file
        assert end.link.checksum is not None, "the journal was not read up to its end"
        self._link = end.link
        self._last: CommandBatch | None = None
        self._sealed = False
        self._closed = False
        self._failure = ""
        self._spare: SegmentFile | None = None
        self._spare_bytes = 0
        self._spare_failure = ""
        self._batches = self._seals = self._bytes_written = self._segments_begun = 0
        folder.mkdir(parents=True, exist_ok=True)
        self._path = end.path or segment_path(folder, end.link.next_sequence)
        self._at = end.offset
        self._file, self._limit = open_last(self._path, end, segment_bytes, open_file)

    def append(self, batch: CommandBatch) -> None:
        """Store a batch; it is durable on return. Raise `JournalFailed` where it may not be."""
        assert batch.first_sequence == self._link.next_sequence, "a batch was numbered wrongly"
        assert len(batch.payload) <= self.payload_bytes_max, "a batch is larger than a segment"
        if self._at + form.HEADER_BYTES + len(batch.payload) + RESERVE_BYTES > self._limit:
            self._guarded(self._begin_segment)
        header = self._header(
            Kind.COMMANDS, batch.count, batch.time_ns, batch.hash_before, batch.events_before
        )
        self._guarded(lambda: self._write(header, batch.payload))
        self._last, self._sealed = batch, False
        self._batches += 1

    def seal(self) -> None:
        """Write a seal after the last batch, once: from then on a flipped bit in it is no torn tail."""
        if self._last and not self._sealed:
            self._mark(Kind.SEAL, self._last)
            self._sealed = True
            self._seals += 1

    def close(self, *, clean: bool) -> None:
        """End, once; a clean end writes a close record, unless nothing was written since the last one."""
        if self._closed:
            return
        self._closed = True
        try:
            if clean and self._last:
                self._mark(Kind.CLOSE, self._last)
        finally:
            self._file.close()
            if self._spare:
                self._spare.close()
        (self.folder / _SPARE).unlink(missing_ok=True)

    def prepare_is_urgent(self) -> bool:
        """Tell whether the segment is half full and the next one not ready."""
        return self._at > self._limit // 2

    def prepare(self) -> bool:
        """Fill a little more of the next segment with zeroes; tell whether there is more to do."""
        if self._spare_failure or self._failure or self._spare_bytes >= self._segment_bytes:
            return False
        try:
            self._prepare_step()
        except OSError as error:
            # The present segment still has room: the engine goes on, and stops only when it has none.
            self._spare_failure = f"next journal segment: {error}"
            self._spare_bytes = 0
        return not self._spare_failure and self._spare_bytes < self._segment_bytes

    def stats(self) -> JournalStats:
        """Return the counters."""
        return JournalStats(
            self._durability,
            self._path.name,
            self._limit,
            self._at,
            self._batches,
            self._seals,
            self._bytes_written,
            self._segments_begun,
            self._spare_failure,
        )

    def _mark(self, kind: Kind, batch: CommandBatch) -> None:
        header = self._header(kind, 0, batch.time_ns, batch.hash_after, batch.events_after)
        self._guarded(lambda: self._write(header, b""))

    def _header(
        self, kind: Kind, count: int, time_ns: int, running_hash: int, event_sequence: int
    ) -> BatchHeader:
        assert self._link.checksum is not None
        return BatchHeader(
            kind,
            self.partition,
            self._rules_version,
            self._epoch,
            self._link.next_sequence,
            count,
            0,
            time_ns,
            running_hash,
            event_sequence,
            self._link.checksum,
        )

    def _write(self, header: BatchHeader, payload: bytes) -> None:
        data = form.encode(header, payload)
        self._file.write_at(self._at, data)
        self._sync(self._file)
        self._at += len(data)
        self._bytes_written += len(data)
        self._link = Link(header.next_sequence, form.checksum_of(data), header.epoch)

    def _guarded(self, action: Callable[[], None]) -> None:
        """Do something to the disk; after the first failure nothing is tried again."""
        if not self._failure:
            try:
                action()
                return
            except OSError as error:
                self._failure = f"journal {self._path}, offset {self._at}: {error}"
        raise JournalFailed(
            f"{self._failure}. What the disk holds is unknown, so nothing more is taken; repair the disk, then start"
            " again"
        )

    def _begin_segment(self) -> None:
        self._spare_failure = ""
        while self._spare_bytes < self._segment_bytes:
            self._prepare_step()
        assert self._spare
        self._file.close()
        self._path = segment_path(self.folder, self._link.next_sequence)
        os.rename(self.folder / _SPARE, self._path)
        disk.sync_folder(self.folder)
        self._file, self._spare, self._spare_bytes = self._spare, None, 0
        self._at, self._limit = 0, self._segment_bytes
        self._segments_begun += 1

    def _prepare_step(self) -> None:
        if self._spare is None:
            (self.folder / _SPARE).unlink(missing_ok=True)
            self._spare = self._open_file(self.folder / _SPARE)
            self._spare_bytes = 0
        size = min(PREPARE_BYTES, self._segment_bytes - self._spare_bytes)
        self._spare.write_at(self._spare_bytes, bytes(size))
        self._sync(self._spare)
        self._spare_bytes += size

    def _sync(self, file: SegmentFile) -> None:
        if self._durability == "fsync":
            file.sync()
