"""A run of events in one envelope: what goes over the bus and what `GET /api/v1/events` answers in binary.

32 bytes, little-endian: 0 magic `XEVB` · 4 version u16 · 6 partition u8 · 7 zero · 8 epoch u32 · 12 count u32
· 16 first event sequence u64 · 24 length of what follows u32 · 28 CRC-32 of what follows u32; then the event
records, without a gap and whole commands only.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from zlib import crc32

import msgspec

from exchange.wire.records import VERSION as RECORD_VERSION
from exchange.wire.records import VERSION_OFFSET, ProtocolError, version_refused

MAGIC = b"XEVB"
VERSION = 1
HEADER = struct.Struct("<4sHBBIIQII")


class EventBatch(msgspec.Struct, frozen=True, gc=False):
    """Events of whole commands without a gap. epoch: of the engine that sends them; events: their records."""

    partition: int
    epoch: int
    first_sequence: int
    count: int
    events: bytes

    @property
    def last_sequence(self) -> int:
        """Return the sequence of the last event, or the one before the first where there is none."""
        return self.first_sequence + self.count - 1


def encode_batch(batch: EventBatch) -> bytes:
    """Write an event batch as one message."""
    header = HEADER.pack(
        MAGIC,
        VERSION,
        batch.partition,
        0,
        batch.epoch,
        batch.count,
        batch.first_sequence,
        len(batch.events),
        crc32(batch.events),
    )
    return header + batch.events


def decode_batch(message: bytes) -> EventBatch:
    """Read one message. Raise `ProtocolError` where it is cut, damaged or of another version.

    Of the records only the first one's version is looked at: one program writes them all.
    """
    if len(message) < HEADER.size:
        raise ProtocolError(f"envelope: {len(message)} bytes, its header has {HEADER.size}")
    magic, version, partition, _, epoch, count, first, size, checksum = HEADER.unpack_from(message)
    if magic != MAGIC:
        raise ProtocolError(f"magic at offset 0: {magic!r}, an event batch starts with {MAGIC!r}")
    if version != VERSION:
        raise ProtocolError(f"envelope: {version_refused(4, version, VERSION)}")
    events = message[HEADER.size :]
    if len(events) != size:
        raise ProtocolError(f"length at offset 24: {size}, {len(events)} bytes follow")
    if crc32(events) != checksum:
        raise ProtocolError("checksum at offset 28: the events are damaged")
    if size > VERSION_OFFSET and events[VERSION_OFFSET] != RECORD_VERSION:
        refused = version_refused(VERSION_OFFSET, events[VERSION_OFFSET], RECORD_VERSION)
        raise ProtocolError(f"first event record: {refused}")
    return EventBatch(partition, epoch, first, count, bytes(events))


def join_batches(batches: Sequence[EventBatch]) -> EventBatch:
    """Make one batch of several that follow each other without a gap."""
    first, last = batches[0], batches[-1]
    if first is last:
        return first
    return EventBatch(
        first.partition,
        last.epoch,
        first.first_sequence,
        last.last_sequence - first.first_sequence + 1,
        b"".join(batch.events for batch in batches),
    )
