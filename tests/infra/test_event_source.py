"""The engine's event log as a source within the process: at once where there is something, else a wait for it."""

from __future__ import annotations

import asyncio

from exchange.infra.event_source import LocalEventSource
from exchange.wire.envelope import EventBatch
from tests.infra.event_streams import make_commands, records_of


class ListLog:
    """An event log in a list."""

    partition = 0
    epoch = 4

    def __init__(self, commands: list[EventBatch]) -> None:
        self.commands = commands

    @property
    def last_sequence(self) -> int:
        return self.commands[-1].last_sequence if self.commands else 0

    def read(self, after: int, max_bytes: int) -> EventBatch:
        wanted = [batch for batch in self.commands if batch.first_sequence > after]
        return EventBatch(0, self.epoch, after + 1, sum(batch.count for batch in wanted), records_of(wanted))


async def test_events_that_are_there_come_at_once() -> None:
    commands = make_commands([1, 2])
    batch = await LocalEventSource(ListLog(commands)).fetch(1, wait_s=1_000)
    assert (batch.first_sequence, batch.count, batch.events) == (2, 2, commands[1].events)


async def test_with_nothing_new_the_answer_is_empty_and_says_what_comes_next() -> None:
    source = LocalEventSource(ListLog(make_commands([1, 2])))
    assert await source.fetch(3) == EventBatch(0, 4, 4, 0, b"")
    assert await source.fetch(3, wait_s=0.001) == EventBatch(0, 4, 4, 0, b"")
    assert await LocalEventSource(ListLog([])).fetch(0) == EventBatch(0, 4, 1, 0, b"")


async def test_who_is_ahead_of_the_engine_learns_it_at_once() -> None:
    source = LocalEventSource(ListLog(make_commands([1])))
    assert await source.fetch(9, wait_s=1_000) == EventBatch(0, 4, 2, 0, b"")


async def test_those_who_wait_are_woken_by_new_events() -> None:
    commands = make_commands([1, 1, 1])
    log = ListLog(commands[:1])
    source = LocalEventSource(log)
    waiting = [asyncio.ensure_future(source.fetch(1, wait_s=1_000)) for _ in range(2)]
    await asyncio.sleep(0)
    log.commands = commands[:2]
    source.wake()
    assert [batch.events for batch in await asyncio.gather(*waiting)] == [commands[1].events] * 2
    again = asyncio.ensure_future(source.fetch(2, wait_s=1_000))
    await asyncio.sleep(0)
    log.commands = commands
    source.wake()
    assert (await again).events == commands[2].events
