"""REST of the order book: all books or one, by levels or by orders, and one resting order with its place."""

from __future__ import annotations

from exchange.domain.symbol import Symbol
from exchange.domain.units import format_price, format_time
from exchange.engine.gateway import Gateway
from exchange.engine.refusals import not_found
from exchange.engine.rest_orders import cursor_of
from exchange.infra.auth import Principal
from exchange.infra.http_routes import Call, Route
from exchange.matching.order_book import Level, RestingOrder
from exchange.matching.venue import Venue
from exchange.wire.rest.book import Book, BookEntry, BookList, BookQuery, BookRow
from exchange.wire.rest.orders import ORDER_TYPE_TEXT, SIDE_TEXT, TIME_IN_FORCE_TEXT

PRICE_LEVEL_QUERY = 2


class BookApi:
    """The routes of the book."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def routes(self) -> list[Route]:
        """List the routes."""
        return [
            Route(
                "GET", "/api/v1/book", self.books, "Show the order books, or one with ?symbol=", "book",
                query=BookQuery, returns=BookList, errors=(422, 503),
                description="Level 2 sums the orders at a price, level 3 lists them in the sequence in which they "
                "would trade. Orders are anonymous; an owner sees account and client_order_id of its own. Of an "
                "iceberg order only the part that is shown is in the book, hidden orders are not.",
            ),
            Route(
                "GET", "/api/v1/book/{order_id}", self.entry, "Show one resting order and its place in the queue",
                "book", returns=BookEntry, errors=(404, 503), path_examples={"order_id": "1042"},
            ),
        ]  # fmt: skip

    async def books(self, call: Call) -> BookList:
        """Answer GET /book."""
        query: BookQuery = call.query
        wanted = self._gateway.entry.symbol_id(query.symbol)
        after = cursor_of(query.cursor)
        return await self._gateway.read(lambda venue: self._page(venue, query, wanted, after, call.principal))

    async def entry(self, call: Call) -> BookEntry:
        """Answer GET /book/{id}."""
        order_id = call.path_id("order_id")
        entry = await self._gateway.read(lambda venue: self._entry(venue, order_id, call.principal))
        if entry is None:
            raise not_found(f"resting order {order_id}")
        return entry

    def _page(
        self, venue: Venue, query: BookQuery, wanted: int, after: int, principal: Principal | None
    ) -> BookList:
        symbols = venue.directory.symbols
        if wanted:
            return BookList([self._book(venue, symbols[wanted], query, principal)])
        ids = range(after + 1, min(after + query.limit, len(symbols)) + 1)
        books = [self._book(venue, symbols[number], query, principal) for number in ids]
        return BookList(books, str(ids[-1]) if ids and ids[-1] < len(symbols) else None)

    def _book(self, venue: Venue, symbol: Symbol, query: BookQuery, principal: Principal | None) -> Book:
        if query.level == PRICE_LEVEL_QUERY:
            bids, asks = (_levels(side) for side in venue.depth(symbol.symbol_id, query.depth))
        else:
            sides = venue.orders(symbol.symbol_id)
            bids, asks = ([self._order(order, principal) for order in side[: query.depth]] for side in sides)
        return Book(
            symbol=symbol.symbol,
            seq=venue.event_sequence,
            at=format_time(venue.time_ns),
            bids=bids,
            asks=asks,
        )

    def _order(self, order: RestingOrder, principal: Principal | None) -> BookRow:
        shown = BookRow(id=str(order.order_id), price=format_price(order.price), qty=str(order.displayed))
        if self._gateway.entry.may_see(order.account_id, principal):
            shown.account = str(order.account_id)
            shown.client_order_id = order.client_order_id
        return shown

    def _entry(self, venue: Venue, order_id: int, principal: Principal | None) -> BookEntry | None:
        order, place = venue.order(order_id), venue.place_in_queue(order_id)
        if order is None or place is None:
            return None
        entry = BookEntry(
            id=str(order_id),
            symbol=venue.directory.symbols[order.symbol_id].symbol,
            side=SIDE_TEXT[order.side],
            type=ORDER_TYPE_TEXT[order.order_type],
            time_in_force=TIME_IN_FORCE_TEXT[order.time_in_force],
            price=format_price(order.price),
            qty=str(order.displayed),
            place=place.place,
            orders_ahead=place.orders_ahead,
            qty_ahead=str(place.quantity_ahead),
            entered_at=format_time(order.entered_ns),
            seq=venue.event_sequence,
        )
        if self._gateway.entry.may_see(order.account_id, principal):
            entry.account = str(order.account_id)
            entry.client_order_id = order.client_order_id
            entry.filled_qty = str(order.filled)
            entry.leaves_qty = str(order.leaves)
        return entry


def _levels(levels: list[Level]) -> list[BookRow]:
    return [
        BookRow(price=format_price(level.price), qty=str(level.quantity), orders=level.orders)
        for level in levels
    ]
