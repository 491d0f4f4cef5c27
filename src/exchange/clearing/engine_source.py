"""The engine's event log over HTTP, with the key read when it is needed: clearing may start before the engine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from exchange.infra.http_source import HttpEventSource
from exchange.wire.envelope import EventBatch


class EngineSource:
    """An event source that finds its key at its first fetch. key: raises `SourceUnavailable` while there is none."""

    def __init__(self, url: str, key: Callable[[], str]) -> None:
        self.url = url
        self._key = key
        self._source: HttpEventSource | None = None

    async def fetch(self, after: int, wait_s: float = 0) -> EventBatch:
        """Return the events after a sequence; see `EventSource.fetch`."""
        if self._source is None:
            self._source = HttpEventSource(self.url, await asyncio.to_thread(self._key))
        return await self._source.fetch(after, wait_s)

    async def close(self) -> None:
        """Close the connection."""
        if self._source is not None:
            await self._source.close()
