"""The bus: one suite that both pass, in memory and over a real nsqd; then what only the memory bus promises."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterator

import pytest

from exchange.infra.bus import (
    DEAD_TOPIC,
    IN_FLIGHT_MAX,
    Bus,
    BusClosed,
    MemoryBus,
    Subscription,
    events_topic,
)
from exchange.infra.nsq_bus import NsqBus, NsqSettings
from exchange.wire.bus_messages import DeadLetter, decode_message
from tests.infra.nsq_daemons import Daemon

SILENCE_S = 0.3


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


@pytest.fixture(scope="session")
def nsqd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with Daemon("nsqd", tmp_path_factory.mktemp("nsqd")) as daemon:
        yield daemon


@pytest.fixture(params=["memory", pytest.param("nsq", marks=pytest.mark.integration)])
async def bus(request: pytest.FixtureRequest) -> AsyncIterator[Bus]:
    if request.param == "memory":
        made: Bus = MemoryBus()
    else:
        made = NsqBus(NsqSettings(nsqd=(request.getfixturevalue("nsqd").address,)))
    yield made
    await made.close()


@pytest.fixture
def topic(request: pytest.FixtureRequest) -> str:
    """A topic of the test's own."""
    return f"t{zlib.crc32(request.node.name.encode())}"


async def stays_silent(subscription: Subscription) -> bool:
    """Tell whether nothing comes for a while, for a bus that takes its time."""
    try:
        async with asyncio.timeout(SILENCE_S):
            await subscription.receive()
    except TimeoutError:
        return True
    return False


# --- what every bus promises ------------------------------------------------------------------------


async def test_every_channel_gets_every_message(bus: Bus, topic: str) -> None:
    reporter, clearing = await bus.subscribe(topic, "reporter"), await bus.subscribe(topic, "clearing")
    for message in (b"1", b"2", b"3"):
        await bus.publish(topic, message)
    assert sorted(await receive_all(reporter, 3)) == [b"1", b"2", b"3"]
    assert sorted(await receive_all(clearing, 3)) == [b"1", b"2", b"3"]


async def test_consumers_of_one_channel_share_its_messages(bus: Bus, topic: str) -> None:
    first, second = await bus.subscribe(topic, "c"), await bus.subscribe(topic, "c")
    messages = [bytes([number]) for number in range(20)]
    for message in messages:
        await bus.publish(topic, message)
    received: list[bytes] = []

    async def take(subscription: Subscription) -> None:
        while len(received) < len(messages):
            delivery = await subscription.receive()
            received.append(delivery.body)
            await delivery.finish()

    tasks = [asyncio.create_task(take(first)), asyncio.create_task(take(second))]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED, timeout=5)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert sorted(received) == messages


async def test_messages_of_all_sizes_and_contents_arrive_whole(bus: Bus, topic: str) -> None:
    subscription = await bus.subscribe(topic, "c")
    messages = [b"\n", b"\x00" * 3, bytes(range(256)) * 400, b"x" * 1_000_000]
    for message in messages:
        await bus.publish(topic, message)
    assert sorted(await receive_all(subscription, 4)) == sorted(messages)


async def test_one_who_waits_is_woken_by_a_message(bus: Bus, topic: str) -> None:
    subscription = await bus.subscribe(topic, "c")
    waiting = asyncio.ensure_future(receive_all(subscription, 1))
    await asyncio.sleep(0)
    await bus.publish(topic, b"1")
    assert await waiting == [b"1"]


async def test_a_requeued_message_comes_again_and_counts_its_attempts(bus: Bus, topic: str) -> None:
    subscription = await bus.subscribe(topic, "c")
    await bus.publish(topic, b"1")
    delivery = await subscription.receive()
    assert delivery.attempts == 1
    await delivery.requeue()
    delivery = await asyncio.wait_for(subscription.receive(), 5)
    assert (delivery.body, delivery.attempts) == (b"1", 2)
    await delivery.requeue(0.01)
    delivery = await asyncio.wait_for(subscription.receive(), 5)
    assert (delivery.body, delivery.attempts) == (b"1", 3)
    assert bus.figures().outstanding == 1
    await delivery.finish()
    seen = bus.figures()
    assert (seen.published, seen.received, seen.repeated, seen.requeued, seen.finished) == (1, 3, 2, 2, 1)
    assert (seen.outstanding, seen.dropped, seen.failed) == (0, 0, 0)


