"""The events of the engine on disk, for consumers that come late: `GET /api/v1/events?after=`.

Files of envelopes (`wire/envelope.py`) one after another, named by their first event sequence. Not synced while
written, for the journal can make every event again: at a start the last file is checked, cut where it is torn, and
completed by the replay. A file that is full is synced in the background and gets an index beside it; it is trusted
unread then, and checked when it is read. One thread appends; any thread reads.
"""

from __future__ import annotations

import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import msgspec

from exchange.infra import disk
from exchange.infra.errors import EventsGone
from exchange.infra.event_log_files import (
    EventFile,
    event_path,
    index_path,
    list_event_files,
    load_index,
    save_index,
    scan_events,
)
from exchange.infra.event_log_run import EventLogDamaged, EventRun, chunks_of, read_run, record_at
from exchange.wire.envelope import EventBatch, encode_batch

MIB = 1 << 20
READ_BYTES_MAX = MIB
NEARLY_LOST_PART = 4
"""Events are nearly lost when the last quarter of the log's size is being filled since them."""
__all__ = ["READ_BYTES_MAX", "EventLog", "EventLogDamaged", "EventLogStats", "EventsGone"]


class EventLogStats(msgspec.Struct, frozen=True):
    """What the log holds."""

    first_sequence: int
    last_sequence: int
    files: int
    size_bytes: int
    size_bytes_max: int


