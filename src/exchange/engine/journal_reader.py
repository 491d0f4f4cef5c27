"""The journal for people: what `exchange journal check`, `show`, `stat` and `snapshot` tell. Nothing here changes it.

It may be read while the engine runs; what the engine is writing at that moment is then seen as the end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec

from exchange.domain.commands import Command
from exchange.engine.engine_folder import EngineFolder
from exchange.engine.follower import Follower
from exchange.engine.replay import VenueKind, choose_matcher
from exchange.infra.errors import InfraError
from exchange.infra.event_log_files import survey_events
from exchange.infra.folder_lock import FolderLock, FolderLocked
from exchange.infra.journal_format import HEADER_BYTES, Kind
from exchange.infra.journal_segments import Batch, JournalDamaged, JournalReader
from exchange.infra.snapshot import SnapshotDamaged, list_snapshots, read_snapshot
from exchange.wire.records import BY_NUMBER, COMMAND_HEADER, ProtocolError, decode_sequenced, split


class SnapshotSeen(msgspec.Struct, frozen=True):
    """One snapshot file. problem: why it cannot be used, or empty."""

    name: str
    command_sequence: int
    event_sequence: int = 0
    epoch: int = 0
    rules_version: int = 0
    time_ns: int = 0
    digest: str = ""
    size_bytes: int = 0
    problem: str = ""


class JournalCheck(msgspec.Struct, frozen=True):
    """Whether the files of an engine fit together. problems: what keeps the engine from starting; notes: what it will
    repair by itself, or what is good to know.
    """

    partition: int
    is_running: bool
    segments: int
    batches: int
    commands: int
    first_sequence: int
    last_sequence: int
    epoch: int
    ends_with: str
    torn_bytes: int
    first_event: int
    last_event: int
    snapshots: tuple[SnapshotSeen, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...]


class JournalStat(msgspec.Struct, frozen=True):
    """What a journal holds. by_type: commands by name, most first."""

    segments: int
    size_bytes: int
    used_bytes: int
    batches: int
    seals: int
    clean_stops: int
    commands: int
    batch_commands_max: int
    first_sequence: int
    last_sequence: int
    first_ns: int
    last_ns: int
    first_epoch: int
    last_epoch: int
    by_type: dict[str, int]


class CommandShown(msgspec.Struct, frozen=True):
    """One command. problem: why its record cannot be read by this version, or empty."""

    sequence: int
    name: str
    command: Command | None = None
    problem: str = ""


class BatchShown(msgspec.Struct, frozen=True):
    """One batch with its commands."""

    segment: str
    offset: int
    kind: str
    epoch: int
    rules_version: int
    time_ns: int
    first_sequence: int
    count: int
    running_hash: str
    event_sequence: int
    commands: tuple[CommandShown, ...]


class SnapshotTaken(msgspec.Struct, frozen=True):
    """A snapshot that was written on request."""

    path: str
    command_sequence: int
    event_sequence: int
    running_hash: str
    digest: str


def check(folder: Path, *, replay: VenueKind | None = None) -> JournalCheck:
    """Read all of an engine's files and say whether an engine can start from them. folder: `DATA/engine`.

    replay: the matcher with which to replay the tail and compare hashes, or None to leave that out.
    """
    files = EngineFolder(folder)
    partition = partition_of(folder)
    reader = JournalReader(files.journal, partition)
    problems: list[str] = []
    notes: list[str] = []
    batches = commands = 0
    try:
        for batch in reader.batches():
            batches += 1
            commands += batch.header.count
    except JournalDamaged as error:
        problems.append(str(error))
    end = reader.end
    last = end.link.next_sequence - 1
    snapshots = tuple(_snapshots_of(files.snapshots))
    first_event, last_event, torn = survey_events(files.events, partition)
    if torn:
        notes.append(f"the event log will be repaired at the next start: {torn}")
    if end.torn_bytes:
        notes.append(f"{end.torn_bytes} bytes after command {last} are a torn tail; the next start cuts them")
    notes += [snapshot.problem for snapshot in snapshots if snapshot.problem]
    problems += _what_lies_beyond(snapshots, last, reader)
    if replay and not problems:
        problems += _what_replay_finds(folder, replay, last_event)
    return JournalCheck(
        partition,
        is_running(folder),
        len(reader.segments),
        batches,
        commands,
        reader.first_sequence,
        last,
        end.link.epoch,
        Kind(end.kind).name.lower() if end.kind else "",
        end.torn_bytes,
        first_event,
        last_event,
        snapshots,
        tuple(problems),
        tuple(notes),
    )


def show(folder: Path, after: int = 0, limit: int = 100) -> Iterator[BatchShown]:
    """Give the batches with commands after a sequence, at most so many batches. folder: `DATA/engine`."""
    reader = JournalReader(EngineFolder(folder).journal, partition_of(folder))
    batches = reader.batches(after if after >= reader.first_sequence else None)
    for _, batch in zip(range(limit), batches, strict=False):
        header = batch.header
        commands = tuple(_commands_of(batch.payload, after))
        yield BatchShown(
            batch.path.name,
            batch.offset,
            Kind(header.kind).name.lower(),
            header.epoch,
            header.rules_version,
            header.time_ns,
            header.first_sequence,
            header.count,
            f"{header.running_hash:016x}",
            header.event_sequence,
            commands,
        )


def stat(folder: Path) -> JournalStat:
    """Count what a journal holds. folder: `DATA/engine`."""
    reader = JournalReader(EngineFolder(folder).journal, partition_of(folder))
    kinds: Counter[int] = Counter()
    types: Counter[int] = Counter()
    used = largest = 0
    first: Batch | None = None
    last: Batch | None = None
    for batch in reader.batches():
        first, last = first or batch, batch
        kinds[batch.header.kind] += 1
        used += batch.header.size_bytes
        largest = max(largest, batch.header.count)
        types.update(batch.payload[offset + 4] for offset, _ in split(batch.payload))
    return JournalStat(
        len(reader.segments),
        sum(segment.path.stat().st_size for segment in reader.segments),
        used,
        kinds[Kind.COMMANDS],
        kinds[Kind.SEAL],
        kinds[Kind.CLOSE],
        types.total(),
        largest,
        reader.first_sequence,
        reader.end.link.next_sequence - 1,
        first.header.time_ns if first else 0,
        last.header.time_ns if last else 0,
        first.header.epoch if first else 0,
        last.header.epoch if last else 0,
        {_name_of(number): count for number, count in types.most_common()},
    )


def flow_of(folder: Path) -> list[tuple[bytes, int]]:
    """Return all commands of a journal: runs of records from command 1 on, each with its time. folder: `DATA/engine`.

    Raise `InfraError` where it does not begin with command 1 any more, `JournalDamaged` at the first damage.
    """
    reader = JournalReader(EngineFolder(folder).journal, partition_of(folder))
    if reader.first_sequence != 1:
        raise InfraError(
            f"the journal in {folder} begins with command {reader.first_sequence}; a trial needs all from command 1 on:"
            " bring the older files back from the archive"
        )
    return [
        (batch.payload, batch.header.time_ns)
        for batch in reader.batches()
        if batch.header.kind == Kind.COMMANDS
    ]


def take_snapshot(
    folder: Path, *, kind: VenueKind | None = None, snapshots_kept: int = 3, archive: Path | None = None
) -> SnapshotTaken:
    """Replay the journal and write a snapshot of its end, beside a running engine too. folder: `DATA/engine`.

    Raise `JournalDamaged` or `ReplayFailed` where the journal does not repeat itself.
    """
    follower = _replayed(folder, kind or choose_matcher(), snapshots_kept, archive)
    try:
        path = follower.take_snapshot()
        if follower.problem:
            raise InfraError(follower.problem)
        venue = follower.venue
        return SnapshotTaken(
            str(path),
            venue.command_sequence,
            venue.event_sequence,
            f"{venue.running_hash:016x}",
            venue.digest(),
        )
    finally:
        follower.close()


def is_running(folder: Path) -> bool:
    """Tell whether an engine holds the lock on its folder."""
    files = EngineFolder(folder)
    if not files.lock.exists():
        return False
    try:
        FolderLock(files.lock, shared=True).release()
    except FolderLocked:
        return True
    return False


def partition_of(folder: Path) -> int:
    """Return the partition that the first batch of a journal names, 0 where there is none. folder: `DATA/engine`."""
    journal = EngineFolder(folder).journal
    if not journal.is_dir():
        raise InfraError(f"{folder} holds no journal; give the data folder of an engine")
    for segment in JournalReader(journal, 0).segments:
        with segment.path.open("rb") as file:
            front = file.read(HEADER_BYTES)
        if len(front) == HEADER_BYTES and front[:4] != bytes(4):
            return front[7]
    return 0


def _snapshots_of(folder: Path) -> Iterator[SnapshotSeen]:
    for sequence, path in list_snapshots(folder):
        try:
            snapshot = read_snapshot(path)
        except SnapshotDamaged as error:
            yield SnapshotSeen(path.name, sequence, problem=str(error))
            continue
        yield SnapshotSeen(
            path.name,
            sequence,
            snapshot.event_sequence,
            snapshot.epoch,
            snapshot.rules_version,
            snapshot.time_ns,
            snapshot.digest,
            path.stat().st_size,
        )


def _what_lies_beyond(snapshots: tuple[SnapshotSeen, ...], last: int, reader: JournalReader) -> Iterator[str]:
    for snapshot in snapshots:
        if snapshot.command_sequence > last:
            yield f"snapshot {snapshot.name} lies beyond the end of the journal, which is command {last}"
    if reader.first_sequence > 1 and not any(
        not snapshot.problem and snapshot.command_sequence >= reader.first_sequence for snapshot in snapshots
    ):
        yield f"the journal begins with command {reader.first_sequence}, and no whole snapshot reaches so far"


def _what_replay_finds(folder: Path, kind: VenueKind, last_event: int) -> Iterator[str]:
    try:
        follower = _replayed(folder, kind)
    except InfraError as error:
        yield str(error)
        return
    follower.close()
    if not is_running(folder) and last_event > follower.venue.event_sequence:
        yield f"the event log knows event {last_event}, the journal ends with {follower.venue.event_sequence}"


def _replayed(
    folder: Path, kind: VenueKind, snapshots_kept: int = 1, archive: Path | None = None
) -> Follower:
    """Return a follower that has replayed all that is durable."""
    follower = Follower(
        folder,
        partition_of(folder),
        kind,
        snapshot_every=0,
        snapshots_kept=snapshots_kept,
        archive=archive,
    )
    with ExitStack() as undo:
        undo.callback(follower.close)
        while follower.step():
            pass
        if not is_running(folder):
            follower.finish()
        undo.pop_all()
    return follower


def _commands_of(payload: bytes, after: int) -> Iterator[CommandShown]:
    for offset, length in split(payload):
        number, sequence = payload[offset + 4], COMMAND_HEADER.unpack_from(payload, offset)[5]
        if sequence <= after:
            continue
        try:
            command = decode_sequenced(payload, offset)[1]
            yield CommandShown(sequence, _name_of(number), command)
        except ProtocolError as error:
            record = payload[offset : offset + length].hex()
            yield CommandShown(sequence, _name_of(number), problem=f"{error}: {record}")


def _name_of(number: int) -> str:
    layout = BY_NUMBER.get(number)
    return layout.value_type.__name__ if layout else f"type {number}"
