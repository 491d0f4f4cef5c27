"""Puts durable events on the bus, beside the hot path: bounded, and never waited for.

The bus is only the messenger: where it is slow or down, batches are dropped and counted, and each consumer's feed
fetches what it misses from the engine.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from time import perf_counter_ns

import msgspec
import structlog

from exchange.infra.bus import Bus, events_topic
from exchange.infra.errors import InfraError
from exchange.infra.latency import LatencyHistogram
from exchange.wire.envelope import EventBatch, encode_batch
from exchange.wire.records import FLAGS_OFFSET, LAST_OF_COMMAND, split

log = structlog.get_logger(component="publisher")

WAITING_BYTES_MAX = 16 << 20
"""Events that wait for the bus; when full the newest batch is dropped, which the feeds see as a gap."""
MESSAGE_BYTES_MAX = 512 << 10
"""A batch of more events goes in several messages of whole commands. nsqd takes 1 MiB unless told otherwise."""
UNCUT_BYTES_MAX = 1_000_000
"""One command with more events than this is not published, which the feeds see as a gap."""
RETRY_S = 1.0
STOP_WAIT_S = 2.0


class PublisherStats(msgspec.Struct):
    """What was published. times: from durable to published; problem: why nothing goes out, empty while all is well."""

    published: int = 0
    dropped: int = 0
    waiting_bytes: int = 0
    problem: str = ""
    times: LatencyHistogram = msgspec.field(default_factory=LatencyHistogram)


class Publisher:
    """Publishes the event batches of one partition. `offer` is called on the loop, in order, after durable."""

    def __init__(self, bus: Bus, partition: int) -> None:
        self.stats = PublisherStats()
        self._bus = bus
        self._topic = events_topic(partition)
        self._waiting: deque[tuple[EventBatch, int]] = deque()
        self._news = asyncio.Event()
        self._drained = asyncio.Event()
        self._drained.set()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to publish."""
        self._task = asyncio.create_task(self._publish_on())

    def offer(self, batch: EventBatch) -> None:
        """Take a batch, or drop it where too much waits already."""
        if self.stats.waiting_bytes + len(batch.events) > WAITING_BYTES_MAX and self._waiting:
            self.stats.dropped += 1
            return
        self._waiting.append((batch, perf_counter_ns()))
        self.stats.waiting_bytes += len(batch.events)
        self._drained.clear()
        self._news.set()

    async def stop(self) -> None:
        """Publish what waits, for a moment, then stop."""
        if self._task is None:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_WAIT_S):
                await self._drained.wait()
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        self._task = None

    async def _publish_on(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            while self._waiting:
                batch, offered_ns = self._waiting[0]
                if await self._publish(batch):
                    self.stats.times.observe(perf_counter_ns() - offered_ns)
                self.stats.waiting_bytes -= len(batch.events)
                self._waiting.popleft()
            self._drained.set()

    async def _publish(self, batch: EventBatch) -> bool:
        """Publish one batch and tell whether the bus has it; where it fails, wait and drop the batch, for trying again
        could fill the queue.
        """
        try:
            for piece in pieces_of(batch, MESSAGE_BYTES_MAX):
                if len(piece.events) > UNCUT_BYTES_MAX:
                    self.stats.dropped += 1
                    continue
                await self._bus.publish(self._topic, encode_batch(piece))
                self.stats.published += 1
            self.stats.problem = ""
            return True
        except InfraError as error:
            self.stats.dropped += 1
            if not self.stats.problem:
                log.warning("bus_failed", error=str(error))
            self.stats.problem = str(error)
            await asyncio.sleep(RETRY_S)
            return False


def pieces_of(batch: EventBatch, bytes_max: int) -> Iterator[EventBatch]:
    """Cut a batch into pieces of whole commands; a piece is longer only where one command is."""
    if len(batch.events) <= bytes_max:
        yield batch
        return
    begin, first, end, count = 0, batch.first_sequence, 0, 0
    for number, (offset, length) in enumerate(split(batch.events), 1):
        if not batch.events[offset + FLAGS_OFFSET] & LAST_OF_COMMAND:
            continue
        last = batch.first_sequence + number - 1
        if count and offset + length - begin > bytes_max:
            yield EventBatch(batch.partition, batch.epoch, first, count, batch.events[begin:end])
            begin, first = end, first + count
        end, count = offset + length, last - first + 1
    if count:
        yield EventBatch(batch.partition, batch.epoch, first, count, batch.events[begin:end])