class EventLog:
    """Append-only, with a retention. `open` it."""

    def __init__(
        self, folder: Path, partition: int, size_bytes_max: int, file_bytes: int, epoch: int
    ) -> None:
        self.folder = folder
        self.partition = partition
        self.epoch = epoch
        self.last_sequence = 0
        self._size_bytes_max = size_bytes_max
        self._file_bytes = file_bytes
        self._files: list[EventFile] = []
        self._descriptor = -1
        self._lock = threading.Lock()
        self._indexer = ThreadPoolExecutor(1, thread_name_prefix="event-log")
        self._indexing: Future[None] | None = None

    @classmethod
    def open(
        cls,
        folder: Path,
        partition: int = 0,
        *,
        size_bytes_max: int = 1024 * MIB,
        file_bytes: int = 16 * MIB,
        epoch: int = 0,
    ) -> EventLog:
        """Open a log, checking what is not known to be whole, and cutting what is not.

        size_bytes_max: more is removed, oldest file first; epoch: of the engine, stands in the batches read.
        """
        log = cls(folder, partition, size_bytes_max, file_bytes, epoch)
        folder.mkdir(parents=True, exist_ok=True)
        disk.remove_unfinished(folder)
        log._load()
        return log

    @property
    def first_sequence(self) -> int:
        """Return the oldest event kept; one more than `last_sequence` where there is none."""
        return self._files[0].first_sequence if self._files else self.last_sequence + 1

    def begin_at(self, first_sequence: int) -> None:
        """Forget everything; the next event has this sequence."""
        with self._lock:
            self._close_file()
            for file in self._files:
                _remove(file.path)
            self._files = []
            self.last_sequence = first_sequence - 1

    def append(self, events: bytes, first_sequence: int, count: int) -> None:
        """Add events of whole commands: one write."""
        assert first_sequence == self.last_sequence + 1, "events must follow the last one"
        if not count:
            return
        batch = EventBatch(self.partition, self.epoch, first_sequence, count, events)
        with self._lock:
            if not self._files or self._descriptor < 0 or self._files[-1].size_bytes >= self._file_bytes:
                self._begin_file(first_sequence)
            file = self._files[-1]
            data = encode_batch(batch)
            disk.write_at(self._descriptor, file.size_bytes, data)
            file.add(first_sequence, count, len(data))
            self.last_sequence = batch.last_sequence

    def read(self, after: int, max_bytes: int = READ_BYTES_MAX) -> EventBatch:
        """Return events after a sequence: whole commands, at least one of them, else at most `max_bytes`.

        Without any, count is 0 and first_sequence that of the next event to come. Raise `EventsGone` where they are
        no longer kept.
        """
        return read_run(self.run_after(after, max_bytes))

    def run_after(self, after: int, max_bytes: int = READ_BYTES_MAX) -> EventRun:
        """Tell where `read` would find its events, for another process to read them. Raise `EventsGone`."""
        with self._lock:
            if after >= self.last_sequence:
                return EventRun("", 0, 0, self.partition, self.epoch, self.last_sequence, 0, max_bytes)
            if after + 1 < self.first_sequence:
                raise EventsGone(self.first_sequence)
            file = next(file for file in reversed(self._files) if file.first_sequence <= after + 1)
            offset, next_sequence = file.offset_of(after + 1), file.next_sequence
            size = file.size_bytes - offset
        path = str(file.path)
        return EventRun(path, offset, size, self.partition, self.epoch, after, next_sequence, max_bytes)

    def event_at(self, sequence: int) -> bytes | None:
        """Return the record of one event, or None where it is not kept or not there yet."""
        if not self.first_sequence <= sequence <= self.last_sequence:
            return None
        for chunk in chunks_of(self.run_after(sequence - 1, 1)):
            if (record := record_at(chunk.events, sequence)) is not None:
                return record
        return None

    def stats(self) -> EventLogStats:
        """Return what the log holds."""
        with self._lock:
            size = sum(file.size_bytes for file in self._files)
            return EventLogStats(
                self.first_sequence, self.last_sequence, len(self._files), size, self._size_bytes_max
            )

    def is_nearly_lost(self, after: int) -> bool:
        """Tell whether events after a sequence will soon make room for new ones."""
        with self._lock:
            kept = sum(file.size_bytes for file in self._files if file.next_sequence > after + 1)
        return kept > self._size_bytes_max - self._size_bytes_max // NEARLY_LOST_PART

    def close(self) -> None:
        """Sync and close."""
        with self._lock:
            self._close_file()
        self._indexer.shutdown(wait=True)

    def _load(self) -> None:
        """Take the files over, as far as they are whole and follow each other."""
        expected = 0
        paths = list_event_files(self.folder)
        for number, (first_sequence, path) in enumerate(paths):
            is_last = number == len(paths) - 1
            file = None if is_last else load_index(path, first_sequence)
            whole = file is not None
            if file is None:
                file, whole = scan_events(path, first_sequence, self.partition)
            if not expected or first_sequence == expected:
                self._files.append(file)
                expected = file.next_sequence
                if whole:
                    continue
                os.truncate(path, file.size_bytes)
                number += 1
            for _, later in paths[number:]:
                _remove(later)
            break
        self.last_sequence = expected - 1 if self._files else 0
        if self._files:
            self._descriptor = os.open(self._files[-1].path, os.O_RDWR | os.O_CLOEXEC)
            index_path(self._files[-1].path).unlink(missing_ok=True)

    def _begin_file(self, first_sequence: int) -> None:
        self._close_file()
        file = EventFile(event_path(self.folder, first_sequence), first_sequence)
        self._descriptor = os.open(file.path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        self._files.append(file)
        while len(self._files) > 1 and sum(file.size_bytes for file in self._files) > self._size_bytes_max:
            _remove(self._files.pop(0).path)

    def _close_file(self) -> None:
        if self._descriptor < 0:
            return
        descriptor, self._descriptor = self._descriptor, -1
        if self._indexing:
            self._indexing.result()
        self._indexing = self._indexer.submit(_finish, descriptor, self._files[-1])


def _finish(descriptor: int, file: EventFile) -> None:
    """Sync a full file and write its index. Without an index the file is read at the next start, which is all."""
    try:
        os.fsync(descriptor)
        save_index(file)
    except OSError:
        pass
    finally:
        os.close(descriptor)


def _remove(path: Path) -> None:
    index_path(path).unlink(missing_ok=True)
    path.unlink(missing_ok=True)
