"""Announces on the bus what clearing decided, once it is stored: news for the others, never the truth.

Rulings wait in a bounded queue and go in messages of many. Where the bus fails they are dropped and counted; clearing's
store has them all.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

import msgspec
import structlog

from exchange.infra.bus import RULINGS_TOPIC, Bus
from exchange.infra.errors import InfraError
from exchange.post_trade.rule import Ruling
from exchange.wire.bus_messages import RulingNews, Rulings, encode_message

WAITING_MAX = 10_000
"""Rulings that wait for the bus; when full the oldest is dropped."""
PER_MESSAGE_MAX = 500
STOP_WAIT_S = 1.0

log = structlog.get_logger(component="clearing")


class AnnouncerStats(msgspec.Struct):
    """What was announced. problem: why nothing goes out, empty while all is well."""

    announced: int = 0
    dropped: int = 0
    problem: str = ""


class RulingAnnouncer:
    """Announces the rulings of one partition."""

    def __init__(self, bus: Bus, partition: int) -> None:
        self.stats = AnnouncerStats()
        self._bus = bus
        self._partition = partition
        self._waiting: deque[Ruling] = deque()
        self._news = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.create_task(self._announce_on(), name="clearing announces")

    def offer(self, rulings: Sequence[Ruling]) -> None:
        """Take rulings that were stored; may be called in any thread."""
        with suppress(RuntimeError):  # The loop is gone only where the process ends.
            self._loop.call_soon_threadsafe(self._take, rulings)

    async def stop(self) -> None:
        """Announce what waits, for a moment, then stop."""
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_WAIT_S):
                await self._idle.wait()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def _take(self, rulings: Sequence[Ruling]) -> None:
        self._waiting.extend(rulings)
        self._idle.clear()
        while len(self._waiting) > WAITING_MAX:
            self._waiting.popleft()
            self.stats.dropped += 1
        self._news.set()

    async def _announce_on(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            while self._waiting:
                count = min(len(self._waiting), PER_MESSAGE_MAX)
                await self._announce([self._waiting.popleft() for _ in range(count)])
            self._idle.set()

    async def _announce(self, rulings: Sequence[Ruling]) -> None:
        message = Rulings(partition=self._partition, items=tuple(map(_news, rulings)))
        try:
            await self._bus.publish(RULINGS_TOPIC, encode_message(message))
            self.stats.announced += len(rulings)
            self.stats.problem = ""
        except InfraError as error:
            self.stats.dropped += len(rulings)
            if not self.stats.problem:
                log.warning("rulings_not_announced", reason=str(error))
            self.stats.problem = str(error)


def _news(ruling: Ruling) -> RulingNews:
    return RulingNews(
        ruling_id=str(ruling.ruling_id),
        match_id=str(ruling.match_id),
        verdict=ruling.verdict,
        code=ruling.code,
        time_ns=ruling.time_ns,
    )
