"""A WebSocket connection seen from the server: a bounded queue of ready frames out, typed commands in.

A message for many is made a frame once (`text_frame`) and the same bytes go to every connection; a long one is also
compressed once, for those who can read that, without state per connection (RFC 7692 leaves that to the sender). Frames
wait in a bounded queue and leave in one write per turn of the loop; no task runs per frame. A reader so slow that its
queue is full is closed with the sequence to resume from: nothing is thinned silently, nobody waits.
"""

from __future__ import annotations

import asyncio
import zlib
from collections import deque
from collections.abc import AsyncIterator, Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NewType, Protocol

import msgspec
from aiohttp import WSMsgType, web

from exchange.infra.api_error import ApiError
from exchange.infra.http_limits import TokenBuckets
from exchange.infra.json_body import JsonBody
from exchange.wire.rest.errors import ErrorBody, ErrorCode

Frame = NewType("Frame", bytes)
"""A whole WebSocket frame as it goes over the wire, unmasked and uncompressed. RFC 6455 §5.2."""

CLOSE_REASON_BYTES_MAX = 123
WRITE_BYTES_MAX = 256 * 1024
"""Frames joined into one write; what is beyond goes into the next."""
COMPRESSED_FROM_BYTES = 1024
COMPRESSED_TO_BYTES = 512 * 1024
"""Frames of these sizes are compressed: shorter ones gain little, longer ones would hold up all others."""
_COMPRESSED_FRAMES_KEPT = 64
_FLUSHED = b"\x00\x00\xff\xff"
"""What a flush leaves at the end, and RFC 7692 §7.2.1 takes away."""
GOING_AWAY = 1001
UNSUPPORTED = 1003
POLICY = 1008
FAILED = 1011
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class SocketLimits:
    """The bounds of one connection."""

    queue_bytes_max: int = 4 * 1024 * 1024
    queue_frames_max: int = 20_000
    """A frame more: the reader is too slow, close 1008 with the sequence to resume from."""
    message_bytes_max: int = 64 * 1024
    """A longer message in: close 1009."""
    messages_per_s: int = 50
    messages_burst: int = 200
    """More messages in: close 1008."""
    ping_s: float = 20.0
    """A ping after this silence; no answer within half of it: closed."""
    close_s: float = 2.0
    """A peer that does not answer a close by then is cut off."""
    compresses: bool = True
    """Whether long messages are compressed for who offers permessage-deflate."""


class ErrorMessage(ErrorBody, tag_field="type", tag="error", gc=False):
    """A refusal inside a stream: the one error form, with `"type": "error"`."""


def error_message(error: ApiError, request_id: str = "") -> ErrorMessage:
    """Write a refusal in the one error form."""
    detail = error.extra if error.extra is not None else msgspec.UNSET
    return ErrorMessage(error.code, error.reason, error.message, error.field, error.retry, request_id, detail)


class CloseReason(msgspec.Struct, omit_defaults=True):
    """Why the server closes: JSON in the close frame. resume_from: the first sequence that was not sent."""

    code: int
    reason: str
    resume_from: int = 0


def text_frame(payload: bytes) -> Frame:
    """Make a text frame of a message."""
    size = len(payload)
    if size < 126:
        return Frame(bytes((0x81, size)) + payload)
    if size < 65_536:
        return Frame(b"\x81\x7e" + size.to_bytes(2, "big") + payload)
    return Frame(b"\x81\x7f" + size.to_bytes(8, "big") + payload)


def json_frame(message: Any) -> Frame:
    """Make a text frame of what msgspec can encode."""
    return text_frame(_encode(message))


@lru_cache(maxsize=_COMPRESSED_FRAMES_KEPT)
def compressed_frame(frame: Frame) -> Frame:
    """Compress a text frame, as permessage-deflate has it; it can be read after any other. RFC 7692."""
    start = {126: 4, 127: 10}.get(frame[1], 2)
    deflate = zlib.compressobj(zlib.Z_BEST_SPEED, zlib.DEFLATED, -zlib.MAX_WBITS)
    payload = deflate.compress(frame[start:]) + deflate.flush(zlib.Z_SYNC_FLUSH)
    plain = text_frame(payload.removesuffix(_FLUSHED))
    return Frame(b"\xc1" + plain[1:])


class Outlet(Protocol):
    """Who is sent ready frames: a WebSocket, or server-sent events. It never waits, and is closed when it is full."""

    limits: SocketLimits
    is_closing: bool
    last_sent_s: float

    @property
    def queued_bytes(self) -> int:
        """Return the size of what waits to be written."""

    def send(self, frame: Frame, sequence: int = 0) -> bool:
        """Queue a frame; tell whether it was taken. sequence: the one to resume from if it is not sent."""

    def send_json(self, message: Any, sequence: int = 0) -> bool:
        """Queue a message for this client only."""


