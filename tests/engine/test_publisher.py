"""Tests of exchange.engine.publisher: events go to the bus, bounded, and nobody waits for it."""

from __future__ import annotations

import asyncio

import pytest

from exchange.engine import publisher as publishing
from exchange.engine.publisher import Publisher, pieces_of
from exchange.infra.bus import MemoryBus, Subscription, events_topic
from exchange.infra.errors import InfraError
from exchange.wire.envelope import EventBatch, decode_batch
from exchange.wire.records import VERSION
from tests.engine.running_engine import until
from tests.infra.event_streams import make_commands


def batch(number: int, size: int = 100) -> EventBatch:
    return EventBatch(3, 1, number, 1, bytes([VERSION]) * size)


class StubbornBus(MemoryBus):
    """A bus that fails until told otherwise, or never answers."""

    failing = True
    silent = False

    async def publish(self, topic: str, message: bytes) -> None:
        if self.silent:
            await asyncio.Event().wait()
        if self.failing:
            raise InfraError("nobody is there")
        await super().publish(topic, message)


async def received(subscription: Subscription, count: int) -> list[EventBatch]:
    return [decode_batch((await asyncio.wait_for(subscription.receive(), 5)).body) for _ in range(count)]


async def test_batches_arrive_in_order_on_the_partitions_topic() -> None:
    bus = MemoryBus()
    subscription = await bus.subscribe(events_topic(3), "c")
    publisher = Publisher(bus, 3)
    await publisher.start()
    sent = [batch(number) for number in range(1, 20)]
    for each in sent:
        publisher.offer(each)
    assert await received(subscription, len(sent)) == sent
    await publisher.stop()
    assert (publisher.stats.published, publisher.stats.dropped, publisher.stats.waiting_bytes) == (19, 0, 0)


async def test_a_stop_sends_what_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    bus = MemoryBus()
    subscription = await bus.subscribe(events_topic(3), "c")
    publisher = Publisher(bus, 3)
    await publisher.start()
    publisher.offer(batch(1))
    await publisher.stop()
    await publisher.stop()
    assert await received(subscription, 1) == [batch(1)]


async def test_when_too_much_waits_batches_are_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "WAITING_BYTES_MAX", 250)
    monkeypatch.setattr(publishing, "STOP_WAIT_S", 0.01)
    bus = StubbornBus()
    bus.silent = True
    publisher = Publisher(bus, 3)
    await publisher.start()
    for number in range(1, 6):
        publisher.offer(batch(number))
    assert (publisher.stats.dropped, publisher.stats.waiting_bytes) == (3, 200)
    await publisher.stop()


async def test_a_bus_that_fails_loses_batches_and_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "RETRY_S", 0.001)
    bus = StubbornBus()
    subscription = await bus.subscribe(events_topic(3), "c")
    publisher = Publisher(bus, 3)
    await publisher.start()
    publisher.offer(batch(1))
    await until(lambda: publisher.stats.dropped)
    assert publisher.stats.problem == "nobody is there"
    bus.failing = False
    publisher.offer(batch(2))
    assert await received(subscription, 1) == [batch(2)]
    await publisher.stop()
    assert publisher.stats.problem == ""


def test_a_large_batch_is_cut_between_commands() -> None:
    commands = make_commands([2, 1, 3, 1])
    events = b"".join(command.events for command in commands)
    whole = EventBatch(0, 1, 1, 7, events)
    assert list(pieces_of(whole, len(events))) == [whole]
    assert list(pieces_of(whole, 1)) == commands
    two = list(pieces_of(whole, len(commands[0].events) + len(commands[1].events)))
    assert (two[0].first_sequence, two[0].count) == (1, 3)
    assert sum(piece.count for piece in two) == 7
    assert b"".join(piece.events for piece in two) == events
