"""Tests of exchange.engine.app: starts, stops, restarts, and what is there afterwards."""

from __future__ import annotations

import asyncio
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import structlog

from exchange.engine.app import EngineApp
from exchange.engine.time_keeper import SECOND_NS
from exchange.infra.bus import MemoryBus, events_topic
from exchange.infra.clock import ManualClock
from exchange.infra.errors import InfraError
from exchange.wire.envelope import decode_batch
from tests.engine.running_engine import RunningEngine, config_for, shape, until

NOON_NS = 1_795_435_200 * SECOND_NS
DAY_NS = 86_400 * SECOND_NS


async def test_finished_and_live_orders_are_there_after_a_restart(tmp_path: Path) -> None:
    async with RunningEngine(tmp_path) as engine:
        filled, _, match = await engine.trade()
        live = (await engine.order("alice", "buy", "10", "189.00", client_order_id="live")).body
        before = [(await engine.get(f"/api/v1/order/{each}", "alice")).body for each in (filled, live["id"])]
        book = (await engine.get("/api/v1/book?symbol=AAPL&level=3")).items[0]["bids"]
        digest = engine.app.venue.digest()
        await engine.restart()
        after = [(await engine.get(f"/api/v1/order/{each}", "alice")).body for each in (filled, live["id"])]
        assert after == before
        assert (await engine.get("/api/v1/book?symbol=AAPL&level=3")).items[0]["bids"] == book
        assert (await engine.get("/api/v1/fills", "alice")).items[0]["match_id"] == match
        again = await engine.order("alice", "buy", "10", "189.00", client_order_id="live")
        assert (again.status, again.body) == (200, live)
        stats = (await engine.get("/api/v1/stats", "alice")).body
        assert stats["sequences"]["epoch"] == 2
        assert shape(stats["recovery"], "commands", "was_stopped_cleanly") == {
            "commands": 0, "was_stopped_cleanly": True,
        }  # fmt: skip
        assert digest != engine.app.venue.digest(), "the epoch is part of the state"


async def test_the_order_history_is_made_again_where_it_is_missing(tmp_path: Path) -> None:
    engine = RunningEngine(tmp_path)
    await engine.start()
    order, _, _ = await engine.trade()
    before = (await engine.get(f"/api/v1/order/{order}", "alice")).body
    await engine.stop()
    for path in engine.app.folder.path.glob("orders.sqlite*"):
        path.unlink()
    await engine.start()
    try:
        assert (await engine.get(f"/api/v1/order/{order}", "alice")).body == before
    finally:
        await engine.stop()


async def test_an_order_history_ahead_of_the_engine_is_an_alarm(tmp_path: Path) -> None:
    engine = RunningEngine(tmp_path)
    await engine.start()
    await engine.stop()
    for folder in ("journal", "events", "snapshots"):
        for path in (engine.app.folder.path / folder).iterdir():
            path.unlink()
    with pytest.raises(InfraError, match="its journal lost its end"):
        await EngineApp(engine.config).start()


async def test_a_second_engine_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    async with RunningEngine(tmp_path) as engine:
        with pytest.raises(InfraError, match="in use by process"):
            await EngineApp(engine.config).start()
        assert (await engine.get("/readyz")).status == 200


async def test_a_start_that_fails_leaves_nothing_running(tmp_path: Path) -> None:
    async with RunningEngine(tmp_path) as engine:
        port = int(engine.app.url.rpartition(":")[2])
        other = EngineApp(config_for(tmp_path / "other", port=port))
        with pytest.raises(OSError, match="address already in use"):
            await other.start()
    await other.start()
    await other.stop()


async def test_durable_events_go_to_the_bus(tmp_path: Path) -> None:
    bus = MemoryBus()
    subscription = await bus.subscribe(events_topic(0), "test")
    async with RunningEngine(tmp_path, bus=bus) as engine:
        order = await engine.order("alice", "buy", "1", "100.00")
        batches = []
        while not batches or batches[-1].last_sequence < order.body["seq"]:
            delivery = await asyncio.wait_for(subscription.receive(), 5)
            batches.append(decode_batch(delivery.body))
            await delivery.finish()
        assert batches[0].first_sequence == 1
        assert all(a.last_sequence + 1 == b.first_sequence for a, b in pairwise(batches))
        assert (await engine.get("/api/v1/stats", "alice")).body["publisher"]["published"] == len(batches)