class Connection:
    """One client's connection. `send` never waits; `commands` yields what the client asks."""

    def __init__(self, raw: web.BaseRequest, limits: SocketLimits) -> None:
        self.raw = raw
        self.limits = limits
        self.response = web.WebSocketResponse(
            heartbeat=limits.ping_s,
            max_msg_size=limits.message_bytes_max,
            compress=limits.compresses,
            timeout=limits.close_s,
        )
        self.is_closing = True
        self._compresses = False
        self.frames_sent = 0
        self.bytes_sent = 0
        self.last_sent_s = 0.0
        """Loop time of the last frame: a heartbeat is due a second later."""
        self._loop = asyncio.get_running_loop()
        self._queue: deque[tuple[Frame, int]] = deque()
        self._queue_bytes = 0
        self._flush_is_due = False
        self._resuming: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None
        self._inbound = TokenBuckets(limits.messages_per_s, limits.messages_burst)

    # --- out --------------------------------------------------------------------------------------

    def send(self, frame: Frame, sequence: int = 0) -> bool:
        """Queue a frame; tell whether it was taken. sequence: the one to resume from if it is not sent."""
        if self.is_closing:
            return False
        if self._compresses and COMPRESSED_FROM_BYTES <= len(frame) <= COMPRESSED_TO_BYTES:
            frame = compressed_frame(frame)
        if (
            len(self._queue) >= self.limits.queue_frames_max
            or self._queue_bytes + len(frame) > self.limits.queue_bytes_max
        ):
            self._close_slow_reader(sequence)
            return False
        self._queue.append((frame, sequence))
        self._queue_bytes += len(frame)
        if not self._flush_is_due:
            self._flush_is_due = True
            self._loop.call_soon(self._flush)
        return True

    def send_json(self, message: Any, sequence: int = 0) -> bool:
        """Queue a message for this connection only."""
        return self.send(json_frame(message), sequence)

    def refuse(self, error: ApiError, request_id: str = "") -> bool:
        """Queue a refusal in the one error form."""
        return self.send_json(error_message(error, request_id))

    @property
    def queued_bytes(self) -> int:
        """Return the size of what waits to be written."""
        return self._queue_bytes

    def _flush(self) -> None:
        """Write what waits until all is written or the client does not read; then go on when it does."""
        transport = self.raw.transport
        if transport is None or transport.is_closing():
            self._drop_queue()
            return
        queue = self._queue
        while queue and not self.raw.protocol.writing_paused:
            parts: list[bytes] = []
            size = 0
            while queue and size < WRITE_BYTES_MAX:
                frame, _ = queue.popleft()
                parts.append(frame)
                size += len(frame)
            transport.write(parts[0] if len(parts) == 1 else b"".join(parts))
            self._queue_bytes -= size
            self.frames_sent += len(parts)
            self.bytes_sent += size
        self.last_sent_s = self._loop.time()
        self._flush_is_due = bool(queue)
        if queue:
            self._resuming = self._loop.create_task(self._resume())

    async def _resume(self) -> None:
        try:
            await self.raw.writer.drain()
        except ConnectionError:
            self._drop_queue()
            return
        self._flush()

    def _drop_queue(self) -> None:
        self._queue.clear()
        self._queue_bytes = 0
        self.is_closing = True

    # --- in ---------------------------------------------------------------------------------------

    async def commands(self, reader: JsonBody) -> AsyncIterator[Any]:
        """Yield the client's messages as values; refuse in band what is not one; end with the connection."""
        while (message := await self.receive()) is not None:
            try:
                command = reader.read(message)
            except ApiError as error:
                self.refuse(error)
                continue
            yield command

    async def receive(self) -> bytes | None:
        """Wait for the next text message; None when the connection ends."""
        message = await self.response.receive()
        if message.type is WSMsgType.BINARY:
            text = "the stream takes text messages with JSON, not binary ones"
            self.close(UNSUPPORTED, ApiError.of(ErrorCode.MALFORMED_REQUEST, text))
        if message.type is not WSMsgType.TEXT or self.is_closing:
            return None
        if not self._inbound.take("", self._loop.time()).taken:
            text = f"more than {self.limits.messages_per_s} messages per second"
            self.close(POLICY, ApiError.of(ErrorCode.TOO_MANY_REQUESTS, text))
            return None
        payload: str = message.data
        return payload.encode()

    # --- life -------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Do the handshake."""
        await self.response.prepare(self.raw)
        self._compresses = bool(self.response.compress)
        self.is_closing = False
        self.last_sent_s = self._loop.time()

    def close(self, close_code: int, error: ApiError) -> None:
        """Say why in band, send what waits if the client reads, then close."""
        if self.is_closing:
            return
        self.refuse(error)
        self._flush()
        self._start_close(close_code, CloseReason(error.code, error.reason))

    def _close_slow_reader(self, sequence: int) -> None:
        unsent = [queued for _, queued in self._queue if queued]
        code = ErrorCode.SLOW_READER
        self._start_close(POLICY, CloseReason(code, code.name.lower(), unsent[0] if unsent else sequence))

    def _start_close(self, close_code: int, reason: CloseReason) -> None:
        self._drop_queue()
        self._closing = self._loop.create_task(
            self._close(close_code, _encode(reason)[:CLOSE_REASON_BYTES_MAX])
        )

    async def _close(self, close_code: int, reason: bytes) -> None:
        try:
            async with asyncio.timeout(self.limits.close_s):
                await self.response.close(code=close_code, message=reason)
        except (TimeoutError, ConnectionError):
            pass
        transport = self.raw.transport
        if transport is not None and transport.get_write_buffer_size():
            transport.abort()

    async def finish(self, failed: bool = False) -> None:
        """Close the connection when its handler has ended, and wait until it is closed."""
        if not self.is_closing:
            self._flush()
            self._start_close(
                FAILED if failed else 1000, CloseReason(0, "internal_error" if failed else "bye")
            )
        if self._resuming is not None:
            self._resuming.cancel()
        if self._closing is not None:
            await self._closing


def fan_out(frame: Frame, connections: Iterable[Outlet], sequence: int = 0) -> None:
    """Queue the same frame for many."""
    for connection in connections:
        connection.send(frame, sequence)


def is_origin_allowed(request: web.BaseRequest, origins: Collection[str]) -> bool:
    """Tell whether a page of this origin may connect: our own, a listed one, or no page at all."""
    origin = request.headers.get("Origin")
    if origin is None or "*" in origins or origin in origins:
        return True
    return origin.partition("://")[2] == request.headers.get("Host")
