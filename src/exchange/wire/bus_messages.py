"""What components tell each other over the bus beside events, as JSON: announcements, rulings, dead letters."""

from __future__ import annotations

from typing import Literal, TypeVar

import msgspec

from exchange.wire.records import ProtocolError

VERSION = 1
DEAD_BODY_BYTES_MAX = 256 << 10
"""Of a longer message, a dead letter keeps the beginning."""

ComponentName = Literal["engine", "reporter", "clearing"]
State = Literal["starting", "ready", "not_ready", "draining", "stopped"]


class Announcement(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="component"):
    """A component says how it is.

    instance: differs at every start; number: counts its announcements; reasons: why it is not ready; every_ms: when
    the next one comes at the latest, 0 after the last; position: the last event it made or took in;
    config_version, config_pending: of the shared configuration, and keys of it that wait for a restart.
    """

    version: int = VERSION
    component: ComponentName
    instance: str
    partition: int
    number: int
    state: State
    started_ns: int
    time_ns: int
    every_ms: int
    url: str = ""
    release: str = ""
    reasons: tuple[str, ...] = ()
    position: int = 0
    config_version: int = 0
    config_pending: tuple[str, ...] = ()


class RulingNews(msgspec.Struct, frozen=True, kw_only=True):
    """A decision of clearing about one trade; who decided and why is told by its REST."""

    ruling_id: str
    match_id: str
    verdict: str
    code: int
    time_ns: int


class Rulings(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="rulings"):
    """What clearing decided, once that is stored."""

    version: int = VERSION
    partition: int
    items: tuple[RulingNews, ...]


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="dead_letter"):
    """A message that could not be read, with the reason. size_bytes: of the whole message."""

    version: int = VERSION
    topic: str
    channel: str
    reason: str
    attempts: int
    time_ns: int
    size_bytes: int
    body: bytes


News = Announcement | Rulings | DeadLetter
Kind = TypeVar("Kind", Announcement, Rulings, DeadLetter)


class _Version(msgspec.Struct):
    version: int


def encode_message(message: News) -> bytes:
    """Write a message."""
    return msgspec.json.encode(message)


def decode_message(data: bytes, kind: type[Kind]) -> Kind:
    """Read a message. Raise `ProtocolError` where it is damaged, of another kind or of another version."""
    try:
        version = msgspec.json.decode(data, type=_Version).version
        if version != VERSION:
            raise ProtocolError(
                f"version: {version}, this version reads {VERSION}; upgrade the older component"
            )
        return msgspec.json.decode(data, type=kind)
    except msgspec.DecodeError as error:
        raise ProtocolError(f"no {kind.__name__.lower()}: {error}") from error


def dead_letter(
    topic: str, channel: str, reason: str, attempts: int, time_ns: int, body: bytes
) -> DeadLetter:
    """Make a dead letter of a message."""
    return DeadLetter(
        topic=topic,
        channel=channel,
        reason=reason,
        attempts=attempts,
        time_ns=time_ns,
        size_bytes=len(body),
        body=body[:DEAD_BODY_BYTES_MAX],
    )
