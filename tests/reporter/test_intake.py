"""Batches are joined while one is in hand, in order and without loss."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import cast

import pytest

from exchange.infra.errors import InfraError
from exchange.infra.feed import Feed
from exchange.reporter import intake
from exchange.reporter.intake import Intake
from exchange.wire.envelope import EventBatch


class FakeFeed:
    """Gives batches of one event each; fails: what it raises at its end."""

    def __init__(self, count: int, fails: Exception | None = None) -> None:
        self.count = count
        self.fails = fails
        self.given = 0

    async def batches(self) -> AsyncGenerator[EventBatch, None]:
        for number in range(1, self.count + 1):
            self.given = number
            yield EventBatch(0, 1, number, 1, bytes([number]))
            await asyncio.sleep(0)
        if self.fails:
            raise self.fails

    @property
    def real(self) -> Feed:
        return cast(Feed, self)


async def take_all(
    feed: FakeFeed, hold_s: float = 0, into: list[EventBatch] | None = None
) -> list[EventBatch]:
    found = [] if into is None else into
    async for batch in Intake(feed.real).batches():
        found.append(batch)
        await asyncio.sleep(hold_s)
    return found


@pytest.mark.parametrize("hold_s", [0, 0.005])
async def test_every_event_comes_once_and_in_order_however_long_each_is_held(hold_s: float) -> None:
    found = await take_all(FakeFeed(200), hold_s)
    assert b"".join(batch.events for batch in found) == bytes(range(1, 201))
    assert [batch.first_sequence for batch in found] == [
        1,
        *(batch.last_sequence + 1 for batch in found[:-1]),
    ]


async def test_what_comes_while_one_is_held_is_joined() -> None:
    found = await take_all(FakeFeed(60), hold_s=0.01)
    assert len(found) < 10


async def test_the_feed_waits_when_many_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "WAITING_BATCHES_MAX", 3)
    feed = FakeFeed(50)
    batches = Intake(feed.real).batches()
    assert (await anext(batches)).events == b"\x01"
    for _ in range(20):
        await asyncio.sleep(0)
    assert feed.given == 5
    assert (await anext(batches)).count == 3
    await batches.aclose()


async def test_a_joined_batch_has_a_largest_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "JOINED_BYTES_MAX", 2)
    found = await take_all(FakeFeed(30), hold_s=0.005)
    assert max(batch.count for batch in found) == 2


async def test_a_failure_of_the_feed_comes_after_what_it_gave() -> None:
    found: list[EventBatch] = []
    with pytest.raises(InfraError, match="gone"):
        await take_all(FakeFeed(5, InfraError("gone")), 0.005, found)
    assert b"".join(batch.events for batch in found) == bytes(range(1, 6))


async def test_who_stops_taking_stops_the_reading() -> None:
    feed = FakeFeed(100)
    batches = Intake(feed.real).batches()
    await anext(batches)
    await batches.aclose()
    assert feed.given < 100
