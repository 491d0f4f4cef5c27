"""The exchange for a program that waits with `async`: orders, accounts, market data and the stream.

An order goes in with a `client_order_id`, made here where the program names none, so that it can be sent again when an
answer is lost: the exchange then answers with the first one. What is only read is tried again too, and so is a cancel:
if the lost answer was that of a cancel, the second one is refused because the order is no longer live. An amendment or
a replacement is sent once: `Unreachable` says that nobody knows, and `order` tells.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from decimal import Decimal
from types import TracebackType
from typing import Any, Self, TypeAlias

import aiohttp

from exchange.client.requests import TRIES, Requests
from exchange.client.stream import MarketStream
from exchange.wire.rest import book as pictures
from exchange.wire.rest.admin import AccountBalances, AccountView
from exchange.wire.rest.book import BookEntry, BookList
from exchange.wire.rest.clearing import BalanceView, ClearedTrade, PositionView
from exchange.wire.rest.explain import Explanation
from exchange.wire.rest.market import (
    CandleView,
    StatisticsList,
    StatisticsView,
    Ticker,
    TickerList,
    TradeView,
)
from exchange.wire.rest.order_lists import EnteredOrderList, LiveOrderList, LiveOrderLists
from exchange.wire.rest.orders import (
    AmendedOrder,
    CanceledOrder,
    CanceledOrders,
    Fill,
    Order,
    OrderResult,
    OrderResults,
)
from exchange.wire.rest.quotes import CanceledQuotes, QuoteResults, QuoteView, QuoteViews
from exchange.wire.rest.symbols import SymbolView

HOST, PORT_BASE = "127.0.0.1", 8000
Number: TypeAlias = int | str | Decimal
"""A price or quantity; texts and decimals are exact, so there are no floats here."""


class AsyncClient:
    """One participant's, or with no key anybody's, way into the exchange. Use it as an asynchronous context.

    key: by default that of the environment's EXCHANGE_KEY; engine, reporter, clearing: addresses, by default those of
    host and port_base, which is EXCHANGE__EXCHANGE__PORT_BASE of the environment, else 8000. Of several reporters the
    stream takes the next one when it loses one.
    """

    def __init__(
        self,
        key: str = "",
        *,
        host: str = HOST,
        port_base: int = 0,
        engine: str = "",
        reporter: str | Sequence[str] = "",
        clearing: str = "",
    ) -> None:
        self._key = key or os.environ.get("EXCHANGE_KEY", "")
        port_base = port_base or int(os.environ.get("EXCHANGE__EXCHANGE__PORT_BASE", PORT_BASE))
        self._engine_url = engine or f"http://{host}:{port_base + 1}"
        given = [reporter] if isinstance(reporter, str) else list(reporter)
        self._reporter_urls = [each.rstrip("/") for each in given if each] or [
            f"http://{host}:{port_base + 2}"
        ]
        self._clearing_url = clearing or f"http://{host}:{port_base + 3}"
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the connections as they are needed."""
        self._http = aiohttp.ClientSession()
        self._engine = Requests(self._http, self._engine_url, self._key)
        self._reporter = Requests(self._http, self._reporter_urls[0], self._key)
        self._clearing = Requests(self._http, self._clearing_url, self._key)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        assert self._http is not None
        await self._http.close()

    # --- orders -----------------------------------------------------------------------------------

    async def buy(self, symbol: str, qty: Number, price: Number | None = None, **more: Any) -> Order:
        """Enter an order to buy; see `enter`."""
        return await self.enter(symbol, "buy", qty, price, **more)

    async def sell(self, symbol: str, qty: Number, price: Number | None = None, **more: Any) -> Order:
        """Enter an order to sell; see `enter`."""
        return await self.enter(symbol, "sell", qty, price, **more)

    async def enter(
        self, symbol: str, side: str, qty: Number, price: Number | None = None, **more: Any
    ) -> Order:
        """Enter an order once, however often it must be sent; without a price, a peg or a type it is a market order.

        more: other fields of `POST /api/v1/order`, such as time_in_force, peg, or type="stop" with a stop_price.
        Raise `Refused` with the reason.
        """
        body = _order({"symbol": symbol, "side": side, "qty": qty, "price": price, **more})
        return await self._engine.ask("POST", "/api/v1/order", Order, body, tries=TRIES)

    async def enter_all(self, orders: Iterable[Mapping[str, Any]]) -> list[OrderResult]:
        """Enter up to 1,000 orders, each with the fields of `POST /api/v1/order`; each has its own result."""
        body = [_order(each) for each in orders]
        return (await self._engine.ask("POST", "/api/v1/orders", OrderResults, body, tries=TRIES)).items

    async def enter_list(
        self, contingency: str, symbol: str, qty: Number, orders: Iterable[Mapping[str, Any]]
    ) -> EnteredOrderList:
        """Enter orders that depend on each other, all or none: `oco`, `oto` or `bracket`.

        orders: each with the fields of `POST /api/v1/order_lists`. Raise `Refused` with the reason.
        """
        body = {
            "contingency": contingency,
            "symbol": symbol,
            "qty": str(qty),
            "orders": [_texts(o) for o in orders],
        }
        return await self._engine.ask("POST", "/api/v1/order_lists", EnteredOrderList, body)

    async def order_lists(self, symbol: str = "") -> list[LiveOrderList]:
        """List own order lists that live, oldest first."""
        return (await self._engine.get("/api/v1/order_lists", LiveOrderLists, symbol=symbol)).items

    async def quote(self, *quotes: Mapping[str, Any], quote_id: int = 0) -> QuoteResults:
        """Quote in one or many symbols, each with the fields of `POST /api/v1/quotes` and its own result."""
        body = {"quote_id": quote_id, "quotes": [_texts(each) for each in quotes]}
        return await self._engine.ask("POST", "/api/v1/quotes", QuoteResults, body)

    async def cancel_quotes(self, symbol: str = "") -> CanceledQuotes:
        """Withdraw quotes, of a symbol or all."""
        query = {"symbol": symbol}
        return await self._engine.ask("DELETE", "/api/v1/quotes", CanceledQuotes, query=query, tries=TRIES)

    async def protect_quotes(self, symbol: str = "", **limits: int) -> QuoteView:
        """Protect quotes in a symbol, or all together, with the fields of `PUT /api/v1/quotes/protection`."""
        body = {"symbol": symbol, **limits}
        return await self._engine.ask("PUT", "/api/v1/quotes/protection", QuoteView, body, tries=TRIES)

    async def reset_quotes(self, symbol: str = "") -> QuoteView:
        """Quote again after a protection was reached."""
        return await self._engine.ask("POST", "/api/v1/quotes/reset", QuoteView, {"symbol": symbol})

    async def quotes(self, symbol: str = "") -> list[QuoteView]:
        """List own live quotes and protections."""
        return (await self._engine.get("/api/v1/quotes", QuoteViews, symbol=symbol)).items

    async def order(self, order_id: str) -> Order:
        """Show an order, finished ones too."""
        return await self._engine.get(f"/api/v1/order/{order_id}", Order)

    async def explain(self, order_id: str) -> Explanation:
        """Have rebuilt why an order fared as it did, with its rules and the book before and after."""
        return await self._engine.get(f"/api/v1/explain/order/{order_id}", Explanation)

    async def order_named(self, client_order_id: str) -> Order:
        """Show the order that was entered with a client_order_id."""
        path = "/api/v1/orders:by_client_order_id"
        return await self._engine.get(path, Order, client_order_id=client_order_id)

    async def cancel(self, order_id: str) -> CanceledOrder:
        """Cancel an order."""
        return await self._engine.ask("DELETE", f"/api/v1/order/{order_id}", CanceledOrder, tries=TRIES)

    async def cancel_all(
        self, symbol: str = "", side: str = "", *, account: str = "",
        min_price: Number | None = None, max_price: Number | None = None,
    ) -> CanceledOrders:  # fmt: skip
        """Cancel all own orders that fit; what is left out means any."""
        prices = _texts({"min_price": min_price, "max_price": max_price})
        query = {"symbol": symbol, "side": side, "account": account, **prices}
        return await self._engine.ask("DELETE", "/api/v1/orders", CanceledOrders, query=query, tries=TRIES)

    async def amend(
        self, order_id: str, qty: Number | None = None, price: Number | None = None
    ) -> AmendedOrder:
        """Amend an order, which keeps its id; less quantity alone keeps its place in the queue."""
        body = _texts({"qty": qty, "price": price})
        return await self._engine.ask("PATCH", f"/api/v1/order/{order_id}", AmendedOrder, body)

    async def replace(self, order_id: str, qty: Number | None = None, price: Number | None = None) -> Order:
        """Replace an order by a new one, in one step."""
        body = _texts({"qty": qty, "price": price})
        return await self._engine.ask("POST", f"/api/v1/order/{order_id}/replace", Order, body)

    def orders(self, status: str = "open", symbol: str = "") -> AsyncIterator[Order]:
        """List own orders, newest first: `open`, `closed` or `all`."""
        return self._engine.items("/api/v1/orders", Order, status=status, symbol=symbol)

    def fills(self, symbol: str = "", order_id: str = "") -> AsyncIterator[Fill]:
        """List own fills, newest first, as they stand after busts and corrections."""
        return self._engine.items("/api/v1/fills", Fill, symbol=symbol, order_id=order_id)

    async def place_in_queue(self, order_id: str) -> BookEntry:
        """Show how much trades before a resting order at its price."""
        return await self._engine.get(f"/api/v1/book/{order_id}", BookEntry)

    # --- accounts ---------------------------------------------------------------------------------

    def accounts(self) -> AsyncIterator[AccountView]:
        """List the accounts that the key may see."""
        return self._engine.items("/api/v1/accounts", AccountView)

    async def account(self, account_id: str) -> AccountBalances:
        """Show an account's cash and shares as the engine counts them."""
        return await self._engine.get(f"/api/v1/accounts/{account_id}", AccountBalances)

    def positions(self, account_id: str = "") -> AsyncIterator[PositionView]:
        """List positions as clearing keeps them."""
        return self._clearing.items("/api/v1/positions", PositionView, account=account_id)

    def balances(self, account_id: str = "") -> AsyncIterator[BalanceView]:
        """List balances as clearing keeps them."""
        return self._clearing.items("/api/v1/balances", BalanceView, account=account_id)

    def own_trades(self, symbol: str = "", state: str = "") -> AsyncIterator[ClearedTrade]:
        """List own trades, newest first, with what clearing ruled."""
        return self._clearing.items("/api/v1/trades", ClearedTrade, symbol=symbol, state=state)

    # --- market data ------------------------------------------------------------------------------

    def symbols(self) -> AsyncIterator[SymbolView]:
        """List the symbols."""
        return self._reporter.items("/api/v1/symbols", SymbolView)

    async def ticker(self, symbol: str) -> Ticker:
        """Show where a symbol stands."""
        return (await self._reporter.get("/api/v1/ticker", TickerList, symbol=symbol)).items[0]

    async def book_now(self, symbol: str, depth: int = 10, level: int = 2) -> pictures.Book:
        """Show a book once; `stream().book` keeps it."""
        found = await self._reporter.get("/api/v1/book", BookList, symbol=symbol, depth=depth, level=level)
        return found.items[0]

    def trades(self, symbol: str = "", include_busted: bool = True) -> AsyncIterator[TradeView]:
        """List trades, newest first, back to the first one."""
        query = {"symbol": symbol, "include_busted": include_busted}
        return self._reporter.items("/api/v1/trades", TradeView, **query)

    def candles(
        self, symbol: str, interval: str = "1m", start: str = "", end: str = "", fill: bool = False
    ) -> AsyncIterator[CandleView]:
        """List candles, oldest first; start and end such as 2026-11-23T14:30:00Z."""
        query = {"symbol": symbol, "interval": interval, "from": start, "to": end, "fill": fill}
        return self._reporter.items("/api/v1/candles", CandleView, **query)

    async def statistics(self, symbol: str, date: str = "") -> StatisticsView:
        """Show a business date's statistics, by default those of the present one."""
        path = "/api/v1/statistics"
        return (await self._reporter.get(path, StatisticsList, symbol=symbol, date=date)).items[0]

    def stream(self) -> MarketStream:
        """Make a stream: `async with client.stream() as stream`."""
        assert self._http is not None, "the client is used as `async with AsyncClient(...) as client`"
        return MarketStream(self._http, self._reporter_urls)


def _order(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Write an order's fields, with a name that makes it safe to send it twice."""
    body = _texts(fields)
    if "price" not in body and "peg" not in body and body.setdefault("type", "market") == "market":
        body.setdefault("time_in_force", "ioc")
    body.setdefault("client_order_id", secrets.token_hex(16))
    return body


def _texts(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is None, and write numbers as texts."""
    return {
        name: str(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else value
        for name, value in fields.items()
        if value is not None
    }
