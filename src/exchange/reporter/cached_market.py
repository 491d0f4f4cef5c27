"""What the reporter keeps in the cache, and how it is read back: a table of symbols and one of books, by name."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from exchange.domain.symbol import Symbol
from exchange.infra.cache import FIELDS_MAX, Cache, Mark
from exchange.market_data.book import LevelTotal
from exchange.wire.rest.symbols import SymbolView, symbol_view

SYMBOLS, BOOKS = "symbols", "books"
TABLES = (SYMBOLS, BOOKS)


class CachedBook(msgspec.Struct, frozen=True, gc=False):
    """The best levels of a book after an event, best first."""

    sequence: int
    time_ns: int
    bids: list[LevelTotal]
    asks: list[LevelTotal]


_encode = msgspec.json.Encoder().encode
_decode_symbol = msgspec.json.Decoder(SymbolView).decode
_decode_book = msgspec.json.Decoder(CachedBook).decode


def symbol_entry(symbol: Symbol) -> tuple[str, str, bytes]:
    """Write a symbol as it stands in the cache."""
    return SYMBOLS, symbol.symbol, _encode(symbol_view(symbol))


def book_entry(symbol: str, book: CachedBook) -> tuple[str, str, bytes]:
    """Write a book as it stands in the cache."""
    return BOOKS, symbol, _encode(book)


class CachedMarket:
    """Reads symbols and books. Every question may raise `CacheUnavailable`; without a mark there is nothing to read."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    async def mark(self) -> Mark | None:
        """Return up to where the cache is whole."""
        return (await self._cache.look(())).mark

    async def symbols(self) -> tuple[Mark | None, list[SymbolView]]:
        """Return all symbols, in the order in which they were listed."""
        mark, values = await self._cache.whole(SYMBOLS)
        views = [_decode_symbol(value) for value in values if value is not None]
        return mark, sorted(views, key=lambda view: int(view.id))

    async def symbol(self, name: str) -> tuple[Mark | None, SymbolView | None]:
        """Return one symbol, None where it is not listed."""
        mark, (value,) = await self._cache.look([(SYMBOLS, name)])
        return mark, _decode_symbol(value) if value is not None else None

    async def books(self, names: Sequence[str]) -> tuple[Mark | None, list[CachedBook | None]]:
        """Return the books of symbols, None where there is none; at most `FIELDS_MAX`."""
        assert len(names) <= FIELDS_MAX
        mark, values = await self._cache.look([(BOOKS, name) for name in names])
        return mark, [_decode_book(value) if value is not None else None for value in values]
