"""The writer of the cache: what changed and no more, whole or not at all, again after a loss."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from exchange.domain import commands as c
from exchange.domain.units import Price, SymbolId
from exchange.infra.cache import LEASE_S, Cache, CacheUnavailable, Change, Look, MemoryCache, Outcome
from exchange.reporter import cache_writer
from exchange.reporter.cache_writer import CacheWriter
from exchange.reporter.cached_market import TABLES, CachedMarket
from tests.infra.event_streams import until
from tests.reporter.reporter_stand import Stand

LEVELS = 5


class TrialCache(MemoryCache):
    """A cache in memory that counts, can be made to fail, and has its time set."""

    def __init__(self) -> None:
        self.now_s = 0.0
        super().__init__(TABLES, lambda: self.now_s)
        self.changes: list[Change] = []
        self.is_down = False

    async def write(self, writer: str, change: Change) -> Outcome:
        if self.is_down:
            raise CacheUnavailable("away")
        self.changes.append(change)
        return await super().write(writer, change)

    def taken(self) -> list[Change]:
        changes, self.changes = self.changes, []
        return changes


@pytest.fixture
async def stand(tmp_path: Path) -> AsyncIterator[Stand]:
    async with Stand(tmp_path) as stand:
        await stand.publish(stand.flow.open(), *stand.flow.random_batches(3))
        yield stand


def writer_of(stand: Stand, cache: Cache) -> CacheWriter:
    return CacheWriter(cache, stand.app.market, lambda: True, levels=LEVELS, pause_s=0.01)


async def assert_same(stand: Stand, cache: Cache) -> None:
    """Compare the cache with the live market."""
    market, cached = stand.app.market, CachedMarket(cache)
    mark, symbols = await cached.symbols()
    assert mark is not None
    assert (mark.sequence, mark.time_ns) == (market.sequence, market.time_ns)
    assert [view.symbol for view in symbols] == [each.symbol for each in market.directory.symbols.values()]
    _, books = await cached.books([view.symbol for view in symbols])
    for view, book in zip(symbols, books, strict=True):
        assert book is not None
        assert (book.bids, book.asks) == market.builder.book(int(view.id)).totals(LEVELS)


async def test_the_first_write_fills_the_cache(stand: Stand) -> None:
    cache = TrialCache()
    writer = writer_of(stand, cache)
    assert await writer.write()
    await assert_same(stand, cache)
    assert (writer.stats.refills, writer.stats.sequence) == (1, stand.app.market.sequence)
    assert writer.stats.written == 4


async def test_later_only_what_changed_is_written(stand: Stand) -> None:
    cache = TrialCache()
    writer = writer_of(stand, cache)
    await writer.write()
    cache.taken()
    await writer.write()
    assert cache.taken() == []
    await stand.publish(stand.flow.trade(1_000_000))
    await writer.write()
    (change,) = cache.taken()
    assert [entry[:2] for entry in change.entries] == [("books", "AAPL")]
    await assert_same(stand, cache)


async def test_a_silent_market_is_confirmed_now_and_then(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = TrialCache()
    writer = writer_of(stand, cache)
    await writer.write()
    cache.taken()
    monkeypatch.setattr(cache_writer, "CONFIRM_S", 0)
    await writer.write()
    (change,) = cache.taken()
    assert (change.entries, change.sequence) == ([], stand.app.market.sequence)


async def test_a_cache_that_was_away_or_lost_everything_is_filled_again(stand: Stand) -> None:
    cache = TrialCache()
    writer = writer_of(stand, cache)
    cache.is_down = True
    assert not await writer.write()
    assert writer.stats.failures == 1
    cache.is_down = False
    assert await writer.write()
    await assert_same(stand, cache)
    await stand.publish(stand.flow.trade(1_000_000))
    cache.clear()
    assert not await writer.write()
    assert await cache.look([]) == Look(None, [])
    assert await writer.write()
    await assert_same(stand, cache)
    assert writer.stats.refills == 2


async def test_what_failed_half_way_is_written_again(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_writer, "SYMBOLS_PER_WRITE_MAX", 1)
    cache = TrialCache()
    writer = writer_of(stand, cache)
    write, calls = cache.write, 0

    async def fail_third(name: str, change: Change) -> Outcome:
        nonlocal calls
        calls += 1
        cache.is_down = calls == 3
        return await write(name, change)

    monkeypatch.setattr(cache, "write", fail_third)
    assert not await writer.write()
    assert (await cache.look([])).mark is None
    assert await writer.write()
    await assert_same(stand, cache)


async def test_a_second_writer_stands_by_and_takes_over(stand: Stand) -> None:
    cache = TrialCache()
    first, second = writer_of(stand, cache), writer_of(stand, cache)
    await first.write()
    assert not await second.write()
    assert second.notes() == ["another reporter writes the cache, this one stands by"]
    cache.now_s += LEASE_S + 1
    await stand.publish(stand.flow.trade(1_000_000))
    assert await second.write()
    assert second.notes() == []
    await assert_same(stand, cache)
    assert not await first.write()
    assert first.notes()


async def test_it_runs_until_it_is_cancelled_and_only_while_the_market_is_current(stand: Stand) -> None:
    cache, is_current = TrialCache(), False
    writer = CacheWriter(cache, stand.app.market, lambda: is_current, levels=LEVELS, pause_s=0.001)
    running = asyncio.create_task(writer.run())
    await asyncio.sleep(0.05)
    assert cache.taken() == []
    is_current = True
    await until(lambda: writer.stats.sequence > 0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await assert_same(stand, cache)
    names = {metric.name for metric in writer.metrics()}
    assert {"exchange_cache_written", "exchange_cache_refills", "exchange_cache_failures"} <= names


async def test_symbols_that_come_or_change_are_written(stand: Stand) -> None:
    cache = TrialCache()
    writer = writer_of(stand, cache)
    await writer.write()
    cache.taken()
    await stand.publish(
        stand.flow.do(c.SetReferencePrice(symbol_id=SymbolId(1), reference_price=Price(990_000))),
        stand.flow.do(c.AddSymbol(symbol="NEW", name="New Inc.", reference_price=Price(10_000))),
    )
    await writer.write()
    (change,) = cache.taken()
    assert [entry[:2] for entry in change.entries] == [
        ("symbols", "AAPL"),
        ("symbols", "NEW"),
        ("books", "NEW"),
    ]
    await assert_same(stand, cache)
