"""NSQ's TCP protocol, version 2, as bytes: the commands a client sends, and the frames nsqd answers.

A frame is: length of what follows i32 · kind i32 · data; all numbers big-endian. A message's data is: time i64 in
nanoseconds · attempts u16 · id of 16 bytes · body.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence

import msgspec

from exchange.wire.records import ProtocolError

MAGIC = b"  V2"
NOP = b"NOP\n"
CLOSE = b"CLS\n"
HEARTBEAT = b"_heartbeat_"
OK = b"OK"
FRAME_BYTES_MAX = 16 << 20
"""A longer frame is refused; nsqd itself takes messages of 1 MiB unless told otherwise."""
_NAME = re.compile(r"[.a-zA-Z0-9_-]{1,64}(#ephemeral)?\Z", re.ASCII)
NAME_CHARACTERS_MAX = 64
_RESPONSE, _ERROR, _MESSAGE = 0, 1, 2
_LENGTH = struct.Struct(">i")
_HEADER = struct.Struct(">ii")
_MESSAGE_HEADER = struct.Struct(">qH16s")


class Response(msgspec.Struct, frozen=True, gc=False):
    """The answer to a command, or a heartbeat."""

    data: bytes


class Failure(msgspec.Struct, frozen=True, gc=False):
    """A refused command. code: such as E_FIN_FAILED."""

    code: str
    text: str

    @property
    def is_of_one_message(self) -> bool:
        """Tell whether only a message is concerned, which came again meanwhile; the connection goes on."""
        return self.code in ("E_FIN_FAILED", "E_REQ_FAILED", "E_TOUCH_FAILED")


class Message(msgspec.Struct, frozen=True, gc=False):
    """A message that was delivered. attempts: how often, this one included."""

    time_ns: int
    attempts: int
    message_id: bytes
    body: bytes


Frame = Response | Failure | Message


def is_valid_name(name: str) -> bool:
    """Tell whether nsqd takes this as the name of a topic or channel."""
    return len(name) <= NAME_CHARACTERS_MAX and _NAME.match(name) is not None


def identify(features: dict[str, object]) -> bytes:
    """Write what the client is and wants; the first command of every connection."""
    return b"IDENTIFY\n" + _sized(msgspec.json.encode(features))


def subscribe(topic: str, channel: str) -> bytes:
    """Write: become a consumer of a channel; both are made where they are not there yet."""
    return f"SUB {topic} {channel}\n".encode()


def ready(count: int) -> bytes:
    """Write: so many messages may be in flight to this consumer."""
    return f"RDY {count}\n".encode()


def finish(message_id: bytes) -> bytes:
    """Write: a message is done with."""
    return b"FIN " + message_id + b"\n"


def requeue(message_id: bytes, delay_ms: int) -> bytes:
    """Write: a message shall come again after a while."""
    return b"REQ " + message_id + f" {delay_ms}\n".encode()


def touch(message_id: bytes) -> bytes:
    """Write: give a message in flight its whole time again."""
    return b"TOUCH " + message_id + b"\n"


def publish(topic: str, body: bytes) -> bytes:
    """Write: send one message."""
    return f"PUB {topic}\n".encode() + _sized(body)


def publish_many(topic: str, bodies: Sequence[bytes]) -> bytes:
    """Write: send several messages, all or none."""
    packed = _LENGTH.pack(len(bodies)) + b"".join(map(_sized, bodies))
    return f"MPUB {topic}\n".encode() + _sized(packed)


class FrameReader:
    """Cuts what arrives into frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Take in what arrived and give the frames that are whole. Raise `ProtocolError` on nonsense."""
        buffer = self._buffer
        buffer += data
        start = 0
        try:
            while len(buffer) - start >= _HEADER.size:
                length, kind = _HEADER.unpack_from(buffer, start)
                if not _LENGTH.size <= length <= FRAME_BYTES_MAX:
                    raise ProtocolError(f"frame length at offset 0: {length}, {FRAME_BYTES_MAX} at most")
                end = start + _LENGTH.size + length
                if len(buffer) < end:
                    break
                content = bytes(memoryview(buffer)[start + _HEADER.size : end])
                start = end
                yield _frame(kind, content)
        finally:
            del buffer[:start]


def _frame(kind: int, content: bytes) -> Frame:
    if kind == _RESPONSE:
        return Response(content)
    if kind == _ERROR:
        code, _, text = content.decode(errors="replace").partition(" ")
        return Failure(code, text)
    if kind != _MESSAGE:
        raise ProtocolError(f"frame kind at offset 4: {kind}, known are 0 to 2")
    if len(content) < _MESSAGE_HEADER.size:
        raise ProtocolError(f"message: {len(content)} bytes, its header has {_MESSAGE_HEADER.size}")
    time_ns, attempts, message_id = _MESSAGE_HEADER.unpack_from(content)
    return Message(time_ns, attempts, message_id, content[_MESSAGE_HEADER.size :])


def _sized(content: bytes) -> bytes:
    return _LENGTH.pack(len(content)) + content
