"""Where a replay begins: the newest snapshot before a command, else the beginning, and the commands from there on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, cast

from exchange.engine.engine_folder import EngineFolder
from exchange.engine.journal_reader import partition_of
from exchange.engine.replay import RulesChanged, VenueKind, venue_from
from exchange.infra.errors import InfraError
from exchange.infra.journal_format import Kind
from exchange.infra.journal_segments import JournalReader
from exchange.infra.snapshot import Snapshot, SnapshotDamaged, list_snapshots, read_snapshot
from exchange.matching.venue import Venue

COMMANDS_MAX = 20_000_000
"""Commands that are replayed for one explanation, twice."""


class HistoryGone(InfraError):
    """What is needed for an explanation is no longer kept, or more than is replayed for one."""


class Run(NamedTuple):
    """Commands of one time. before: the running hash that the journal has before them, None where nothing is known."""

    commands: bytes
    time_ns: int
    before: int | None = None


class Past(NamedTuple):
    """Some history, to be gone through as often as wanted. start: makes the venue at its beginning."""

    start: Callable[[], Venue]
    runs: Callable[[], Iterator[Run]]
    matcher: str


def past_of(folder: Path, command_sequence: int, kind: VenueKind) -> Past:
    """Return the history from before a command to the end of the journal. folder: `DATA/engine`.

    Raise `HistoryGone` where it is not kept so far back.
    """
    partition = partition_of(folder)
    snapshot = _snapshot_before(EngineFolder(folder).snapshots, command_sequence, partition)
    first = _reader(folder, partition).first_sequence
    after = snapshot.command_sequence if snapshot else 0
    if first > max(after, 1):
        raise HistoryGone(
            f"command {command_sequence} cannot be replayed: the journal begins with command {first} and"
            f" {f'the snapshot before it is after command {after}' if snapshot else 'no snapshot before it is kept'};"
            " what became of the order is in `exchange order show`; with `[engine] snapshots_kept` higher, history is"
            " kept for longer"
        )

    def start() -> Venue:
        return cast(Venue, venue_from(snapshot, kind) if snapshot else kind.new(partition))

    return Past(start, lambda: _runs(_reader(folder, partition), after, kind), kind.name)


def _reader(folder: Path, partition: int) -> JournalReader:
    return JournalReader(EngineFolder(folder).journal, partition)


def _snapshot_before(folder: Path, command_sequence: int, partition: int) -> Snapshot | None:
    for sequence, path in list_snapshots(folder):
        if sequence >= command_sequence:
            continue
        try:
            snapshot = read_snapshot(path)
        except (SnapshotDamaged, FileNotFoundError):
            continue
        if snapshot.partition == partition:
            return snapshot
    return None


def _runs(reader: JournalReader, after: int, kind: VenueKind) -> Iterator[Run]:
    count = 0
    for batch in reader.batches(after or None):
        header = batch.header
        if header.kind != Kind.COMMANDS:
            continue
        if header.rules_version != kind.rules_version:
            raise RulesChanged(
                f"commands from {header.first_sequence} on were matched by rules version {header.rules_version}, this"
                f" program has {kind.rules_version}; only what came after the upgrade can be explained"
            )
        count += header.count
        if count > COMMANDS_MAX:
            raise HistoryGone(
                f"more than {COMMANDS_MAX} commands came after the nearest snapshot; an explanation replays no more."
                " Snapshots are written more often with a lower `[engine] snapshot_every_commands`"
            )
        yield Run(batch.payload, header.time_ns, header.running_hash)
