"""Recovery, which is every start: newest whole snapshot, the journal's tail replayed with proof, event log completed.

Nothing on disk that matters is changed before everything fits together; then the torn tail is cut, if there is one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import msgspec

from exchange.engine.engine_folder import EngineFolder
from exchange.engine.replay import (
    ReplayableVenue,
    ReplayFailed,
    RulesChanged,
    VenueKind,
    python_matcher,
    replay_batch,
    venue_from,
)
from exchange.infra import disk
from exchange.infra.errors import InfraError
from exchange.infra.event_log import EventLog
from exchange.infra.event_log_run import record_at, sequence_at
from exchange.infra.folder_lock import FolderLock
from exchange.infra.journal import MIB, Journal, SegmentFile
from exchange.infra.journal_choice import open_journal
from exchange.infra.journal_format import Kind
from exchange.infra.journal_segments import JournalReader
from exchange.infra.retention import LOCK_NAME
from exchange.infra.snapshot import Snapshot, SnapshotDamaged, list_snapshots, read_snapshot
from exchange.wire.records import split


class HistoryMissing(InfraError):
    """Something on disk knows more than the journal: what was once durable is gone. Nothing was changed."""


class Storage(msgspec.Struct, frozen=True):
    """How the engine stores; see the keys of `[engine]` in the configuration. open_file: what writes a segment."""

    durability: str = "fsync"
    segment_bytes: int = 16 * MIB
    event_log_bytes: int = 1024 * MIB
    event_file_bytes: int = 16 * MIB
    open_file: Callable[[Path], SegmentFile] = SegmentFile


class RecoveryReport(msgspec.Struct, frozen=True):
    """What a start found.

    snapshot_sequence: the command it began after, 0 for the beginning; cut_bytes: of a torn tail; events_completed:
    events that were missing in the event log; warnings: for the operator.
    """

    matcher: str
    epoch: int
    snapshot_sequence: int
    batches: int
    commands: int
    cut_bytes: int
    was_stopped_cleanly: bool
    events_completed: int
    command_sequence: int
    event_sequence: int
    running_hash: str
    elapsed_ms: int
    warnings: tuple[str, ...]


class Recovered:
    """A venue as the journal has it, and everything open that the sequencer needs. Holds the lock on the folder."""

    def __init__(
        self,
        venue: ReplayableVenue,
        journal: Journal,
        event_log: EventLog,
        report: RecoveryReport,
        lock: FolderLock,
    ) -> None:
        self.venue = venue
        self.journal = journal
        self.event_log = event_log
        self.epoch = report.epoch
        self.report = report
        self._lock = lock

    def close(self) -> None:
        """Close everything and give the folder free, after the sequencer was stopped, or if it never started."""
        self.journal.close(clean=False)
        self.event_log.close()
        self._lock.release()


def recover(
    folder: Path, partition: int = 0, *, kind: VenueKind | None = None, storage: Storage | None = None
) -> Recovered:
    """Start from what lies in `DATA/engine`, or from nothing.

    Raise `FolderLocked` where another process has it, `JournalDamaged`, `ReplayFailed` or `HistoryMissing` where the
    files do not fit together; they are left as they are then.
    """
    files = EngineFolder(folder)
    with ExitStack() as undo:
        lock = undo.enter_context(FolderLock(files.lock))
        # A follower that outlived its engine for a moment must not remove what is being read.
        with FolderLock(files.path / LOCK_NAME, shared=True, wait=True):
            recovery = _Recovery(files, partition, kind or python_matcher(), storage or Storage())
            undo.callback(recovery.log.close)
            recovered = recovery.run(lock)
        undo.pop_all()
    return recovered


class _Recovery:
    def __init__(self, folder: EngineFolder, partition: int, kind: VenueKind, storage: Storage) -> None:
        self.folder = folder
        self.partition = partition
        self.kind = kind
        self.storage = storage
        self.warnings: list[str] = []
        self.batches = self.commands = self.events_completed = 0
        for path in (folder.journal, folder.snapshots):
            path.mkdir(parents=True, exist_ok=True)
            disk.remove_unfinished(path)
        self.reader = JournalReader(folder.journal, partition)
        self.log = EventLog.open(
            folder.events,
            partition,
            size_bytes_max=storage.event_log_bytes,
            file_bytes=storage.event_file_bytes,
        )

    def run(self, lock: FolderLock) -> Recovered:
        started_ns = time.perf_counter_ns()
        snapshot, venue = self._replay_from_the_best()
        self._check_nothing_lies_beyond(venue)
        self._check_rules(snapshot)
        end = self.reader.end
        epoch = max(venue.epoch, end.link.epoch) + 1
        self.log.epoch = epoch
        journal = open_journal(
            self.folder.journal,
            end,
            partition=self.partition,
            rules_version=self.kind.rules_version,
            epoch=epoch,
            segment_bytes=self.storage.segment_bytes,
            durability=self.storage.durability,
            open_file=self.storage.open_file,
        )
        report = RecoveryReport(
            self.kind.name,
            epoch,
            snapshot.command_sequence if snapshot else 0,
            self.batches,
            self.commands,
            end.torn_bytes,
            end.kind in (0, Kind.CLOSE),
            self.events_completed,
            venue.command_sequence,
            venue.event_sequence,
            f"{venue.running_hash:016x}",
            (time.perf_counter_ns() - started_ns) // 1_000_000,
            tuple(self.warnings),
        )
        return Recovered(venue, journal, self.log, report, lock)

    def _replay_from_the_best(self) -> tuple[Snapshot | None, ReplayableVenue]:
        """Replay from the newest snapshot, or from an older one where only that completes the event log."""
        starts = self._starts()
        newest = starts[0]
        completing = next(
            (start for start in starts if _events_of(start) <= self.log.last_sequence), starts[-1]
        )
        if completing is not newest:
            try:
                return completing, self._replay(completing)
            except RulesChanged:
                self.warnings.append("the event log cannot be completed from before the change of rules")
        return newest, self._replay(newest)

    def _starts(self) -> list[Snapshot | None]:
        """List the snapshots from which the journal goes on, newest first, and None for the very beginning."""
        starts: list[Snapshot | None] = []
        damaged = ""
        for sequence, path in list_snapshots(self.folder.snapshots):
            if self.reader.first_sequence > max(sequence, 1):
                continue
            try:
                snapshot = read_snapshot(path)
            except SnapshotDamaged as error:
                damaged = str(error)
                self.warnings.append(f"{damaged}; it was left out")
                continue
            if snapshot.partition != self.partition:
                raise InfraError(
                    f"{path} is of partition {snapshot.partition}, this engine has {self.partition};"
                    " correct [engine] partition or the data folder"
                )
            starts.append(snapshot)
        if self.reader.first_sequence == 1:
            starts.append(None)
        if not starts:
            raise HistoryMissing(
                f"{self.folder.journal} begins with command {self.reader.first_sequence} and no whole snapshot reaches"
                f" so far{': ' + damaged if damaged else ''}; restore a backup with `exchange restore`"
            )
        return starts

    def _replay(self, start: Snapshot | None) -> ReplayableVenue:
        self.batches = self.commands = self.events_completed = 0
        venue = venue_from(start, self.kind) if start else self.kind.new(self.partition)
        if _events_of(start) > self.log.last_sequence:
            self.log.begin_at(_events_of(start) + 1)
        for batch in self.reader.batches(venue.command_sequence):
            before = venue.event_sequence
            events = replay_batch(venue, batch, self.kind.rules_version)
            self.batches += 1
            self.commands += batch.header.count
            self._complete_log(events, before + 1, venue.event_sequence, batch.header.epoch)
        return venue

    def _complete_log(self, events: bytes, first: int, last: int, epoch: int) -> None:
        """Add to the event log what it has not; compare its last event with what it should be."""
        have = self.log.last_sequence
        if first <= have <= last and (seen := self.log.event_at(have)) != (due := record_at(events, have)):
            raise HistoryMissing(
                f"event {have} in {self.folder.events} is another one than the journal gives, so the two do not belong"
                " together; move that folder away if the journal is the right one, and start again. Its record there is"
                f" {seen.hex() if seen else 'not to be found'}, by the journal {due.hex() if due else 'none'}"
            )
        if last > have:
            offset = next(at for at, _ in split(events) if sequence_at(events, at) == max(first, have + 1))
            self.log.epoch = epoch
            self.log.append(events[offset:], have + 1, last - have)
            self.events_completed += last - have

    def _check_nothing_lies_beyond(self, venue: ReplayableVenue) -> None:
        last = self.reader.end.link.next_sequence - 1
        snapshots = list_snapshots(self.folder.snapshots)
        if snapshots and snapshots[0][0] > last:
            raise self._missing(
                f"snapshot {snapshots[0][1].name} is of command {snapshots[0][0]}", f"command {last}"
            )
        if self.log.last_sequence > venue.event_sequence:
            raise self._missing(
                f"the event log knows event {self.log.last_sequence}",
                f"command {last}, event {venue.event_sequence}",
            )

    def _missing(self, known: str, end: str) -> HistoryMissing:
        return HistoryMissing(
            f"{known}, but the journal in {self.folder.journal} ends with {end}: commands that were durable are gone."
            " Nothing was changed; look at it with `exchange journal check`, then restore a backup with"
            " `exchange restore`, or, if you accept that what is missing never happened, move what lies beyond the end"
            " away and start again"
        )

    def _check_rules(self, start: Snapshot | None) -> None:
        """A new matcher begins only where the old one was stopped cleanly; `replay_batch` refuses an old tail."""
        if not start or start.rules_version == self.kind.rules_version or self.commands:
            return
        if self.reader.end.kind != Kind.CLOSE:
            raise ReplayFailed(
                f"the snapshot was written by rules version {start.rules_version}, this program has"
                f" {self.kind.rules_version}, and the journal does not end with a clean stop. Start the version that"
                " wrote it and stop it cleanly; then this one starts"
            )


def _events_of(start: Snapshot | None) -> int:
    return start.event_sequence if start else 0
