"""BinaryFILE: a day of a feed as one file, each message after its length in two big-endian bytes.

The parsers of ITCH read it. Source: Nasdaq BinaryFILE 1.0.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

from exchange.wire.records import ProtocolError

LENGTH = struct.Struct(">H")


def encode(messages: Iterable[bytes]) -> bytes:
    """Write messages, none of which may be empty, one behind the other."""
    return b"".join(part for message in messages for part in (LENGTH.pack(len(message)), message))


def split(data: bytes) -> Iterator[bytes]:
    """Give each message. Raise `ProtocolError` where one is empty or cut."""
    offset = 0
    while offset < len(data):
        if offset + LENGTH.size > len(data):
            raise ProtocolError(f"length at offset {offset}: the file ends in the middle of it")
        (length,) = LENGTH.unpack_from(data, offset)
        begin = offset + LENGTH.size
        offset = begin + length
        if not length or offset > len(data):
            raise ProtocolError(f"length at offset {begin - 2}: {length}, {len(data) - begin} bytes are left")
        yield data[begin:offset]
