"""The sequencer, the one writer: numbers and stamps commands, has them matched and stored, then releases the answers.

What has been received waits in `_received` and is nowhere else. A turn of the loop moves it into the open generation:
numbered, matched, part of the next batch. Only a generation goes to disk, so a batch never holds what was not matched,
and nothing received is lost when a batch is closed. Two generations live at a time: one on its way to disk, one open.
All commands of a generation have one time. Answers leave when their generation is durable, in order.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from time import perf_counter_ns
from typing import Any, TypeVar

import msgspec
import structlog

from exchange.domain.commands import Tick
from exchange.engine.generation import Generation
from exchange.engine.pacing import Pacing, Reader
from exchange.engine.replay import ReplayableVenue
from exchange.engine.sequencer_stats import SequencerStats
from exchange.engine.submission import Submission, check_framing
from exchange.engine.time_keeper import SECOND_NS, ClockJumped, TimeKeeper
from exchange.infra.clock import Clock
from exchange.infra.errors import InfraError
from exchange.infra.event_log import EventLog
from exchange.infra.journal import Journal
from exchange.infra.journal_choice import writer_of
from exchange.infra.journal_writer import SEAL_AFTER_S
from exchange.infra.latency import LatencyHistogram
from exchange.wire.envelope import EventBatch
from exchange.wire.records import encode_command

TURN_COMMANDS_MAX = 1_024
"""Commands matched before the loop may do other work."""
_WATCH_LEAST_S = 0.001
_TICK = encode_command(Tick())
_TICKS_MAX = 100
"""Deadlines that may come due in one batch; the next batch takes the others."""
_Answer = TypeVar("_Answer")
log = structlog.get_logger(component="engine")


class EngineBusy(InfraError):
    """Too many commands wait; nothing of the submission was taken, and trying again can help."""


class EngineHalted(InfraError):
    """The engine takes nothing more. What was under way may or may not be stored: the next start tells."""


class Limits(msgspec.Struct, frozen=True):
    """pending_commands_max: received and not yet answered, more is refused as busy; batch_commands_max: in one journal
    batch, the rest waits for the next one; submission_bytes_max: more is malformed; watch_s: how often the clock is
    looked at while nothing comes.
    """

    pending_commands_max: int = 65_536
    batch_commands_max: int = 16_384
    submission_bytes_max: int = 512 * 1024
    clock_jump_limit_s: float = 3600
    seal_after_s: float = SEAL_AFTER_S
    watch_s: float = 1.0


class Sequencer:
    """Lives on one event loop. `start` it, `submit` commands, `stop` it."""

    def __init__(
        self,
        venue: ReplayableVenue,
        journal: Journal,
        event_log: EventLog,
        clock: Clock,
        *,
        epoch: int,
        limits: Limits | None = None,
    ) -> None:
        self.venue = venue
        self.epoch = epoch
        self.limits = limits or Limits()
        self.halted = ""
        self.durable_sequence = venue.command_sequence
        self.durable_event_sequence = venue.event_sequence
        self._journal = journal
        self._event_log = event_log
        self._clock = clock
        self._time = TimeKeeper(clock, venue.time_ns, int(self.limits.clock_jump_limit_s * SECOND_NS))
        self._writer = writer_of(journal, self.limits.seal_after_s)
        room = journal.payload_bytes_max - len(_TICK) * _TICKS_MAX
        self._submission_bytes_max = min(self.limits.submission_bytes_max, room)
        self._received: deque[Submission] = deque()
        self._open: Generation | None = None
        self._in_flight: Generation | None = None
        self._pending = 0
        self._turn_due = False
        self._stopping = False
        self._pacing = Pacing(is_disk_awaited=journal.stats().durability != "buffered")
        self._watch: asyncio.TimerHandle | None = None
        self._idle: asyncio.Future[None] | None = None
        self._subscribers: list[Callable[[EventBatch], None]] = []
        self._brakes: list[Callable[[], str]] = []
        self._braked = ""
        self._batches = self._commands = self._events = self._batch_commands_max = 0
        self.write_times = LatencyHistogram()
        self.durable_times = LatencyHistogram()

    async def start(self) -> None:
        """Begin to take commands. The first one must be `StartEngine` with this epoch."""
        self._loop = asyncio.get_running_loop()
        self._writer.start(self._on_durable, self.halt)
        self._look_at_the_clock()

    async def stop(self) -> bool:
        """Take nothing more, finish what was received, write the close record; tell whether all that went well.

        Then the venue is as the journal says. After a halt there is no close record, and the venue may be ahead of the
        journal: take no snapshot of it.
        """
        self._stopping = True
        if not self.halted and not self._is_idle():
            self._idle = self._loop.create_future()
            with contextlib.suppress(EngineHalted):
                await self._idle
        clean = not self.halted
        self.halt("the engine is stopped")
        return await self._writer.close(clean=clean) and clean

    async def submit(self, commands: bytes, count: int) -> bytes:
        """Return the events of these command records, once they are durable.

        Raise `ProtocolError` for malformed records, `EngineBusy` when too many commands wait: nothing was taken then;
        `EngineHalted` when the engine has stopped: whether it was taken shows after the next start. A caller that
        goes away does not take its commands back.
        """
        check_framing(commands, count, self._submission_bytes_max)
        self._refuse_when_halted()
        answer: asyncio.Future[bytes] = self._loop.create_future()
        self._receive(Submission(commands, count, answer))
        return await answer

    def offer(self, commands: bytes, count: int, matched: Callable[[int], None]) -> None:
        """Take command records whose events are heard by a subscriber; for gateways that answer by the stream.

        matched: called with the sequence of the first of them, once they are matched and before they are released.
        Raises as `submit` does. A gateway that asks `room` first is never refused as busy.
        """
        check_framing(commands, count, self._submission_bytes_max)
        self._refuse_when_halted()
        self._receive(Submission(commands, count, matched=matched))

    @property
    def room(self) -> int:
        """Return how many commands more may wait."""
        return 0 if self._is_braked() else self.limits.pending_commands_max - self._pending

    def _is_braked(self) -> bool:
        if self._braked:
            self._look_at_brakes()
        return bool(self._braked)

    def _look_at_brakes(self) -> None:
        self._braked = next((reason for brake in self._brakes if (reason := brake())), "")

    def _receive(self, submission: Submission) -> None:
        if self._is_braked():
            raise EngineBusy(f"{self._braked}; try again in a moment")
        if self._pending + submission.count > self.limits.pending_commands_max:
            raise EngineBusy(
                f"{self._pending} commands wait, at most {self.limits.pending_commands_max} may; try again in a moment"
            )
        self._pending += submission.count
        self._received.append(submission)
        self._call_turn()

    async def barrier(self) -> None:
        """Return when everything that was matched before the call is durable.

        Read the venue first, then wait here, then answer: nobody sees what a crash could take back. `read` does it.
        """
        if self.halted:
            raise EngineHalted(self.halted)
        last = self._open if self._open and self._open.count else self._in_flight
        if last:
            passed: asyncio.Future[None] = self._loop.create_future()
            last.barriers.append(passed)
            await passed

    async def read(self, query: Callable[[ReplayableVenue], _Answer]) -> _Answer:
        """Return what a query reads from the venue, once all it may have seen is durable."""
        answer = query(self.venue)
        await self.barrier()
        return answer

    def subscribe(self, callback: Callable[[EventBatch], None]) -> None:
        """Have every durable batch of events given to a callback, on the loop, in order; it must not raise or wait."""
        self._subscribers.append(callback)

    def pace(self, reader: Reader) -> None:
        """Have a gateway rest while a generation is on its way to disk; see `pacing`."""
        self._pacing.readers.append(reader)

    def obey(self, brake: Callable[[], str]) -> None:
        """Refuse commands as busy for as long as a listener that must not lose events gives a reason."""
        self._brakes.append(brake)

    def halt(self, reason: str, releasing: Generation | None = None) -> None:
        """Take and release nothing more; everybody who waits, and who comes later, is told why.

        releasing: a generation that left the disk and did not reach all who wait for it.
        """
        if self.halted:
            return
        self.halted = reason
        if not self._stopping:
            log.critical("engine_halted", reason=reason, command=self.durable_sequence)
        if self._watch:
            self._watch.cancel()
        waiting: list[asyncio.Future[Any]] = [one.answer for one in self._received if one.answer]
        for generation in (releasing, self._in_flight, self._open):
            waiting += generation.waiting() if generation else []
        waiting += [self._idle] if self._idle else []
        for future in waiting:
            if not future.done():
                future.set_exception(EngineHalted(reason))
        self._received.clear()
        self._open = self._in_flight = None
        self._pacing.end()

    @property
    def stats(self) -> SequencerStats:
        """Return the counters."""
        return SequencerStats(
            self.epoch,
            self._batches,
            self._commands,
            self._events,
            self._batch_commands_max,
            self._pending,
            self.limits.pending_commands_max,
            self._braked,
            self.venue.command_sequence,
            self.durable_sequence,
            self.durable_event_sequence,
            self.write_times.percentile_ns(50),
            self.write_times.percentile_ns(99),
            self.write_times.max_ns,
            self._journal.stats(),
            self.halted,
        )

    def _refuse_when_halted(self) -> None:
        if self.halted or self._stopping:
            raise EngineHalted(
                self.halted or "the engine is stopping; it will take commands after its next start"
            )

    def _call_turn(self) -> None:
        if not self._turn_due:
            self._turn_due = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        """Match what has been received, and hand it to the disk if the disk is free."""
        self._turn_due = False
        if self.halted:
            return
        try:
            self._gather()
            if sent := self._hand_over():
                self._pacing.sent(sent)
        except ClockJumped as error:
            self.halt(str(error))
        except Exception as error:
            self.halt(f"a bug in the venue or the sequencer: {error!r}; report it with the journal")
            raise

    def _gather(self) -> None:
        generation = self._open or self._open_generation()
        turn = self._next_of(generation)
        if turn:
            # They leave the queue only when they were matched, so that a bug in the venue leaves nobody waiting.
            generation.take(turn)
            for _ in turn:
                self._received.popleft()
        if self._received and self._has_room(generation, self._received[0]):
            self._call_turn()

    def _next_of(self, generation: Generation) -> list[Submission]:
        """List what is matched in this turn: as much as the generation has room for, and a turn may take."""
        turn: list[Submission] = []
        count, size = generation.count, generation.size_bytes
        for submission in self._received:
            if len(turn) and count - generation.count >= TURN_COMMANDS_MAX:
                break
            count += submission.count
            size += len(submission.commands)
            if (generation.count or turn) and not self._fits(count, size):
                break
            turn.append(submission)
        return turn

    def _open_generation(self) -> Generation:
        generation = self._open = Generation(self.venue, self._time.stamp())
        while self._is_tick_due(generation.time_ns) and generation.count < _TICKS_MAX:
            deadline = self.venue.next_deadline
            generation.apply([_TICK], 1)
            assert self.venue.next_deadline != deadline, "the venue did not take its deadline"
        return generation

    def _is_tick_due(self, time_ns: int) -> bool:
        # An epoch begins with its StartEngine; what came due while the engine was away comes right after it.
        return self.venue.epoch == self.epoch and 0 < self.venue.next_deadline <= time_ns

    def _has_room(self, generation: Generation, submission: Submission) -> bool:
        size = generation.size_bytes + len(submission.commands)
        return not generation.count or self._fits(generation.count + submission.count, size)

    def _fits(self, count: int, size_bytes: int) -> bool:
        return count <= self.limits.batch_commands_max and size_bytes <= self._journal.payload_bytes_max

    def _hand_over(self) -> int:
        """Close the open generation and give it to the journal, unless one is on its way; return its commands."""
        generation = self._open
        if self._in_flight or not generation:
            return 0
        self._open = None
        if generation.count:
            self._in_flight = generation
            self._writer.write(generation.batch())
        return generation.count

    def _on_durable(self, elapsed_ns: int) -> None:
        """Release the generation that has reached the disk; the next one is sent first, for the disk is the slowest."""
        generation, self._in_flight = self._in_flight, None
        if self.halted or not generation:
            return
        try:
            next_sent = self._hand_over()
            self.write_times.observe(elapsed_ns)
            self._release(generation)
            self._pacing.durable(next_sent)
        except OSError as error:
            self.halt(f"the event log cannot be written: {error.strerror or error}; free space", generation)
        except Exception as error:
            self.halt(f"what is stored could not be told: {error!r}; the next start tells it", generation)
            raise
        if self._received or self._is_tick_due(generation.time_ns):
            self._call_turn()

    def _release(self, generation: Generation) -> None:
        batch = generation.events(self.epoch)
        self._event_log.append(batch.events, batch.first_sequence, batch.count)
        self.durable_sequence = generation.first_sequence + generation.count - 1
        self.durable_event_sequence = batch.last_sequence
        self._batches += 1
        self._commands += generation.count
        self._events += batch.count
        self._batch_commands_max = max(self._batch_commands_max, generation.count)
        self._pending -= generation.pending
        if batch.count:
            for callback in self._subscribers:
                callback(batch)
            if self._brakes:
                self._look_at_brakes()
        now_ns = perf_counter_ns()
        for received_ns in generation.received_ns:
            self.durable_times.observe(now_ns - received_ns)
        generation.release()
        if self._idle and self._is_idle() and not self._idle.done():
            self._idle.set_result(None)

    def _is_idle(self) -> bool:
        return not (self._pending or self._in_flight or self._open)

    def _look_at_the_clock(self) -> None:
        """Take a turn once in a while though nothing came: a deadline may be due, or the clock have jumped."""
        if self.halted:
            return
        self._call_turn()
        delay_s = self.limits.watch_s
        if self.venue.next_deadline:
            until_s = (self.venue.next_deadline - self._clock.now_ns()) / SECOND_NS
            delay_s = min(delay_s, max(until_s, _WATCH_LEAST_S))
        self._watch = self._loop.call_later(delay_s, self._look_at_the_clock)
