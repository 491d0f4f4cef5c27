"""What a client hands to the sequencer at once: checked before anything is numbered, numbered when its turn comes."""

from __future__ import annotations

import asyncio
import struct
from time import perf_counter_ns

from exchange.wire.records import COMMAND_HEADER, LENGTH, ProtocolError, split

_PARTITION_SEQUENCE = struct.Struct("<BQ")
_PARTITION_OFFSET = 7


class Submission:
    """Command records and who waits for their events. received_ns: when they came, by `perf_counter_ns`."""

    __slots__ = ("answer", "commands", "count", "events", "received_ns")

    def __init__(self, commands: bytes, count: int, answer: asyncio.Future[bytes]) -> None:
        self.commands = commands
        self.count = count
        self.answer = answer
        self.events = b""
        self.received_ns = perf_counter_ns()


def check_framing(commands: bytes, count: int, bytes_max: int) -> None:
    """Raise `ProtocolError` unless these are so many whole command records, within the size of a batch."""
    size = len(commands)
    if not size or size > bytes_max:
        raise ProtocolError(f"submission: {size} bytes, allowed are 1 to {bytes_max}")
    if count == 1 and size >= COMMAND_HEADER.size and LENGTH.unpack_from(commands)[0] == size:
        return
    found = sum(1 for _ in split(commands))
    if found != count:
        raise ProtocolError(f"count: {count}, the submission has {found} records")


def number(commands: bytes, first_sequence: int, partition: int) -> bytes:
    """Return the records with partition and sequences filled in: first_sequence, the next one, and so on."""
    numbered = bytearray(commands)
    offset, end, sequence = 0, len(numbered), first_sequence
    while offset < end:
        _PARTITION_SEQUENCE.pack_into(numbered, offset + _PARTITION_OFFSET, partition, sequence)
        offset += LENGTH.unpack_from(numbered, offset)[0]
        sequence += 1
    return bytes(numbered)
