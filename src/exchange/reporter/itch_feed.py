"""The ITCH feed of a reporter: events in, from where its files end; messages out over SoupBinTCP and MoldUDP64.

It takes what the reporter has stored. What it lacks, after a crash or when it could not keep up, it fetches from the
engine; so it never makes the reporter wait, and never leaves anything out.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import AsyncExitStack
from pathlib import Path

import structlog

from exchange.infra.config import Config
from exchange.infra.errors import EventsGone, InfraError, SourceUnavailable
from exchange.infra.event_source import EventSource
from exchange.reporter.itch_days import ItchDays, Run
from exchange.reporter.itch_server import ItchServer
from exchange.reporter.live_market import LiveMarket
from exchange.reporter.mold_feed import MoldFeed
from exchange.wire.envelope import EventBatch
from exchange.wire.records import ProtocolError

WAITING_BATCHES_MAX = 64
"""Batches that wait to be taken in; when there are more they are let go, and fetched from the engine."""
CHECKPOINT_EVENTS = 1_000_000
"""A checkpoint is written after so many events, and at a clean stop; a start fetches at most so many again."""
RETRY_S = 1.0

log = structlog.get_logger(component="itch")


class ItchFeed:
    """One partition's ITCH. problem: why it does not go on, empty where it does."""

    def __init__(self, config: Config, folder: Path, source: EventSource, market: LiveMarket) -> None:
        self.problem = ""
        self.days = ItchDays(folder, config.reporter.itch.days_kept)
        if self.days.sequence > market.sequence:
            log.warning(
                "itch_ahead_of_store", itch=self.days.sequence, store=market.sequence, done="begins anew"
            )
            self.days.clear()
        self.server = ItchServer(config.reporter.itch, self.days)
        self.mold: MoldFeed | None = None
        self._config = config
        self._source = source
        self._market = market
        self._waiting: deque[EventBatch] = deque()
        self._came = asyncio.Event()
        self._saved = self.days.sequence

    async def start(self, stack: AsyncExitStack) -> None:
        """Listen, and follow until the stack is closed. Raise `InfraError`."""
        stack.callback(self.days.close)
        await self.server.start(*self._config.itch_address())
        stack.push_async_callback(self.server.stop)
        to = self._config.itch_udp_to()
        if to is not None:
            self.mold = MoldFeed(self.days, to)
            await self.mold.start(*self._config.itch_request_address())
            stack.push_async_callback(self.mold.stop)
        following = asyncio.create_task(self._follow(), name="reporter makes ITCH")
        stack.push_async_callback(self._end, following)

    def take(self, batch: EventBatch) -> None:
        """Take a batch that the reporter has stored; never waits."""
        if len(self._waiting) == WAITING_BATCHES_MAX:
            self._waiting.clear()
        self._waiting.append(batch)
        self._came.set()

    # --- parts ------------------------------------------------------------------------------------

    async def _end(self, following: asyncio.Task[None]) -> None:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        if not self.problem:
            await self._save()

    async def _follow(self) -> None:
        """Take batch after batch in until cancelled, or until the files cannot be written."""
        try:
            await self._catch_up(self._market.sequence)
            while True:
                await self._came.wait()
                if not self._waiting:
                    self._came.clear()
                    continue
                batch = self._waiting.popleft()
                if batch.last_sequence > self.days.sequence:
                    await self._catch_up(batch.first_sequence - 1)
                if batch.first_sequence == self.days.sequence + 1:
                    await self._take(batch)
                elif batch.last_sequence > self.days.sequence:
                    await self._catch_up(batch.last_sequence)
        except OSError as error:
            self.problem = f"ITCH cannot be written: {error.strerror or error}; free space and restart"
            await self._fail()
        except (InfraError, ProtocolError) as error:
            self.problem = f"ITCH goes on no longer: {error}"
            await self._fail()

    async def _fail(self) -> None:
        log.critical("itch_failed", problem=self.problem)
        await self.server.stop()

    async def _catch_up(self, sequence: int) -> None:
        """Fetch events up to a sequence from the engine; where they are gone, begin anew with the market as it is."""
        while self.days.sequence < sequence:
            try:
                batch = await self._source.fetch(self.days.sequence)
            except EventsGone as gone:
                await self._begin_anew(gone)
                return
            except SourceUnavailable:
                await asyncio.sleep(RETRY_S)
                continue
            if batch.count:
                await self._take(batch)
            else:
                await asyncio.sleep(RETRY_S)

    async def _begin_anew(self, gone: EventsGone) -> None:
        log.warning("itch_begins_anew", missing_after=self.days.sequence, reason=str(gone))
        market = self._market
        runs = self.days.begin_anew(
            market.directory,
            market.builder.snapshot(),
            market.business_date,
            market.epoch,
            market.time_ns,
        )
        for connection in list(self.server.connections):
            connection.end("the session began anew")
        self._deliver(runs)
        await self._save()

    async def _take(self, batch: EventBatch) -> None:
        self._deliver(await asyncio.to_thread(self.days.take, batch.events, batch.epoch))
        if self.days.sequence - self._saved >= CHECKPOINT_EVENTS:
            await self._save()

    def _deliver(self, runs: list[Run]) -> None:
        for run in runs:
            self.server.deliver(run)
            if self.mold is not None:
                self.mold.deliver(run)

    async def _save(self) -> None:
        try:
            await asyncio.to_thread(self.days.save)
            self._saved = self.days.sequence
        except OSError as error:
            log.error("itch_checkpoint_failed", error=str(error), meaning="the next start takes longer")
