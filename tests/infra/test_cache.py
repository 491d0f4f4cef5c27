"""The cache: one suite for the one in memory and the one in Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from exchange.infra.cache import FIELDS_MAX, LEASE_S, Cache, Change, MemoryCache, Outcome
from exchange.infra.redis_cache import RedisCache, RedisLink
from tests.infra.redis_server import RedisServer, needs_redis

TABLES = ("symbols", "books")
A1 = ("symbols", "A", b"1")


class Stand:
    """A cache under test. wait: lets time pass, forget: loses everything, as a restart would."""

    def __init__(
        self, cache: Cache, wait: Callable[[float], Awaitable[None]], forget: Callable[[], Awaitable[None]]
    ) -> None:
        self.cache = cache
        self.wait = wait
        self.forget = forget

    async def fill(self, writer: str = "w", sequence: int = 7) -> None:
        assert await self.cache.write(writer, Change(begin=True)) is Outcome.DONE
        change = Change(entries=[A1, ("books", "A", b"book")], sequence=sequence, time_ns=99)
        assert await self.cache.write(writer, change) is Outcome.DONE

    async def symbol(self) -> bytes | None:
        return (await self.cache.look([("symbols", "A")])).values[0]


@asynccontextmanager
async def memory() -> AsyncIterator[Stand]:
    now_s = 1000.0

    async def wait(seconds: float) -> None:
        nonlocal now_s
        now_s += seconds

    async def forget() -> None:
        cache.clear()

    cache = MemoryCache(TABLES, lambda: now_s)
    yield Stand(cache, wait, forget)


@asynccontextmanager
async def redis() -> AsyncIterator[Stand]:
    with RedisServer() as server:
        link = RedisLink(server.url, "test:0", 5.0)

        async def forget() -> None:
            await link.call(("FLUSHALL",))

        yield Stand(RedisCache(link, TABLES), asyncio.sleep, forget)
        await link.close()


@pytest.fixture(
    params=[pytest.param(memory, id="memory"), pytest.param(redis, id="redis", marks=needs_redis)]
)
async def stand(request: pytest.FixtureRequest) -> AsyncIterator[Stand]:
    async with request.param() as stand:
        yield stand


async def test_what_was_written_is_read_with_its_mark(stand: Stand) -> None:
    await stand.fill()
    mark, values = await stand.cache.look([("books", "A"), ("symbols", "A"), ("books", "B")])
    assert mark is not None
    assert (mark.sequence, mark.time_ns) == (7, 99)
    assert mark.age_s >= 0
    assert values == [b"book", b"1", None]
    whole = await stand.cache.whole("symbols")
    assert whole.values == [b"1"]
    assert whole.mark is not None
    assert whole.mark.sequence == 7


async def test_an_empty_cache_has_no_mark(stand: Stand) -> None:
    assert await stand.cache.look([("books", "A")]) == (None, [None])
    assert await stand.cache.whole("books") == (None, [])


async def test_there_is_no_mark_while_it_is_filled(stand: Stand) -> None:
    await stand.fill()
    await stand.cache.write("w", Change(begin=True))
    assert await stand.cache.look([("symbols", "A")]) == (None, [None])
    await stand.cache.write("w", Change(entries=[A1]))
    assert (await stand.cache.look([])).mark is None


async def test_who_did_not_begin_writes_nothing(stand: Stand) -> None:
    assert await stand.cache.write("w", Change(entries=[A1], sequence=7)) is Outcome.LOST
    assert await stand.symbol() is None


async def test_what_was_lost_is_not_written_to_in_part(stand: Stand) -> None:
    await stand.fill()
    await stand.forget()
    assert await stand.cache.write("w", Change(entries=[A1], sequence=8)) is Outcome.LOST
    assert await stand.cache.look([("symbols", "A")]) == (None, [None])
    await stand.fill(sequence=8)
    assert await stand.symbol() == b"1"


async def test_a_second_writer_waits_while_the_first_one_lives(stand: Stand) -> None:
    await stand.fill("first")
    for change in (Change(begin=True), Change(entries=[("symbols", "A", b"2")], sequence=9)):
        assert await stand.cache.write("second", change) is Outcome.HELD
    assert await stand.symbol() == b"1"


async def test_a_silent_writer_is_relieved_and_then_finds_that_out(stand: Stand) -> None:
    await stand.fill("first")
    await stand.wait(LEASE_S + 0.1)
    assert await stand.cache.write("second", Change(entries=[A1])) is Outcome.LOST
    await stand.fill("second", sequence=11)
    assert await stand.cache.write("first", Change(sequence=12)) is Outcome.HELD
    mark = (await stand.cache.look([])).mark
    assert mark is not None
    assert mark.sequence == 11


async def test_the_age_grows_until_the_writer_confirms(stand: Stand) -> None:
    await stand.fill()
    await stand.wait(1.1)
    mark = (await stand.cache.look([])).mark
    assert mark is not None
    assert mark.age_s >= 1
    await stand.cache.write("w", Change(sequence=7, time_ns=99))
    later = (await stand.cache.look([])).mark
    assert later is not None
    assert later.age_s < mark.age_s


async def test_a_whole_step_of_many_fields_is_written_and_read(stand: Stand) -> None:
    await stand.cache.write("w", Change(begin=True))
    entries = [("books", str(number), b"x" * 1_000) for number in range(FIELDS_MAX)]
    await stand.cache.write("w", Change(entries=entries, sequence=1))
    found = await stand.cache.look([("books", str(number)) for number in range(FIELDS_MAX)])
    assert set(found.values) == {b"x" * 1_000}
