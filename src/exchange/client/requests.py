"""Requests by REST that are repeated where that is safe, so that a lost answer neither loses nor doubles anything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Generic, TypeVar

import aiohttp
import msgspec

from exchange import __version__
from exchange.client.errors import Refused, Unreachable
from exchange.wire.rest.errors import ErrorBody, ErrorCode

ANSWER_S = 30
CONNECT_S = 5
ANSWER_BYTES_MAX = 64 << 20
TRIES = 4
"""How often a request is sent that may be sent again; after 0.1, 0.2 and 0.4 s."""
PAUSE_S = 0.1
PAGE_ITEMS = 1_000
RETRIED_STATUSES = (429, 503)

T = TypeVar("T")


class Page(msgspec.Struct, Generic[T]):
    """A page of any list."""

    items: list[T]
    next: str | None = None


class Requests:
    """Requests to one component, with a key where one is needed."""

    def __init__(self, http: aiohttp.ClientSession, url: str, key: str = "") -> None:
        self._http = http
        self.url = url.rstrip("/")
        self._headers = {"User-Agent": f"exchange-client/{__version__}", "Content-Type": "application/json"}
        if key:
            self._headers["Authorization"] = f"Bearer {key}"

    async def get(self, path: str, returns: type[T], **query: object) -> T:
        """Read something; tried again where nobody answers."""
        return await self.ask("GET", path, returns, query=query, tries=TRIES)

    async def items(self, path: str, item: type[T], **query: object) -> AsyncIterator[T]:
        """Read a list over all its pages."""
        query = {"limit": PAGE_ITEMS, **query}
        while True:
            page: Page[T] = await self.ask("GET", path, _page_of(item), query=query, tries=TRIES)
            for each in page.items:
                yield each
            if not page.next:
                return
            query["cursor"] = page.next

    async def ask(
        self,
        method: str,
        path: str,
        returns: type[T],
        body: object = None,
        query: Mapping[str, object] | None = None,
        tries: int = 1,
    ) -> T:
        """Send a request and decode its answer. Raise `Refused`, or `Unreachable` after the last try.

        tries: more than one only where doing it twice does no harm.
        """
        for number in range(1, tries + 1):
            try:
                return await self._ask_once(method, path, returns, body, query or {})
            except (Unreachable, Refused) as error:
                can_help = isinstance(error, Unreachable) or error.status in RETRIED_STATUSES
                if number == tries or not can_help:
                    raise
                await asyncio.sleep(PAUSE_S * 2 ** (number - 1))
        raise AssertionError("tries is at least 1")

    async def _ask_once(
        self, method: str, path: str, returns: type[T], body: object, query: Mapping[str, object]
    ) -> T:
        data = None if body is None else msgspec.json.encode(body)
        given = {name: _text(value) for name, value in query.items() if value not in ("", None)}
        limit = aiohttp.ClientTimeout(total=ANSWER_S, connect=CONNECT_S)
        try:
            async with self._http.request(
                method, self.url + path, data=data, params=given, headers=self._headers, timeout=limit
            ) as answer:
                text, status = await _read_bounded(answer), answer.status
        except TimeoutError as error:
            raise Unreachable(f"{self.url} did not answer {method} {path} within {ANSWER_S} s") from error
        except (aiohttp.ClientError, OSError) as error:
            raise Unreachable(f"{self.url} cannot be reached for {method} {path}: {error}") from error
        if status >= 300:
            raise Refused(status, _error_in(status, text))
        try:
            return msgspec.json.decode(text, type=returns)
        except msgspec.DecodeError as error:
            raise Unreachable(f"{self.url} answered {method} {path} with something else: {error}") from error


async def _read_bounded(answer: aiohttp.ClientResponse) -> bytes:
    text = bytearray()
    async for part in answer.content.iter_any():
        text += part
        if len(text) > ANSWER_BYTES_MAX:
            raise aiohttp.ClientPayloadError(f"the answer has more than {ANSWER_BYTES_MAX} bytes")
    return bytes(text)


def _page_of(item: type[T]) -> type[Page[T]]:
    return Page[item]  # type: ignore[valid-type]


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _error_in(status: int, text: bytes) -> ErrorBody:
    try:
        return msgspec.json.decode(text, type=ErrorBody)
    except msgspec.DecodeError:
        shown = text[:200].decode(errors="replace")
        return ErrorBody(ErrorCode.INTERNAL_ERROR, "no_exchange", f"answered {status}: {shown}")
