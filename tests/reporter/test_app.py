"""The reporter as a component: it goes on where it stopped, whatever bus and engine do, and says what is wrong."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import text

from exchange.infra.bus import MemoryBus, events_topic
from exchange.infra.errors import SourceUnavailable
from exchange.infra.feed import Feed
from exchange.reporter.app import ReporterApp
from exchange.wire.envelope import EventBatch, encode_batch
from tests.market_data.venue_flow import VenueFlow
from tests.reporter.reporter_stand import WITHIN_S, Stand, VenueSource, reporter_config

WHAT = (
    "/api/v1/trades?limit=1000", "/api/v1/book?depth=1000&level=3", "/api/v1/ticker", "/api/v1/statistics",
    "/api/v1/candles?symbol=AAPL&interval=1s&limit=1000", "/api/v1/candles?symbol=MSFT&interval=1d",
    "/api/v1/symbols",
)  # fmt: skip


async def answers(stand: Stand) -> list[Any]:
    return [await stand.get(path) for path in WHAT]


async def until(stand: Stand, said: str) -> str:
    """Wait until the reporter is not ready for a reason."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            for reason in stand.app.ready():
                if said in reason:
                    return reason
            await asyncio.sleep(0.01)


async def test_a_restart_mid_stream_changes_nothing(tmp_path: Path) -> None:
    flow = VenueFlow(8)
    batches = [flow.open(), *flow.random_batches(12)]
    async with Stand(tmp_path / "whole") as whole, Stand(tmp_path / "stopped") as stopped:
        await whole.publish(*batches)
        for at in range(0, len(batches), 4):
            await stopped.publish(*batches[at : at + 4])
            await stopped.restart()
        assert await answers(stopped) == await answers(whole)


async def test_a_bus_that_repeats_loses_and_reorders_changes_nothing(tmp_path: Path) -> None:
    flow = VenueFlow(8)
    batches = [flow.open(), *flow.random_batches(12)]
    async with Stand(tmp_path / "straight") as straight:
        await straight.publish(*batches)
        expected = await answers(straight)
    bus, source, random = MemoryBus(), VenueSource(), Random(5)
    stand = Stand(tmp_path / "bus")
    stand.source = source
    stand.app = ReporterApp(stand.config, bus=bus, source=source)
    async with stand:
        for events in batches:
            source.add(events)
        messages = [each for each in source.batches for _ in range(random.choice((0, 1, 1, 2)))]
        for at in range(0, len(messages), 20):
            window = messages[at : at + 20]
            random.shuffle(window)
            for batch in window:
                await bus.publish(events_topic(0), encode_batch(batch))
            await asyncio.sleep(0)
        await stand.publish()
        assert await answers(stand) == expected
        assert stand.app.feed.stats.events == source.last_sequence


async def test_it_is_ready_once_it_has_caught_up(tmp_path: Path) -> None:
    stand = Stand(tmp_path)
    assert stand.app.ready() == ["the reporter is starting or stopping"]
    stand.source.add(stand.flow.open())
    async with stand:
        await stand.publish()
        assert await stand.get("/readyz") == {"ready": True, "reasons": []}
    assert stand.app.ready() == ["the reporter is starting or stopping"]


async def test_events_that_the_engine_no_longer_keeps_are_said_and_history_stays(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand:
        await stand.publish(stand.flow.open(), stand.flow.trade(1_000_000))
        await stand.http.close()
        await stand.app.stop()
        stand.source.add(stand.flow.trade(1_000_100))
        stand.source.add(stand.flow.trade(1_000_200))
        stand.source.gone = 16
        stand.app = ReporterApp(stand.config, source=stand.source)
        await stand.__aenter__()
        assert "EventsGone" in await until(stand, "17")
        assert (await stand.get("/readyz", 503))["ready"] is False
        assert len((await stand.get("/api/v1/trades"))["items"]) == 1


async def test_an_engine_behind_the_stored_position_is_an_alarm_and_nothing_is_overwritten(
    tmp_path: Path,
) -> None:
    async with Stand(tmp_path) as stand:
        await stand.publish(stand.flow.open(), stand.flow.trade(1_000_000))
        await stand.http.close()
        await stand.app.stop()
        stand.source.batches = stand.source.batches[:5]
        stand.app = ReporterApp(stand.config, source=stand.source)
        await stand.__aenter__()
        assert "FeedAlarm" in await until(stand, "FeedAlarm")
        assert len((await stand.get("/api/v1/trades"))["items"]) == 1


class FailingSource(VenueSource):
    async def fetch(self, after: int, wait_s: float = 0) -> EventBatch:
        raise SourceUnavailable("the engine is away")


async def test_an_engine_that_is_away_is_waited_for_and_said(tmp_path: Path) -> None:
    stand = Stand(tmp_path)
    stand.app = ReporterApp(stand.config, source=FailingSource())
    async with stand:
        assert await until(stand, "away") == "engine: the engine is away"
        assert await stand.get("/api/v1/healthcheck") == {"status": "ok"}


async def test_a_store_that_fails_ends_the_following_and_says_why(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand:
        await stand.publish(stand.flow.open())
        with stand.app.store.engine.begin() as connection:
            connection.execute(text("DROP TABLE event_batches"))
        stand.source.add(stand.flow.trade(1_000_000))
        assert "no such table" in await until(stand, "StoreError")
        assert stand.app.market.sequence == 10


async def test_a_fault_of_ours_ends_the_following_and_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async with Stand(tmp_path) as stand:
        await stand.publish(stand.flow.open())

        def broken(*_: object) -> None:
            raise AssertionError("a broken invariant")

        monkeypatch.setattr(stand.app.store, "commit", broken)
        stand.source.add(stand.flow.trade(1_000_000))
        await until(stand, "its log says why")
        assert "a broken invariant" in capsys.readouterr().out


async def test_a_stop_waits_for_the_batch_in_hand(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand:
        for events in [stand.flow.open(), *stand.flow.random_batches(5)]:
            stand.source.add(events)
        await asyncio.sleep(0.01)
        await stand.restart()
        await stand.publish()
        assert stand.app.market.sequence == stand.flow.venue.event_sequence


async def test_an_own_engine_key_is_needed_where_no_source_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EXCHANGE_COMPONENT_KEY", raising=False)
    app = ReporterApp(reporter_config(tmp_path))
    with pytest.raises(SourceUnavailable, match=r"keys.json is not there yet"):
        await app.start()
    monkeypatch.setenv("EXCHANGE_COMPONENT_KEY", "xk_" + "test" * 10)
    app = ReporterApp(reporter_config(tmp_path, engine_url="http://127.0.0.1:9"))
    await app.start()
    assert isinstance(app.feed, Feed)
    await app.stop()
