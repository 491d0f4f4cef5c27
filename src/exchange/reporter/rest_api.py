"""REST of market data: trades, tickers, candles, books, statistics, symbols. Nothing here needs a key."""

from __future__ import annotations

import asyncio
import re
from datetime import date

from exchange.domain.reasons import Reason
from exchange.domain.symbol import Symbol
from exchange.domain.units import UnitError, format_date, parse_time, sequence_of
from exchange.infra.http_routes import ApiError, Call, Route
from exchange.market_data.candles import IntervalError, format_interval, parse_interval
from exchange.market_data.trade import Trade, TradeStatus
from exchange.reporter.candle_page import FOREVER_NS, CandleRequest, candle_page
from exchange.reporter.cursor import cursor_of, page_of
from exchange.reporter.live_market import LiveMarket
from exchange.reporter.queries import DayStatistics, Queries
from exchange.reporter.ticker import ticker_of
from exchange.reporter.views import figures_fields, level_views, order_views, price_or_none, trade_view
from exchange.wire.rest.book import Book, BookList, BookQuery
from exchange.wire.rest.errors import ErrorCode
from exchange.wire.rest.market import (
    CandleList,
    CandlesQuery,
    OneSymbolQuery,
    StatisticsList,
    StatisticsQuery,
    StatisticsView,
    SymbolQuery,
    TickerList,
    TradeList,
    TradesQuery,
    TradeView,
    time_text,
)
from exchange.wire.rest.symbols import SymbolList, SymbolsQuery, SymbolView, symbol_view

LEVEL_3 = 3
_DATE = re.compile(r"\d{4}-\d\d-\d\d\Z", re.ASCII)
_SYMBOL = {"symbol": "AAPL"}


