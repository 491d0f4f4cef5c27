"""The consumer: takes batches from the feed and has them committed, as many at once as came meanwhile.

While one transaction is written to disk the next batches gather; so the number of transactions follows the disk and the
number of trades does not. A store that fails is tried again (`infra/store_retry.py`); books that are broken stop
everything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
import structlog
from sqlalchemy.exc import SQLAlchemyError

from exchange.clearing.book_keeper import BookKeeper, Outcome
from exchange.infra.feed import Feed
from exchange.infra.store import StoreError, reason_of
from exchange.infra.store_meter import StoreMeter
from exchange.infra.store_retry import with_retries
from exchange.wire.envelope import EventBatch, join_batches

log = structlog.get_logger(component="clearing")

BATCHES_GATHERED_MAX = 64
"""Batches that wait for a transaction; when full, the feed waits, and what comes stays in its window."""
COMMIT_BYTES_MAX = 1 << 20
"""Size of one transaction's events, about; a longer one would keep those who read the books waiting."""
POSITION_STORED_EVERY_S = 1.0
NS_PER_MS = 1_000_000


class ConsumerStats(msgspec.Struct):
    """What the consumer did since its start. committed_sequence: the last event that is stored."""

    committed_sequence: int = 0
    commits: int = 0


class Consumer:
    """Feeds one book keeper. committed: called on the loop after each transaction."""

    def __init__(self, feed: Feed, keeper: BookKeeper, committed: Callable[[Outcome], None]) -> None:
        self.stats = ConsumerStats(committed_sequence=feed.stats.position)
        self.meter = StoreMeter("clearing")
        self._feed = feed
        self._keeper = keeper
        self._committed = committed
        self._gathered: asyncio.Queue[EventBatch | None] = asyncio.Queue(BATCHES_GATHERED_MAX)

    async def read(self) -> None:
        """Gather what the feed gives, until it is closed."""
        async for batch in self._feed.batches():
            await self._gathered.put(batch)
        await self._gathered.put(None)

    async def commit(self) -> None:
        """Commit what is gathered, until the feed has ended and everything is stored."""
        while True:
            batches = await self._take_gathered()
            if batches is None:
                break
            if batches:
                await self._commit(join_batches(batches))
            else:
                await self._store_position()
        await self._store_position()

    async def _store_position(self) -> None:
        """Store how far the stream was read; should it fail, a little more is read again after a restart."""
        try:
            await asyncio.to_thread(self._keeper.store_position)
        except SQLAlchemyError as error:
            log.warning("position_not_stored", reason=reason_of(error))

    async def _take_gathered(self) -> list[EventBatch] | None:
        """Wait for batches and take all there are; none after a silence, None at the end."""
        try:
            async with asyncio.timeout(POSITION_STORED_EVERY_S):
                batch = await self._gathered.get()
        except TimeoutError:
            return []
        batches, size = [], 0
        while batch is not None:
            batches.append(batch)
            size += len(batch.events)
            if self._gathered.empty() or size >= COMMIT_BYTES_MAX:
                return batches
            batch = self._gathered.get_nowait()
        if batches:
            self._gathered.put_nowait(None)
            return batches
        return None

    async def _commit(self, batch: EventBatch) -> None:
        self.meter.begin()
        outcome = await self._commit_with_retries(batch)
        self.meter.stored(batch, is_current=self._feed.stats.is_caught_up)
        self.stats.commits += 1
        self.stats.committed_sequence = batch.last_sequence
        self._committed(outcome)

    async def _commit_with_retries(self, batch: EventBatch) -> Outcome:
        def failed(reason: str, tries: int) -> None:
            self.meter.failed(batch, reason, tries)

        try:
            return await with_retries(lambda: self._keeper.commit(batch), failed)
        except SQLAlchemyError as error:
            failed(reason_of(error), 0)
            raise StoreError(f"{self.meter.problem}; free space or repair it, then start again") from error
