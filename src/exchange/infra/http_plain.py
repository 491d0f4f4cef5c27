"""Requests so plain that nothing need be parsed twice: whole in one read, with the same headers as the one before.

A client that sends orders sends the same headers each time. They are checked and remembered as bytes; a request whose
head is known, or plain enough to be remembered, is served without the work of a general request. Whatever is not plain
in every way takes the ordinary path, so nothing here decides what HTTP allows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

from aiohttp import http
from aiohttp.abc import AbstractStreamWriter
from multidict import CIMultiDict

HEADS_MAX = 4_096
"""Heads remembered; when full all are forgotten."""
HEAD_BYTES_MAX = 2_048
_END = b"\r\n\r\n"
_EACH_TIME_ANOTHER = "x-request-id"
"""A head with this one comes once and is not remembered."""
_NAMES = {
    *(
        "host",
        "authorization",
        "content-type",
        "content-length",
        "accept",
        "accept-encoding",
        "accept-language",
    ),
    *("user-agent", "connection", _EACH_TIME_ANOTHER),
}
_DIGITS_MAX = 7


class PlainHead:
    """What is remembered of a head. size: of it and its body together."""

    __slots__ = ("body_at", "content_length", "headers", "path", "size")

    def __init__(self, path: str, headers: CIMultiDict[str], body_at: int, content_length: int) -> None:
        self.path = path
        self.headers = headers
        self.body_at = body_at
        self.content_length = content_length
        self.size = body_at + content_length


class PlainHeads:
    """The heads of POST requests to some paths."""

    def __init__(self, paths: Collection[str]) -> None:
        self._starts = tuple(f"POST {path} HTTP/1.1\r\n".encode() for path in paths)
        self._known: dict[bytes, PlainHead] = {}

    def match(self, data: bytes) -> PlainHead | None:
        """Return the head of data that is exactly one whole plain request, else None."""
        if not self._starts or not data.startswith(self._starts):
            return None
        end = data.find(_END, 0, HEAD_BYTES_MAX)
        if end < 0:
            return None
        text = data[:end]
        head = self._known.get(text) or self._remember(text)
        return head if head is not None and head.size == len(data) else None

    def _remember(self, text: bytes) -> PlainHead | None:
        head = _read(text)
        if head is not None and _EACH_TIME_ANOTHER not in head.headers:
            if len(self._known) >= HEADS_MAX:
                self._known.clear()
            self._known[text] = head
        return head


class PlainRequest:
    """The part of aiohttp's request that serving uses."""

    __slots__ = ("_body", "head", "loop", "protocol", "transport")
    method = "POST"
    version = http.HttpVersion11
    keep_alive = True

    def __init__(
        self, head: PlainHead, body: bytes, protocol: Any, transport: Any, loop: asyncio.AbstractEventLoop
    ) -> None:
        self.head = head
        self.protocol = protocol
        self.transport = transport
        self.loop = loop
        self._body = body

    @property
    def headers(self) -> CIMultiDict[str]:
        """Return the headers."""
        return self.head.headers

    @property
    def path(self) -> str:
        """Return the path, which has nothing to decode."""
        return self.head.path

    @property
    def raw_path(self) -> str:
        """Return the path as it was sent."""
        return self.head.path

    @property
    def content_length(self) -> int:
        """Return the size of the body."""
        return self.head.content_length

    @property
    def content(self) -> PlainRequest:
        """Return the reader of the body: this."""
        return self

    @property
    def remote(self) -> str | None:
        """Return the client's address."""
        peer = self.transport.get_extra_info("peername") if self.transport else None
        return str(peer[0]) if peer else None

    @property
    def writer(self) -> AbstractStreamWriter:
        """Return what waits for a slow reader."""
        return http.StreamWriter(self.protocol, self.loop)

    def is_eof(self) -> bool:
        """Tell that the whole body is there."""
        return True

    def read_nowait(self, _: int = -1) -> bytes:
        """Return the body."""
        return self._body


def _read(text: bytes) -> PlainHead | None:
    """Return a head that is plain in every way, else None."""
    try:
        start, *lines = text.decode("ascii").split("\r\n")
    except UnicodeDecodeError:
        return None
    headers: CIMultiDict[str] = CIMultiDict()
    for line in lines:
        name, colon, value = line.partition(":")
        value = value.strip(" ")
        if not colon or name.lower() not in _NAMES or name in headers or not value.isprintable() or not value:
            return None
        headers[name] = value
    length = headers.get("Content-Length", "")
    is_plain = (
        "Host" in headers
        and length.isdigit()
        and len(length) <= _DIGITS_MAX
        and headers.get("Connection", "keep-alive").lower() == "keep-alive"
    )
    return PlainHead(start.split(" ")[1], headers, len(text) + len(_END), int(length)) if is_plain else None
