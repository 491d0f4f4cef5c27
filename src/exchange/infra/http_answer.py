"""An answer with its whole body, written in one piece: a fraction of the work of a general response."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from email.utils import formatdate
from http import HTTPStatus
from time import time
from typing import Any

from aiohttp import web

READ_TIMEOUT_S = 30.0
"""A client that does not read its answer for so long is cut off."""
_STATUS_LINES = {int(status): f"HTTP/1.1 {int(status)} {status.phrase}\r\n" for status in HTTPStatus}
_BODILESS = (204, 304)


class _DateLine:
    """The Date header, made once a second. RFC 9110 §6.6.1."""

    def __init__(self) -> None:
        self._second = 0
        self._line = ""

    def line(self) -> str:
        now = int(time())
        if now != self._second:
            self._second = now
            self._line = f"Date: {formatdate(now, usegmt=True)}\r\n"
        return self._line


_date = _DateLine()


class Answer(web.StreamResponse):
    """Status, headers and body, ready to be sent; content_type: empty where there is no content.

    It deliberately skips the state of its parent, which only streaming needs.
    """

    def __init__(self, status: int, body: bytes, content_type: str) -> None:
        self._code = status
        self._head = f"Content-Type: {content_type}\r\n" if content_type else ""
        self._payload = body
        self._stays = True

    @property
    def status(self) -> int:
        """Return the status code."""
        return self._code

    @property
    def keep_alive(self) -> bool:
        """Tell whether the connection stays open after this answer."""
        return self._stays

    @property
    def body_length(self) -> int:
        """Return the size of the body in bytes."""
        return len(self._payload)

    def add_headers(self, headers: Mapping[str, str] | Iterable[tuple[str, str]]) -> None:
        """Add headers; a line break in one cannot be sent and is dropped."""
        pairs = headers.items() if isinstance(headers, Mapping) else headers
        for name, value in pairs:
            self._head += f"{name}: {value}\r\n".replace("\r", "").replace("\n", "") + "\r\n"

    def close_after(self) -> None:
        """Close the connection once this is sent."""
        self._stays = False

    def identify(self, request_id: str) -> None:
        """Add the request's id, which is known to be a plain word."""
        self._head += f"X-Request-ID: {request_id}\r\n"

    async def prepare(self, request: web.BaseRequest) -> Any:
        """Send the answer; wait while the client does not read. Raise `ConnectionError`."""
        transport = request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client is gone")
        if not request.keep_alive:
            self._stays = False
        head = f"{_STATUS_LINES[self._code]}{_date.line()}{self._head}"
        if self._code not in _BODILESS:
            head += f"Content-Length: {len(self._payload)}\r\n"
        if not self._stays:
            head += "Connection: close\r\n"
        elif request.version < (1, 1):
            head += "Connection: keep-alive\r\n"
        head_bytes = (head + "\r\n").encode("latin-1", "replace")
        transport.write(head_bytes if request.method == "HEAD" else head_bytes + self._payload)
        if request.protocol.writing_paused:
            await _drained(request, transport)

    async def write_eof(self, data: bytes = b"") -> None:
        """Do nothing: `prepare` has sent everything."""


async def _drained(request: web.BaseRequest, transport: asyncio.Transport) -> None:
    try:
        async with asyncio.timeout(READ_TIMEOUT_S):
            await request.writer.drain()
    except TimeoutError:
        transport.abort()
        raise ConnectionResetError(f"the client did not read its answer for {READ_TIMEOUT_S:g} s") from None
