"""Keeps the cache like the live market: what has changed since the last look is written, now and then.

Nothing is queued: a symbol that changes a hundred times between two looks is written once, as it is then. What could
not be written, or was lost, is written again from the live market. A reporter that is not ready confirms nothing, so
that the age of the cache grows and readers see it.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterator

import msgspec
import structlog
from prometheus_client.metrics_core import Metric

from exchange.domain.symbol import Symbol
from exchange.infra.cache import LEASE_S, Cache, CacheUnavailable, Change, Outcome
from exchange.infra.metrics import Family, counter, gauge, read_all
from exchange.reporter.cached_market import CachedBook, book_entry, symbol_entry
from exchange.reporter.live_market import LiveMarket

log = structlog.get_logger(component="cache")

SYMBOLS_PER_WRITE_MAX = 100
"""Symbols written in one step; between two steps others have their turn."""
CONFIRM_S = LEASE_S / 4
"""A market that is silent is confirmed so often."""


class CacheStats(msgspec.Struct):
    """Counts since the start. sequence: of the last event that the cache was confirmed to hold."""

    written: int = 0
    refills: int = 0
    failures: int = 0
    sequence: int = 0


CACHE_FAMILIES: tuple[Family[CacheStats], ...] = (
    counter(
        "exchange_cache_written_total", "Symbols and books written to the cache.", lambda stats: stats.written
    ),
    counter(
        "exchange_cache_refills_total",
        "Times the cache was filled from nothing.",
        lambda stats: stats.refills,
    ),
    counter(
        "exchange_cache_failures_total", "Writes to the cache that failed.", lambda stats: stats.failures
    ),
    gauge(
        "exchange_cache_sequence", "Last event that the cache is known to hold.", lambda stats: stats.sequence
    ),
)


class CacheWriter:
    """One writer of a cache. is_current: whether the market is worth writing now; pause_s: between two looks."""

    def __init__(
        self, cache: Cache, market: LiveMarket, is_current: Callable[[], bool], *, levels: int, pause_s: float
    ) -> None:
        self.stats = CacheStats()
        self.is_standing_by = False
        self._cache = cache
        self._market = market
        self._is_current = is_current
        self._levels = levels
        self.pause_s = pause_s
        self._name = secrets.token_hex(8)
        self._is_mine = False
        self._symbols: dict[int, Symbol] = {}
        self._books: dict[int, int] = {}
        self._confirmed_s = 0.0

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await asyncio.sleep(LEASE_S if self.is_standing_by else self.pause_s)
            if self._is_current():
                await self.write()

    async def write(self) -> bool:
        """Write what has changed; tell whether the cache now is like the market was at the beginning of this."""
        try:
            goes_on = self._is_mine and not self._is_renamed()
            outcome = await self._write_changes() if goes_on else await self._refill()
        except CacheUnavailable:
            self.stats.failures += 1
            self._is_mine = False
            return False
        if outcome is Outcome.LOST:
            log.info("cache_lost", meaning="it is filled again")
        if self.is_standing_by != (outcome is Outcome.HELD):
            self.is_standing_by = outcome is Outcome.HELD
            log.info("cache_writer_changed", standing_by=self.is_standing_by)
        self._is_mine = outcome is Outcome.DONE
        return self._is_mine

    def notes(self) -> list[str]:
        """Return what operators should know."""
        return ["another reporter writes the cache, this one stands by"] if self.is_standing_by else []

    def metrics(self) -> Iterator[Metric]:
        """Yield the families for Prometheus."""
        yield from read_all(CACHE_FAMILIES, self.stats)

    # --- what is written --------------------------------------------------------------------------

    async def _refill(self) -> Outcome:
        """Take the cache over, emptied, and write everything."""
        self._symbols.clear()
        self._books.clear()
        self._confirmed_s = 0.0
        outcome = await self._cache.write(self._name, Change(begin=True))
        if outcome is not Outcome.DONE:
            return outcome
        self._is_mine = True
        self.stats.refills += 1
        log.info("cache_refilling", symbols=len(self._market.directory.symbols))
        return await self._write_changes()

    async def _write_changes(self) -> Outcome:
        """Write the symbols and books that changed, in steps; the last one says up to where the cache is whole."""
        market = self._market
        sequence, time_ns = market.sequence, market.time_ns
        if sequence == self.stats.sequence and not self._is_confirmation_due():
            return Outcome.DONE
        changed = self._changed()
        while True:
            step, changed = changed[:SYMBOLS_PER_WRITE_MAX], changed[SYMBOLS_PER_WRITE_MAX:]
            entries = [entry for symbol_id in step for entry in self._entries(symbol_id)]
            change = Change(entries=entries, sequence=0 if changed else sequence, time_ns=time_ns)
            outcome = await self._cache.write(self._name, change)
            if outcome is not Outcome.DONE:
                return outcome
            self.stats.written += len(entries)
            if not changed:
                self.stats.sequence = sequence
                self._confirmed_s = asyncio.get_running_loop().time()
                return outcome

    def _is_renamed(self) -> bool:
        """Tell whether the cache has a symbol by a name that it no longer has."""
        symbols = self._market.directory.symbols
        return any(symbols[number].symbol != written.symbol for number, written in self._symbols.items())

    def _is_confirmation_due(self) -> bool:
        return asyncio.get_running_loop().time() - self._confirmed_s >= CONFIRM_S

    def _changed(self) -> list[int]:
        """List the symbols that are not in the cache as they are."""
        symbols, books = self._market.directory.symbols, self._market.builder.books
        return [
            symbol_id
            for symbol_id, symbol in symbols.items()
            if self._symbols.get(symbol_id) is not symbol
            or (symbol_id in books and self._books.get(symbol_id) != books[symbol_id].sequence)
        ]

    def _entries(self, symbol_id: int) -> Iterator[tuple[str, str, bytes]]:
        """Write a symbol's entries as they are now, and remember them as written."""
        market = self._market
        symbol, book = market.directory.symbols[symbol_id], market.builder.book(symbol_id)
        if self._symbols.get(symbol_id) is not symbol:
            yield symbol_entry(symbol)
        if self._books.get(symbol_id) != book.sequence:
            bids, asks = book.totals(self._levels)
            yield book_entry(symbol.symbol, CachedBook(market.sequence, market.time_ns, bids, asks))
        self._symbols[symbol_id], self._books[symbol_id] = symbol, book.sequence
