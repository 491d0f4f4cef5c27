"""Keeps the table of orders up with the event log, beside the hot path, and lets reads wait for it.

It is a consumer of the engine's own event log like any other: from its position on a bounded read, one transaction in
a thread or process of its own, and again. After a start it catches up the same way, from nothing if need be. Commits
gather for `GATHER_S`, or until they fill a batch, while nobody waits; a read asks for the events it needs and is
answered when they are in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from heapq import heappop, heappush
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec
import structlog

from exchange.engine.history_process import HistoryProcess
from exchange.engine.order_store import (
    OrderFilter,
    OrderStore,
    OrderStoreDamaged,
    StoredFill,
    StoredOrder,
    StoredPrevented,
    set_aside,
)
from exchange.infra.errors import EventsGone, InfraError
from exchange.infra.event_log_run import EventRun
from exchange.wire.envelope import EventBatch

T = TypeVar("T")
log = structlog.get_logger(component="order_history")

BATCH_BYTES = 256 * 1024
"""Events of one transaction: few enough that decoding them never holds the loop up for long."""
APART_BATCH_BYTES = 4 * 1024 * 1024
"""The same where a process of its own decodes them: the more of them at once, the more orders live and die within one
run, and cost half. A read of a busy moment waits for two of these at most, if the table keeps up.
"""
GATHER_S = 0.05
APART_GATHER_S = 0.25
"""The same where a process of its own writes."""
BRAKE_EVENTS_MIN = 100_000
"""With fewer events to come the table never slows the engine."""
WAIT_S_MAX = 10.0
"""Longest that a read waits for the table; the events of a busy second take less."""


RETRY_S = 1.0
"""Between tries to write a table that could not be written."""


class EventLogReader(Protocol):
    """The part of the event log that is needed here. last_sequence: the last event that may be shown."""

    @property
    def last_sequence(self) -> int:
        """Return the last event that may be shown."""

    @property
    def first_sequence(self) -> int:
        """Return the oldest event kept."""

    def is_nearly_lost(self, after: int) -> bool:
        """Tell whether events after a sequence will soon be removed."""

    def read(self, after: int, max_bytes: int) -> EventBatch:
        """Return whole commands after a sequence."""

    def run_after(self, after: int, max_bytes: int) -> EventRun:
        """Tell where these lie, for another process to read them."""


class HistoryBehindError(InfraError):
    """The table is too far behind what a read needs; trying again can help."""


class OrderHistoryStats(msgspec.Struct, frozen=True):
    """How far the table is. problem: why it does not go on, empty while it does."""

    position: int
    behind: int
    batches: int
    events: int
    problem: str


class OrderHistory:
    """The table of orders with the task that feeds it and the threads that touch it."""

    def __init__(
        self, path: Path, event_log: EventLogReader, partition: int, *, is_apart: bool = False
    ) -> None:
        """Prepare. is_apart: let a process of its own write the table, for an engine that is busy."""
        self._process = HistoryProcess(path, partition) if is_apart else None
        self._batch_bytes = APART_BATCH_BYTES if is_apart else BATCH_BYTES
        self._gather_s = APART_GATHER_S if is_apart else GATHER_S
        self._gathered_bytes = 0
        self.path = path
        self.partition = partition
        self.problem = ""
        self._log = event_log
        self._batches = 0
        self._events = 0
        self._news = asyncio.Event()
        self._hurry = asyncio.Event()
        self._waiters: list[tuple[int, int, asyncio.Future[None]]] = []
        self._waits = 0
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="order-history")
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="order-reader")
        self._task: asyncio.Task[None] | None = None
        self._stopping = False

    async def start(self) -> None:
        """Open the table and begin to follow. Raise `InfraError` where it cannot be made anew, or is ahead."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._store = await self._run(self._writer, self._open)
        if self._store.position > self._log.last_sequence:
            position = self._store.position
            self._store.close()
            raise InfraError(
                f"{self.path} holds events up to {position}, the engine has only {self._log.last_sequence}: "
                "its journal lost its end. Restore it from a backup or, if it is right, move this file away"
            )
        log.info("order_history_opened", position=self._store.position, behind=self.stats().behind)
        self._task = asyncio.create_task(self._follow())
        self._news.set()

    def wake(self, batch: EventBatch | None = None) -> None:
        """Notice that events were released."""
        self._news.set()
        if batch is not None:
            self._gathered_bytes += len(batch.events)
            if self._gathered_bytes >= self._batch_bytes:
                self._hurry.set()

    async def stop(self) -> None:
        """Take in what was released, and close."""
        if self._task is None:
            return
        self._stopping = True
        self._news.set()
        self._hurry.set()
        await self._task
        self._task = None
        self._release(fail="the engine is stopping")
        if self._process is not None:
            await self._run(self._writer, self._process.stop)
        for pool in (self._writer, self._reader):
            pool.shutdown(wait=True)
        self._store.close()

    def stats(self) -> OrderHistoryStats:
        """Return how far the table is."""
        position = self._store.position
        behind = max(0, self._log.last_sequence - position)
        return OrderHistoryStats(position, behind, self._batches, self._events, self.problem)

    def brake(self) -> str:
        """Return why the engine must take less for a while: events would be removed before the table has them.

        Not where the table stands still for another reason: that is reported, and does not stop the market.
        """
        behind = self._log.last_sequence - self._store.position
        if behind < BRAKE_EVENTS_MIN or self.problem or not self._log.is_nearly_lost(self._store.position):
            return ""
        return f"the table of orders is {behind} events behind, and no more can be kept for it"

    async def reached(self, sequence: int) -> None:
        """Wait until an event is in the table. Raise `HistoryBehindError` where that takes too long."""
        if self._store.position >= sequence:
            return
        if self.problem:
            raise HistoryBehindError(f"the table of orders stands still: {self.problem}")
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waits += 1
        heappush(self._waiters, (sequence, self._waits, done))
        self._hurry.set()
        try:
            async with asyncio.timeout(WAIT_S_MAX):
                await done
        except TimeoutError:
            behind = self.stats().behind
            raise HistoryBehindError(f"the table of orders is {behind} events behind; try again") from None

    async def order(self, order_id: int) -> StoredOrder | None:
        """Return an order as it stood after the last released event."""
        await self.reached(self._log.last_sequence)
        return await self._run(self._reader, self._store.order, order_id)

    async def by_client_order_id(self, account_id: int, client_order_id: str) -> StoredOrder | None:
        """Return the latest order of an account with a client order id."""
        await self.reached(self._log.last_sequence)
        return await self._run(self._reader, self._store.by_client_order_id, account_id, client_order_id)

    async def orders(self, wanted: OrderFilter) -> list[StoredOrder]:
        """Return orders, newest first."""
        await self.reached(self._log.last_sequence)
        return await self._run(self._reader, self._store.orders, wanted)

    async def fills(self, wanted: OrderFilter) -> list[StoredFill]:
        """Return fills, newest first."""
        await self.reached(self._log.last_sequence)
        return await self._run(self._reader, self._store.fills, wanted)

    async def prevented(self, wanted: OrderFilter) -> list[StoredPrevented]:
        """Return prevented matches, newest first."""
        await self.reached(self._log.last_sequence)
        return await self._run(self._reader, self._store.prevented, wanted)

    async def _follow(self) -> None:
        """Take events in for as long as the engine runs; this task owns the table."""
        while not (self._stopping and not self._is_behind()):
            await self._news.wait()
            self._news.clear()
            if not self._waiters and not self._stopping:
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._gather_s):
                        await self._hurry.wait()
            self._hurry.clear()
            self._gathered_bytes = 0
            while self._is_behind():
                if not await self._step() and self._stopping:
                    return

    async def _step(self) -> bool:
        """Take in one batch; tell whether that went well."""
        try:
            count = await self._run(self._writer, self._take)
        except InfraError as error:
            if str(error) != self.problem:
                log.error("order_history_stands_still", error=str(error))
            self.problem = str(error)
            self._release(fail=self.problem)
            if not self._stopping:
                await asyncio.sleep(RETRY_S)
            return False
        self.problem = ""
        self._batches += 1
        self._events += count
        self._release()
        return True

    def _open(self) -> OrderStore:
        """Open the table; one that is damaged is made anew where the event log still has everything."""
        try:
            return OrderStore(self.path, self.partition)
        except OrderStoreDamaged as error:
            if self._log.first_sequence > 1:
                raise
            aside = set_aside(self.path)
            log.warning("order_history_made_anew", why=str(error), damaged=str(aside))
            return OrderStore(self.path, self.partition)

    def _take(self) -> int:
        """Have the next events written, in the writer's thread; return how many."""
        after = self._store.position
        try:
            if self._process is not None:
                return self._take_apart(self._process)
            self._store.commit(batch := self._log.read(after, self._batch_bytes))
            return batch.count
        except EventsGone as gone:
            log.warning("order_history_incomplete", position=after, first_kept=gone.first_kept)
            self._store.skip_to(gone.first_kept - 1)
            return 0

    def _take_apart(self, process: HistoryProcess) -> int:
        after = self._store.position
        try:
            self._store.position = process.commit(self._log.run_after(after, self._batch_bytes))
        except EventsGone:
            raise
        except InfraError:
            # The writer of an engine that was killed lives until it has stored what it was told to.
            if self._store.read_position() > after:
                return 0
            raise
        return self._store.position - after

    def _is_behind(self) -> bool:
        return self._store.position < self._log.last_sequence

    def _release(self, fail: str = "") -> None:
        """Let those go whose events are in, or all of them with an error."""
        while self._waiters and (fail or self._waiters[0][0] <= self._store.position):
            done = heappop(self._waiters)[2]
            if done.done():
                continue
            if fail:
                done.set_exception(HistoryBehindError(f"the table of orders stands still: {fail}"))
            else:
                done.set_result(None)

    async def _run(self, pool: ThreadPoolExecutor, function: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(pool, function, *arguments)
