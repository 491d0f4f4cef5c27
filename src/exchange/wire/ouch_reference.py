"""What ties the one numbered stream to OUCH sessions: the reference in an order's client order id, and notes.

**Reference.** An order of a session carries in its `client_order_id`: `~` · session, 5 hexadecimal digits · user
reference number, 8 · side · display · capacity · firm, 4 characters filled with `~` · ClOrdID, 0 to 14 characters. So
every event that names the id tells the session and the number, and a session's state can be made again from events.

**Note.** What is no order but must stand in the stream, so that a session's messages can be made again from it, is a
`CancelOrder` of an order id that no order can have; the venue answers it with `CommandRejected`, its subject being
that id: 255 in the top 8 bits, then session, 20 bits · kind, 4 · value, 32. A note that announces a command stands
right before it. Nobody but the OUCH gateway can send either: REST refuses both forms.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import NamedTuple

from exchange.domain import commands as c
from exchange.wire.records import LAYOUTS, VERSION

SESSIONS_MAX = 2**20 - 1
"""The highest number of a session."""
MARK = b"~"
BYTES = 36
_SESSION = slice(1, 6)
_NUMBER = slice(6, 14)
SIDE_AT, DISPLAY_AT, CAPACITY_AT = 14, 15, 16
FIRM = slice(17, 21)
CL_ORD_ID = slice(21, 35)
_BYTES_MIN = 21
_NOTE_MARK = 0xFF << 56
_HEXADECIMAL = frozenset(b"0123456789ABCDEF")
_CANCEL = LAYOUTS[c.CancelOrder]
_NOTE_BYTES = _CANCEL.struct.size
_TYPE_OFFSET = 4


class NoteKind(IntEnum):
    """What a note says; its value is a user reference number where nothing else is said."""

    REPLACE = 1
    """The next command is a Replace with this number."""
    MODIFY = 2
    """The next command is a Modify of this number."""
    REDUCE = 3
    """The next command is a Cancel to a new size, of this number."""
    FIRM = 4
    """The firm that the next note names: 4 characters."""
    SYMBOL = 5
    """The symbol that the next note names: its id."""
    MASS_CANCELLED = 6
    """A mass cancel is done."""
    DISABLED = 7
    """Order entry is disabled."""
    ENABLED = 8
    """Order entry is enabled."""
    QUERY = 9
    """The account was asked for its next number, which is the value."""


class Note(NamedTuple):
    """A note as it was read."""

    session: int
    kind: int
    value: int


def write_reference(
    session: int, number: int, side: bytes, display: bytes, capacity: bytes, firm: bytes, cl_ord_id: bytes
) -> bytes:
    """Return the client order id of a session's order; firm and ClOrdID as on the wire."""
    return b"~%05X%08X%b%b%b%b%b" % (
        session, number, side, display, capacity, firm.rstrip(b" ").ljust(4, MARK), cl_ord_id.rstrip(b" "),
    )  # fmt: skip


def is_reference(client_order_id: bytes) -> bool:
    """Tell whether a client order id, without filling, has the form that belongs to sessions."""
    return (
        client_order_id[:1] == MARK
        and _BYTES_MIN <= len(client_order_id) < BYTES
        and _HEXADECIMAL.issuperset(client_order_id[1:14])
    )


def session_of(client_order_id: bytes) -> int:
    """Return the session of a reference."""
    return int(client_order_id[_SESSION], 16)


def number_of(client_order_id: bytes) -> int:
    """Return the user reference number of a reference."""
    return int(client_order_id[_NUMBER], 16)


def cl_ord_id_of(client_order_id: bytes) -> bytes:
    """Return a reference's ClOrdID, 14 bytes."""
    return client_order_id[CL_ORD_ID].rstrip(b"\0").ljust(14)


def firm_of(client_order_id: bytes) -> bytes:
    """Return a reference's firm, 4 bytes, blank where there is none."""
    return client_order_id[FIRM].replace(MARK, b" ")


def note(session: int, kind: NoteKind, value: int) -> bytes:
    """Write a note as its command record."""
    order_id = _NOTE_MARK | session << 36 | kind << 32 | value
    return _CANCEL.struct.pack(_NOTE_BYTES, _CANCEL.number, VERSION, 0, 0, 0, order_id, 0)


def firm_note(session: int, firm: bytes) -> bytes:
    """Write the note of a firm of 4 characters."""
    return note(session, NoteKind.FIRM, struct.unpack(">I", firm)[0])


def is_note(commands: bytes, offset: int) -> bool:
    """Tell whether the command record at an offset is a note."""
    if commands[offset + _TYPE_OFFSET] != _CANCEL.number:
        return False
    order_id = _CANCEL.struct.unpack_from(commands, offset)[6]
    return read_note(order_id) is not None


def read_note(subject: int) -> Note | None:
    """Return the note that the subject of a refused cancel is, if it is one."""
    if subject >> 56 != _NOTE_MARK >> 56 or not subject >> 36 & SESSIONS_MAX:
        return None
    return Note(subject >> 36 & SESSIONS_MAX, subject >> 32 & 0xF, subject & 0xFFFF_FFFF)
