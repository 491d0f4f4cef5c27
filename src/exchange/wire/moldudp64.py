"""MoldUDP64: numbered messages in datagrams, and the request for those that were lost.

Downstream packet, big-endian: 0 session, 10 characters, padded with spaces · 10 sequence of the first message u64
· 18 count u16; then each message after its length u16. Count 0 is a heartbeat, 0xFFFF the end of the session; both
carry the next sequence. A request is the same 20 bytes: sequence and count of what is wanted. Source: Nasdaq
MoldUDP64 1.0.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import msgspec

from exchange.wire import binary_file
from exchange.wire.records import ProtocolError

HEADER = struct.Struct(">10sQH")
PAYLOAD_BYTES_MAX = 1_400
"""What follows the header stays within this, so that no network cuts the datagram up."""
COUNT_MAX = 0xFFFE
END_OF_SESSION = 0xFFFF


class Packet(msgspec.Struct, frozen=True):
    """A downstream packet. sequence: of the first message, or of the next one where there is none."""

    session: str
    sequence: int
    messages: list[bytes]
    is_end: bool = False


class Request(msgspec.Struct, frozen=True):
    """What somebody missed. count: how many messages from the sequence on."""

    session: str
    sequence: int
    count: int


def encode(session: str, sequence: int, messages: Sequence[bytes]) -> bytes:
    """Write a packet; without messages it is a heartbeat."""
    return HEADER.pack(session_field(session), sequence, len(messages)) + binary_file.encode(messages)


def encode_end(session: str, sequence: int) -> bytes:
    """Write the packet that ends a session. sequence: the one that would have come next."""
    return HEADER.pack(session_field(session), sequence, END_OF_SESSION)


def encode_request(request: Request) -> bytes:
    """Write a request."""
    return HEADER.pack(session_field(request.session), request.sequence, request.count)


def fitting(messages: Sequence[bytes]) -> int:
    """Return how many of the first messages fit into one packet."""
    size = 0
    for count, message in enumerate(messages):
        size += binary_file.LENGTH.size + len(message)
        if size > PAYLOAD_BYTES_MAX or count == COUNT_MAX:
            return count
    return len(messages)


def decode(packet: bytes) -> Packet:
    """Read a downstream packet. Raise `ProtocolError` where it is none."""
    session, sequence, count = _header(packet)
    if count == END_OF_SESSION:
        return Packet(session, sequence, [], is_end=True)
    messages = list(binary_file.split(packet[HEADER.size :]))
    if len(messages) != count:
        raise ProtocolError(f"count at offset 18: {count}, {len(messages)} messages follow")
    return Packet(session, sequence, messages)


def decode_request(packet: bytes) -> Request:
    """Read a request. Raise `ProtocolError` where it is none."""
    session, sequence, count = _header(packet)
    if len(packet) != HEADER.size or not sequence or not 0 < count <= COUNT_MAX:
        raise ProtocolError(f"request of {count} messages from {sequence} on, in {len(packet)} bytes")
    return Request(session, sequence, count)


def _header(packet: bytes) -> tuple[str, int, int]:
    if len(packet) < HEADER.size:
        raise ProtocolError(f"packet of {len(packet)} bytes, its header has {HEADER.size}")
    session, sequence, count = HEADER.unpack_from(packet)
    try:
        return session.decode("ascii").strip(), sequence, count
    except UnicodeDecodeError as error:
        raise ProtocolError(f"session {session!r} is not ASCII") from error


def session_field(session: str) -> bytes:
    """Return a session's name as packets have it, ten characters. Raise `ProtocolError` where it is longer."""
    padded = session.encode("ascii").ljust(10)
    if len(padded) > 10:
        raise ProtocolError(f"session {session!r} has {len(session)} characters, the most is 10")
    return padded
