"""A client of server-sent events: what `websocket.Connection` is for a WebSocket, over an HTTP answer that never ends.

It takes the same ready frames, so that what is sent to many is encoded once, and has the same bound: a reader so slow
that its queue is full is cut off. A browser then connects again by itself, and says in `Last-Event-ID` how far it came.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from typing import Any

from aiohttp import web

from exchange.infra.websocket import Frame, SocketLimits, json_frame

MEDIA = "text/event-stream"
HEADERS = {"Content-Type": MEDIA, "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
RETRY_MS = 1_000
"""How long a browser waits before it connects again."""
WRITE_S = 30.0
"""A client that takes nothing for so long is cut off; on Linux also one that acknowledges nothing."""
SLOW = b'event: closed\ndata: {"reason":"slow_reader"}\n\n'
_LENGTHS = {126: 4, 127: 10}


class EventStream:
    """One client. with_ids: whether messages carry their sequence as id; see `begin_ids`."""

    def __init__(self, request: web.BaseRequest, limits: SocketLimits, headers: dict[str, str]) -> None:
        self.limits = limits
        self.is_closing = False
        self.last_sent_s = 0.0
        self.with_ids = False
        self._request = request
        self._response = web.StreamResponse(headers={**HEADERS, **headers})
        self._loop = asyncio.get_running_loop()
        self._queue: deque[bytes] = deque()
        self._queue_bytes = 0
        self._arrived = asyncio.Event()

    @property
    def queued_bytes(self) -> int:
        """Return the size of what waits to be written."""
        return self._queue_bytes

    @property
    def response(self) -> web.StreamResponse:
        """Return the answer that is being written."""
        return self._response

    def send(self, frame: Frame, sequence: int = 0) -> bool:
        """Queue a message; tell whether it was taken. sequence: the id it is given."""
        data = b"data: " + frame[_LENGTHS.get(frame[1], 2) :] + b"\n\n"
        if self.with_ids and sequence:
            data = b"id: %d\n" % sequence + data
        return self._put(data)

    def send_json(self, message: Any, sequence: int = 0) -> bool:
        """Queue a message for this client only."""
        return self.send(json_frame(message), sequence)

    def begin_ids(self, sequence: int) -> None:
        """Say that everything up to an event has been sent: from now on ids are good for coming back."""
        self.with_ids = True
        self._put(b'id: %d\nevent: begun\ndata: {"seq":%d}\n\n' % (sequence, sequence))

    def _put(self, data: bytes) -> bool:
        if self.is_closing:
            return False
        full = len(self._queue) >= self.limits.queue_frames_max
        if full or self._queue_bytes + len(data) > self.limits.queue_bytes_max:
            self._queue.clear()
            self._queue.append(SLOW)
            self.close()
            return False
        self._queue.append(data)
        self._queue_bytes += len(data)
        self._arrived.set()
        return True

    def close(self) -> None:
        """Write what waits, then end."""
        self.is_closing = True
        self._arrived.set()

    async def open(self) -> None:
        """Begin the answer; from then on what is sent must be acknowledged, so that a half-open connection ends."""
        transport = self._request.transport
        plug = transport.get_extra_info("socket") if transport is not None else None
        if plug is not None and hasattr(socket, "TCP_USER_TIMEOUT"):
            plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(WRITE_S * 1_000))
        await self._response.prepare(self._request)
        self._put(b"retry: %d\n\n" % RETRY_MS)

    async def write(self) -> None:
        """Write what comes until the client is gone, is too slow, or `close` is called."""
        try:
            while not self.is_closing or self._queue:
                await self._arrived.wait()
                self._arrived.clear()
                data = b"".join(self._queue)
                self._queue.clear()
                self._queue_bytes = len(data)
                async with asyncio.timeout(WRITE_S):
                    await self._response.write(data)
                self._queue_bytes -= len(data)
                self.last_sent_s = self._loop.time()
        except (ConnectionError, TimeoutError):
            self._cut_off()
        finally:
            self.is_closing = True
        if not self._is_cut_off():
            await self._response.write_eof()

    def _cut_off(self) -> None:
        transport = self._request.transport
        if transport is not None:
            transport.abort()

    def _is_cut_off(self) -> bool:
        transport = self._request.transport
        return transport is None or transport.is_closing()