class MarketApi:
    """The routes of market data. depth_max, items_max: the most of one answer."""

    def __init__(
        self,
        market: LiveMarket,
        queries: Queries,
        intervals_s: tuple[int, ...],
        *,
        depth_max: int,
        items_max: int,
    ) -> None:
        self._market = market
        self._queries = queries
        self._intervals_s = intervals_s
        self._depth_max = depth_max
        self._items_max = items_max

    def routes(self) -> list[Route]:
        """List the routes."""
        return [*self._trade_routes(), *self._price_routes(), *self._symbol_routes()]

    def _trade_routes(self) -> list[Route]:
        return [
            Route(
                "GET", "/api/v1/trades", self.trades, "List trades, newest first", "trades",
                query=TradesQuery, returns=TradeList, errors=(422,),
                description="Busted trades stay and are marked; include_busted=false leaves them out.",
            ),
            Route(
                "GET", "/api/v1/trades/last", self.last_trade, "Show a symbol's last trade that stands", "trades",
                query=OneSymbolQuery, returns=TradeView, errors=(404, 422),
            ),
            Route(
                "GET", "/api/v1/trades/{match_id}", self.trade, "Show a trade and what became of it", "trades",
                returns=TradeView, errors=(404,), path_examples={"match_id": "1042"},
            ),
        ]  # fmt: skip

    def _price_routes(self) -> list[Route]:
        return [
            Route(
                "GET", "/api/v1/ticker", self.tickers, "Show where symbols stand", "prices",
                query=SymbolQuery, returns=TickerList, errors=(422,),
            ),
            Route(
                "GET", "/api/v1/candles", self.candles, "Show candles, oldest first", "prices",
                query=CandlesQuery, returns=CandleList, errors=(404, 422),
                description="Intervals without a trade are left out, or with fill=true stand in with the last "
                "price. 1d is one business date. Busts and corrections are in: a candle is always that of the "
                "trades that stand.",
            ),
            Route(
                "GET", "/api/v1/statistics", self.statistics, "Show a business date's statistics", "prices",
                query=StatisticsQuery, returns=StatisticsList, errors=(422,),
            ),
            Route(
                "GET", "/api/v1/book", self.books, "Show the order books, or one with ?symbol=", "book",
                query=BookQuery, returns=BookList, errors=(422,),
                description="Level 2 sums the orders at a price, level 3 lists them in the sequence in which "
                "they would trade, anonymously.",
            ),
        ]  # fmt: skip

    def _symbol_routes(self) -> list[Route]:
        return [
            Route(
                "GET", "/api/v1/symbols", self.symbols, "List the symbols", "symbols",
                query=SymbolsQuery, returns=SymbolList,
            ),
            Route(
                "GET", "/api/v1/symbols/{symbol}", self.symbol, "Show a symbol", "symbols",
                returns=SymbolView, errors=(404,), path_examples=_SYMBOL,
            ),
        ]  # fmt: skip

    # --- trades -----------------------------------------------------------------------------------

    async def trades(self, call: Call) -> TradeList:
        """Answer GET /trades."""
        query: TradesQuery = call.query
        symbol_id, before = self._symbol_id(query.symbol), cursor_of(query.cursor)
        limit = min(query.limit, self._items_max)
        trades: list[Trade] = []
        if symbol_id and not before:
            trades = self._market.latest_trades(symbol_id, limit, query.include_busted)
        if len(trades) < limit:
            trades = await asyncio.to_thread(
                self._queries.trades, symbol_id, before, limit, query.include_busted
            )
        following = str(trades[-1].sequence) if len(trades) == limit else None
        return TradeList([self._trade_view(trade) for trade in trades], following)

    async def last_trade(self, call: Call) -> TradeView:
        """Answer GET /trades/last."""
        query: OneSymbolQuery = call.query
        symbol_id = self._one_symbol_id(query.symbol)
        latest = self._market.latest_trades(symbol_id, 1, include_busted=False)
        latest = latest or await asyncio.to_thread(self._queries.trades, symbol_id, 0, 1, False)
        if not latest:
            raise _not_found(f"trade in {query.symbol!r} that stands")
        return self._trade_view(latest[0])

    async def trade(self, call: Call) -> TradeView:
        """Answer GET /trades/{match_id}."""
        match_id = call.path_id("match_id")
        trade = await asyncio.to_thread(self._queries.trade, sequence_of(match_id))
        if trade is None or trade.match_id != match_id:
            raise _not_found(f"trade {match_id}")
        return self._trade_view(trade)

    def _trade_view(self, trade: Trade) -> TradeView:
        return trade_view(trade, self._market.directory.symbols[trade.symbol_id].symbol)

    # --- prices -----------------------------------------------------------------------------------

    async def tickers(self, call: Call) -> TickerList:
        """Answer GET /ticker."""
        return TickerList(
            [ticker_of(self._market, each.symbol_id) for each in self._wanted(call.query.symbol)]
        )

    async def candles(self, call: Call) -> CandleList:
        """Answer GET /candles."""
        query: CandlesQuery = call.query
        request = CandleRequest(
            symbol_id=self._one_symbol_id(query.symbol),
            interval_s=self._interval(query.interval),
            from_ns=_time(query.from_time, "from"),
            to_ns=_time(query.to, "to"),
            now_ns=self._market.time_ns,
            limit=min(query.limit, self._items_max),
            fill=query.fill,
            cursor=query.cursor,
        )
        items, following = await asyncio.to_thread(candle_page, self._queries, request)
        return CandleList(query.symbol, format_interval(request.interval_s), items, following)

    async def statistics(self, call: Call) -> StatisticsList:
        """Answer GET /statistics."""
        query: StatisticsQuery = call.query
        number = _date(query.date) or self._market.business_date
        wanted = self._wanted(query.symbol)
        found = await asyncio.to_thread(self._queries.statistics, number)
        return StatisticsList([_statistics(symbol, number, found) for symbol in wanted], found.sequence)

    async def books(self, call: Call) -> BookList:
        """Answer GET /book."""
        query: BookQuery = call.query
        page, following = page_of(self._wanted(query.symbol), _symbol_id, query.cursor, query.limit)
        return BookList([self._book(symbol, query) for symbol in page], following)

    def _book(self, symbol: Symbol, query: BookQuery) -> Book:
        depth = min(query.depth, self._depth_max)
        book = self._market.builder.book(symbol.symbol_id)
        shown = Book(
            symbol=symbol.symbol,
            seq=self._market.sequence,
            at=time_text(self._market.time_ns),
            bids=[],
            asks=[],
        )
        if query.level == LEVEL_3:
            shown.bids, shown.asks = (order_views(queue, depth) for queue in book.queues())
        else:
            shown.bids, shown.asks = map(level_views, book.totals(depth))
        return shown

    # --- symbols ----------------------------------------------------------------------------------

    async def symbols(self, call: Call) -> SymbolList:
        """Answer GET /symbols."""
        query: SymbolsQuery = call.query
        page, following = page_of(self._wanted(""), _symbol_id, query.cursor, query.limit)
        return SymbolList([symbol_view(each) for each in page], following)

    async def symbol(self, call: Call) -> SymbolView:
        """Answer GET /symbols/{symbol}."""
        name = call.path["symbol"]
        symbol = self._market.directory.symbol_named(name)
        if symbol is None:
            present = self._market.directory.present_name(name)
            hint = f"it is called {present} now" if present else "GET /api/v1/symbols lists them"
            raise _not_found(f"symbol {name[:20]!r}; {hint}")
        return symbol_view(symbol)

    # --- what the queries name --------------------------------------------------------------------

    def _symbol_id(self, name: str) -> int:
        """Return the id of a symbol, 0 for an empty text. Raise `ApiError` where it is not listed."""
        symbol_id = self._market.directory.symbol_ids.get(name, 0)
        if name and not symbol_id and (present := self._market.directory.present_name(name)):
            text = f"{name[:20]!r} is the former name of {present}; use that."
            raise ApiError(422, Reason.SYMBOL_RENAMED, text, "symbol")
        if name and not symbol_id:
            text = f"There is no symbol {name[:20]!r}; GET /api/v1/symbols lists them."
            raise ApiError(422, Reason.UNKNOWN_SYMBOL, text, "symbol")
        return symbol_id

    def _one_symbol_id(self, name: str) -> int:
        """Return the id of a symbol. Raise `ApiError` where it is not listed, or the text is empty."""
        if not name:
            raise ApiError.of(ErrorCode.MISSING_PARAMETER, "symbol is empty; send one such as AAPL", "symbol")
        return self._symbol_id(name)

    def _wanted(self, name: str) -> list[Symbol]:
        """Return the symbol of a name, or all for an empty text."""
        symbol_id, symbols = self._symbol_id(name), self._market.directory.symbols
        return [symbols[symbol_id]] if symbol_id else list(symbols.values())

    def _interval(self, text: str) -> int:
        try:
            seconds = parse_interval(text)
        except IntervalError as error:
            raise _invalid("interval", str(error)) from None
        if seconds not in self._intervals_s:
            known = ", ".join(map(format_interval, self._intervals_s))
            raise ApiError.of(
                ErrorCode.NOT_FOUND, f"There are no candles of {text}, but of {known}.", "interval"
            )
        return seconds


