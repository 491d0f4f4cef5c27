"""One symbol's market: its order book, its terms of trading and its reference price."""

from __future__ import annotations

from bisect import bisect_right

from exchange.domain.symbol import Symbol, SymbolState
from exchange.matching.order_book import OrderBook
from exchange.matching.reference_price import ReferencePrice


class Market:
    """Where one symbol trades. The terms are those of the directory's symbol, laid out for speed."""

    __slots__ = ("book", "reference", "round_lot", "state", "symbol_id", "tick_sizes", "tick_starts")

    def __init__(self, symbol: Symbol) -> None:
        self.symbol_id = symbol.symbol_id
        self.set_terms(symbol)
        self.book = OrderBook()
        self.reference = ReferencePrice(symbol.reference_price)

    def set_terms(self, symbol: Symbol) -> None:
        """Take the terms of a symbol over; what rests in the book stays as it is."""
        self.round_lot = symbol.round_lot
        self.state: SymbolState = symbol.state
        self.tick_starts = [row.from_price for row in symbol.ticks.rows]
        self.tick_sizes = [row.tick for row in symbol.ticks.rows]

    def tick_at(self, price: int) -> int:
        """Return the tick that holds at a price."""
        return self.tick_sizes[bisect_right(self.tick_starts, price) - 1]
