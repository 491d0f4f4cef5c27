"""The exchange for a program that waits line by line: `AsyncClient` on a loop in a thread of its own.

Everything here does what the method of the same name there does. Lists are read page by page while they are gone over.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar

from exchange.client.async_client import AsyncClient, Number
from exchange.client.book import Book
from exchange.client.errors import StreamClosed
from exchange.client.stream import MarketStream
from exchange.client.stream_session import Message
from exchange.wire.rest import book as pictures
from exchange.wire.rest.admin import AccountBalances, AccountView
from exchange.wire.rest.book import BookEntry
from exchange.wire.rest.clearing import BalanceView, ClearedTrade, PositionView
from exchange.wire.rest.explain import Explanation
from exchange.wire.rest.market import CandleView, StatisticsView, Ticker, TradeView
from exchange.wire.rest.order_lists import EnteredOrderList, LiveOrderList
from exchange.wire.rest.orders import AmendedOrder, CanceledOrder, CanceledOrders, Fill, Order, OrderResult
from exchange.wire.rest.quotes import CanceledQuotes, QuoteResults, QuoteView
from exchange.wire.rest.symbols import SymbolView

T = TypeVar("T")


class LoopThread:
    """An event loop in a thread, which others ask to wait for something."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="exchange.client", daemon=True)
        self._thread.start()

    def run(self, waiting: Coroutine[Any, Any, T]) -> T:
        """Wait for something on the loop and return it; Ctrl-C cancels it."""
        future = asyncio.run_coroutine_threadsafe(waiting, self._loop)
        try:
            return future.result()
        except KeyboardInterrupt:
            future.cancel()
            raise

    def go_over(self, items: AsyncIterator[T]) -> Iterator[T]:
        """Give the items of an asynchronous iterator."""
        while (item := self.run(_next(items))) is not None:
            yield item

    def stop(self) -> None:
        """End the loop and its thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Stream:
    """The market data stream, read by `for`. Use it as a context."""

    def __init__(self, thread: LoopThread, stream: MarketStream) -> None:
        self._thread = thread
        self._stream = stream

    def __enter__(self) -> Self:
        """Begin to connect."""
        self._thread.run(self._stream.__aenter__())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the stream."""
        self._thread.run(self._stream.close())

    @property
    def problem(self) -> str:
        """Return why there is no connection; empty while there is one."""
        return self._stream.problem

    def book(self, symbol: str) -> Book:
        """Return a symbol's book, which is kept from now on; wait until it is live."""
        return self._thread.run(self._stream.book(symbol))

    def changed(self, book: Book) -> Book:
        """Wait until a book has another event, or is live or stale for another reason; return it."""
        return self._thread.run(self._stream.changed(book))

    def subscribe(self, channel: str, *symbols: str, **more: Any) -> None:
        """Subscribe to a channel of symbols, or of "*"; its messages are read by `for`."""
        self._thread.run(self._stream.subscribe(channel, *symbols, **more))

    def unsubscribe(self, channel: str, *symbols: str, interval: str = "") -> None:
        """End subscriptions."""
        self._thread.run(self._stream.unsubscribe(channel, *symbols, interval=interval))

    def __iter__(self) -> Iterator[Message]:
        """Give each message as it comes."""
        while True:
            try:
                yield self._thread.run(self._stream.next())
            except StreamClosed:
                return