async def test_finishing_twice_and_requeueing_what_is_finished_change_nothing(bus: Bus, topic: str) -> None:
    subscription = await bus.subscribe(topic, "c")
    await bus.publish(topic, b"1")
    delivery = await subscription.receive()
    await delivery.finish()
    await delivery.finish()
    await delivery.requeue()
    assert await stays_silent(subscription)


async def test_what_a_leaving_consumer_has_not_finished_goes_to_the_next(bus: Bus, topic: str) -> None:
    leaving = await bus.subscribe(topic, "c")
    await bus.publish(topic, b"1")
    await leaving.receive()
    staying = await bus.subscribe(topic, "c")
    await leaving.close()
    await leaving.close()
    assert await receive_all(staying, 1) == [b"1"]


async def test_a_cancelled_receive_loses_no_message(bus: Bus, topic: str) -> None:
    subscription = await bus.subscribe(topic, "c")
    waiting = asyncio.ensure_future(subscription.receive())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await bus.publish(topic, b"1")
    assert await receive_all(subscription, 1) == [b"1"]


async def test_what_cannot_be_read_goes_to_the_dead_letters_with_its_reason(bus: Bus, topic: str) -> None:
    dead = await bus.subscribe(DEAD_TOPIC, "c")
    subscription = await bus.subscribe(topic, "c")
    await bus.publish(topic, b"nonsense")
    await (await subscription.receive()).bury("magic at offset 0")
    (body,) = await receive_all(dead, 1)
    letter = decode_message(body, DeadLetter)
    assert (letter.topic, letter.channel, letter.reason, letter.body, letter.attempts) == (
        topic, "c", "magic at offset 0", b"nonsense", 1,
    )  # fmt: skip
    assert await stays_silent(subscription)


async def test_closing_the_bus_ends_those_who_wait(bus: Bus, topic: str) -> None:
    waiting = asyncio.ensure_future((await bus.subscribe(topic, "c")).receive())
    await asyncio.sleep(0)
    await bus.close()
    with pytest.raises(BusClosed):
        await waiting
    with pytest.raises(BusClosed, match=f"publish to {topic}"):
        await bus.publish(topic, b"1")
    with pytest.raises(BusClosed, match=f"subscribe to {topic}/c"):
        await bus.subscribe(topic, "c")


# --- what the memory bus promises beyond ------------------------------------------------------------


async def test_every_channel_gets_every_message_in_order() -> None:
    bus = MemoryBus()
    reporter, clearing = await bus.subscribe("t", "reporter"), await bus.subscribe("t", "clearing")
    for message in (b"1", b"2", b"3"):
        await bus.publish("t", message)
    assert await receive_all(reporter, 3) == [b"1", b"2", b"3"]
    assert await receive_all(clearing, 3) == [b"1", b"2", b"3"]
    assert bus.stats()["t", "reporter"].finished == 3


async def test_a_topic_without_consumers_keeps_nothing() -> None:
    bus = MemoryBus()
    await bus.publish("t", b"before")
    subscription = await bus.subscribe("t", "c")
    assert await is_silent(subscription)
    await bus.publish("u", b"another topic")
    assert await is_silent(subscription)


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


async def test_a_consumer_that_finishes_nothing_is_not_given_more_and_more() -> None:
    bus = MemoryBus()
    subscription = await bus.subscribe("t", "c")
    for _ in range(IN_FLIGHT_MAX + 1):
        await bus.publish("t", b"x")
    held = [await subscription.receive() for _ in range(IN_FLIGHT_MAX)]
    assert await is_silent(subscription)
    await held[0].finish()
    assert await receive_all(subscription, 1) == [b"x"]


async def test_a_channel_goes_with_its_last_consumer() -> None:
    bus = MemoryBus()
    subscription = await bus.subscribe("t", "c")
    await subscription.close()
    await bus.publish("t", b"1")
    assert bus.stats() == {}
    with pytest.raises(BusClosed, match="t/c"):
        await subscription.receive()
