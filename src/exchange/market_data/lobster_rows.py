"""One symbol's day in the form of LOBSTER: a row for each thing that happens to a resting order, and the book after it.

Message row: seconds after midnight, type, order id, shares, price in 1/10,000, direction (1: a buy order, -1: a sell
order). Types: 1 rests, 2 has fewer shares, 3 is gone, 4 trades, 5 trades unseen (a hidden order); 7 the symbol is
suspended (price -1) or trades again (1).
Book row: for each level the ask's price and shares, then the bid's; where there is none ±9999999999 and 0.
"""

from __future__ import annotations

from exchange.domain import events as e
from exchange.domain.order import Side
from exchange.domain.symbol import SymbolState
from exchange.domain.units import date_number
from exchange.market_data.book import Book, BookOrder, BookSide
from exchange.market_data.book_builder import BookBuilder
from exchange.market_data.candles import SECOND_NS, date_start
from exchange.wire.fields import RECORD_START, field_struct, kind_of
from exchange.wire.records import decode_event

ADDED, REDUCED, GONE, EXECUTED, HIDDEN, HALTED = 1, 2, 3, 4, 5, 7
NO_PRICE = 9_999_999_999

MessageRow = tuple[int, int, int, int, int, int]
"""Nanoseconds after midnight, type, order id, shares, price, direction."""
LobsterRow = tuple[int, MessageRow, list[int]]
"""Business date YYYYMMDD, the message, the book after it."""

_TIME = field_struct(e.Event, "time_ns")
_LOOKED_AT = (e.SymbolAdded, e.SymbolConfigured, e.SymbolStateChanged, e.BusinessDayStarted)
_KINDS = {kind_of(kind): True for kind in _LOOKED_AT}


class LobsterRows:
    """Makes the rows of one symbol. levels: how many of the book."""

    def __init__(self, symbol: str, levels: int) -> None:
        self._symbol = symbol
        self._levels = levels
        self._symbol_id = 0
        self._date = 0
        self._book = Book(0)
        self._orders: dict[int, BookOrder] = {}
        self._builder = BookBuilder(self)
        self._rows: list[LobsterRow] = []

    @property
    def is_listed(self) -> bool:
        """Tell whether the symbol was seen."""
        return bool(self._symbol_id)

    def apply(self, events: bytes) -> list[LobsterRow]:
        """Take event records of whole commands in; return the rows that they make."""
        self._rows = []
        offset, end = 0, len(events)
        while offset < end:
            start = offset
            is_looked_at = False
            while offset < end and not is_looked_at:
                length, kind, _ = RECORD_START.unpack_from(events, offset)
                is_looked_at = kind in _KINDS
                offset += 0 if is_looked_at else length
            self._builder.apply(events[start:offset])
            if is_looked_at:
                length, _, _ = RECORD_START.unpack_from(events, offset)
                self._take(decode_event(events, offset))
                offset += length
        return self._rows

    def _take(self, event: e.Event) -> None:
        match event:
            case e.SymbolAdded(symbol=name) | e.SymbolConfigured(symbol=name) if name == self._symbol:
                self._symbol_id = event.symbol_id
            case e.BusinessDayStarted(date=date):
                self._date = date
            case e.SymbolStateChanged(state=state) if event.symbol_id == self._symbol_id:
                price = 1 if state == SymbolState.ACTIVE else -1
                self._row(event.time_ns, HALTED, 0, 0, price, -1)

    # --- what happens to resting orders (OrderWatcher) --------------------------------------------

    def order_added(self, order: BookOrder, events: bytes, offset: int) -> None:
        """Write that an order rests."""
        if order.symbol_id == self._symbol_id:
            own = BookOrder(order.symbol_id, order.side, order.order_id, order.price, order.leaves)
            self._orders[order.order_id] = own
            self._side(own).add(own)
            self._order_row(ADDED, own, own.leaves, events, offset)

    def order_executed(self, order: BookOrder, leaves: int, events: bytes, offset: int) -> None:
        """Write that a resting order trades; a hidden one was never shown, so the book stays as it is."""
        if order.symbol_id != self._symbol_id:
            return
        if order.hidden:
            self._order_row(HIDDEN, order, order.leaves - leaves, events, offset)
        else:
            self._reduce(EXECUTED, order.order_id, leaves, events, offset)

    def order_reduced(self, order: BookOrder, leaves: int, events: bytes, offset: int) -> None:
        """Write that a resting order has fewer shares, or is gone."""
        if order.symbol_id == self._symbol_id:
            self._reduce(REDUCED if leaves else GONE, order.order_id, leaves, events, offset)

    def _reduce(self, kind: int, order_id: int, leaves: int, events: bytes, offset: int) -> None:
        own = self._orders[order_id]
        shares = own.leaves - leaves
        self._side(own).reduce(own, leaves)
        if not leaves:
            del self._orders[order_id]
        self._order_row(kind, own, shares, events, offset)

    def _side(self, order: BookOrder) -> BookSide:
        return self._book.side(order.side)

    # --- rows -------------------------------------------------------------------------------------

    def _order_row(self, kind: int, order: BookOrder, shares: int, events: bytes, offset: int) -> None:
        direction = 1 if order.side == Side.BUY else -1
        (time_ns,) = _TIME.unpack_from(events, offset)
        self._row(time_ns, kind, order.order_id, shares, order.price, direction)

    def _row(self, time_ns: int, kind: int, order_id: int, shares: int, price: int, direction: int) -> None:
        date = self._date or date_number(time_ns)
        message = (time_ns - date_start(date), kind, order_id, shares, price, direction)
        self._rows.append((date, message, self._levels_now()))

    def _levels_now(self) -> list[int]:
        bids, asks = self._book.totals(self._levels)
        found: list[int] = []
        for place in range(self._levels):
            found += asks[place][:2] if place < len(asks) else (NO_PRICE, 0)
            found += bids[place][:2] if place < len(bids) else (-NO_PRICE, 0)
        return found


def message_line(row: MessageRow) -> str:
    """Write a message as LOBSTER does: the time in seconds with nine digits behind the point."""
    second, nanoseconds = divmod(row[0], SECOND_NS)
    return f"{second}.{nanoseconds:09d},{','.join(map(str, row[1:]))}"
