"""The event log of an engine behind HTTP: `GET /api/v1/events?after=SEQ&wait_s=S` in binary."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import aiohttp
import msgspec

from exchange.infra.errors import AccessRefused, EventsGone, InfraError, SourceUnavailable
from exchange.infra.event_source import WAIT_S_MAX
from exchange.wire.envelope import EventBatch, decode_batch
from exchange.wire.records import ProtocolError
from exchange.wire.rest.errors import ErrorBody

BINARY = "application/octet-stream"
CONNECT_S = 5
ANSWER_S = 30
"""For an answer, beyond the time the engine may wait for events."""
ANSWER_BYTES_MAX = 64 << 20
ERROR_BYTES_SHOWN = 300


class HttpEventSource:
    """An engine reached by HTTP.

    key: of role component or auditor; or what finds it at the first fetch, raising `SourceUnavailable` while the
    engine has not made it yet.
    """

    def __init__(self, url: str, key: str | Callable[[], str]) -> None:
        self.url = url.rstrip("/")
        self._key = key
        self._session: aiohttp.ClientSession | None = None

    async def fetch(self, after: int, wait_s: float = 0) -> EventBatch:
        """Return the events after a sequence; see `EventSource.fetch`."""
        wait_s = min(wait_s, WAIT_S_MAX)
        status, body = await self._get(f"/api/v1/events?after={after}&wait_s={wait_s:g}", ANSWER_S + wait_s)
        if status == 200:
            try:
                return decode_batch(body)
            except ProtocolError as error:
                raise SourceUnavailable(f"{self.url} answered what is no event batch: {error}") from error
        raise _refusal(self.url, status, body)

    async def close(self) -> None:
        """Close the connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _get(self, path: str, total_s: float) -> tuple[int, bytes]:
        session = self._session or await self._connect()
        try:
            limit = aiohttp.ClientTimeout(total=total_s, connect=CONNECT_S)
            async with session.get(self.url + path, timeout=limit, allow_redirects=False) as answer:
                return answer.status, await _read_bounded(answer, self.url)
        except TimeoutError as error:
            raise SourceUnavailable(f"{self.url} did not answer within {total_s:g} s") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise SourceUnavailable(f"{self.url} cannot be reached: {error}") from error

    async def _connect(self) -> aiohttp.ClientSession:
        key = self._key if isinstance(self._key, str) else await asyncio.to_thread(self._key)
        headers = {"Accept": BINARY, "Authorization": f"Bearer {key}"}
        self._session = aiohttp.ClientSession(headers=headers)
        return self._session


async def _read_bounded(answer: aiohttp.ClientResponse, url: str) -> bytes:
    parts, size = [], 0
    async for part in answer.content.iter_any():
        parts.append(part)
        size += len(part)
        if size > ANSWER_BYTES_MAX:
            raise SourceUnavailable(f"{url} answered more than {ANSWER_BYTES_MAX} bytes")
    return b"".join(parts)


def _refusal(url: str, status: int, body: bytes) -> InfraError:
    """Say what an answer other than 200 means and what to do."""
    message, first_kept = _error_in(body)
    if status == 410:
        return EventsGone(first_kept, message)
    if status == 401:
        return AccessRefused(
            f"{url} does not know our key ({message}): set EXCHANGE_COMPONENT_KEY or key_file"
        )
    if status == 403:
        return AccessRefused(f"{url} does not let our key read events ({message}): it needs role component")
    if 400 <= status < 500 and status not in (408, 429):
        return AccessRefused(f"{url} answered {status} ({message}): is it an engine, and of this version?")
    return SourceUnavailable(f"{url} answered {status} ({message})")


def _error_in(body: bytes) -> tuple[str, int]:
    """Return the message of an error, and the oldest event kept where it says so."""
    try:
        error = msgspec.json.decode(body, type=ErrorBody)
    except msgspec.DecodeError:
        return body[:ERROR_BYTES_SHOWN].decode(errors="replace"), 0
    detail = error.detail if isinstance(error.detail, dict) else {}
    first_kept = str(detail.get("first_kept", ""))
    return error.message, int(first_kept) if first_kept.isdecimal() else 0
