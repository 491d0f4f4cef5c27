"""Followers of the shared configuration: what takes effect at once, what waits, and that nothing stops them."""

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
from exchange.infra.config_document import Document, sealed
from exchange.infra.config_follower import (
    SEAL,
    ConfigFollower,
    Started,
    config_metrics,
    config_notes,
    follow_config,
    running_of,
    started_with,
)
from exchange.infra.errors import InfraError
from exchange.infra.redis_cache import RedisLink
from exchange.infra.shared_config import Running, SharedConfig
from tests.infra.event_streams import until
from tests.infra.http_server import serving
from tests.infra.redis_server import RedisServer, needs_redis

CONFIG = load_config(None, {}, {"exchange.rate_per_s": 5})
STARTED = Started(base=CONFIG, config=CONFIG)
COMPONENT_KEY = "xk_component_of_the_tests_0123456789abcdef"
WAITING = Document(
    version=1,
    values={"exchange.rate_per_s": 7, "bus.gap_wait_ms": 70, "clearing.page_items_max": 9, "engine.port": 9},
)
RATE_10 = {"exchange.rate_per_s": 10}


def config_with(server: RedisServer) -> Config:
    """Return the configuration of a file that names a server; its keys in Redis are those of the tests' link."""
    return load_config(None, {}, {"redis.url": server.url, "exchange.name": "test"})


@pytest.fixture(autouse=True)
def _own_log() -> Iterator[None]:
    """Forget the level of the log that a document set."""
    level = logging.root.level
    yield
    structlog.reset_defaults()
    logging.root.setLevel(level)


async def test_without_redis_there_is_nothing_to_follow() -> None:
    async with AsyncExitStack() as stack, serving() as served:
        assert await follow_config(None, "engine", STARTED, served.service, stack) is None
    assert config_notes(None) == []
    assert [*config_metrics(None)] == []
    assert running_of(None) == Running()


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

    async def test_a_change_reaches_a_service_and_comes_back_out(self, link: RedisLink) -> None:
        shared = SharedConfig(link)
        async with AsyncExitStack() as stack, serving() as served:
            config = load_config(None, {})
            started = Started(base=config, config=config)
            follower = await follow_config(link, "engine", started, served.service, stack)
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
            assert [metric.samples[0].value for metric in config_metrics(follower)] == [2, 0, 0]
            name = f"engine on port {served.port}"
            for _ in range(1_000):
                if (await shared.running()) == {name: Running(version=2)}:
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
        reported = (await shared.running())["engine"]
        assert (reported.version, "from_the_future" in reported.problem) == (1, True)
        await shared.publish(Document(version=3, values={}))
        await follower.look()
        assert taken[-1] == CONFIG
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

    async def test_a_start_lays_the_keys_that_need_a_restart_over_its_file(
        self, server: RedisServer, link: RedisLink, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("EXCHANGE_COMPONENT_KEY", COMPONENT_KEY)
        file = config_with(server)
        await SharedConfig(link).publish(sealed(WAITING, {SEAL: COMPONENT_KEY}))
        started = await started_with(file, "clearing", ["clearing.page_items_max"])
        assert (started.version, started.problem) == (1, "")
        config = started.config
        assert (config.bus.gap_wait_ms, config.clearing.page_items_max, config.exchange.rate_per_s) == (
            70,
            1_000,
            0,
        )

    async def test_what_waits_for_a_restart_is_told_until_there_was_one(
        self, server: RedisServer, link: RedisLink, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("EXCHANGE_COMPONENT_KEY", COMPONENT_KEY)
        shared, file = SharedConfig(link), config_with(server)
        old = ConfigFollower(link, "clearing", Started(base=file, config=file), lambda _: None)
        await shared.publish(sealed(WAITING, {SEAL: COMPONENT_KEY}))
        await old.look()
        assert old.pending == ("bus.gap_wait_ms", "clearing.page_items_max")
        assert "a restart is needed for bus.gap_wait_ms, clearing.page_items_max" in config_notes(old)[0]
        assert (await shared.running())["clearing"].pending == old.pending
        new = ConfigFollower(link, "clearing", await started_with(file, "clearing"), lambda _: None)
        await new.look()
        assert new.pending == ()
        await shared.publish(Document(version=2, values={"bus.gap_wait_ms": 50}))
        await new.look()
        assert new.pending == ("bus.gap_wait_ms", "clearing.page_items_max")
        engine = ConfigFollower(link, "engine", Started(base=file, config=file), lambda _: None)
        await engine.look()
        assert engine.pending == ()

    @pytest.mark.parametrize("key", ["x" * 40, ""])
    async def test_a_forged_document_is_not_laid_over_and_that_is_said(
        self, server: RedisServer, link: RedisLink, monkeypatch: pytest.MonkeyPatch, key: str
    ) -> None:
        monkeypatch.setenv("EXCHANGE_COMPONENT_KEY", key)
        file = config_with(server)
        await SharedConfig(link).publish(sealed(WAITING, {SEAL: COMPONENT_KEY}))
        started = await started_with(file, "clearing")
        assert started.config == file
        assert "started with its file alone" in started.problem
        follower = ConfigFollower(link, "clearing", started, lambda _: None)
        await follower.look()
        assert started.problem in config_notes(follower)

    async def test_without_redis_a_start_takes_its_file_and_says_so(self, server: RedisServer) -> None:
        file = config_with(server)
        server.kill()
        started = await started_with(file, "engine")
        assert (started.config, "started with its file alone" in started.problem) == (file, True)
        plain = load_config(None, {})
        assert await started_with(plain, "engine") == Started(base=plain, config=plain)

    async def test_what_cannot_be_carried_out_is_said_and_what_cannot_be_yet_is_tried_again(
        self, link: RedisLink
    ) -> None:
        answers = iter([InfraError("the engine is busy"), "AAPL is odd", ""])
        carried: list[int] = []

        async def carry_out(document: Document) -> str:
            answer = next(answers)
            if isinstance(answer, InfraError):
                raise answer
            carried.append(document.version)
            return answer

        shared = SharedConfig(link)
        follower = ConfigFollower(link, "engine", STARTED, lambda _: None, carry_out)
        await shared.publish(Document(version=1, values=RATE_10))
        await follower.look()
        assert (carried, follower.problem) == ([], "the engine is busy; version 1 runs on")
        await follower.look()
        assert (carried, follower.problem) == ([1], "AAPL is odd")
        await follower.look()
        assert carried == [1]
        await shared.publish(Document(version=2, values={}))
        await follower.look()
        assert (carried, follower.problem) == ([1, 2], "")

    async def test_damage_in_redis_is_a_note_and_never_an_end(self, link: RedisLink) -> None:
        follower = ConfigFollower(link, "engine", STARTED, lambda _: None)
        await link.call(("HSET", link.key("config", "documents"), "newest", "abc"))
        await follower.look()
        assert "is damaged" in config_notes(follower)[0]
