"""How a component takes in the engine's events: in order, each once, whole commands, whatever the bus does.

Rules:
- Batches from the bus that were seen are dropped; those that come early wait in a bounded window.
- What is missing for a while is fetched from the engine's event log. So is everything at the start, and so is
  whatever may have been lost last, when the bus brings nothing new.
- The epoch fences: batches of a lower epoch than seen are dropped and counted.
- The engine must hold what this consumer holds. At the start and at each change of epoch, the engine's event
  at our position is compared with ours by its epoch, and one that we keep whole by its bytes. An engine that
  is behind our position, or has another event, is a `FeedAlarm`.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Coroutine

import msgspec
import structlog

from exchange.infra.bus import BusClosed, Subscription
from exchange.infra.errors import EventsGone, InfraError, SourceUnavailable
from exchange.infra.event_source import EventSource
from exchange.infra.feed_window import (
    WINDOW_BYTES_MAX,
    ReorderWindow,
    check_batch,
    epoch_of,
    record_of,
    trim,
)
from exchange.wire.envelope import EventBatch, decode_batch
from exchange.wire.records import ProtocolError

GAP_WAIT_S = 0.05
"""How long early batches wait for those before them, before these are fetched."""
SILENCE_S = 1.0
"""How long the bus may bring nothing new before the engine is asked whether something was lost."""
LONG_POLL_S = 20.0
"""How long the engine may hold a fetch where there is no bus that works."""
BACK_OFF_FIRST_S = 0.1
BACK_OFF_LAST_S = 5.0
_WHAT_TO_DO = (
    "Nothing was changed. Check engine_url and the engine's data folder; if the engine is right, stop this "
    "component, move its store away and start it again: it is filled anew from the engine's events"
)

log = structlog.get_logger(component="feed")


class FeedAlarm(InfraError):
    """The engine and this consumer do not hold the same events: a person must look. Nothing was changed."""


class FeedStats(msgspec.Struct):
    """What a feed has seen, for metrics and readiness.

    newest: the last event known of; gaps: how often something was missing so long that it was fetched;
    dropped: early batches that found no room; is_caught_up: as far as is known, the newest event was handed
    over; problem, bus_problem: why nothing comes from engine or bus, else empty.
    """

    position: int = 0
    epoch: int = 0
    newest: int = 0
    batches: int = 0
    events: int = 0
    duplicates: int = 0
    gaps: int = 0
    fetched: int = 0
    dropped: int = 0
    poison: int = 0
    fenced: int = 0
    failures: int = 0
    is_caught_up: bool = False
    problem: str = ""
    bus_problem: str = ""

    @property
    def lag_events(self) -> int:
        """Return how many events are known of and not yet handed over."""
        return max(0, self.newest - self.position)


class Feed:
    """The events of one partition for one consumer.

    after, epoch: the consumer's stored position; 0 and 0 at its first start. held: the sequence of an event
    that it keeps, and its record. subscription: None to ask the engine only. A batch that is handed over
    carries the epoch in which its last event happened: store that with its `last_sequence`.
    """

    def __init__(
        self,
        source: EventSource,
        subscription: Subscription | None,
        *,
        partition: int,
        after: int,
        epoch: int,
        held: tuple[int, bytes] | None = None,
        gap_wait_s: float = GAP_WAIT_S,
        silence_s: float = SILENCE_S,
        back_off_first_s: float = BACK_OFF_FIRST_S,
        window_bytes_max: int = WINDOW_BYTES_MAX,
    ) -> None:
        self.stats = FeedStats(position=after, epoch=epoch, newest=after)
        self.partition = partition
        self._source = source
        self._subscription = subscription
        self._gap_wait_s = gap_wait_s
        self._silence_s = silence_s
        self._back_off_first_s = back_off_first_s
        self._epoch_at_position = epoch
        self._is_compared = after == 0
        self._held = held
        self._bus_works = subscription is not None
        self._window = ReorderWindow(window_bytes_max)
        self._gap_is_open = False
        self._ask_at = 0.0
        self._arrived = asyncio.Event()
        self._taken = asyncio.Event()
        self._closing = False
        self._waiting: asyncio.Task[EventBatch | None] | None = None

    async def batches(self) -> AsyncGenerator[EventBatch, None]:
        """Give batches of events without gap or duplicate until the feed is closed.

        Raise `FeedAlarm` where the engine holds other events than we do, `EventsGone` where it no longer
        keeps those we need, `AccessRefused` where it does not take our key. A failing engine or bus is waited
        for.
        """
        listening = asyncio.create_task(self._listen(self._subscription)) if self._subscription else None
        try:
            while not self._closing:
                if listening is not None and listening.done():
                    listening.result()
                batch = self._take_from_window()
                if batch is None:
                    batch = await self._unless_closing(self._wait_or_fetch())
                if batch is not None:
                    yield self._hand_over(batch)
        finally:
            if listening is not None:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)

    async def close(self) -> None:
        """Let `batches` end after the batch it has given."""
        self._closing = True
        if self._waiting is not None:
            self._waiting.cancel()
        if self._subscription is not None:
            await self._subscription.close()

    # --- what comes next ----------------------------------------------------------------------------

    async def _wait_or_fetch(self) -> EventBatch | None:
        """Wait for the bus while it works and nothing is missing; else ask the engine."""
        if not (self._is_compared and self.stats.is_caught_up):
            return await self._fetch(0)
        if not self._bus_works:
            return await self._fetch(LONG_POLL_S)
        now = asyncio.get_running_loop().time()
        if self.stats.lag_events and not self._gap_is_open:
            self._gap_is_open = True
            self._ask_at = min(self._ask_at, now + self._gap_wait_s)
        try:
            async with asyncio.timeout(max(0, self._ask_at - now)):
                await self._arrived.wait()
        except TimeoutError:
            self.stats.gaps += self._gap_is_open
            return await self._fetch(0)
        return None

    def _take_from_window(self) -> EventBatch | None:
        self._arrived.clear()
        if not self._is_compared:
            return None
        batch, duplicates = self._window.take(self.stats.position)
        self.stats.duplicates += duplicates
        self._taken.set()
        return batch

    def _hand_over(self, batch: EventBatch) -> EventBatch:
        assert batch.first_sequence == self.stats.position + 1, "the feed has a gap"
        self._epoch_at_position = epoch_of(batch, batch.last_sequence)
        self.stats.position = batch.last_sequence
        self.stats.newest = max(self.stats.newest, batch.last_sequence)
        self.stats.batches += 1
        self.stats.events += batch.count
        self._be_patient()
        return msgspec.structs.replace(batch, epoch=self._epoch_at_position)

    def _be_patient(self) -> None:
        """Give the bus its time again, for there was progress."""
        self._gap_is_open = False
        self._ask_at = asyncio.get_running_loop().time() + self._silence_s

    async def _unless_closing(self, work: Coroutine[None, None, EventBatch | None]) -> EventBatch | None:
        """Do what waits, until it is done or `close` is called."""
        self._waiting = asyncio.ensure_future(work)
        try:
            return await self._waiting
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self._closing and task is not None and not task.cancelling():
                return None
            raise
        finally:
            self._waiting = None

    # --- from the bus -------------------------------------------------------------------------------

    async def _listen(self, subscription: Subscription) -> None:
        """Bring what the bus delivers into the window until the subscription is closed."""
        back_off_s = self._back_off_first_s
        while True:
            try:
                delivery = await subscription.receive()
                unreadable = self._take_message(delivery.body)
                await (delivery.bury(unreadable) if unreadable else delivery.finish())
            except BusClosed:
                break
            except InfraError as error:
                self._bus_works = False
                self._note_bus_failure(error)
                back_off_s = await _back_off(back_off_s)
            else:
                self._bus_works, self.stats.bus_problem = True, ""
                back_off_s = self._back_off_first_s
                await self._wait_for_room()
        self._bus_works = False
        self._arrived.set()

    def _take_message(self, message: bytes) -> str:
        """Put a message into the window unless it is fenced or seen. Return why it is poison, if it is."""
        try:
            batch = decode_batch(message)
            check_batch(batch)
            if batch.partition != self.partition:
                raise ProtocolError(f"partition at offset 6: {batch.partition}, wanted {self.partition}")
        except ProtocolError as error:
            self.stats.poison += 1
            log.error(
                "feed_poison_message", partition=self.partition, size_bytes=len(message), reason=str(error)
            )
            return str(error)
        if self._is_fenced(batch, "bus"):
            return ""
        if batch.last_sequence <= self.stats.position:
            self.stats.duplicates += 1
        else:
            self.stats.newest = max(self.stats.newest, batch.last_sequence)
            self.stats.dropped += not self._window.put(batch)
        self._arrived.set()
        return ""

    def _note_bus_failure(self, error: InfraError) -> None:
        """Say once that the bus fails; meanwhile everything comes from the engine."""
        if not self.stats.bus_problem:
            log.warning("feed_without_bus", partition=self.partition, reason=str(error))
        self.stats.bus_problem = str(error)

    async def _wait_for_room(self) -> None:
        """Pause while the window fills with what only waits for a slow consumer."""
        while self._window.is_filling and self._window.continues(self.stats.position):
            self._taken.clear()
            await self._taken.wait()

    def _is_fenced(self, batch: EventBatch, origin: str) -> bool:
        """Tell whether a batch is of an engine that was replaced; take note of a new epoch."""
        seen = self.stats.epoch
        if batch.epoch < seen:
            self.stats.fenced += 1
            log.error(
                "feed_fenced", partition=self.partition, origin=origin, epoch=batch.epoch, epoch_seen=seen
            )
            return True
        if batch.epoch > seen:
            self.stats.epoch = batch.epoch
            self._is_compared = self.stats.position == 0
        return False

    # --- from the engine ----------------------------------------------------------------------------

    async def _fetch(self, wait_s: float) -> EventBatch | None:
        """Fetch what follows our position; wait for an engine that fails, or until the bus brings what follows."""
        back_off_s = self._back_off_first_s
        while True:
            try:
                batch = await self._fetch_after_position(wait_s)
                self._check_fetched(batch)
            except SourceUnavailable as error:
                self.stats.is_caught_up = False
                self._note_failure(error)
                back_off_s = await _back_off(back_off_s)
                if self._is_compared and self._window.continues(self.stats.position):
                    return None
            else:
                self._note_recovery()
                return self._take_fetched(batch)

    async def _fetch_after_position(self, wait_s: float) -> EventBatch:
        """Fetch what follows our position, with the event at our position where that must be compared."""
        position = self.stats.position
        if not self._is_compared and self._held is not None:
            await self._compare_held(*self._held)
        try:
            return await self._source.fetch(position - (not self._is_compared), wait_s)
        except EventsGone as gone:
            if self._is_compared or gone.first_kept != position + 1:
                message = _gone_message(self.partition, position, gone.first_kept)
                raise EventsGone(gone.first_kept, message) from gone
        log.warning("feed_position_not_comparable", partition=self.partition, position=position)
        self._is_compared = True
        return await self._source.fetch(position, wait_s)

    def _check_fetched(self, batch: EventBatch) -> None:
        """Raise where an answer is not from the engine whose events we hold."""
        _check_answer(batch)
        position = self.stats.position
        if batch.partition != self.partition:
            raise FeedAlarm(
                f"the engine is of partition {batch.partition}, wanted {self.partition}; check engine_url"
            )
        if batch.last_sequence < position:
            raise FeedAlarm(
                f"the engine (epoch {batch.epoch}) has events of partition {self.partition} up to "
                f"{batch.last_sequence}, this consumer up to {position} (epoch {self._epoch_at_position}): "
                f"the engine lost events, or is another one. {_WHAT_TO_DO}"
            )
        if batch.first_sequence > position + 1:
            raise SourceUnavailable(
                f"the engine answered from event {batch.first_sequence}, asked for those after {position}"
            )
        if self._is_fenced(batch, "engine"):
            raise SourceUnavailable(
                f"the engine is of epoch {batch.epoch}, but epoch {self.stats.epoch} was seen"
            )

    def _take_fetched(self, batch: EventBatch) -> EventBatch | None:
        """Return what is new in an answer, once the event at our position was found to be the same there."""
        position = self.stats.position
        if not self._is_compared:
            if batch.first_sequence > position:
                return None
            self._compare(epoch_of(batch, position))
        batch = trim(batch, position)
        self.stats.fetched += batch.count
        if self._bus_works or not self.stats.is_caught_up:
            self.stats.is_caught_up = not batch.count or self._window.continues(batch.last_sequence)
        self._be_patient()
        return batch if batch.count else None

    async def _compare_held(self, sequence: int, record: bytes) -> None:
        """Raise where the engine has another event than the one that we keep whole; it may keep it no longer."""
        try:
            batch = await self._source.fetch(sequence - 1)
        except EventsGone:
            return
        _check_answer(batch)
        is_there = batch.first_sequence <= sequence <= batch.last_sequence
        if is_there and record_of(batch, sequence) != record:
            raise FeedAlarm(
                f"event {sequence} of partition {self.partition} is another one at the engine than here: "
                f"the engine began anew, or is another one. {_WHAT_TO_DO}"
            )

    def _compare(self, epoch: int) -> None:
        """Raise where the engine's event at our position is of another epoch than the one we hold."""
        if epoch != self._epoch_at_position:
            raise FeedAlarm(
                f"event {self.stats.position} of partition {self.partition} is of epoch {epoch} at the "
                f"engine, of epoch {self._epoch_at_position} here: the engine lost events and went on, or is "
                f"another one. {_WHAT_TO_DO}"
            )
        self._is_compared = True

    def _note_failure(self, error: InfraError) -> None:
        """Say once that the engine cannot be asked; the feed goes on trying."""
        self.stats.failures += 1
        if not self.stats.problem:
            log.warning("feed_waits_for_engine", partition=self.partition, reason=str(error))
        self.stats.problem = str(error)

    def _note_recovery(self) -> None:
        if self.stats.problem:
            log.info("feed_recovered", partition=self.partition, position=self.stats.position)
            self.stats.problem = ""


def _check_answer(batch: EventBatch) -> None:
    try:
        check_batch(batch)
    except ProtocolError as error:
        raise SourceUnavailable(f"the engine answered what is no event batch: {error}") from error


async def _back_off(delay_s: float) -> float:
    """Wait about a time and return the next, longer one."""
    await asyncio.sleep(delay_s * (0.5 + random.random()))
    return min(delay_s * 2, BACK_OFF_LAST_S)


def _gone_message(partition: int, position: int, first_kept: int) -> str:
    return (
        f"the engine keeps events of partition {partition} from {first_kept} on, this consumer holds up to "
        f"{position}: those between are gone. Restore a newer backup of this component's store, or raise "
        "[engine] event_log_mib and let the engine make its event log anew from journal and archive"
    )
