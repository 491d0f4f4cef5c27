"""The journal in Rust behind the interfaces of `SegmentedJournal` and `JournalWriter`: the same files, the same words.

Importing this raises `ImportError` where the wheel `exchange-native` is not installed or does not fit. Its thread never
needs Python's lock, so a batch that is durable is known at once, however busy the event loop is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from exchange.infra import journal_format as form
from exchange.infra.journal import MIB, RESERVE_BYTES, CommandBatch, JournalFailed, JournalStats, open_last
from exchange.infra.journal_segments import JournalEnd, segment_path
from exchange.infra.journal_writer import SEAL_AFTER_S
from exchange.wire import native


class NativeJournal:
    """A journal of one folder. What each method means says `SegmentedJournal`."""

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
    ) -> None:
        """Open a journal behind its last good batch; whatever stands there is cut, durably."""
        self.partition = partition
        self.payload_bytes_max = segment_bytes - form.HEADER_BYTES - RESERVE_BYTES
        self._durability = durability
        checksum = end.link.checksum
        assert checksum is not None, "the journal was not read up to its end"
        folder.mkdir(parents=True, exist_ok=True)
        path = end.path or segment_path(folder, end.link.next_sequence)
        file, limit = open_last(path, end, segment_bytes)
        file.close()
        self.core = native.Journal(
            (str(folder), str(path), end.offset, limit, end.link.next_sequence, checksum),
            (partition, rules_version, epoch),
            segment_bytes,
            durability == "fsync",
        )

    def append(self, batch: CommandBatch) -> None:
        """Store a batch; it is durable on return. Raise `JournalFailed` where it may not be."""
        try:
            self.core.append(row_of(batch), batch.payload)
        except OSError as error:
            raise JournalFailed(str(error)) from error

    def seal(self) -> None:
        """Write a seal after the last batch, once. Raise `JournalFailed`."""
        try:
            self.core.seal()
        except OSError as error:
            raise JournalFailed(str(error)) from error

    def prepare(self) -> bool:
        """Do one small step towards room for later batches; tell whether there is more to do."""
        return self.core.prepare()

    def prepare_is_urgent(self) -> bool:
        """Tell whether `prepare` should go on even while batches come."""
        return self.core.prepare_is_urgent()

    def close(self, *, clean: bool) -> None:
        """End; a clean end writes a close record. Raise `JournalFailed`."""
        try:
            self.core.close(clean)
        except OSError as error:
            raise JournalFailed(str(error)) from error

    def stats(self) -> JournalStats:
        """Return the counters; from any thread."""
        return JournalStats(self._durability, *self.core.stats())


class NativeJournalWriter:
    """Hands one batch at a time to a thread in Rust. What each method means says `JournalWriter`."""

    def __init__(self, journal: NativeJournal, *, seal_after_s: float = SEAL_AFTER_S) -> None:
        self._core = journal.core
        self._seal_after_s = seal_after_s
        self._bell = -1
        self._closed: asyncio.Future[bool] | None = None

    def start(self, on_durable: Callable[[int], None], on_failure: Callable[[str], None]) -> None:
        """Begin. on_durable: called on the loop with the nanoseconds the write took; on_failure: with the reason."""
        self._loop = asyncio.get_running_loop()
        self._on_durable = on_durable
        self._on_failure = on_failure
        self._bell = self._core.start(self._seal_after_s)
        self._loop.add_reader(self._bell, self._hear)

    def write(self, batch: CommandBatch) -> None:
        """Store a batch. The next one may follow when this one was said to be durable."""
        self._core.write(row_of(batch), batch.payload)

    async def close(self, *, clean: bool) -> bool:
        """End the thread and the journal, after what was handed over; tell whether all of it was stored."""
        if self._bell < 0:
            return True
        if self._closed is None:
            self._closed = self._loop.create_future()
            self._core.end(clean)
        return await asyncio.shield(self._closed)

    def _hear(self) -> None:
        durable, failure, stored = self._core.outcomes()
        for elapsed_ns in durable:
            self._on_durable(elapsed_ns)
        if failure is not None:
            self._on_failure(failure)
        if stored is not None:
            self._loop.remove_reader(self._bell)
            if self._closed and not self._closed.done():
                self._closed.set_result(stored)


def row_of(batch: CommandBatch) -> tuple[int, int, int, int, int, int, int]:
    """Return what is known of a batch beside its records, as the compiled module takes it."""
    return (
        batch.first_sequence,
        batch.count,
        batch.time_ns,
        batch.hash_before,
        batch.hash_after,
        batch.events_before,
        batch.events_after,
    )
