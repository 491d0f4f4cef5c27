"""SoupBinTCP 3.0 without a socket: packets in, packets out, login, heartbeats and the rules of sequence numbers.

A packet is: 0 length u16 big-endian (of type and payload) · 2 type · 3 payload. Only `S` packets count: the first one
of a session has sequence 1, and both sides count silently. A client that comes back says in its login which one it
wants next; 1 is the whole session, 0 only what is new.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

import msgspec

from exchange.wire.records import ProtocolError

HEADER = struct.Struct(">Hc")
LENGTH_BYTES = 2
LENGTH_MAX = 65_535
USER_CHARACTERS_MAX = 6
PASSWORD_CHARACTERS_MAX = 10
SESSION_CHARACTERS = 10
SEQUENCE_CHARACTERS = 20
HEARTBEAT_MS = 1_000
"""Silence of our own after which a heartbeat is sent."""
DEAD_AFTER_MS = 15_000
"""Silence of the other side after which it is taken for dead."""

LOGIN_REQUEST, UNSEQUENCED, CLIENT_HEARTBEAT, LOGOUT_REQUEST = b"L", b"U", b"R", b"O"
LOGIN_ACCEPTED, LOGIN_REJECTED, SEQUENCED, SERVER_HEARTBEAT, END_OF_SESSION = b"A", b"J", b"S", b"H", b"Z"
DEBUG = b"+"
NOT_AUTHORISED, SESSION_NOT_AVAILABLE = b"A", b"S"

_LOGIN = struct.Struct(
    f"{USER_CHARACTERS_MAX}s{PASSWORD_CHARACTERS_MAX}s{SESSION_CHARACTERS}s{SEQUENCE_CHARACTERS}s"
)
LOGIN_BYTES = HEADER.size + _LOGIN.size
"""Of the whole packet of a login request."""
_ACCEPTED = struct.Struct(f"{SESSION_CHARACTERS}s{SEQUENCE_CHARACTERS}s")


class LoginRequest(msgspec.Struct, frozen=True):
    """A client's login. session: blank for the present one; sequence: the next wanted, 0 for only what is new."""

    user: str
    password: str
    session: str = ""
    sequence: int = 0


class LoginAccepted(msgspec.Struct, frozen=True):
    """The server's yes. sequence: of the next `S` packet."""

    session: str
    sequence: int


class Packet(NamedTuple):
    """One packet. kind: its type, one byte."""

    kind: bytes
    payload: bytes


def packet(kind: bytes, payload: bytes = b"") -> bytes:
    """Write a packet; the payload has at most 65,534 bytes."""
    return HEADER.pack(len(payload) + 1, kind) + payload


def split(data: bytes | bytearray, length_max: int = LENGTH_MAX) -> tuple[list[Packet], int]:
    """Return the whole packets at the beginning of what was received, and how many bytes they are.

    length_max: a longer packet is refused. Raise `ProtocolError` for one that is longer or has no type.
    """
    packets: list[Packet] = []
    at, end = 0, len(data)
    while at + LENGTH_BYTES <= end:
        length = check_length(data[at] << 8 | data[at + 1], at, length_max)
        following = at + LENGTH_BYTES + length
        if following > end:
            break
        packets.append(Packet(bytes(data[at + 2 : at + 3]), bytes(data[at + 3 : following])))
        at = following
    return packets, at


def payloads(packets: bytes) -> list[bytes]:
    """Return what whole packets carry. Raise `ProtocolError` for one without a type."""
    return [each.payload for each in split(packets)[0]]


def check_length(length: int, offset: int, length_max: int) -> int:
    """Return a packet's length. Raise `ProtocolError` where it has no type or is longer than allowed."""
    if not 1 <= length <= length_max:
        raise ProtocolError(f"length at offset {offset}: {length}, a packet here has 1 to {length_max}")
    return length


def login_request(login: LoginRequest) -> bytes:
    """Write a login request: user and password to the left, session and sequence to the right."""
    return packet(
        LOGIN_REQUEST,
        _LOGIN.pack(
            login.user.encode("ascii").ljust(USER_CHARACTERS_MAX),
            login.password.encode("ascii").ljust(PASSWORD_CHARACTERS_MAX),
            login.session.encode("ascii").rjust(SESSION_CHARACTERS),
            sequence_text(login.sequence),
        ),
    )


