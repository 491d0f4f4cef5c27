"""The lookout goes on where it stood, begins late where events are gone, and leaves everybody else alone."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import Engine

from exchange.clearing.surveillance.alert_store import read_alerts, read_place
from exchange.clearing.surveillance.lookout import Lookout
from exchange.clearing.surveillance.office import MIGRATIONS
from exchange.infra.errors import AccessRefused, EventsGone
from exchange.infra.feed import Feed
from exchange.infra.store import open_store
from exchange.surveillance.alert import hash_of_all
from exchange.surveillance.settings import Settings, WashTrades
from exchange.surveillance.watcher import Watcher
from exchange.wire.envelope import EventBatch
from exchange.wire.records import encode_event
from tests.clearing.fake_engine import StreamSource, eventually
from tests.post_trade.stream import Stream


class ShortSource(StreamSource):
    """A source that keeps only what begins at an event, or refuses."""

    first_kept = 1
    refuses = False

    async def fetch(self, after: int, wait_s: float = 0) -> EventBatch:
        if self.refuses:
            raise AccessRefused("the key is not known")
        if after + 1 < self.first_kept:
            raise EventsGone(self.first_kept)
        return await super().fetch(after, wait_s)


@pytest.fixture
def store(store_url: str) -> Iterator[Engine]:
    store = open_store(store_url, MIGRATIONS)
    yield store
    store.dispose()


@pytest.fixture
def source() -> ShortSource:
    stream = Stream()
    for number in range(40):
        stream.trade(1, 1 if number % 4 == 0 else 2, 10)
    return ShortSource(stream)


@asynccontextmanager
async def looking(
    store: Engine, source: ShortSource, settings: Settings | None = None
) -> AsyncIterator[Lookout]:
    async def make_feed(after: int, epoch: int) -> Feed:
        return Feed(source, None, partition=0, after=after, epoch=epoch)

    lookout = Lookout(store, settings or Settings(), 0, make_feed)
    lookout.start()

    async def check() -> bool:
        return lookout.stats.sequence >= len(source.stream.events) or bool(lookout.stats.problem)

    await eventually(check)
    yield lookout
    await lookout.stop()


async def has_looked_through(lookout: Lookout, source: ShortSource, restarts: int) -> None:
    async def check() -> bool:
        seen = lookout.stats
        return (seen.sequence, seen.restarts) == (len(source.stream.events), restarts) or bool(seen.problem)

    await eventually(check)


def offline(source: StreamSource, after: int = 0) -> str:
    records = b"".join(map(encode_event, source.stream.events[after:]))
    return hash_of_all(Watcher().take(records))


def stored(store: Engine) -> str:
    with store.connect() as connection:
        return hash_of_all(read_alerts(connection, 0))


async def test_it_stores_what_a_run_offline_finds_and_where_it_stands(
    store: Engine, source: ShortSource
) -> None:
    async with looking(store, source) as lookout:
        assert (lookout.stats.alerts, lookout.stats.repeated, lookout.stats.problem) == (10, 0, "")
    assert stored(store) == offline(source)
    with store.connect() as connection:
        place = read_place(connection, 0)
    assert place is not None
    assert (place.sequence, place.began_at) == (len(source.stream.events), 0)


async def test_it_goes_on_after_a_stop(store: Engine, source: ShortSource) -> None:
    async with looking(store, source):
        pass
    source.stream.trade(1, 1, 10)
    async with looking(store, source) as lookout:
        assert (lookout.stats.alerts, lookout.stats.repeated) == (1, 0)
    assert stored(store) == offline(source)


async def test_other_settings_look_through_everything_again_and_known_alerts_stay_once(
    store: Engine, source: ShortSource
) -> None:
    async with looking(store, source, Settings(wash_trades=WashTrades(enabled=False))) as lookout:
        assert lookout.stats.alerts == 0
    async with looking(store, source) as lookout:
        assert lookout.stats.alerts == 10
    async with looking(store, source, Settings(alerts_per_day_max=60)) as lookout:
        assert (lookout.stats.alerts, lookout.stats.repeated) == (0, 10)


async def test_a_process_that_is_killed_is_followed_by_one_that_goes_on_with_equal_alerts(
    store: Engine, source: ShortSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exchange.clearing.surveillance.lookout.RESTART_AFTER_S", 0)
    async with looking(store, source) as lookout:
        for restarts in (1, 2):
            assert lookout.watcher._process is not None
            os.kill(lookout.watcher._process.pid, signal.SIGKILL)
            source.stream.trade(1, 1, 10)
            source.wake()
            await has_looked_through(lookout, source, restarts)
        assert (lookout.stats.problem, lookout.stats.alerts) == ("", 12)
    assert stored(store) == offline(source)


async def test_a_process_that_dies_again_and_again_stops_surveillance_with_the_reason(
    store: Engine, source: ShortSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exchange.clearing.surveillance.lookout.RESTART_AFTER_S", 0)
    monkeypatch.setattr("exchange.clearing.surveillance.lookout.RESTARTS_MAX", 2)
    monkeypatch.setattr("sys.executable", "/bin/false")
    async with looking(store, source) as lookout:
        assert lookout.stats.problem.startswith("surveillance has stopped: the process of surveillance")
        assert lookout.stats.restarts == 2


async def test_events_that_are_no_longer_kept_are_passed_by_and_that_is_said(
    store: Engine, source: ShortSource
) -> None:
    source.first_kept = 21
    async with looking(store, source) as lookout:
        assert (lookout.stats.began_at, lookout.stats.problem) == (21, "")
        assert 0 < lookout.stats.alerts < 10


async def test_a_key_that_is_refused_stops_it_with_the_reason(store: Engine, source: ShortSource) -> None:
    source.refuses = True
    async with looking(store, source) as lookout:
        assert lookout.stats.problem == "surveillance has stopped: the key is not known"


async def test_a_store_that_cannot_be_written_is_said(store: Engine, source: ShortSource) -> None:
    with store.begin() as connection:
        connection.exec_driver_sql("DROP TABLE alerts")
    async with looking(store, source) as lookout:
        assert "alerts" in lookout.stats.problem
        assert "cannot store" in lookout.stats.problem or "stopped" in lookout.stats.problem
