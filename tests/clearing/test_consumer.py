"""The consumer gathers batches while the store writes, tries a failing store again, and stops at broken books."""

from __future__ import annotations

import asyncio
import threading

import pytest
from sqlalchemy.exc import OperationalError

from exchange.clearing import consumer as consuming
from exchange.clearing.book_keeper import BookKeeper, Outcome
from exchange.clearing.consumer import Consumer
from exchange.infra import store_retry
from exchange.infra.feed import Feed
from exchange.infra.store import StoreError
from exchange.post_trade.invariants import BooksBroken
from exchange.wire.envelope import EventBatch
from tests.clearing.fake_engine import EVENTS_PER_FETCH, StreamSource, eventually
from tests.post_trade.stream import Stream


def consumer_of(stream: Stream, keeper: BookKeeper) -> tuple[Consumer, Feed, list[Outcome]]:
    outcomes: list[Outcome] = []
    feed = Feed(StreamSource(stream), None, partition=0, after=0, epoch=0)
    return Consumer(feed, keeper, outcomes.append), feed, outcomes


async def run_to_end(consumer: Consumer, feed: Feed, last: int) -> None:
    reading = asyncio.create_task(consumer.read())
    committing = asyncio.create_task(consumer.commit())

    async def done() -> bool:
        return consumer.stats.committed_sequence >= last or committing.done()

    await eventually(done)
    await feed.close()
    await asyncio.gather(reading, committing)


async def test_everything_the_feed_gives_is_committed_before_the_end(keeper: BookKeeper) -> None:
    stream = Stream()
    for quantity in range(1, 40):
        stream.trade(1, 2, quantity)
    consumer, feed, outcomes = consumer_of(stream, keeper)
    await run_to_end(consumer, feed, len(stream.events))
    assert sum(outcome.trades for outcome in outcomes) == 39
    assert keeper.position().sequence == len(stream.events)
    assert consumer.stats.commits == len(outcomes)


async def test_batches_gather_while_a_transaction_is_written(
    keeper: BookKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = Stream()
    for quantity in range(1, 80):
        stream.trade(1, 2, quantity)
    consumer, feed, outcomes = consumer_of(stream, keeper)
    commit, may_go_on = keeper.commit, threading.Event()

    def slow_commit(batch: EventBatch) -> Outcome:
        if not outcomes:
            may_go_on.wait(10)
        return commit(batch)

    monkeypatch.setattr(keeper, "commit", slow_commit)
    reading = asyncio.create_task(consumer.read())
    committing = asyncio.create_task(consumer.commit())

    async def all_read() -> bool:
        return feed.stats.position == len(stream.events)

    await eventually(all_read)
    may_go_on.set()

    async def all_committed() -> bool:
        return consumer.stats.committed_sequence == len(stream.events)

    await eventually(all_committed)
    await feed.close()
    await asyncio.gather(reading, committing)
    assert len(outcomes) == 2


async def test_a_transaction_takes_no_more_than_its_size(
    keeper: BookKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consuming, "COMMIT_BYTES_MAX", 1)
    stream = Stream()
    for quantity in range(1, 40):
        stream.trade(1, 2, quantity)
    consumer, feed, outcomes = consumer_of(stream, keeper)
    await run_to_end(consumer, feed, len(stream.events))
    assert len(outcomes) == -(-len(stream.events) // EVENTS_PER_FETCH)


async def test_a_store_that_fails_for_a_moment_is_tried_again(
    keeper: BookKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_retry, "BACK_OFF_FIRST_S", 0.001)
    stream = Stream()
    stream.trade(1, 2, 100)
    consumer, feed, outcomes = consumer_of(stream, keeper)
    commit, failures = keeper.commit, [2]

    def failing_commit(batch: EventBatch) -> Outcome:
        if failures[0]:
            failures[0] -= 1
            raise OperationalError("INSERT", None, OSError("disk is full"))
        return commit(batch)

    monkeypatch.setattr(keeper, "commit", failing_commit)
    await run_to_end(consumer, feed, len(stream.events))
    assert sum(outcome.trades for outcome in outcomes) == 1
    assert consumer.meter.problem == ""


async def test_a_store_that_goes_on_failing_ends_the_consumer_and_says_why(
    keeper: BookKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_retry, "BACK_OFF_FIRST_S", 0.001)
    stream = Stream()
    consumer, feed, _ = consumer_of(stream, keeper)

    def failing_commit(batch: EventBatch) -> Outcome:
        raise OperationalError("INSERT", None, OSError("disk is full"))

    monkeypatch.setattr(keeper, "commit", failing_commit)
    with pytest.raises(StoreError, match="disk is full; free space"):
        await run_to_end(consumer, feed, len(stream.events))
    assert consumer.meter.problem.endswith("disk is full")


async def test_broken_books_end_the_consumer_at_once(keeper: BookKeeper) -> None:
    stream = Stream()
    stream.bust(stream.trade(1, 2, 100), quantity=1)
    consumer, feed, outcomes = consumer_of(stream, keeper)
    with pytest.raises(BooksBroken, match="quantity is 1"):
        await run_to_end(consumer, feed, len(stream.events))
    assert sum(outcome.trades for outcome in outcomes) == 0
