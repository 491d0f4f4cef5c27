"""Rate limits: the local bucket and the shared one keep to the same figures."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest

from exchange.domain.participant import Role
from exchange.infra.config import load_config
from exchange.infra.http_limits import Grant, HttpLimits, TokenBuckets
from exchange.infra.redis_cache import RedisLink
from exchange.infra.shared_rates import RedisRates, open_shared_rates
from tests.infra.http_server import bearer, serving
from tests.infra.redis_server import RedisServer, needs_redis

RATE, BURST = 10, 20
FREE = Grant(True, BURST, 19, 0.0, 0.0)

# Takes a hundred times as fast as it can, once it is told to; prints how often it got one.
TAKER = """
import asyncio, sys
from exchange.infra.http_limits import Grant
from exchange.infra.redis_cache import RedisLink
from exchange.infra.shared_rates import RedisRates
async def main():
    link = RedisLink(sys.argv[1], "test:0", 5.0)
    rates = RedisRates(link, "engine", 10, 20)
    print("ready", flush=True)
    sys.stdin.readline()
    free = Grant(True, 20, 19, 0.0, 0.0)
    print(sum([(await rates.take("7", free)).taken for _ in range(100)]))
    await link.close()
asyncio.run(main())
"""


def start_taker(url: str) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-c", TAKER, url], stdin=pipe, stdout=pipe, text=True)


class Local:
    """The local bucket under test."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self._buckets = TokenBuckets(RATE, BURST)

    async def clock_s(self) -> float:
        return self.now_s

    async def wait(self, seconds: float) -> None:
        self.now_s += seconds

    async def take(self, owner: str) -> Grant:
        self.now_s += 0.001
        return self._buckets.take(owner, self.now_s)


class Shared:
    """The bucket in Redis under test."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link
        self._rates = RedisRates(link, "engine", RATE, BURST)

    async def clock_s(self) -> float:
        ((seconds, micros),) = await self._link.call(("TIME",))
        return int(seconds) + int(micros) / 1e6

    async def wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def take(self, owner: str) -> Grant:
        return await self._rates.take(owner, FREE)


@pytest.fixture(params=["local", pytest.param("shared", marks=needs_redis)])
async def rates(request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    if request.param == "local":
        yield Local()
        return
    with RedisServer() as server:
        link = RedisLink(server.url, "test:0", 5.0)
        yield Shared(link)
        await link.close()


async def test_a_burst_fits_and_then_as_many_as_flow_in(rates: Any) -> None:
    begun = await rates.clock_s()
    taken = sum([(await rates.take("7")).taken for _ in range(200)])
    elapsed = await rates.clock_s() - begun
    assert BURST <= taken <= BURST + elapsed * RATE + 1
    await rates.wait(1)
    waited = await rates.clock_s() - begun
    taken += sum([(await rates.take("7")).taken for _ in range(100)])
    elapsed = await rates.clock_s() - begun
    assert int(BURST + waited * RATE) - 1 <= taken <= BURST + elapsed * RATE + 1


async def test_a_grant_says_what_is_left_and_how_long_to_wait(rates: Any) -> None:
    first = await rates.take("7")
    assert (first.taken, first.limit, first.remaining, first.retry_after_s) == (True, BURST, BURST - 1, 0)
    assert first.reset_s == pytest.approx(1 / RATE, rel=0.01)
    while (last := await rates.take("7")).taken:
        pass
    assert last.remaining == 0
    assert 0 < last.retry_after_s <= 1 / RATE + 1e-6
    assert 2 - 1 / RATE - 1e-6 < last.reset_s <= 2 + 1e-6
    await rates.wait(last.retry_after_s + 0.01)
    assert (await rates.take("7")).taken


async def test_owners_do_not_share_a_bucket(rates: Any) -> None:
    for _ in range(BURST):
        await rates.take("7")
    assert (await rates.take("8")).remaining == BURST - 1


async def test_without_redis_the_local_grant_stands() -> None:
    link = RedisLink("redis://127.0.0.1:1/0", "test:0")
    assert await RedisRates(link, "engine", RATE, BURST).take("7", FREE) is FREE
    await link.close()


async def test_rates_are_shared_only_where_the_configuration_says_so() -> None:
    link = RedisLink("redis://127.0.0.1:1/0", "test:0")
    shared = {"redis.shared_rates": True, "exchange.rate_per_s": 10}
    for overrides in ({}, {"redis.shared_rates": True}, {"exchange.rate_per_s": 10}):
        assert open_shared_rates(load_config(None, {}, overrides), link, "engine") is None
    assert open_shared_rates(load_config(None, {}, shared), None, "engine") is None
    assert open_shared_rates(load_config(None, {}, shared), link, "engine") is not None
    await link.close()


class TestAcrossProcesses:
    """What only a real server shows."""

    pytestmark = needs_redis

    async def test_two_processes_share_one_bucket(self) -> None:
        with RedisServer() as server:
            link = RedisLink(server.url, "test:0", 5.0)
            clock = Shared(link)
            takers = [start_taker(server.url) for _ in range(2)]
            for taker in takers:
                assert taker.stdout is not None
                assert taker.stdout.readline() == "ready\n"
            begun = await clock.clock_s()
            for taker in takers:
                assert taker.stdin is not None
                taker.stdin.write("go\n")
                taker.stdin.flush()
            counts = [int((await asyncio.to_thread(taker.communicate))[0]) for taker in takers]
            elapsed = await clock.clock_s() - begun
            assert BURST <= sum(counts) <= BURST + elapsed * RATE + 1
            await link.close()

    async def test_two_services_share_the_bucket_of_a_key(self) -> None:
        with RedisServer() as server:
            link = RedisLink(server.url, "test:0", 5.0)
            limits = HttpLimits(rate_per_s=1, rate_burst=4)
            rates = RedisRates(link, "test", 1, 4)
            async with (
                serving(limits, shared_rates=rates) as one,
                serving(limits, shared_rates=RedisRates(link, "test", 1, 4)) as two,
            ):
                statuses = []
                for served in (one, two) * 3:
                    async with served.client.get("/api/v1/order/1", headers=bearer(Role.TRADER)) as response:
                        statuses.append(response.status)
                        left = response.headers["X-RateLimit-Remaining"]
                assert statuses[:4] == [200] * 4
                assert 429 in statuses[4:]
                assert left == "0"
                server.kill()
                async with two.client.get("/api/v1/order/1", headers=bearer(Role.TRADER)) as response:
                    assert response.status == 200
            await link.close()
