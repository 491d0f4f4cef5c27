"""Reading a run of the event log from where the log says that it lies: in the engine, or in another process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from exchange.infra.errors import EventsGone, InfraError
from exchange.infra.event_log_files import INDEX_STEP_BYTES
from exchange.wire.envelope import HEADER, EventBatch, decode_batch
from exchange.wire.records import (
    FLAGS_OFFSET,
    LAST_OF_COMMAND,
    SEQUENCE,
    SEQUENCE_OFFSET,
    ProtocolError,
    split,
)


class EventLogDamaged(InfraError):
    """The event log does not hold what was written."""

    def __init__(self, path: Path, offset: int, seen: str) -> None:
        super().__init__(
            f"the event log is damaged in {path} at offset {offset}: {seen}; stop the engine, move the folder"
            f" {path.parent} away and start again: it is made anew from the journal"
        )


class EventRun(msgspec.Struct, frozen=True):
    """Where the events after a sequence lie: in one file of the log, all of them released.

    path: empty where there are none; offset: of an envelope with, or before, the first of them; size_bytes: from there
    on; next_sequence: of the event after the file's last one; max_bytes: of events that are wanted.
    """

    path: str
    offset: int
    size_bytes: int
    partition: int
    epoch: int
    after: int
    next_sequence: int
    max_bytes: int


def read_run(run: EventRun) -> EventBatch:
    """Return the events of a run: whole commands, at least one of them, else at most `max_bytes`.

    Without any, count is 0. Raise `EventsGone` where they are no longer kept, and `EventLogDamaged`.
    """
    parts: list[bytes] = []
    count, size = 0, 0
    for chunk in chunks_of(run):
        records = _after(chunk, run.after) if chunk.first_sequence <= run.after else chunk
        if size + len(records.events) > run.max_bytes:
            if not parts:
                # Only a batch that does not fit as a whole is cut, for that means a look at each record.
                records = _bounded(records, run.max_bytes)
                parts.append(records.events)
                count += records.count
            break
        parts.append(records.events)
        count += records.count
        size += len(records.events)
    return EventBatch(run.partition, run.epoch, run.after + 1, count, b"".join(parts))


def chunks_of(run: EventRun) -> Iterator[EventBatch]:
    """Give the envelopes from the one with the run's first event on: at least one, then those that begin in its bytes.

    Raise `EventsGone` where the file was removed meanwhile, and `EventLogDamaged`.
    """
    if not run.path:
        return
    offset, sequence = run.offset, run.after + 1
    try:
        descriptor = os.open(run.path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise EventsGone(run.next_sequence) from None
    try:
        # The envelope may begin right before the next entry of the index would stand: then its header reaches over it.
        wanted = INDEX_STEP_BYTES + HEADER.size + run.max_bytes
        data = os.pread(descriptor, min(run.size_bytes, wanted), offset)
        at, begun, expected = 0, False, 0
        while at + HEADER.size <= len(data):
            _, _, _, _, _, count, first, length, _ = HEADER.unpack_from(data, at)
            end = at + HEADER.size + length
            if first > sequence and first != expected:
                raise EventLogDamaged(Path(run.path), offset + at, f"event {first} follows {expected - 1}")
            expected = first + count
            if expected > sequence:
                if end > len(data) and begun:
                    return
                envelope = data[at:end] if end <= len(data) else os.pread(descriptor, end - at, offset + at)
                begun = True
                yield _decode(run, offset + at, envelope)
            at = end
    finally:
        os.close(descriptor)


def _decode(run: EventRun, offset: int, envelope: bytes) -> EventBatch:
    try:
        return decode_batch(envelope)
    except ProtocolError as error:
        raise EventLogDamaged(Path(run.path), offset, str(error)) from error


def _after(batch: EventBatch, after: int) -> EventBatch:
    """Leave out the events up to a sequence."""
    offset = next(at for at, _ in split(batch.events) if sequence_at(batch.events, at) > after)
    skipped = after + 1 - batch.first_sequence
    return EventBatch(batch.partition, batch.epoch, after + 1, batch.count - skipped, batch.events[offset:])


def _bounded(batch: EventBatch, room: int) -> EventBatch:
    """Keep the whole commands that fit into so many bytes; the first one in any case."""
    end, count = 0, 0
    for events, (offset, length) in enumerate(split(batch.events), 1):
        if offset + length > room and end:
            break
        if batch.events[offset + FLAGS_OFFSET] & LAST_OF_COMMAND:
            end, count = offset + length, events
    return EventBatch(batch.partition, batch.epoch, batch.first_sequence, count, batch.events[:end])


def sequence_at(events: bytes, offset: int) -> int:
    """Return the sequence of the event record at an offset."""
    sequence: int = SEQUENCE.unpack_from(events, offset + SEQUENCE_OFFSET)[0]
    return sequence


def record_at(events: bytes, sequence: int) -> bytes | None:
    """Return the record of the event with a sequence, or None where it is not among these."""
    for offset, length in split(events):
        if sequence_at(events, offset) == sequence:
            return events[offset : offset + length]
    return None
