"""Counts and numbers a run of command records: fills partition and sequences into their headers."""

from __future__ import annotations

import struct
from collections.abc import Callable
from contextlib import suppress

from exchange.wire.records import LENGTH, split

_count_native: Callable[[bytes], int] | None = None
with suppress(ImportError):
    from exchange.wire.native import count_records

    _count_native = count_records

_PARTITION_SEQUENCE = struct.Struct("<BQ")
_PARTITION_OFFSET = 7


def number(commands: bytes, first_sequence: int, partition: int) -> bytes:
    """Return the records with partition and sequences filled in: first_sequence, the next one, and so on."""
    numbered = bytearray(commands)
    offset, end, sequence = 0, len(numbered), first_sequence
    while offset < end:
        _PARTITION_SEQUENCE.pack_into(numbered, offset + _PARTITION_OFFSET, partition, sequence)
        offset += LENGTH.unpack_from(numbered, offset)[0]
        sequence += 1
    return bytes(numbered)


def count(records: bytes) -> int:
    """Return how many records a run has. Raise `ProtocolError` unless it is one of whole records."""
    if _count_native:
        try:
            return _count_native(records)
        except ValueError:
            pass  # The definition says what is wrong with it.
    return sum(1 for _ in split(records))
