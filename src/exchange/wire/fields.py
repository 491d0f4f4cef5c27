"""Read only some fields of an event record, with structs that skip the rest: for paths that see each one."""

from __future__ import annotations

import struct

from exchange.domain import events as e
from exchange.wire.records import (
    BY_NUMBER,
    EVENT_HEADER,
    LAYOUTS,
    VERSION,
    VERSION_OFFSET,
    Layout,
    ProtocolError,
    version_refused,
)

HEADER_FIELDS = (
    "length", "type", "version", "flags", "partition", "sequence", "command_sequence", "time_ns", "epoch",
    "symbol_id",
)  # fmt: skip
RECORD_START = struct.Struct("<IHB")
"""(length, kind, flags) of any record; kind is type and version in one number, see `kind_of`."""


def kind_of(event_type: type[e.Event]) -> int:
    """Return the number that `RECORD_START` gives for records of an event type in the version we read."""
    return LAYOUTS[event_type].number | VERSION << 8


def field_struct(event_type: type[e.Event], *names: str) -> struct.Struct:
    """Return a struct that unpacks these fields of an event record, named in the order in which they lie.

    event_type: `Event` itself for fields of the header alone. Values come as they lie in the record: enums as
    their numbers, texts as padded bytes.
    """
    body = [] if event_type is e.Event else LAYOUTS[event_type].fields
    fields = [*zip(HEADER_FIELDS, EVENT_HEADER.format[1:], strict=True), *body]
    wanted = list(names)
    parts = []
    for name, code in fields:
        code = Layout.CODES.get(code, code)
        if wanted and name == wanted[0]:
            parts.append(code)
            wanted.pop(0)
        else:
            parts.append(f"{struct.calcsize('<' + code)}x")
    if wanted:
        raise ValueError(f"{event_type.__name__} has no {wanted[0]!r}, or not after {names[: -len(wanted)]}")
    return struct.Struct("<" + "".join(parts))


def refuse_unknown(kind: int, offset: int) -> None:
    """Raise `ProtocolError` where the kind of the record at an offset is no event in the version we read."""
    number, version = kind & 0xFF, kind >> 8
    layout = BY_NUMBER.get(number)
    if layout is None or not layout.is_event:
        raise ProtocolError(f"type at offset {offset + 4}: {number} is no event that this version knows")
    if version != VERSION:
        raise ProtocolError(version_refused(offset + VERSION_OFFSET, version, VERSION))
