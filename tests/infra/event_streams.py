"""Streams of events for tests of what carries them, and a source that holds one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from exchange.domain.events import EngineStarted, Event, ParticipantCreated
from exchange.domain.units import CommandSequence, EventSequence, ParticipantId, TimeNs
from exchange.infra.errors import EventsGone, SourceUnavailable
from exchange.wire.envelope import EventBatch
from exchange.wire.records import encode_event


def make_event(sequence: int, command: int, last: bool, epoch: int = 1, partition: int = 0) -> Event:
    """Make an event whose content tells its number."""
    shared = {
        "sequence": EventSequence(sequence),
        "command_sequence": CommandSequence(command),
        "time_ns": TimeNs(1_000 + command),
        "epoch": epoch,
        "partition": partition,
        "last_of_command": last,
    }
    if sequence % 7 == 0:
        return EngineStarted(rules_version=1, **shared)
    name = f"member {sequence}"
    return ParticipantCreated(participant_id=ParticipantId(sequence), name=name, **shared)


def make_commands(
    sizes: Sequence[int], epoch: int = 1, first: int = 1, partition: int = 0
) -> list[EventBatch]:
    """Make one batch a command, each of so many events."""
    batches = []
    sequence = first
    for command, size in enumerate(sizes, first):
        events = [
            make_event(sequence + index, command, index == size - 1, epoch, partition)
            for index in range(size)
        ]
        records = b"".join(map(encode_event, events))
        batches.append(EventBatch(partition, epoch, sequence, size, records))
        sequence += size
    return batches


def records_of(batches: Sequence[EventBatch]) -> bytes:
    """Return the records of batches one after another."""
    return b"".join(batch.events for batch in batches)


async def until(condition: Callable[[], bool]) -> None:
    """Let other tasks run until a condition holds."""
    for _ in range(30_000):
        if condition():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it never came true")


class StreamSource:
    """An event source over a list of commands, which can grow, fail and forget."""

    def __init__(
        self, commands: Sequence[EventBatch] = (), epoch: int = 1, commands_per_answer: int = 3
    ) -> None:
        self.commands = list(commands)
        self.epoch = epoch
        self.commands_per_answer = commands_per_answer
        self.failures_left = 0
        self.first_kept = 1
        self.asked: list[int] = []
        self._added = asyncio.Event()

    def add(self, commands: Sequence[EventBatch]) -> None:
        self.commands += commands
        self._added.set()
        self._added = asyncio.Event()

    @property
    def last_sequence(self) -> int:
        return self.commands[-1].last_sequence if self.commands else 0

    async def fetch(self, after: int, wait_s: float = 0) -> EventBatch:
        self.asked.append(after)
        await asyncio.sleep(0)
        if self.failures_left:
            self.failures_left -= 1
            raise SourceUnavailable("the engine is not there")
        if after + 1 < self.first_kept:
            raise EventsGone(self.first_kept)
        if wait_s and after == self.last_sequence:
            await self._added.wait()
        return self._answer(after)

    def _answer(self, after: int) -> EventBatch:
        partition = self.commands[0].partition if self.commands else 0
        wanted = [batch for batch in self.commands if batch.last_sequence > after][: self.commands_per_answer]
        if not wanted:
            return EventBatch(partition, self.epoch, self.last_sequence + 1, 0, b"")
        count = wanted[-1].last_sequence + 1 - wanted[0].first_sequence
        return EventBatch(partition, self.epoch, wanted[0].first_sequence, count, records_of(wanted))
