"""What stands in the cache is read back as it was."""

from __future__ import annotations

from exchange.infra.cache import Change, MemoryCache
from exchange.market_data.book_builder import BookBuilder
from exchange.reporter.cached_market import TABLES, CachedBook, CachedMarket, book_entry, symbol_entry
from exchange.wire.records import decode_events
from exchange.wire.rest.symbols import symbol_view
from tests.market_data.venue_flow import VenueFlow

BOOK = CachedBook(9, 1_000, [(1_000_000, 100, 2)], [(1_000_100, 50, 1)])


async def cache_of(flow: VenueFlow) -> MemoryCache:
    cache = MemoryCache(TABLES)
    await cache.write("w", Change(begin=True))
    symbols = flow.venue.directory.symbols.values()
    entries = [*map(symbol_entry, reversed([*symbols])), book_entry("AAPL", BOOK)]
    await cache.write("w", Change(entries=entries, sequence=9, time_ns=1_000))
    return cache


async def test_symbols_come_back_in_the_order_in_which_they_were_listed() -> None:
    flow = VenueFlow()
    decode_events(flow.open())
    market = CachedMarket(await cache_of(flow))
    mark, symbols = await market.symbols()
    assert mark is not None
    assert mark.sequence == 9
    assert symbols == [symbol_view(symbol) for symbol in flow.venue.directory.symbols.values()]
    assert (await market.symbol("MSFT"))[1] == symbols[1]
    assert (await market.symbol("NONE"))[1] is None


async def test_books_come_back_as_they_were() -> None:
    flow = VenueFlow()
    flow.open()
    market = CachedMarket(await cache_of(flow))
    assert (await market.books(["AAPL", "MSFT"]))[1] == [BOOK, None]
    assert (await market.mark()) is not None
    assert (await CachedMarket(MemoryCache(TABLES)).mark()) is None


def test_the_totals_of_a_book_are_what_the_cache_takes() -> None:
    flow, builder = VenueFlow(), BookBuilder()
    for events in (flow.open(), *flow.random_batches(3)):
        builder.apply(events)
    bids, asks = builder.book(1).totals(5)
    table, field, value = book_entry("AAPL", CachedBook(1, 2, bids, asks))
    assert (table, field) == ("books", "AAPL")
    assert value.startswith(b'{"sequence":1,"time_ns":2,"bids":[[')
