"""Tests of exchange.engine.rest_events: the event stream over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from exchange.engine.rest_events import BINARY, cut
from exchange.infra.http_source import HttpEventSource
from exchange.wire.envelope import EventBatch, decode_batch
from exchange.wire.records import decode_events
from tests.engine.running_engine import RunningEngine


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[RunningEngine]:
    async with RunningEngine(tmp_path) as running:
        yield running


async def read(engine: RunningEngine, query: str) -> EventBatch:
    answer = await engine.ask("GET", f"/api/v1/events?{query}", "component", accept=BINARY)
    assert answer.status == 200, answer
    return decode_batch(answer.body)


async def test_machines_read_the_whole_stream_in_binary(engine: RunningEngine) -> None:
    await engine.trade()
    batch = await read(engine, "after=0")
    events = decode_events(batch.events)
    assert [event.sequence for event in events] == list(range(1, batch.last_sequence + 1))
    assert batch.epoch == 1
    assert type(events[-1]).__name__ == "TradeExecuted"


async def test_people_read_names_and_decimals(engine: RunningEngine) -> None:
    order = await engine.order("alice", "buy", "100", "189.20")
    answer = await engine.get(f"/api/v1/events?after={order.body['seq'] - 1}", "auditor")
    (event,) = answer.items
    assert (event["type"], event["seq"]) == ("order_accepted", order.body["seq"])
    assert (event["data"]["price"], event["data"]["side"]) == ("189.20", "buy")
    assert answer.body["next"] == str(order.body["seq"])


async def test_a_page_ends_with_a_whole_command(engine: RunningEngine) -> None:
    await engine.order("alice", "buy", "100", "189.20")
    start = (await read(engine, "after=0")).last_sequence
    await engine.order("bob", "sell", "10", "189.20")
    await engine.order("bob", "sell", "10", "189.20")
    for limit, count in ((1, 2), (2, 2), (3, 2), (4, 4)):
        assert (await read(engine, f"after={start}&limit={limit}")).count == count
        items = (await engine.get(f"/api/v1/events?after={start}&limit={limit}", "operator")).items
        assert len(items) == count


async def test_a_poll_waits_for_the_next_event(engine: RunningEngine) -> None:
    last = (await read(engine, "after=0")).last_sequence
    waiting = asyncio.create_task(read(engine, f"after={last}&wait_s=20"))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    order = await engine.order("alice", "buy", "1", "100.00")
    batch = await waiting
    assert (batch.first_sequence, batch.last_sequence) == (order.body["seq"], order.body["seq"])


async def test_nothing_new_is_an_empty_batch_and_from_an_engine_behind_too(engine: RunningEngine) -> None:
    last = (await read(engine, "after=0")).last_sequence
    empty = await read(engine, f"after={last}&wait_s=0.01")
    assert (empty.count, empty.first_sequence) == (0, last + 1)
    behind = await read(engine, f"after={last + 500}&wait_s=1")
    assert (behind.count, behind.first_sequence) == (0, last + 1)


async def test_a_stop_answers_those_who_wait(tmp_path: Path) -> None:
    engine = RunningEngine(tmp_path)
    await engine.start()
    last = (await read(engine, "after=0")).last_sequence
    waiting = asyncio.create_task(read(engine, f"after={last}&wait_s=30"))
    await asyncio.sleep(0.05)
    await asyncio.wait_for(engine.app.stop(), 5)
    assert (await waiting).count == 0
    await engine.stop()


async def test_events_no_longer_kept_are_gone_with_the_first_that_is(engine: RunningEngine) -> None:
    log = engine.app.event_log
    log.begin_at(log.last_sequence + 1)
    await engine.order("alice", "buy", "1", "100.00")
    answer = await engine.get("/api/v1/events?after=0", "auditor")
    assert (answer.status, answer.body["reason"]) == (410, "gone")
    assert answer.body["detail"]["first_kept"] == log.first_sequence


async def test_the_stream_is_for_components_auditors_and_operators(engine: RunningEngine) -> None:
    for who, status in (
        ("component", 200),
        ("auditor", 200),
        ("operator", 200),
        ("clearing", 403),
        ("alice", 403),
    ):
        assert (await engine.get("/api/v1/events", who)).status == status, who
    assert (await engine.get("/api/v1/events")).status == 401


async def test_the_source_of_the_components_reads_it(engine: RunningEngine) -> None:
    source = HttpEventSource(engine.app.url, engine.keys["component"])
    try:
        batch = await source.fetch(0)
        assert batch.count == (await source.fetch(0)).count > 0
    finally:
        await source.close()


def test_a_cut_keeps_everything_where_there_is_no_limit() -> None:
    batch = EventBatch(0, 1, 1, 0, b"")
    assert cut(batch, None) is batch