def _statistics(symbol: Symbol, number: int, found: DayStatistics) -> StatisticsView:
    day = found.days.get(symbol.symbol_id)
    return StatisticsView(
        symbol=symbol.symbol,
        business_date=format_date(number),
        busted=found.changed.get((symbol.symbol_id, TradeStatus.BUSTED), 0),
        corrected=found.changed.get((symbol.symbol_id, TradeStatus.CORRECTED), 0),
        previous_close=price_or_none(found.closes.get(symbol.symbol_id, 0)),
        **figures_fields(day.figures if day else None),
    )


def _time(text: str, name: str) -> int | None:
    if not text:
        return None
    try:
        return min(max(parse_time(text), 0), FOREVER_NS)
    except UnitError as error:
        raise _invalid(name, f"{name}: {error}") from None


def _date(text: str) -> int:
    if not text:
        return 0
    try:
        found = date.fromisoformat(text) if _DATE.match(text) else None
    except ValueError:
        found = None
    if found is None:
        raise _invalid("date", f"date must be a business date such as 2026-11-22, got {text[:40]!r}")
    return found.year * 10_000 + found.month * 100 + found.day


def _symbol_id(symbol: Symbol) -> int:
    return symbol.symbol_id


def _invalid(name: str, message: str) -> ApiError:
    return ApiError.of(ErrorCode.INVALID_PARAMETER, message, name)


def _not_found(what: str) -> ApiError:
    return ApiError.of(ErrorCode.NOT_FOUND, f"There is no {what}.")
