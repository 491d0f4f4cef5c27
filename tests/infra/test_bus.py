"""The memory bus: topics and channels as NSQ has them, bounded, and never waiting for a consumer."""

from __future__ import annotations

import asyncio

import pytest

from exchange.infra.bus import IN_FLIGHT_MAX, BusClosed, MemoryBus, Subscription, events_topic


async def receive_all(subscription: Subscription, count: int) -> list[bytes]:
    received = []
    for _ in range(count):
        delivery = await asyncio.wait_for(subscription.receive(), 5)
        received.append(delivery.body)
        await delivery.finish()
    return received


async def is_silent(subscription: Subscription) -> bool:
    waiting = asyncio.ensure_future(subscription.receive())
    for _ in range(5):
        await asyncio.sleep(0)
    silent = not waiting.done()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    return silent


def test_the_topic_of_events_names_the_partition() -> None:
    assert events_topic(3) == "exchange.events.3"


async def test_every_channel_gets_every_message_in_order() -> None:
    bus = MemoryBus()
    reporter, clearing = await bus.subscribe("t", "reporter"), await bus.subscribe("t", "clearing")
    for message in (b"1", b"2", b"3"):
        await bus.publish("t", message)
    assert await receive_all(reporter, 3) == [b"1", b"2", b"3"]
    assert await receive_all(clearing, 3) == [b"1", b"2", b"3"]
    assert bus.stats()["t", "reporter"].finished == 3


async def test_consumers_of_one_channel_share_its_messages() -> None:
    bus = MemoryBus()
    first, second = await bus.subscribe("t", "c"), await bus.subscribe("t", "c")
    await bus.publish("t", b"1")
    await bus.publish("t", b"2")
    assert await receive_all(first, 1) + await receive_all(second, 1) == [b"1", b"2"]
    assert await is_silent(first)


async def test_a_topic_without_consumers_keeps_nothing() -> None:
    bus = MemoryBus()
    await bus.publish("t", b"before")
    subscription = await bus.subscribe("t", "c")
    assert await is_silent(subscription)
    await bus.publish("u", b"another topic")
    assert await is_silent(subscription)


async def test_one_who_waits_is_woken_by_a_message() -> None:
    bus = MemoryBus()
    subscription = await bus.subscribe("t", "c")
    waiting = asyncio.ensure_future(receive_all(subscription, 1))
    await asyncio.sleep(0)
    await bus.publish("t", b"1")
    assert await waiting == [b"1"]


async def test_a_channel_with_too_many_messages_drops_the_oldest() -> None:
    bus = MemoryBus(queue_messages_max=2)
    subscription = await bus.subscribe("t", "c")
    for message in (b"1", b"2", b"3"):
        await bus.publish("t", message)
    assert await receive_all(subscription, 2) == [b"2", b"3"]
    assert bus.stats()["t", "c"].dropped == 1


async def test_a_channel_with_too_many_bytes_drops_the_oldest() -> None:
    bus = MemoryBus(queue_bytes_max=10)
    subscription = await bus.subscribe("t", "c")
    for message in (b"a" * 6, b"b" * 6, b"c" * 4):
        await bus.publish("t", message)
    stats = bus.stats()["t", "c"]
    assert (stats.depth_messages, stats.depth_bytes, stats.dropped) == (2, 10, 1)
    assert await receive_all(subscription, 2) == [b"b" * 6, b"c" * 4]
    assert stats.depth_bytes == 0


async def test_a_requeued_message_comes_again() -> None:
    bus = MemoryBus()
    subscription = await bus.subscribe("t", "c")
    await bus.publish("t", b"1")
    await (await subscription.receive()).requeue()
    delivery = await subscription.receive()
    assert delivery.body == b"1"
    await delivery.requeue(0.001)
    assert await receive_all(subscription, 1) == [b"1"]
    assert bus.stats()["t", "c"].requeued == 2


async def test_finishing_twice_and_requeueing_what_is_finished_change_nothing() -> None:
    bus = MemoryBus()
    subscription = await bus.subscribe("t", "c")
    await bus.publish("t", b"1")
    delivery = await subscription.receive()
    await delivery.finish()
    await delivery.finish()
    await delivery.requeue()
    assert await is_silent(subscription)
    assert bus.stats()["t", "c"].finished == 1


async def test_what_a_leaving_consumer_has_not_finished_goes_to_the_next() -> None:
    bus = MemoryBus()
    leaving, staying = await bus.subscribe("t", "c"), await bus.subscribe("t", "c")
    await bus.publish("t", b"1")
    await leaving.receive()
    await leaving.close()
    await leaving.close()
    assert await receive_all(staying, 1) == [b"1"]


async def test_a_consumer_that_finishes_nothing_is_not_given_more_and_more() -> None:
    bus = MemoryBus()
    subscription = await bus.subscribe("t", "c")
    for _ in range(IN_FLIGHT_MAX + 1):
        await bus.publish("t", b"x")
    held = [await subscription.receive() for _ in range(IN_FLIGHT_MAX)]
    assert await is_silent(subscription)
    await held[0].finish()
    assert await receive_all(subscription, 1) == [b"x"]


async def test_a_cancelled_receive_loses_no_message() -> None:
    bus = MemoryBus()
    subscription = await bus.subscribe("t", "c")
    waiting = asyncio.ensure_future(subscription.receive())
    await asyncio.sleep(0)
    await bus.publish("t", b"1")
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert await receive_all(subscription, 1) == [b"1"]


async def test_a_channel_goes_with_its_last_consumer() -> None:
    bus = MemoryBus()
    subscription = await bus.subscribe("t", "c")
    await subscription.close()
    await bus.publish("t", b"1")
    assert bus.stats() == {}
    with pytest.raises(BusClosed, match="t/c"):
        await subscription.receive()


async def test_closing_the_bus_ends_those_who_wait() -> None:
    bus = MemoryBus()
    waiting = asyncio.ensure_future((await bus.subscribe("t", "c")).receive())
    await asyncio.sleep(0)
    await bus.close()
    with pytest.raises(BusClosed):
        await waiting
    with pytest.raises(BusClosed, match="publish to t"):
        await bus.publish("t", b"1")
    with pytest.raises(BusClosed, match="subscribe to t/c"):
        await bus.subscribe("t", "c")