class Client:
    """One participant's way into the exchange. Use it as a context; the arguments are those of `AsyncClient`."""

    def __init__(self, key: str = "", **where: Any) -> None:
        self._client = AsyncClient(key, **where)

    def __enter__(self) -> Self:
        """Begin the thread."""
        self._thread = LoopThread()
        self._thread.run(self._client.__aenter__())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections and end the thread."""
        self._thread.run(self._client.__aexit__(None, None, None))
        self._thread.stop()

    # --- orders -----------------------------------------------------------------------------------

    def buy(self, symbol: str, qty: Number, price: Number | None = None, **more: Any) -> Order:
        """Enter an order to buy."""
        return self._thread.run(self._client.buy(symbol, qty, price, **more))

    def sell(self, symbol: str, qty: Number, price: Number | None = None, **more: Any) -> Order:
        """Enter an order to sell."""
        return self._thread.run(self._client.sell(symbol, qty, price, **more))

    def enter(self, symbol: str, side: str, qty: Number, price: Number | None = None, **more: Any) -> Order:
        """Enter an order once, however often it must be sent."""
        return self._thread.run(self._client.enter(symbol, side, qty, price, **more))

    def enter_all(self, orders: Iterable[Mapping[str, Any]]) -> list[OrderResult]:
        """Enter up to 1,000 orders; each has its own result."""
        return self._thread.run(self._client.enter_all(orders))

    def enter_list(
        self, contingency: str, symbol: str, qty: Number, orders: Iterable[Mapping[str, Any]]
    ) -> EnteredOrderList:
        """Enter orders that depend on each other, all or none."""
        return self._thread.run(self._client.enter_list(contingency, symbol, qty, orders))

    def order_lists(self, symbol: str = "") -> list[LiveOrderList]:
        """List own order lists that live, oldest first."""
        return self._thread.run(self._client.order_lists(symbol))

    def quote(self, *quotes: Mapping[str, Any], quote_id: int = 0) -> QuoteResults:
        """Quote in one or many symbols, each with its own result."""
        return self._thread.run(self._client.quote(*quotes, quote_id=quote_id))

    def cancel_quotes(self, symbol: str = "") -> CanceledQuotes:
        """Withdraw quotes, of a symbol or all."""
        return self._thread.run(self._client.cancel_quotes(symbol))

    def protect_quotes(self, symbol: str = "", **limits: int) -> QuoteView:
        """Protect quotes in a symbol, or all together."""
        return self._thread.run(self._client.protect_quotes(symbol, **limits))

    def reset_quotes(self, symbol: str = "") -> QuoteView:
        """Quote again after a protection was reached."""
        return self._thread.run(self._client.reset_quotes(symbol))

    def quotes(self, symbol: str = "") -> list[QuoteView]:
        """List own live quotes and protections."""
        return self._thread.run(self._client.quotes(symbol))

    def order(self, order_id: str) -> Order:
        """Show an order, finished ones too."""
        return self._thread.run(self._client.order(order_id))

    def explain(self, order_id: str) -> Explanation:
        """Have rebuilt why an order fared as it did."""
        return self._thread.run(self._client.explain(order_id))

    def order_named(self, client_order_id: str) -> Order:
        """Show the order that was entered with a client_order_id."""
        return self._thread.run(self._client.order_named(client_order_id))

    def cancel(self, order_id: str) -> CanceledOrder:
        """Cancel an order."""
        return self._thread.run(self._client.cancel(order_id))

    def cancel_all(self, symbol: str = "", side: str = "", **more: Any) -> CanceledOrders:
        """Cancel all own orders that fit; more: account, min_price, max_price."""
        return self._thread.run(self._client.cancel_all(symbol, side, **more))

    def amend(self, order_id: str, qty: Number | None = None, price: Number | None = None) -> AmendedOrder:
        """Amend an order, which keeps its id."""
        return self._thread.run(self._client.amend(order_id, qty, price))

    def replace(self, order_id: str, qty: Number | None = None, price: Number | None = None) -> Order:
        """Replace an order by a new one, in one step."""
        return self._thread.run(self._client.replace(order_id, qty, price))

    def orders(self, status: str = "open", symbol: str = "") -> Iterator[Order]:
        """List own orders, newest first."""
        return self._thread.go_over(self._client.orders(status, symbol))

    def fills(self, symbol: str = "", order_id: str = "") -> Iterator[Fill]:
        """List own fills, newest first."""
        return self._thread.go_over(self._client.fills(symbol, order_id))

    def place_in_queue(self, order_id: str) -> BookEntry:
        """Show how much trades before a resting order at its price."""
        return self._thread.run(self._client.place_in_queue(order_id))

    # --- accounts ---------------------------------------------------------------------------------

    def accounts(self) -> Iterator[AccountView]:
        """List the accounts that the key may see."""
        return self._thread.go_over(self._client.accounts())

    def account(self, account_id: str) -> AccountBalances:
        """Show an account's cash and shares as the engine counts them."""
        return self._thread.run(self._client.account(account_id))

    def positions(self, account_id: str = "") -> Iterator[PositionView]:
        """List positions as clearing keeps them."""
        return self._thread.go_over(self._client.positions(account_id))

    def balances(self, account_id: str = "") -> Iterator[BalanceView]:
        """List balances as clearing keeps them."""
        return self._thread.go_over(self._client.balances(account_id))

    def own_trades(self, symbol: str = "", state: str = "") -> Iterator[ClearedTrade]:
        """List own trades, newest first, with what clearing ruled."""
        return self._thread.go_over(self._client.own_trades(symbol, state))

    # --- market data ------------------------------------------------------------------------------

    def symbols(self) -> Iterator[SymbolView]:
        """List the symbols."""
        return self._thread.go_over(self._client.symbols())

    def ticker(self, symbol: str) -> Ticker:
        """Show where a symbol stands."""
        return self._thread.run(self._client.ticker(symbol))

    def book_now(self, symbol: str, depth: int = 10, level: int = 2) -> pictures.Book:
        """Show a book once; `stream().book` keeps it."""
        return self._thread.run(self._client.book_now(symbol, depth, level))

    def trades(self, symbol: str = "", include_busted: bool = True) -> Iterator[TradeView]:
        """List trades, newest first, back to the first one."""
        return self._thread.go_over(self._client.trades(symbol, include_busted))

    def candles(
        self, symbol: str, interval: str = "1m", start: str = "", end: str = "", fill: bool = False
    ) -> Iterator[CandleView]:
        """List candles, oldest first."""
        return self._thread.go_over(self._client.candles(symbol, interval, start, end, fill))

    def statistics(self, symbol: str, date: str = "") -> StatisticsView:
        """Show a business date's statistics."""
        return self._thread.run(self._client.statistics(symbol, date))

    def stream(self) -> Stream:
        """Make a stream: `with client.stream() as stream`."""
        return Stream(self._thread, self._client.stream())


async def _next(items: AsyncIterator[T]) -> T | None:
    return await anext(items, None)
