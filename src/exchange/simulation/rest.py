"""One member's, or an operator's, way into a component by REST: over aiohttp, typed, on connections that stay open."""

from __future__ import annotations

from functools import lru_cache
from types import TracebackType
from typing import Any, Self, TypeVar

import aiohttp
import msgspec

from exchange.wire.rest.errors import ErrorBody

ANSWER_S = 30
CONNECT_S = 5
ANSWER_BYTES_MAX = 64 << 20
PAGE_TYPES_MAX = 64

Returned = TypeVar("Returned")


class RequestRefused(Exception):
    """A component said no. error: its one error form."""

    def __init__(self, status: int, error: ErrorBody) -> None:
        super().__init__(f"{error.message} ({error.reason})")
        self.status = status
        self.error = error


class ConnectionFailed(Exception):
    """A component does not answer; whether it took the last request is unknown."""


class RestSession:
    """Requests with one key, one after the other. Use it as an asynchronous context."""

    def __init__(self, url: str, key: str = "") -> None:
        self.url = url.rstrip("/")
        self.key = key
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = aiohttp.ClientSession(
            headers=headers, timeout=aiohttp.ClientTimeout(total=ANSWER_S, connect=CONNECT_S)
        )

    async def __aenter__(self) -> Self:
        """Use the session."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the session."""
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    async def get(self, path: str, returns: type[Returned], **query: object) -> Returned:
        """Read something."""
        return await self.ask("GET", path, returns, query=query)

    async def post(self, path: str, body: object, returns: type[Returned]) -> Returned:
        """Make something."""
        return await self.ask("POST", path, returns, body)

    async def ask(
        self,
        method: str,
        path: str,
        returns: type[Returned],
        body: object = None,
        query: dict[str, object] | None = None,
    ) -> Returned:
        """Send one request and decode its answer. Raise `RequestRefused` or `ConnectionFailed`."""
        data = None if body is None else msgspec.json.encode(body)
        headers = {"Content-Type": "application/json"} if data is not None else None
        given = {name: str(value) for name, value in (query or {}).items() if value not in ("", None)}
        try:
            async with self._http.request(
                method, self.url + path, data=data, headers=headers, params=given, allow_redirects=False
            ) as answer:
                if (answer.content_length or 0) > ANSWER_BYTES_MAX:
                    raise ConnectionFailed(f"{self.url} answers more than {ANSWER_BYTES_MAX} bytes")
                text = await answer.read()
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise ConnectionFailed(
                f"{self.url} does not answer: {str(error) or type(error).__name__}"
            ) from error
        if 200 <= answer.status < 300:
            return msgspec.json.decode(text, type=returns)
        raise _refusal(self.url, answer.status, text)


def _refusal(url: str, status: int, text: bytes) -> RequestRefused | ConnectionFailed:
    try:
        return RequestRefused(status, msgspec.json.decode(text, type=ErrorBody))
    except msgspec.DecodeError:
        return ConnectionFailed(
            f"{url} answered {status} in no known form: {text[:200]!r}; is it an exchange?"
        )


@lru_cache(PAGE_TYPES_MAX)
def _page_of(item: Any) -> type[msgspec.Struct]:
    """Return the type of a page of items; a type is dear to make, and there are few."""
    return msgspec.defstruct("Page", [("items", list[item]), ("next", str | None, None)])


async def items(session: RestSession, path: str, item: Any, **query: object) -> list[Any]:
    """Read a list over all its pages."""
    page_type = _page_of(item)
    found: list[Any] = []
    cursor = ""
    while True:
        page: Any = await session.get(path, page_type, limit=1_000, cursor=cursor, **query)
        found += page.items
        cursor = page.next or ""
        if not cursor:
            return found
