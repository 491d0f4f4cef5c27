"""How a journal lies in bytes: batches of commands, each chained to the one before it; pure, without files.

A segment is a file of batches from offset 0, then zeroes. A batch is a header of 64 bytes, little-endian, and a run of
command records: 0 magic · 4 version u16 · 6 kind u8 · 7 partition u8 · 8 rules version u32 · 12 epoch u32 · 16 first
command sequence u64 · 24 count u32 · 28 length of the records u32 · 32 time u64 · 40 running hash before it u64
· 48 event sequence before it u64 · 56 checksum of the batch before it u32 · 60 CRC-32 of bytes 0 to 59 and the records.

A batch is taken only where it is whole by itself *and* follows its predecessor: its first sequence is the next one and
it names the predecessor's checksum. What stands after the last such batch is one of three things, see `Rest`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import Enum, IntEnum
from zlib import crc32

import msgspec

MAGIC = b"\xf5XJB"
"""The first byte never occurs in UTF-8, so no name inside a record can pass for a batch."""
VERSION = 1
HEADER = struct.Struct("<4sHBBIIQIIQQQII")
HEADER_BYTES = HEADER.size
_BEFORE_CHECKSUM = HEADER_BYTES - 4
_CHECKSUM = struct.Struct("<I")


class Kind(IntEnum):
    """What a batch is: commands; a seal after an idle moment; the last record of a clean stop."""

    COMMANDS = 1
    SEAL = 2
    CLOSE = 3


class BatchHeader(msgspec.Struct, frozen=True, gc=False):
    """What stands before the records of a batch. running_hash, event_sequence: of the venue before it."""

    kind: int
    partition: int
    rules_version: int
    epoch: int
    first_sequence: int
    count: int
    length: int
    time_ns: int
    running_hash: int
    event_sequence: int
    previous_checksum: int = 0
    checksum: int = 0

    @property
    def next_sequence(self) -> int:
        """Return the sequence of the first command after this batch."""
        return self.first_sequence + self.count

    @property
    def size_bytes(self) -> int:
        """Return the size of header and records."""
        return HEADER_BYTES + self.length


class Link(msgspec.Struct, frozen=True, gc=False):
    """The end of a chain: what the next batch must follow. checksum: None where the one before is not known."""

    next_sequence: int
    checksum: int | None = 0
    epoch: int = 0


class Rest(Enum):
    """What stands in a segment after its last good batch.

    CLEAN: zeroes, or nothing. TORN: something, but no good batch: a write that a crash cut short, or the remains of an
    older segment. BROKEN: a good batch that comes later in the sequence, so what is damaged before it was once durable.
    """

    CLEAN = "clean"
    TORN = "torn"
    BROKEN = "broken"


def encode(header: BatchHeader, payload: bytes) -> bytes:
    """Write a batch; its checksum is computed here."""
    front = HEADER.pack(
        MAGIC,
        VERSION,
        header.kind,
        header.partition,
        header.rules_version,
        header.epoch,
        header.first_sequence,
        header.count,
        len(payload),
        header.time_ns,
        header.running_hash,
        header.event_sequence,
        header.previous_checksum,
        0,
    )[:_BEFORE_CHECKSUM]
    return front + _CHECKSUM.pack(crc32(payload, crc32(front))) + payload


def checksum_of(batch: bytes) -> int:
    """Return the checksum that stands in an encoded batch."""
    checksum: int = _CHECKSUM.unpack_from(batch, _BEFORE_CHECKSUM)[0]
    return checksum


def header_at(data: bytes, offset: int) -> BatchHeader | None:
    """Return the header of the batch at an offset, where one stands there that is whole by itself."""
    if data[offset : offset + 4] != MAGIC or offset + HEADER_BYTES > len(data):
        return None
    fields = HEADER.unpack_from(data, offset)
    header = BatchHeader(*fields[2:])
    end = offset + HEADER_BYTES + header.length
    if fields[1] != VERSION or end > len(data):
        return None
    view = memoryview(data)
    computed = crc32(view[offset + HEADER_BYTES : end], crc32(view[offset : offset + _BEFORE_CHECKSUM]))
    return header if computed == header.checksum else None


def follows(header: BatchHeader, link: Link) -> bool:
    """Tell whether a batch is the next of a chain."""
    return (
        header.first_sequence == link.next_sequence
        and (link.checksum is None or header.previous_checksum == link.checksum)
        and header.epoch >= link.epoch
    )


def link_after(header: BatchHeader) -> Link:
    """Return the end of the chain after a batch."""
    return Link(header.next_sequence, header.checksum, header.epoch)


def batches_in(data: bytes, offset: int, link: Link) -> Iterator[tuple[int, BatchHeader]]:
    """Give (offset, header) of the good batches of a segment that follow each other, as far as they go."""
    while (header := header_at(data, offset)) and follows(header, link):
        yield offset, header
        offset += header.size_bytes
        link = link_after(header)


def used_bytes(data: bytes, first_sequence: int) -> int:
    """Return where the good batches of a segment end. Its last record may end in zeroes, so zeroes tell nothing."""
    offset = 0
    for offset, header in batches_in(data, 0, Link(first_sequence, None)):
        offset += header.size_bytes
    return offset


def examine_rest(data: bytes, offset: int, link: Link) -> tuple[Rest, int]:
    """Tell what stands from the end of the chain on, and where the good batch is if it is BROKEN, else -1."""
    if _is_of_another_version(data, offset):
        return Rest.BROKEN, offset
    at = data.find(MAGIC, offset)
    while at >= 0:
        header = header_at(data, at)
        if header and header.first_sequence >= link.next_sequence:
            return Rest.BROKEN, at
        at = data.find(MAGIC, at + (header.size_bytes if header else 1))
    is_zero = data.count(b"\0", offset) == len(data) - offset
    return (Rest.CLEAN if is_zero else Rest.TORN), -1


def _is_of_another_version(data: bytes, offset: int) -> bool:
    """Tell whether another program's batch stands here; a header cut after its magic has version 0 or none."""
    if data[offset : offset + 4] != MAGIC or offset + HEADER_BYTES > len(data):
        return False
    return HEADER.unpack_from(data, offset)[1] not in (0, VERSION)


def describe(data: bytes, offset: int, link: Link) -> str:
    """Say in words why what stands at an offset is not the next batch of the chain."""
    if offset + HEADER_BYTES > len(data):
        return f"{len(data) - offset} bytes are left, a batch header has {HEADER_BYTES}"
    fields = HEADER.unpack_from(data, offset)
    if fields[0] != MAGIC:
        return f"{fields[0].hex(' ')} stands where a batch would begin with {MAGIC.hex(' ')}"
    if fields[1] != VERSION:
        return f"batch version {fields[1]}, this program reads {VERSION}"
    header = header_at(data, offset)
    if header is None:
        return f"the batch of {fields[7]} commands from {fields[6]}, {fields[8]} bytes, does not match its checksum"
    if header.first_sequence != link.next_sequence:
        return f"the batch begins with command {header.first_sequence}, expected {link.next_sequence}"
    if header.epoch < link.epoch:
        return f"the batch is of epoch {header.epoch}, the one before it of {link.epoch}"
    return f"the batch follows one with checksum {header.previous_checksum:08x}, expected {link.checksum or 0:08x}"
