"""Takes batches from the feed, as many at once as came while the one before was stored.

So the number of transactions follows the store, not the number of batches: alone a batch is stored at once, under load
many share a transaction.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing

from exchange.infra.feed import Feed
from exchange.wire.envelope import EventBatch, join_batches

WAITING_BATCHES_MAX = 64
"""When so many wait the feed waits too; what comes then stays in its window, or with the engine."""
JOINED_BYTES_MAX = 1 << 20
"""A joined batch is closed when it has reached this size."""


class Intake:
    """The batches of a feed, joined."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._waiting: deque[EventBatch] = deque()
        self._came = asyncio.Event()
        self._room = asyncio.Event()
        self._has_ended = False

    async def batches(self) -> AsyncGenerator[EventBatch, None]:
        """Give joined batches until the feed ends. Raise what the feed raises, after what came before it."""
        reading = asyncio.create_task(self._read(), name="reporter reads")
        try:
            while not (self._has_ended and not self._waiting):
                await self._came.wait()
                if self._waiting:
                    yield self._take()
            await reading
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _read(self) -> None:
        try:
            async with aclosing(self._feed.batches()) as batches:
                async for batch in batches:
                    while len(self._waiting) >= WAITING_BATCHES_MAX:
                        self._room.clear()
                        await self._room.wait()
                    self._waiting.append(batch)
                    self._came.set()
        finally:
            self._has_ended = True
            self._came.set()

    def _take(self) -> EventBatch:
        """Join what waits, up to a size."""
        taken = [self._waiting.popleft()]
        size = len(taken[0].events)
        while self._waiting and size < JOINED_BYTES_MAX:
            taken.append(self._waiting.popleft())
            size += len(taken[-1].events)
        if not self._waiting and not self._has_ended:
            self._came.clear()
        self._room.set()
        return join_batches(taken)
