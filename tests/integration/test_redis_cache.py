"""Reporter, real Redis and read-only reporters together: equal, through kills under load and a wrong password."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from exchange.infra.config import Config, RedisConfig
from exchange.reporter.app import ReporterApp
from exchange.reporter.cache_api import SEQUENCE_HEADER
from exchange.reporter.cache_app import CacheReporterApp
from tests.infra.redis_server import RedisServer, needs_redis
from tests.market_data.venue_flow import VenueFlow
from tests.reporter.reporter_stand import WITHIN_S, Stand

pytestmark = needs_redis

PATHS = ("/api/v1/symbols", "/api/v1/book", "/api/v1/book?symbol=AAPL&depth=50", "/api/v1/book?symbol=MSFT")
KILLS = 3


def with_redis(config: Config, url: str, **more: Any) -> Config:
    """Return the configuration with Redis in it."""
    return msgspec.structs.replace(config, redis=RedisConfig(url=url, **more))


@asynccontextmanager
async def reader_of(config: Config) -> AsyncIterator[aiohttp.ClientSession]:
    """Run a read-only reporter."""
    app = CacheReporterApp(config)
    await app.start()
    async with aiohttp.ClientSession(app.url) as http:
        yield http
    await app.stop()


def stand_with(folder: Path, url: str) -> Stand:
    """Make a reporter that writes the cache."""
    stand = Stand(folder, VenueFlow(5))
    stand.config = with_redis(stand.config, url)
    stand.app = ReporterApp(stand.config, source=stand.source)
    return stand


async def answer(http: aiohttp.ClientSession, path: str) -> tuple[int, Any, int]:
    async with http.get(path) as response:
        sequence = int(response.headers.get(SEQUENCE_HEADER, 0))
        return response.status, msgspec.json.decode(await response.read()), sequence


async def trials() -> AsyncIterator[None]:
    """Let a test look again and again for a limited time."""
    async with asyncio.timeout(WITHIN_S):
        for _ in range(WITHIN_S * 50):
            yield
            await asyncio.sleep(0.02)
    raise AssertionError("it never came true")


async def until_whole(http: aiohttp.ClientSession, stand: Stand) -> None:
    """Wait until the cache is confirmed up to the last event."""
    async for _ in trials():
        if (await answer(http, PATHS[0]))[2] >= stand.source.last_sequence:
            return


async def until_status(http: aiohttp.ClientSession, status: int) -> None:
    """Wait until a reader says that it is ready, or that it is not."""
    async for _ in trials():
        if (await answer(http, "/readyz"))[0] == status:
            return


async def until_note(stand: Stand, said: str) -> str:
    """Wait for a note of a reporter that is ready all the same."""
    async for _ in trials():
        found = await stand.get("/readyz")
        assert (found["ready"], found["reasons"]) == (True, [])
        for note in found.get("notes", []):
            if said in note:
                return str(note)
    raise AssertionError(f"no note says {said!r}")


async def assert_equal(http: aiohttp.ClientSession, stand: Stand) -> None:
    await until_whole(http, stand)
    for path in PATHS:
        assert (await answer(http, path))[1] == await stand.get(path), path


async def test_the_cache_is_equal_to_the_reporter_through_kills_under_load(tmp_path: Path) -> None:
    with RedisServer("secret") as server:
        async with stand_with(tmp_path, server.url) as stand, reader_of(stand.config) as http:
            await stand.publish(stand.flow.open(), *stand.flow.random_batches(2))
            await assert_equal(http, stand)
            last = 0
            for _ in range(KILLS):
                await stand.publish(*stand.flow.random_batches(3))
                server.kill()
                await stand.publish(*stand.flow.random_batches(3))
                await assert_only_a_note(stand)
                status, _, sequence = await answer(http, PATHS[1])
                assert (status, sequence) == (503, 0)
                server.start()
                await stand.publish(*stand.flow.random_batches(3))
                await assert_equal(http, stand)
                sequence = (await answer(http, PATHS[1]))[2]
                assert sequence > last
                last = sequence
            assert (await stand.get("/readyz")).get("notes") is None
            text = await (await stand.http.get("/metrics")).text()
            assert "exchange_redis_up 1.0" in text
            assert f"exchange_cache_refills_total {KILLS + 1}.0" in text


async def assert_only_a_note(stand: Stand) -> None:
    """See that the reporter is ready all the same, with a note that does not show the password."""
    note = await until_note(stand, "all goes on without it")
    assert "secret" not in note
    assert "exchange_redis_up 0.0" in await (await stand.http.get("/metrics")).text()


async def test_with_a_wrong_password_the_reporter_works_and_says_so(tmp_path: Path) -> None:
    with RedisServer("right") as server:
        async with stand_with(tmp_path, server.url_with("secret-but-wrong")) as stand:
            await stand.publish(stand.flow.open())
            await assert_only_a_note(stand)


async def test_a_second_reporter_takes_over_and_a_reader_says_when_nobody_writes(tmp_path: Path) -> None:
    with RedisServer() as server:
        first, second = stand_with(tmp_path / "1", server.url), stand_with(tmp_path / "2", server.url)
        second.source = first.source
        second.app = ReporterApp(second.config, source=first.source)
        async with reader_of(with_redis(first.config, server.url, stale_s=1)) as http:
            await first.__aenter__()
            await first.publish(first.flow.open(), first.flow.trade(1_000_000))
            await assert_equal(http, first)
            async with second:
                await second.publish()
                await until_note(second, "stands by")
                await first.http.close()
                await first.app.stop()
                first.source.add(first.flow.trade(1_000_100))
                await second.publish()
                await assert_equal(http, second)
                await until_status(http, 200)
            await until_status(http, 503)
            (reason,) = (await answer(http, "/readyz"))[1]["reasons"]
            assert "s old, more than 1 s" in reason
            status, body, _ = await answer(http, PATHS[1])
            assert status == 200
            assert body["items"]
