"""Symbols and books out of the cache: the reporter's own answers, with age and sequence."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from exchange.infra.cache import CacheUnavailable, Change, Look, MemoryCache
from exchange.reporter.cache_api import SEQUENCE_HEADER
from exchange.reporter.cache_app import CacheReporterApp
from exchange.reporter.cache_writer import CacheWriter
from exchange.reporter.cached_market import TABLES
from tests.reporter.reporter_stand import Stand, reporter_config

SAME = (
    "/api/v1/symbols", "/api/v1/symbols?limit=1", "/api/v1/symbols?limit=1&cursor=1", "/api/v1/symbols/MSFT",
    "/api/v1/book", "/api/v1/book?symbol=AAPL", "/api/v1/book?symbol=AAPL&depth=1", "/api/v1/book?limit=1",
    "/api/v1/book?limit=1&cursor=1", "/api/v1/book?cursor=2",
)  # fmt: skip
SAME_REFUSALS = (
    (404, "/api/v1/symbols/NONE"), (404, "/api/v1/symbols/%FF%00"), (422, "/api/v1/book?symbol=NONE"),
    (400, "/api/v1/book?cursor=x"), (400, "/api/v1/book?depth=0"), (400, "/api/v1/symbols?nonsense=1"),
)  # fmt: skip


class TrialCache(MemoryCache):
    """A cache in memory whose time is set, and that can be made to fail."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.is_down = False
        super().__init__(TABLES, lambda: self.now_s)

    async def look(self, wanted: Any) -> Look:
        self._fail()
        return await super().look(wanted)

    async def whole(self, table: str) -> Look:
        self._fail()
        return await super().whole(table)

    def _fail(self) -> None:
        if self.is_down:
            raise CacheUnavailable("Redis is away")


class Pair:
    """A reporter, a cache that holds its market, and a reader of that."""

    def __init__(self, stand: Stand, cache: TrialCache, app: CacheReporterApp) -> None:
        self.stand = stand
        self.cache = cache
        self.app = app

    async def get(self, path: str, **headers: str) -> tuple[int, Any, aiohttp.typedefs.LooseHeaders]:
        async with aiohttp.ClientSession() as http, http.get(self.app.url + path, headers=headers) as answer:
            return answer.status, msgspec.json.decode(await answer.read()), answer.headers


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    cache = TrialCache()
    async with Stand(tmp_path) as stand:
        await stand.publish(stand.flow.open(), *stand.flow.random_batches(3))
        writer = CacheWriter(cache, stand.app.market, lambda: True, levels=50, pause_s=1)
        await writer.write()
        app = CacheReporterApp(reporter_config(tmp_path / "reader"), cache=cache)
        await app.start()
        yield Pair(stand, cache, app)
        await app.stop()


@pytest.mark.parametrize("path", SAME)
async def test_the_answer_is_that_of_the_reporter(pair: Pair, path: str) -> None:
    status, body, headers = await pair.get(path)
    assert status == 200
    assert body == await pair.stand.get(path)
    assert headers["Age"] == "0"
    assert headers[SEQUENCE_HEADER] == str(pair.stand.app.market.sequence)


@pytest.mark.parametrize(("status", "path"), SAME_REFUSALS)
async def test_a_refusal_is_that_of_the_reporter(pair: Pair, status: int, path: str) -> None:
    found, body, _ = await pair.get(path)
    theirs = await pair.stand.get(path, status)
    assert (found, body["code"], body["message"]) == (status, theirs["code"], theirs["message"])


async def test_the_age_is_that_of_the_cache(pair: Pair) -> None:
    pair.cache.now_s += 7.9
    for path in ("/api/v1/symbols", "/api/v1/symbols/AAPL", "/api/v1/book"):
        assert (await pair.get(path))[2]["Age"] == "7"


async def test_what_the_cache_does_not_hold_is_refused_and_not_cut_off(pair: Pair) -> None:
    for path, field in (("/api/v1/book?level=3", "level"), ("/api/v1/book?depth=51", "depth")):
        status, body, _ = await pair.get(path)
        assert (status, body["field"]) == (400, field)


async def test_a_cache_that_is_away_or_not_whole_is_said_with_when_to_come_back(pair: Pair) -> None:
    paths = ("/api/v1/symbols", "/api/v1/symbols/AAPL", "/api/v1/book", "/api/v1/book?symbol=AAPL")
    pair.cache.is_down = True
    for path in paths:
        status, body, headers = await pair.get(path)
        assert (status, body["retry"], headers["Retry-After"]) == (503, True, "1")
    pair.cache.is_down = False
    pair.cache.clear()
    for path in paths:
        assert (await pair.get(path))[0] == 503


async def test_a_symbol_without_its_book_is_not_shown_as_empty(pair: Pair) -> None:
    symbols = (await pair.cache.whole("symbols")).values
    pair.cache.clear()
    entries = [("symbols", msgspec.json.decode(value)["symbol"], value) for value in symbols if value]
    await pair.cache.write("other", Change(begin=True))
    await pair.cache.write("other", Change(entries=entries, sequence=1))
    assert (await pair.get("/api/v1/book"))[0] == 503


async def test_a_key_is_not_looked_at(pair: Pair) -> None:
    assert (await pair.get("/api/v1/book", Authorization="Bearer xk_anything"))[0] == 200