async def test_the_business_day_rolls_by_itself(tmp_path: Path) -> None:
    clock = ManualClock(NOON_NS)
    async with RunningEngine(tmp_path, clock=clock) as engine:
        order = (await engine.order("alice", "buy", "1", "100.00")).body["id"]
        first = (await engine.get("/api/v1/business-day")).body["date"]
        clock.advance(DAY_NS)
        await engine.order("alice", "buy", "1", "100.00", client_order_id="next-day")
        assert (await engine.get("/api/v1/business-day")).body["date"] > first
        assert (await engine.get(f"/api/v1/order/{order}", "alice")).body["status"] == "expired"


async def test_a_clock_that_jumps_halts_the_engine_and_it_says_so(tmp_path: Path) -> None:
    clock = ManualClock(NOON_NS)
    async with RunningEngine(tmp_path, clock=clock) as engine:
        order = (await engine.order("alice", "buy", "1", "100.00")).body["id"]
        clock.jump(2 * 3600 * SECOND_NS)
        answer = await engine.order("alice", "buy", "1", "100.00")
        assert (answer.status, answer.body["reason"], answer.body["retry"]) == (503, "engine_halted", True)
        assert "clock" in answer.body["message"]
        assert answer.headers["Retry-After"] == "1"
        ready = await engine.get("/readyz")
        assert ready.status == 503
        assert "halted" in ready.body["reasons"][0]
        assert (await engine.get(f"/api/v1/order/{order}", "alice")).status == 200
        assert (await engine.get("/api/v1/book")).status == 503
    assert not list(engine.app.folder.snapshots.iterdir()), "a halted engine's state is not kept"


async def test_too_many_commands_at_once_are_refused_as_busy(tmp_path: Path) -> None:
    async with RunningEngine(tmp_path, config_for(tmp_path, max_pending_commands=100)) as engine:
        item = {"symbol": "AAPL", "side": "buy", "qty": "1", "price": "1.00"}
        answer = await engine.post("/api/v1/orders", "alice", [item] * 101)
        assert (answer.status, answer.body["reason"], answer.body["retry"]) == (503, "engine_busy", True)
        assert answer.headers["Retry-After"] == "1"
        assert (await engine.order("alice", "buy", "1", "1.00")).status == 201


async def test_a_stop_waits_for_orders_under_way(tmp_path: Path) -> None:
    engine = RunningEngine(tmp_path)
    await engine.start()
    sent = [asyncio.create_task(engine.order("alice", "buy", "1", "1.00")) for _ in range(20)]
    await until(lambda: engine.app.venue.counters.orders)
    await engine.app.stop()
    answers = [await task for task in sent]
    taken = [answer.body["id"] for answer in answers if answer.status == 201]
    assert taken
    assert {answer.status for answer in answers} <= {201, 503}
    await engine.restart()
    for order in taken:
        assert (await engine.get(f"/api/v1/order/{order}", "alice")).status == 200
    await engine.stop()


async def test_the_follower_runs_beside_the_engine(tmp_path: Path) -> None:
    async with RunningEngine(tmp_path, config_for(tmp_path, snapshot_every_commands=1_000)) as engine:
        assert engine.app.ready() == []


async def test_a_matcher_that_is_not_there_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "exchange.matching.native", None)
    with pytest.raises(InfraError, match="not installed"):
        await EngineApp(config_for(tmp_path, matcher="native")).start()


@pytest.mark.parametrize("matcher", ["auto", "python"])
async def test_without_the_wheel_orders_are_matched_in_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, matcher: str
) -> None:
    monkeypatch.setitem(sys.modules, "exchange.matching.native", None)
    with structlog.testing.capture_logs() as logs:
        async with RunningEngine(tmp_path, config_for(tmp_path, matcher=matcher)) as engine:
            assert (await engine.get("/api/v1/stats", "alice")).body["matcher"] == "python"
    said = [entry["meaning"] for entry in logs if entry["event"] == "matcher_is_python"]
    assert len(said) == (matcher == "auto")
