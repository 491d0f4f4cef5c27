"""Going on from a sequence: store, memory and what comes, without a gap and without a repeat."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from exchange.reporter import stream_resume
from exchange.reporter.stream_hub import Selection, StreamHub
from exchange.reporter.stream_resume import Resumption, wait_for_room
from tests.reporter.fake_connection import FakeConnection
from tests.reporter.live_flow import LiveFlow

TRADES = Selection("trades")


async def test_what_comes_while_the_store_is_read_is_neither_lost_nor_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_resume, "RESUMED_AT_ONCE", 3)
    live = LiveFlow(tmp_path, seed=3)
    live.feed(live.flow.open(), *live.flow.random_batches(10))
    hub = StreamHub(live.market, replay_messages=4, heartbeat_s=1)
    resumption, connection = Resumption(hub, live.store.queries), FakeConnection()
    subscriber = hub.enter(connection.real)
    resuming = asyncio.create_task(resumption.resume(subscriber, TRADES, 1, 1))
    while not resuming.done():
        live.feed(live.flow.random_events(), listener=hub)
        await asyncio.sleep(0.001)
    live.feed(*live.flow.random_batches(2), listener=hub)
    resumed, *messages = connection.take()
    assert resumed["type"] == "resumed"
    assert [each["prev_seq"] for each in messages] == [0, *(each["seq"] for each in messages[:-1])]
    assert messages[-1]["seq"] == live.market.trade_chains[1]


async def test_one_that_closes_while_it_resumes_is_not_subscribed(tmp_path: Path) -> None:
    live = LiveFlow(tmp_path)
    live.feed(live.flow.open(), live.flow.trade(1_000_000))
    hub = StreamHub(live.market, replay_messages=10, heartbeat_s=1)
    connection = FakeConnection()
    subscriber = hub.enter(connection.real)
    connection.is_closing = True
    await Resumption(hub, live.store.queries).resume(subscriber, TRADES, 1, 1)
    assert subscriber.groups == {}


async def test_room_is_waited_for_until_the_queue_has_emptied() -> None:
    connection = FakeConnection()
    connection.queued_bytes = connection.limits.queue_bytes_max
    waiting = asyncio.create_task(wait_for_room(connection.real))
    await asyncio.sleep(0.02)
    assert not waiting.done()
    connection.queued_bytes = 0
    await waiting
