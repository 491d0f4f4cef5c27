"""The feed: whatever bus and engine do, its consumer gets each event once, in order, or a clear refusal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.infra.bus import DEAD_TOPIC, MemoryBus, Subscription
from exchange.infra.errors import AccessRefused, EventsGone, InfraError
from exchange.infra.feed import Feed, FeedAlarm
from exchange.wire.bus_messages import DeadLetter, decode_message
from exchange.wire.envelope import EventBatch, encode_batch
from exchange.wire.records import decode_events
from tests.infra.event_streams import StreamSource, make_commands, records_of, until
from tests.infra.faulty_bus import FaultyBus

QUICK: dict[str, Any] = {"gap_wait_s": 0.001, "silence_s": 0.002, "back_off_first_s": 0.0001}
NEVER_S = 1_000.0
PATIENT: dict[str, Any] = {"gap_wait_s": NEVER_S, "silence_s": NEVER_S, "back_off_first_s": 0.0001}


@asynccontextmanager
async def opened(
    source: StreamSource,
    subscription: Subscription | None = None,
    after: int = 0,
    epoch: int = 0,
    held: tuple[int, bytes] | None = None,
    **settings: Any,
) -> AsyncIterator[tuple[Feed, AsyncIterator[EventBatch]]]:
    feed = Feed(source, subscription, partition=0, after=after, epoch=epoch, held=held, **(settings or QUICK))
    batches = feed.batches()
    yield feed, batches
    await feed.close()
    await batches.aclose()  # type: ignore[attr-defined]


async def read_until(batches: AsyncIterator[EventBatch], last_sequence: int) -> list[EventBatch]:
    """Take batches up to an event."""
    taken = []
    async with asyncio.timeout(20):
        while not taken or taken[-1].last_sequence < last_sequence:
            taken.append(await anext(batches))
    return taken


async def turns(count: int = 20) -> None:
    """Let other tasks have their turns."""
    for _ in range(count):
        await asyncio.sleep(0)


# --- what always holds ------------------------------------------------------------------------------


@given(
    sizes=st.lists(st.integers(1, 4), min_size=1, max_size=40),
    per_message=st.integers(1, 4),
    seed=st.integers(0, 2**32),
    loss=st.sampled_from([0, 10, 50, 100]),
    repetition=st.sampled_from([0, 30, 60]),
    displacement=st.sampled_from([0, 2, 10]),
    failures=st.integers(0, 3),
    start=st.integers(0, 40),
    window_bytes_max=st.sampled_from([400, 2_000, 1 << 20]),
)
@settings(max_examples=150, deadline=None)
def test_loss_repetition_and_disorder_end_with_exactly_the_events_in_order(
    sizes: list[int],
    per_message: int,
    seed: int,
    loss: int,
    repetition: int,
    displacement: int,
    failures: int,
    start: int,
    window_bytes_max: int,
) -> None:
    commands = make_commands(sizes)

    async def run() -> None:
        source = StreamSource(commands[: start % (len(sizes) + 1)])
        bus = FaultyBus(seed, loss, repetition, displacement)
        subscription = await bus.subscribe("t", "c")
        async with opened(source, subscription, **QUICK, window_bytes_max=window_bytes_max) as (
            feed,
            batches,
        ):
            publishing = asyncio.create_task(publish_rest(source, bus))
            taken = await read_until(batches, commands[-1].last_sequence)
            await publishing
            assert records_of(taken) == records_of(commands)
            assert [e.sequence for e in decode_events(records_of(taken))] == list(range(1, sum(sizes) + 1))
            assert all(decode_events(batch.events)[-1].last_of_command for batch in taken)
            assert (feed.stats.position, feed.stats.events) == (sum(sizes), sum(sizes))
            assert feed._window.bytes <= window_bytes_max + len(commands[0].events) * 16 + 256

    async def publish_rest(source: StreamSource, bus: FaultyBus) -> None:
        rest = commands[len(source.commands) :]
        source.failures_left = failures
        for first in range(0, len(rest), per_message):
            run = rest[first : first + per_message]
            count = run[-1].last_sequence + 1 - run[0].first_sequence
            source.add(run)
            await bus.publish(
                "t", encode_batch(EventBatch(0, 1, run[0].first_sequence, count, records_of(run)))
            )
            await turns(3)
        await bus.flush()

    asyncio.run(run())


# --- with a bus -------------------------------------------------------------------------------------


async def test_the_past_comes_from_the_engine_and_then_the_bus_is_enough() -> None:
    commands = make_commands([1, 2, 3, 1])
    source, bus = StreamSource(commands[:2]), MemoryBus()
    async with opened(source, await bus.subscribe("t", "c"), **PATIENT) as (feed, batches):
        assert records_of(await read_until(batches, 3)) == records_of(commands[:2])
        following = asyncio.ensure_future(read_until(batches, 7))
        await turns()
        for batch in commands[2:]:
            await bus.publish("t", encode_batch(batch))
        assert records_of(await following) == records_of(commands[2:])
        assert feed.stats.is_caught_up
        assert (feed.stats.fetched, feed.stats.gaps, feed.stats.lag_events) == (3, 0, 0)


async def test_a_missing_message_is_fetched_after_a_while() -> None:
    commands = make_commands([1, 1, 1])
    source, bus = StreamSource(commands[:1]), MemoryBus()
    settings = {**PATIENT, "gap_wait_s": 0.001}
    async with opened(source, await bus.subscribe("t", "c"), **settings) as (feed, batches):
        await read_until(batches, 1)
        following = asyncio.ensure_future(read_until(batches, 3))
        await turns()
        source.add(commands[1:])
        await bus.publish("t", encode_batch(commands[2]))
        assert records_of(await following) == records_of(commands[1:])
        assert feed.stats.gaps == 1


async def test_messages_that_go_on_coming_do_not_put_the_repair_of_a_gap_off() -> None:
    commands = make_commands([1] * 300)
    source, bus = StreamSource(commands[:1], commands_per_answer=1), MemoryBus()
    settings = {**PATIENT, "gap_wait_s": 0.02}
    async with opened(source, await bus.subscribe("t", "c"), **settings) as (_, batches):
        await read_until(batches, 1)
        following = asyncio.ensure_future(anext(batches))
        await turns()
        source.add(commands[1:])
        for batch in commands[2:]:
            await bus.publish("t", encode_batch(batch))
            await asyncio.sleep(0.001)
            if following.done():
                break
        assert following.done()
        assert (await following).first_sequence == 2


async def test_a_lost_last_message_is_noticed_in_the_silence() -> None:
    commands = make_commands([1, 1])
    source, bus = StreamSource(commands[:1]), MemoryBus()
    settings = {**PATIENT, "silence_s": 0.001}
    async with opened(source, await bus.subscribe("t", "c"), **settings) as (feed, batches):
        await read_until(batches, 1)
        source.add(commands[1:])
        assert records_of(await read_until(batches, 2)) == commands[1].events
        assert feed.stats.gaps == 0


async def test_poison_is_counted_and_laid_aside_with_its_reason() -> None:
    commands = make_commands([1, 2])
    source, bus = StreamSource(), MemoryBus()
    whole = encode_batch(commands[1])
    poison = [
        b"",
        b"hello, this is no batch of events at all",
        whole[:-1],
        whole[:4] + b"\x09" + whole[5:],
        encode_batch(EventBatch(0, 1, 7, 2, commands[1].events)),
        encode_batch(EventBatch(0, 1, 2, 1, commands[1].events[: len(commands[1].events) // 2])),
        encode_batch(make_commands([1], partition=5)[0]),
    ]
    dead = await bus.subscribe(DEAD_TOPIC, "c")
    async with opened(source, await bus.subscribe("t", "c"), **PATIENT) as (feed, batches):
        following = asyncio.ensure_future(read_until(batches, 3))
        for message in [*poison, encode_batch(commands[0]), encode_batch(commands[1])]:
            await bus.publish("t", message)
        assert records_of(await following) == records_of(commands)
        assert feed.stats.poison == len(poison)
        assert bus.stats()["t", "c"].finished == len(poison) + 2
        letters = [decode_message((await dead.receive()).body, DeadLetter) for _ in poison]
        assert [letter.body for letter in letters] == poison
        assert letters[1].reason.startswith("magic at offset 0")


async def test_an_early_flood_is_bounded_and_its_far_end_fetched_later() -> None:
    commands = make_commands([1] * 200)
    source, bus = StreamSource(commands[:1], commands_per_answer=50), MemoryBus()
    settings = {**PATIENT, "gap_wait_s": 0.02, "window_bytes_max": 3_000}
    async with opened(source, await bus.subscribe("t", "c"), **settings) as (feed, batches):
        await read_until(batches, 1)
        following = asyncio.ensure_future(read_until(batches, 190))
        await turns()
        source.add(commands[1:])
        for batch in commands[2:]:
            await bus.publish("t", encode_batch(batch))
        taken = await following
        assert feed.stats.dropped > 0
        assert feed._window.bytes <= 3_000
        assert records_of(taken) == records_of(commands[1 : taken[-1].last_sequence])


async def test_a_slow_consumer_stops_the_listening_and_not_the_publisher() -> None:
    commands = make_commands([1] * 50)
    source, bus = StreamSource(commands[:1]), MemoryBus()
    settings = {**PATIENT, "window_bytes_max": 1_000}
    async with opened(source, await bus.subscribe("t", "c"), **settings) as (feed, batches):
        await read_until(batches, 1)
        source.add(commands[1:])
        following = asyncio.ensure_future(anext(batches))
        await turns()
        for batch in commands[1:]:
            await bus.publish("t", encode_batch(batch))
        await following
        await turns(200)
        assert feed._window.is_filling
        assert bus.stats()["t", "c"].depth_messages > 30
        taken = [following.result(), *await read_until(batches, 50)]
        assert records_of(taken) == records_of(commands[1:])
        assert feed.stats.dropped == 0


async def test_with_the_engine_out_of_reach_what_the_bus_brings_goes_on() -> None:
    commands = make_commands([1] * 5)
    source, bus = StreamSource(commands[:1]), MemoryBus()
    settings = {**PATIENT, "silence_s": 0.001}
    async with opened(source, await bus.subscribe("t", "c"), **settings) as (feed, batches):
        await read_until(batches, 1)
        source.failures_left = 1_000_000
        following = asyncio.ensure_future(read_until(batches, 5))
        await until(lambda: feed.stats.failures > 0)
        for batch in commands[1:]:
            await bus.publish("t", encode_batch(batch))
        assert records_of(await following) == records_of(commands[1:])
        assert "the engine is not there" in feed.stats.problem


class BrokenSubscription:
    """A subscription that fails a few times, and then for good."""

    def __init__(self, subscription: Subscription, failures: int) -> None:
        self.subscription = subscription
        self.failures_left = failures

    async def receive(self) -> Any:
        if self.failures_left:
            self.failures_left -= 1
            raise InfraError("nsqd is not there")
        return await self.subscription.receive()

    async def close(self) -> None:
        await self.subscription.close()


async def test_a_bus_that_fails_and_comes_back_is_used_again() -> None:
    commands = make_commands([1, 1])
    source, bus = StreamSource(commands[:1]), MemoryBus()
    subscription = BrokenSubscription(await bus.subscribe("t", "c"), 3)
    async with opened(source, subscription, **PATIENT) as (feed, batches):
        await read_until(batches, 1)
        following = asyncio.ensure_future(read_until(batches, 2))
        await until(lambda: not subscription.failures_left)
        await bus.publish("t", encode_batch(commands[1]))
        source.add(commands[1:])
        assert records_of(await following) == commands[1].events
        await until(lambda: not feed.stats.bus_problem)


async def test_a_bus_that_is_closed_leaves_the_engine_to_ask() -> None:
    commands = make_commands([1, 1])
    source, bus = StreamSource(commands[:1]), MemoryBus()
    async with opened(source, await bus.subscribe("t", "c"), **PATIENT) as (_, batches):
        await read_until(batches, 1)
        following = asyncio.ensure_future(read_until(batches, 2))
        await turns()
        await bus.close()
        await turns()
        source.add(commands[1:])
        assert records_of(await following) == commands[1].events


# --- without a bus ----------------------------------------------------------------------------------


async def test_without_a_bus_the_engine_is_asked_and_waited_for() -> None:
    commands = make_commands([1, 2, 1, 1, 3])
    source = StreamSource(commands[:4])
    async with opened(source) as (feed, batches):
        assert records_of(await read_until(batches, 5)) == records_of(commands[:4])
        following = asyncio.ensure_future(read_until(batches, 8))
        await turns()
        assert feed.stats.is_caught_up
        asked = len(source.asked)
        source.add(commands[4:])
        assert records_of(await following) == commands[4].events
        assert len(source.asked) == asked


async def test_a_failing_engine_is_waited_for_and_the_reason_shown() -> None:
    source = StreamSource(make_commands([1]))
    source.failures_left = 3
    async with opened(source) as (feed, batches):
        reading = asyncio.ensure_future(read_until(batches, 1))
        await until(lambda: feed.stats.failures > 0)
        assert "the engine is not there" in feed.stats.problem
        await reading
        assert (feed.stats.failures, feed.stats.problem) == (3, "")


async def test_a_consumer_goes_on_where_it_stopped() -> None:
    commands = make_commands([2, 1, 1])
    async with opened(StreamSource(commands), after=3, epoch=1) as (feed, batches):
        assert records_of(await read_until(batches, 4)) == commands[2].events
        assert feed.stats.events == 1


async def test_a_refused_key_ends_the_feed() -> None:
    class Refusing(StreamSource):
        async def fetch(self, after: int, wait_s: float = 0) -> EventBatch:
            raise AccessRefused("the engine does not know our key")

    async with opened(Refusing()) as (_, batches):
        with pytest.raises(AccessRefused):
            await anext(batches)


async def test_nonsense_from_the_engine_is_retried_and_not_taken_in() -> None:
    commands = make_commands([1, 1, 1])

    class Babbling(StreamSource):
        async def fetch(self, after: int, wait_s: float = 0) -> EventBatch:
            answer = await super().fetch(after, wait_s)
            if len(self.asked) == 1:
                return EventBatch(0, 1, 1, 5, answer.events)
            if len(self.asked) == 2:
                return commands[2]
            return answer

    async with opened(Babbling(commands)) as (feed, batches):
        assert records_of(await read_until(batches, 3)) == records_of(commands)
        assert feed.stats.failures == 2


# --- what the engine holds --------------------------------------------------------------------------


async def test_an_engine_behind_the_consumer_is_an_alarm() -> None:
    async with opened(StreamSource(make_commands([1, 1])), after=5, epoch=1) as (feed, batches):
        with pytest.raises(FeedAlarm, match=r"up to 2, this consumer up to 5 \(epoch 1\)"):
            await anext(batches)
        assert feed.stats.position == 5


async def test_an_engine_with_another_event_at_our_position_is_an_alarm() -> None:
    lost_and_gone_on = make_commands([1], epoch=1) + make_commands([1, 1, 1, 1], epoch=2, first=2)
    async with opened(StreamSource(lost_and_gone_on, epoch=2), after=3, epoch=1) as (_, batches):
        with pytest.raises(FeedAlarm, match="event 3 of partition 0 is of epoch 2 at the engine, of epoch 1"):
            await anext(batches)


async def test_an_engine_that_began_anew_in_the_same_epoch_is_an_alarm() -> None:
    held = make_commands([1, 2])[1]
    anew = make_commands([1, 1, 1, 1])
    async with opened(
        StreamSource(anew), after=3, epoch=1, held=(2, held.events[: len(held.events) // 2])
    ) as (
        feed,
        batches,
    ):
        with pytest.raises(FeedAlarm, match="event 2 of partition 0 is another one at the engine than here"):
            await anext(batches)
        assert feed.stats.position == 3


async def test_an_event_that_is_kept_whole_is_the_same_at_the_right_engine() -> None:
    commands = make_commands([1, 2, 1])
    held = (1, commands[0].events)
    async with opened(StreamSource(commands), after=3, epoch=1, held=held) as (_, batches):
        assert records_of(await read_until(batches, 4)) == commands[2].events


async def test_an_event_that_the_engine_keeps_no_longer_is_not_compared() -> None:
    source = StreamSource(make_commands([1, 1, 1, 1]))
    source.first_kept = 3
    async with opened(source, after=3, epoch=1, held=(1, b"?")) as (_, batches):
        assert (await anext(batches)).first_sequence == 4


async def test_a_restarted_engine_that_lost_events_is_an_alarm_while_running_too() -> None:
    commands = make_commands([1, 1, 1])
    source, bus = StreamSource(commands), MemoryBus()
    async with opened(source, await bus.subscribe("t", "c"), **PATIENT) as (_, batches):
        await read_until(batches, 3)
        following = asyncio.ensure_future(anext(batches))
        await turns()
        source.commands, source.epoch = commands[:1] + make_commands([1], epoch=2, first=2), 2
        await bus.publish("t", encode_batch(source.commands[1]))
        with pytest.raises(FeedAlarm, match="up to 2, this consumer up to 3"):
            await following


async def test_a_restarted_engine_that_lost_nothing_goes_on() -> None:
    commands = make_commands([1, 1]) + make_commands([1, 1], epoch=2, first=3)
    source, bus = StreamSource(commands[:2]), MemoryBus()
    async with opened(source, await bus.subscribe("t", "c"), **PATIENT) as (feed, batches):
        assert (await read_until(batches, 2))[-1].epoch == 1
        following = asyncio.ensure_future(read_until(batches, 4))
        await turns()
        source.epoch = 2
        source.add(commands[2:])
        await bus.publish("t", encode_batch(commands[2]))
        taken = await following
        assert (records_of(taken), taken[-1].epoch) == (records_of(commands[2:]), 2)
        assert feed.stats.epoch == 2


async def test_a_batch_carries_the_epoch_of_its_last_event_and_not_of_the_engine() -> None:
    commands = make_commands([1, 1]) + make_commands([1], epoch=7, first=3)
    async with opened(StreamSource(commands, epoch=7, commands_per_answer=2)) as (feed, batches):
        assert [batch.epoch for batch in await read_until(batches, 3)] == [1, 7]
        assert feed.stats.epoch == 7


async def test_a_lower_epoch_on_the_bus_is_fenced() -> None:
    commands = make_commands([1, 1], epoch=2)
    source, bus = StreamSource(commands[:1], epoch=2), MemoryBus()
    async with opened(source, await bus.subscribe("t", "c"), **PATIENT) as (feed, batches):
        await read_until(batches, 1)
        following = asyncio.ensure_future(read_until(batches, 2))
        await turns()
        await bus.publish("t", encode_batch(make_commands([1], epoch=1, first=2)[0]))
        await bus.publish("t", encode_batch(commands[1]))
        assert records_of(await following) == commands[1].events
        assert feed.stats.fenced == 1


async def test_an_engine_of_a_lower_epoch_is_not_listened_to_until_it_is_replaced() -> None:
    source = StreamSource(make_commands([1, 1, 1]), epoch=1)
    async with opened(source, after=2, epoch=2) as (feed, batches):
        reading = asyncio.ensure_future(anext(batches))
        await until(lambda: feed.stats.fenced > 0)
        assert "epoch 2 was seen" in feed.stats.problem
        source.commands, source.epoch = make_commands([1]) + make_commands([1, 1], epoch=2, first=2), 2
        assert (await reading).first_sequence == 3


async def test_an_engine_of_another_partition_is_an_alarm() -> None:
    async with opened(StreamSource(make_commands([1], partition=3))) as (_, batches):
        with pytest.raises(FeedAlarm, match="is of partition 3, wanted 0"):
            await anext(batches)


async def test_events_that_are_no_longer_kept_end_the_feed_with_what_to_do() -> None:
    source = StreamSource(make_commands([1] * 6))
    source.first_kept = 5
    async with opened(source, after=2, epoch=1) as (_, batches):
        with pytest.raises(EventsGone, match=r"from 5 on, this consumer holds up to 2.*event_log_mib"):
            await anext(batches)


async def test_a_position_that_is_just_no_longer_kept_is_gone_on_from() -> None:
    commands = make_commands([1] * 6)
    source = StreamSource(commands)
    source.first_kept = 5
    async with opened(source, after=4, epoch=1) as (_, batches):
        assert records_of(await read_until(batches, 6)) == records_of(commands[4:])


# --- the end ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("with_bus", [True, False])
async def test_closing_ends_a_feed_that_waits(with_bus: bool) -> None:
    bus = MemoryBus()
    subscription = await bus.subscribe("t", "c") if with_bus else None
    feed = Feed(StreamSource(make_commands([1])), subscription, partition=0, after=0, epoch=0, **PATIENT)

    async def consume() -> int:
        return sum([batch.count async for batch in feed.batches()])

    consuming = asyncio.ensure_future(consume())
    await until(lambda: feed.stats.events > 0)
    await turns()
    await feed.close()
    assert await asyncio.wait_for(consuming, 5) == 1
    assert bus.stats() == {}


async def test_a_cancelled_consumer_is_cancelled() -> None:
    feed = Feed(StreamSource(), None, partition=0, after=0, epoch=0, **PATIENT)

    async def consume() -> None:
        async for _ in feed.batches():
            pass

    consuming = asyncio.ensure_future(consume())
    await turns()
    consuming.cancel()
    with pytest.raises(asyncio.CancelledError):
        await consuming
