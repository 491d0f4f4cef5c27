"""The lookout: reads the engine's events for surveillance, beside clearing's own consumer, and stores what is seen.

Alerts are stored before the place up to which they were looked for; so after a crash a stretch is looked through again
and gives the same alerts, which change nothing. A lookout that fails says so and leaves clearing alone. The detectors
work in a process of their own (`watcher_process.py`), so a trade never waits for them; what they have not seen yet
waits here up to a bound, then at the engine. Should that process die, another one goes on from the stored place.
Rules: with other settings, or a state that cannot be read, it looks from the first event on that the engine keeps.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from exchange.clearing.surveillance.alert_store import WatcherPlace, add_alerts, read_place, write_place
from exchange.clearing.surveillance.watcher_process import WatcherGone, WatcherProcess
from exchange.infra.errors import EventsGone, InfraError
from exchange.infra.feed import Feed
from exchange.infra.store import begin_write, reason_of
from exchange.infra.store_retry import STOP_WAIT_S, with_retries
from exchange.surveillance.alert import Alert
from exchange.surveillance.settings import Settings
from exchange.surveillance.watcher import StateRefused
from exchange.wire.envelope import EventBatch, join_batches
from exchange.wire.records import ProtocolError

log = structlog.get_logger(component="surveillance")

BATCHES_GATHERED_MAX = 64
"""Batches that wait for the detectors; then the feed waits."""
TAKEN_BYTES_MAX = 256 << 10
"""What is looked through at once, at least one batch; between two others may have the processor."""
STATE_STORED_EVERY_S = 30.0
"""How often the place is stored, where it moved; so much is looked through again after a crash."""
RESTARTS_MAX = 5
"""How often in a row the process that looks is begun anew before a place is stored; then surveillance stops."""
RESTART_AFTER_S = 1.0
BEHIND_MAX = 100_000
"""Events that surveillance may lack before readiness says so."""

MakeFeed = Callable[[int, int], Awaitable[Feed]]


class LookoutStats(msgspec.Struct):
    """What the lookout did since its start. problem: why it looks no more, or cannot store; else empty.

    restarts: how often the process that looks has died and another one went on.
    """

    sequence: int = 0
    began_at: int = 0
    alerts: int = 0
    repeated: int = 0
    suppressed: int = 0
    restarts: int = 0
    problem: str = ""


class Lookout:
    """One partition's surveillance. make_feed: opens a feed after a sequence, of an epoch; `run` it, `stop` it."""

    def __init__(self, store: Engine, settings: Settings, partition: int, make_feed: MakeFeed) -> None:
        self.stats = LookoutStats()
        self.feed: Feed | None = None
        self.watcher = WatcherProcess(settings, partition)
        self._store = store
        self._partition = partition
        self._make_feed = make_feed
        self._epoch = 0
        self._stored_sequence = 0
        self._restarts_left = RESTARTS_MAX
        self._closing = False
        self._work: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look."""
        self._work = asyncio.create_task(self.run(), name="surveillance")

    async def stop(self) -> None:
        """Look through what was read, store the place, and end."""
        self._closing = True
        if self.feed is not None:
            await self.feed.close()
        if self._work is not None:
            await asyncio.wait([self._work], timeout=STOP_WAIT_S)
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)
        await asyncio.to_thread(self.watcher.stop)

    @property
    def lag_events(self) -> int:
        """Return how many events are known of and not yet looked through."""
        return max(0, self.feed.stats.newest - self.stats.sequence) if self.feed else 0

    async def run(self) -> None:
        """Look until `stop`; an error ends it, is logged and shown."""
        try:
            while not self._closing:
                try:
                    await asyncio.to_thread(self._load)
                    await self._follow_what_is_kept()
                except* WatcherGone as gone:
                    await self._begin_again(leaf_of(gone))
        except* (InfraError, SQLAlchemyError, ProtocolError, OSError, ValueError) as errors:
            error = leaf_of(errors)
            reason = reason_of(error) if isinstance(error, SQLAlchemyError) else str(error)
            self.stats.problem = f"surveillance has stopped: {reason}"
            log.error("surveillance_stopped", reason=reason)

    async def _begin_again(self, gone: BaseException) -> None:
        """Take note that the process died, and wait a little before the next. Raise where it dies again and again."""
        if self._restarts_left <= 0 or self._closing:
            raise gone
        self._restarts_left -= 1
        self.stats.restarts += 1
        log.error("surveillance_process_ended", reason=str(gone), restarts=self.stats.restarts)
        await asyncio.sleep(RESTART_AFTER_S)

    # --- the stream -----------------------------------------------------------------------------------

    async def _follow_what_is_kept(self) -> None:
        """Follow the stream until the end; where it begins later than wanted, from there."""
        while not self._closing:
            try:
                await self._follow()
            except* EventsGone as gone:
                await asyncio.to_thread(self._begin_at, first_kept_of(gone))

    async def _follow(self) -> None:
        """Read, look through and store, until the feed is closed."""
        feed = self.feed = await self._make_feed(self.stats.sequence, self._epoch)
        gathered: asyncio.Queue[EventBatch | None] = asyncio.Queue(BATCHES_GATHERED_MAX)

        async def read() -> None:
            async for batch in feed.batches():
                await gathered.put(batch)
            await gathered.put(None)

        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(read(), name="surveillance reads")
                tasks.create_task(self._look(gathered), name="surveillance looks")
        finally:
            if not self._closing:
                await feed.close()

    async def _look(self, gathered: asyncio.Queue[EventBatch | None]) -> None:
        clock = asyncio.get_running_loop().time
        due_s = clock() + STATE_STORED_EVERY_S
        is_open = True
        while is_open:
            batches: list[EventBatch] = []
            try:
                async with asyncio.timeout(max(0.0, due_s - clock())):
                    is_open = _gather(batches, await gathered.get(), gathered)
            except TimeoutError:
                pass
            if batches:
                await self._take(join_batches(batches))
            if not is_open or clock() >= due_s:
                await with_retries(self._store_place, self._note_failure)
                due_s = clock() + STATE_STORED_EVERY_S

    async def _take(self, batch: EventBatch) -> None:
        found = await asyncio.to_thread(self._look_through, batch)
        if found:
            new = await with_retries(lambda: self._add(found), self._note_failure)
            self.stats.alerts += new
            self.stats.repeated += len(found) - new
            self.stats.problem = ""
        self.stats.suppressed = self.watcher.suppressed
        self.stats.sequence, self._epoch = batch.last_sequence, batch.epoch

    def _look_through(self, batch: EventBatch) -> list[Alert]:
        return self.watcher.take(batch.events, self.stats.sequence)

    def _add(self, found: list[Alert]) -> int:
        with begin_write(self._store) as connection:
            return add_alerts(connection, self._partition, found)

    # --- the place ------------------------------------------------------------------------------------

    def _load(self) -> None:
        """Go on where it stood, or begin anew where that is of no use."""
        with self._store.connect() as connection:
            place = read_place(connection, self._partition)
        self.watcher.begin()
        self.stats.sequence = self.stats.began_at = self._stored_sequence = self._epoch = 0
        if place is None:
            return
        try:
            self.watcher.load(place.state)
        except StateRefused as error:
            log.warning("surveillance_begins_anew", reason=str(error))
            self.watcher.begin()
            return
        self.stats.sequence = self._stored_sequence = place.sequence
        self.stats.began_at, self._epoch = place.began_at, place.epoch

    def _begin_at(self, first_kept: int) -> None:
        """Begin with the first event that the engine keeps; what was before is not known."""
        log.warning("surveillance_begins_late", after=self.stats.sequence, first_kept=first_kept)
        self.watcher.begin()
        self.stats.sequence, self.stats.began_at, self._epoch = first_kept - 1, first_kept, 0

    def _store_place(self) -> None:
        if self.stats.sequence == self._stored_sequence:
            return
        state = self.watcher.dump()
        place = WatcherPlace(self._epoch, self.stats.sequence, self.stats.began_at, state)
        with begin_write(self._store) as connection:
            write_place(connection, self._partition, place)
        self._stored_sequence, self._restarts_left = place.sequence, RESTARTS_MAX

    def _note_failure(self, reason: str, tries: int) -> None:
        if not self.stats.problem:
            log.warning("surveillance_cannot_store", reason=reason, tries=tries)
        self.stats.problem = f"surveillance cannot store what it sees: {reason}"


def _gather(
    batches: list[EventBatch], first: EventBatch | None, gathered: asyncio.Queue[EventBatch | None]
) -> bool:
    """Take what is there, up to a size; tell whether more may come."""
    batch, size = first, 0
    while batch is not None:
        batches.append(batch)
        size += len(batch.events)
        if size >= TAKEN_BYTES_MAX or gathered.empty():
            return True
        batch = gathered.get_nowait()
    return False


def leaf_of(errors: BaseExceptionGroup) -> BaseException:
    """Return the first error of a group of groups."""
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def first_kept_of(gone: BaseExceptionGroup) -> int:
    """Return the first event that the engine keeps."""
    leaf = leaf_of(gone)
    assert isinstance(leaf, EventsGone), leaf
    return leaf.first_kept