def first_login(data: bytes | bytearray) -> LoginRequest | None:
    """Read the login request with which a client must begin; None where it is not whole yet.

    Raise `ProtocolError` as soon as it can be none.
    """
    beginning = HEADER.pack(LOGIN_BYTES - LENGTH_BYTES, LOGIN_REQUEST)
    seen = bytes(data[: HEADER.size])
    if not beginning.startswith(seen):
        raise ProtocolError(
            f"first packet: it begins with {seen!r}, it must be a login request, which begins with {beginning!r}"
        )
    return read_login_request(bytes(data[HEADER.size : LOGIN_BYTES])) if len(data) >= LOGIN_BYTES else None


def read_login_request(payload: bytes) -> LoginRequest:
    """Read a login request. Raise `ProtocolError` where it is none."""
    if len(payload) != _LOGIN.size:
        raise ProtocolError(f"login request: {len(payload)} bytes, it has {_LOGIN.size}")
    user, password, session, sequence = _LOGIN.unpack(payload)
    return LoginRequest(
        _text(user, "user"), _text(password, "password"), _text(session, "session"), read_sequence(sequence)
    )


def login_accepted(accepted: LoginAccepted) -> bytes:
    """Write a login accepted."""
    session = accepted.session.encode("ascii").rjust(SESSION_CHARACTERS)
    return packet(LOGIN_ACCEPTED, _ACCEPTED.pack(session, sequence_text(accepted.sequence)))


def read_login_accepted(payload: bytes) -> LoginAccepted:
    """Read a login accepted. Raise `ProtocolError` where it is none."""
    if len(payload) != _ACCEPTED.size:
        raise ProtocolError(f"login accepted: {len(payload)} bytes, it has {_ACCEPTED.size}")
    session, sequence = _ACCEPTED.unpack(payload)
    return LoginAccepted(_text(session, "session"), read_sequence(sequence))


def sequence_text(sequence: int) -> bytes:
    """Write a sequence as its 20 characters, to the right, filled with blanks."""
    return str(sequence).encode("ascii").rjust(SEQUENCE_CHARACTERS)


def read_sequence(text: bytes) -> int:
    """Read a sequence: digits to the left or to the right, filled with blanks or zeroes; all blank is 0.

    Raise `ProtocolError` where it is none.
    """
    digits = text.strip(b" ")
    if digits and not (digits.isdigit() and len(digits) <= SEQUENCE_CHARACTERS):
        raise ProtocolError(f"sequence: {text!r} is not a number of up to {SEQUENCE_CHARACTERS} digits")
    return int(digits or b"0")


def first_wanted(requested: int, last: int) -> int | None:
    """Return the sequence from which to send, where `last` is the latest there is; None where it was never sent."""
    if requested == 0:
        return last + 1
    return requested if requested <= last + 1 else None


class Silence:
    """Watches the silence of both sides: says when to send a heartbeat and when the other side counts as dead.

    Times are milliseconds of one clock that never goes back. Any packet is a sign of life.
    """

    __slots__ = ("_dead_after_ms", "_heartbeat_ms", "received_ms", "sent_ms")

    def __init__(
        self, now_ms: int, heartbeat_ms: int = HEARTBEAT_MS, dead_after_ms: int = DEAD_AFTER_MS
    ) -> None:
        self.sent_ms = self.received_ms = now_ms
        self._heartbeat_ms = heartbeat_ms
        self._dead_after_ms = dead_after_ms

    def is_dead(self, now_ms: int) -> bool:
        """Tell whether the other side has been silent for too long."""
        return now_ms - self.received_ms >= self._dead_after_ms

    def heartbeat_is_due(self, now_ms: int) -> bool:
        """Tell whether a heartbeat must be sent; it counts as sent then."""
        if now_ms - self.sent_ms < self._heartbeat_ms:
            return False
        self.sent_ms = now_ms
        return True


def _text(field: bytes, name: str) -> str:
    try:
        return field.decode("ascii").strip(" ")
    except UnicodeDecodeError as error:
        raise ProtocolError(f"{name}: {field!r} is not ASCII") from error
