"""The connection to Redis: what it does while Redis is away, hangs, refuses or is wrong."""

from __future__ import annotations

import asyncio
import builtins
import socket
from contextlib import AsyncExitStack, suppress
from typing import Any

import pytest
from prometheus_client.metrics_core import Metric

from exchange.infra import redis_cache
from exchange.infra.cache import CacheUnavailable
from exchange.infra.config import load_config
from exchange.infra.errors import InfraError
from exchange.infra.redis_cache import RedisLink, open_redis, redis_metrics, redis_notes
from tests.infra.redis_server import RedisServer, needs_redis


def nowhere() -> str:
    """Return an address at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"redis://:secret@127.0.0.1:{taken.getsockname()[1]}/0"


def value(metrics: list[Metric], name: str) -> float:
    (found,) = [metric.samples[0].value for metric in metrics if metric.name == name]
    return found


async def until_it_answers(link: RedisLink) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                await link.call(("PING",))
            except CacheUnavailable:
                await asyncio.sleep(0.01)
            else:
                return


async def test_without_a_url_there_is_no_redis() -> None:
    async with AsyncExitStack() as stack:
        assert open_redis(load_config(None, {}), stack) is None
    assert redis_notes(None) == []
    assert [*redis_metrics(None)] == []


async def test_a_start_sends_nothing_and_an_absent_redis_is_noted_without_the_password() -> None:
    async with AsyncExitStack() as stack:
        link = open_redis(load_config(None, {}, {"redis.url": nowhere()}), stack)
        assert link is not None
        assert redis_notes(link) == []
        assert [*redis_metrics(link)] == []
        with pytest.raises(CacheUnavailable, match="all goes on without it") as caught:
            await link.call(("PING",))
        assert "secret" not in str(caught.value)
        assert redis_notes(link) == [str(caught.value)]
        metrics = [*redis_metrics(link)]
        assert (value(metrics, "exchange_redis_up"), value(metrics, "exchange_redis_failures")) == (0, 1)


async def test_after_a_failure_nothing_is_tried_until_the_back_off_is_over() -> None:
    link = RedisLink(nowhere(), "test:0")
    for _ in range(100):
        with pytest.raises(CacheUnavailable):
            await link.call(("PING",))
    assert link.failures == 1
    await asyncio.sleep(redis_cache.BACK_OFF_S)
    with pytest.raises(CacheUnavailable):
        await link.call(("PING",))
    assert link.failures == 2
    await link.close()


async def test_a_redis_that_hangs_costs_the_time_out_and_no_more() -> None:
    taken: list[asyncio.StreamWriter] = []

    async def hang(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.append(writer)

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    link = RedisLink(f"redis://{host}:{port}/0", "test:0", 0.05)
    async with asyncio.timeout(10):
        with pytest.raises(CacheUnavailable):
            await link.call(("PING",))
    await link.close()
    for writer in taken:
        writer.close()
    server.close()


@pytest.mark.parametrize("outcome", [None, OSError("gone")])
async def test_a_cancel_that_the_library_swallows_is_heeded(
    monkeypatch: pytest.MonkeyPatch, outcome: Exception | None
) -> None:
    asked = asyncio.Event()

    async def swallow(_: object) -> list[bytes]:
        asked.set()
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        if outcome is not None:
            raise outcome
        return [b"PONG"]

    monkeypatch.setattr("redis.asyncio.client.Pipeline.execute", swallow)
    link = RedisLink("redis://127.0.0.1:1", "test:0")
    task = asyncio.create_task(link.call(("PING",)))
    await asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await link.close()


async def test_garbage_instead_of_redis_is_a_failure_like_any_other() -> None:
    async def babble(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    link = RedisLink(f"redis://{host}:{port}/0", "test:0")
    with pytest.raises(CacheUnavailable):
        await link.call(("PING",))
    await link.close()
    server.close()


def test_a_wrong_address_is_said_before_anything_starts() -> None:
    with pytest.raises(InfraError, match=r"\[redis\] url"):
        RedisLink("redis://localhost:notaport/0", "test:0")


def test_a_missing_library_is_said_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_redis(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith("redis"):
            raise ImportError("no redis")
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without_redis)
    with pytest.raises(InfraError, match=r"stock-exchange\[redis\]"):
        RedisLink("redis://localhost/0", "test:0")


class TestWithARealServer:
    """What only a real server shows."""

    pytestmark = needs_redis

    async def test_a_killed_redis_is_noticed_and_used_again_when_it_is_back(self) -> None:
        with RedisServer() as server:
            link = RedisLink(server.url, "test:0")
            await link.call(("PING",))
            server.kill()
            with pytest.raises(CacheUnavailable):
                await link.call(("PING",))
            assert redis_notes(link)
            server.start()
            await until_it_answers(link)
            assert redis_notes(link) == []
            assert value([*redis_metrics(link)], "exchange_redis_up") == 1
            await link.close()

    @pytest.mark.parametrize("password", ["wrong", ""])
    async def test_a_wrong_password_is_said_and_not_shown(self, password: str) -> None:
        with RedisServer("right") as server:
            link = RedisLink(server.url_with(password), "test:0")
            with pytest.raises(CacheUnavailable, match=r"(?i)auth|pass") as caught:
                await link.call(("PING",))
            assert "wrong" not in str(caught.value).replace("WRONGPASS", "")
            await link.close()
            link = RedisLink(server.url, "test:0")
            assert await link.call(("PING",))
            await link.close()

    async def test_many_questions_at_once_share_few_connections(self) -> None:
        with RedisServer() as server:
            link = RedisLink(server.url, "test:0", 5.0)
            await asyncio.gather(*(link.call(("INCR", link.key("n"))) for _ in range(500)))
            assert await link.call(("GET", link.key("n")), ("PING",)) == [b"500", True]
            (clients,) = await link.call(("CLIENT", "LIST"))
            assert clients.count(b"\n") <= redis_cache.CONNECTIONS_MAX
            await link.close()
