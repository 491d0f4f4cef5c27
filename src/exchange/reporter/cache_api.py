"""REST of symbols and books out of the cache: the reporter's own answers, with their age and their sequence."""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast

import msgspec
from msgspec import Meta

from exchange.domain.reasons import Reason
from exchange.domain.symbol import SYMBOL_PATTERN
from exchange.infra.cache import FIELDS_MAX, CacheUnavailable, Mark
from exchange.infra.http_routes import ApiError, Call, Reply, Route
from exchange.reporter.cached_market import CachedBook, CachedMarket
from exchange.reporter.cursor import page_of
from exchange.reporter.views import level_views
from exchange.wire.rest.book import DEPTH_DEFAULT, Book, BookList, BookQuery
from exchange.wire.rest.errors import ErrorCode
from exchange.wire.rest.market import time_text
from exchange.wire.rest.symbols import SymbolList, SymbolsQuery, SymbolView

SEQUENCE_HEADER = "X-Event-Sequence"
_CACHED = (
    "Out of the cache: the header Age says how many seconds ago it was confirmed to be whole, "
    f"{SEQUENCE_HEADER} up to which event."
)


class CacheApi:
    """The routes. levels: what the cache keeps of each side of a book."""

    def __init__(self, market: CachedMarket, levels: int) -> None:
        self._market = market
        self._levels = levels

    def routes(self) -> list[Route]:
        """List the routes."""
        return [
            Route(
                "GET", "/api/v1/symbols", self.symbols, "List the symbols", "symbols",
                query=SymbolsQuery, returns=SymbolList, errors=(503,), description=_CACHED,
            ),
            Route(
                "GET", "/api/v1/symbols/{symbol}", self.symbol, "Show a symbol", "symbols",
                returns=SymbolView, errors=(404, 503), path_examples={"symbol": "AAPL"}, description=_CACHED,
            ),
            Route(
                "GET", "/api/v1/book", self.books, "Show the order books, or one with ?symbol=", "book",
                query=_book_query(self._levels), returns=BookList, errors=(422, 503),
                description=f"{_CACHED} Price levels only (level 2), {self._levels} of each side; the reporter "
                "itself has more.",
            ),
        ]  # fmt: skip

    async def symbols(self, call: Call) -> Reply:
        """Answer GET /symbols."""
        query: SymbolsQuery = call.query
        mark, symbols = await self._all_symbols()
        page, following = page_of(symbols, _symbol_id, query.cursor, query.limit)
        return _reply(SymbolList(page, following), mark)

    async def symbol(self, call: Call) -> Reply:
        """Answer GET /symbols/{symbol}."""
        name = call.path["symbol"]
        mark, symbol = await self._one_symbol(name)
        if symbol is None:
            text = f"There is no symbol {name[:20]!r}; GET /api/v1/symbols lists them."
            raise ApiError.of(ErrorCode.NOT_FOUND, text)
        return _reply(symbol, mark)

    async def books(self, call: Call) -> Reply:
        """Answer GET /book."""
        query: BookQuery = call.query
        listed = [await self._known_symbol(query.symbol)] if query.symbol else (await self._all_symbols())[1]
        page, following = page_of(listed, _symbol_id, query.cursor, min(query.limit, FIELDS_MAX))
        names = [view.symbol for view in page]
        try:
            found, books = await self._market.books(names)
        except CacheUnavailable:
            raise _unavailable() from None
        mark = _present(found)
        shown = [
            _book(name, book, mark, query.depth) for name, book in zip(names, books, strict=True) if book
        ]
        if len(shown) < len(names):
            raise _unavailable()
        return _reply(BookList(shown, following), mark)

    async def _all_symbols(self) -> tuple[Mark, list[SymbolView]]:
        try:
            mark, symbols = await self._market.symbols()
        except CacheUnavailable:
            raise _unavailable() from None
        return _present(mark), symbols

    async def _one_symbol(self, name: str) -> tuple[Mark, SymbolView | None]:
        try:
            mark, symbol = await self._market.symbol(name if SYMBOL_PATTERN.match(name) else "")
        except CacheUnavailable:
            raise _unavailable() from None
        return _present(mark), symbol

    async def _known_symbol(self, name: str) -> SymbolView:
        symbol = (await self._one_symbol(name))[1]
        if symbol is None:
            text = f"There is no symbol {name[:20]!r}; GET /api/v1/symbols lists them."
            raise ApiError(422, Reason.UNKNOWN_SYMBOL, text, "symbol")
        return symbol


def _book_query(levels: int) -> type[BookQuery]:
    """Make the type of a query for what the cache holds: level 2, and only so deep."""
    fields = [
        ("depth", Annotated[int, Meta(ge=1, le=levels)], min(DEPTH_DEFAULT, levels)),
        ("level", Literal[2], 2),
    ]
    made = msgspec.defstruct(
        "CachedBookQuery", fields, bases=(BookQuery,), kw_only=True, forbid_unknown_fields=True
    )
    return cast(type[BookQuery], made)


def _book(symbol: str, book: CachedBook, mark: Mark, depth: int) -> Book:
    """Show a book: as of the mark, or, where it was written since, as of then."""
    sequence, time_ns = max((mark.sequence, mark.time_ns), (book.sequence, book.time_ns))
    return Book(
        symbol=symbol,
        seq=sequence,
        at=time_text(time_ns),
        bids=level_views(book.bids[:depth]),
        asks=level_views(book.asks[:depth]),
    )


def _reply(body: Any, mark: Mark) -> Reply:
    return Reply(body=body, headers={"Age": str(int(mark.age_s)), SEQUENCE_HEADER: str(mark.sequence)})


def _present(mark: Mark | None) -> Mark:
    """Return the mark. Raise `ApiError` where there is none: the cache is empty, or not full yet."""
    if mark is None:
        text = "The cache is empty or being filled, which a running reporter does; /readyz says more."
        raise ApiError.of(ErrorCode.NOT_READY, text, headers={"Retry-After": "1"})
    return mark


def _unavailable() -> ApiError:
    text = "The cache cannot be read now; try again, or ask the reporter itself."
    return ApiError.of(ErrorCode.NOT_READY, text, headers={"Retry-After": "1"})


def _symbol_id(view: SymbolView) -> int:
    return int(view.id)
