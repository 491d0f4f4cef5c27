"""Configuration shared at run time: what a document may hold, versions in order, and followers that never stop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import msgspec
import pytest
import structlog

from exchange.infra.cache import CacheUnavailable
from exchange.infra.config import Config, load_config
from exchange.infra.config_keys import ConfigError
from exchange.infra.redis_cache import RedisLink
from exchange.infra.shared_config import (
    ConfigFollower,
    Document,
    SharedConfig,
    VersionTaken,
    config_metrics,
    config_notes,
    follow_config,
    overlay,
    values_of,
)
from tests.infra.event_streams import until
from tests.infra.http_server import serving
from tests.infra.redis_server import RedisServer, needs_redis

STARTED = load_config(None, {}, {"exchange.rate_per_s": 5})
RATE_10 = {"exchange.rate_per_s": 10}


@pytest.fixture(autouse=True)
def _own_log() -> Iterator[None]:
    """Forget the level of the log that a document set."""
    level = logging.root.level
    yield
    structlog.reset_defaults()
    logging.root.setLevel(level)


def test_a_file_is_read_by_key_path() -> None:
    tables = {"exchange": {"log_level": "debug"}, "redis": {"stale_s": 3}, "loose": 1}
    assert values_of(tables) == {"exchange.log_level": "debug", "redis.stale_s": 3, "loose": 1}


def test_a_document_lies_over_what_a_component_was_started_with() -> None:
    config = overlay(STARTED, {"exchange.log_level": "debug", "redis.stale_s": 3}, "x")
    assert (config.exchange.log_level, config.exchange.rate_per_s, config.redis.stale_s) == ("debug", 5, 3)
    assert overlay(STARTED, {}, "x") == STARTED


def test_a_document_is_refused_whole_with_every_mistake() -> None:
    values = {
        "exchange.rate_per_s": -1,
        "exchange.log_level": "debug",
        "exchange.log_levle": "debug",
        "engine.port": 9,
        "symbols": [],
    }
    with pytest.raises(ConfigError) as caught:
        overlay(STARTED, values, "x")
    text = str(caught.value)
    assert "4 mistakes" in text
    assert "[exchange] rate_per_s: must be a whole number from 0" in text
    assert 'did you mean "log_level"?' in text
    assert "[engine] port: needs a restart" in text
    assert "exchange symbols add" in text


async def test_without_redis_there_is_nothing_to_follow() -> None:
    async with AsyncExitStack() as stack, serving() as served:
        assert await follow_config(None, "engine", STARTED, served.service, stack) is None
    assert config_notes(None) == []
    assert [*config_metrics(None)] == []


async def test_a_redis_that_is_away_leaves_what_a_component_was_started_with() -> None:
    taken: list[Config] = []
    link = RedisLink("redis://127.0.0.1:1/0", "test:0")
    follower = ConfigFollower(link, "engine", STARTED, taken.append)
    await follower.look()
    assert (taken, follower.version) == ([], 0)
    await link.close()


class TestWithARealServer:
    """What only a real server shows."""

    pytestmark = needs_redis

    @pytest.fixture
    async def server(self) -> AsyncIterator[RedisServer]:
        with RedisServer() as server:
            yield server

    @pytest.fixture
    async def link(self, server: RedisServer) -> AsyncIterator[RedisLink]:
        link = RedisLink(server.url, "test:0", 5.0)
        yield link
        await link.close()

    async def test_versions_follow_each_other_and_are_kept(self, link: RedisLink) -> None:
        shared = SharedConfig(link)
        assert (await shared.newest_version(), await shared.history()) == (0, [])
        first = Document(version=1, at="now", note="why", values=RATE_10)
        second = Document(version=2, values={})
        for document in (first, second):
            await shared.publish(document)
        assert await shared.history() == [second, first]
        assert await shared.document(1) == first
        assert await shared.document(0) == Document()
        assert await shared.document(7) is None

    async def test_of_two_who_apply_at_once_one_is_told(self, link: RedisLink) -> None:
        shared = SharedConfig(link)
        await shared.publish(Document(version=1, values=RATE_10))
        with pytest.raises(VersionTaken, match="version 1 was applied by somebody else"):
            await shared.publish(Document(version=1, values={}))
        assert (await shared.document(1)) == Document(version=1, values=RATE_10)

    async def test_a_change_reaches_a_service_and_comes_back_out(self, link: RedisLink) -> None:
        shared = SharedConfig(link)
        async with AsyncExitStack() as stack, serving() as served:
            config = load_config(None, {})
            follower = await follow_config(link, "engine", config, served.service, stack)
            assert follower is not None
            await shared.publish(Document(version=1, values={"exchange.rate_per_s": 1}))
            await until(lambda: follower.version == 1)
            statuses = []
            for _ in range(3):
                async with served.client.get("/api/v1/order/1") as response:
                    statuses.append(response.status)
            assert 429 in statuses
            await shared.publish(Document(version=2, values={}))
            await until(lambda: follower.version == 2)
            async with served.client.get("/api/v1/order/1") as response:
                assert "X-RateLimit-Limit" not in response.headers
            version, problem = config_metrics(follower)
            assert (version.samples[0].value, problem.samples[0].value) == (2, 0)
            name = f"engine on port {served.port}"
            for _ in range(1_000):
                if (await shared.running()) == {name: 2}:
                    return
                await asyncio.sleep(0.01)
            raise AssertionError("it did not report what it runs")

    async def test_a_refused_version_leaves_the_last_one_and_says_so(self, link: RedisLink) -> None:
        taken: list[Config] = []
        shared = SharedConfig(link)
        follower = ConfigFollower(link, "engine", STARTED, taken.append)
        await shared.publish(Document(version=1, values=RATE_10))
        await follower.look()
        await shared.publish(Document(version=2, values={"exchange.from_the_future": 1}))
        await follower.look()
        assert [config.exchange.rate_per_s for config in taken] == [10]
        assert follower.version == 1
        (note,) = config_notes(follower)
        assert "version 1 runs on" in note
        assert (await shared.running())["engine"] == 1
        await shared.publish(Document(version=3, values={}))
        await follower.look()
        assert taken[-1] == STARTED
        assert config_notes(follower) == []

    async def test_documents_that_are_gone_leave_the_last_version_and_say_so(self, link: RedisLink) -> None:
        shared = SharedConfig(link)
        follower = ConfigFollower(link, "engine", STARTED, lambda _: None)
        await shared.publish(Document(version=1, values=RATE_10))
        await follower.look()
        await link.call(("FLUSHALL",))
        await follower.look()
        assert follower.version == 1
        assert config_notes(follower) == ["the shared configuration is gone from Redis; version 1 runs on"]
        await shared.publish(Document(version=1, values={}))
        await follower.look()
        assert config_notes(follower) == []

    async def test_a_redis_that_dies_and_comes_back_is_followed_again(
        self, server: RedisServer, link: RedisLink
    ) -> None:
        shared = SharedConfig(link)
        async with AsyncExitStack() as stack, serving() as served:
            follower = await follow_config(link, "engine", STARTED, served.service, stack)
            assert follower is not None
            await shared.publish(Document(version=1, values=RATE_10))
            await until(lambda: follower.version == 1)
            server.kill()
            with pytest.raises(CacheUnavailable):
                await shared.newest_version()
            assert follower.version == 1
            server.start()
            other = RedisLink(server.url, "test:0", 5.0)
            document = Document(version=1, values={"exchange.rate_per_s": 20})
            await SharedConfig(other).publish(document)
            await SharedConfig(other).publish(msgspec.structs.replace(document, version=2))
            await until(lambda: follower.version == 2)
            await other.close()
