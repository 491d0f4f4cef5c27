"""Orders as surveillance sees them: who has what in the book, and how much is shown at which price."""

from __future__ import annotations

from bisect import bisect_left, insort

import msgspec

BUY, SELL = 1, 2
PEGGED, QUOTED, SECOND_SIDE, IN_PLACE, GAVE_WAY, IMMEDIATE = 1, 2, 4, 8, 16, 32
"""Marks of an order: the market makes its price; a side of a quote; the other side of a quote of two; its quote
took the place of another; a newer quote took its place; it was cancelled as what may not rest."""


class LiveOrder(msgspec.Struct, gc=False):
    """An order that is not over. shown: how much of it the book counts; waits: a stop that is not triggered.

    key: the number of its owner in its symbol; side_key: the same with its side; marks: see `PEGGED`.
    """

    order_id: int
    account_id: int
    owner: int
    symbol_id: int
    side: int
    price: int
    quantity: int
    leaves: int
    entered_ns: int
    entered_sequence: int
    command: int
    key: int
    side_key: int
    display: int = 0
    shown: int = 0
    waits: bool = False
    hidden: bool = False
    rests: bool = False
    marks: int = 0


class BookSide(msgspec.Struct):
    """The shown quantity of a side by price. prices: rising."""

    quantities: dict[int, int] = {}
    prices: list[int] = []

    def add(self, price: int, quantity: int) -> None:
        """Count a quantity at a price, or with a quantity below zero no longer."""
        levels = self.quantities
        before = levels.get(price)
        if before is None:
            if quantity > 0:
                levels[price] = quantity
                insort(self.prices, price)
            return
        if before + quantity > 0:
            levels[price] = before + quantity
            return
        del levels[price]
        prices = self.prices
        del prices[bisect_left(prices, price)]


class SymbolBook(msgspec.Struct):
    """Both sides of a symbol."""

    bids: BookSide
    asks: BookSide

    def side(self, side: int) -> BookSide:
        """Return one side."""
        return self.bids if side == BUY else self.asks

    def best(self, side: int) -> int:
        """Return the best price of a side, 0 for none."""
        prices = self.bids.prices if side == BUY else self.asks.prices
        return (prices[-1] if side == BUY else prices[0]) if prices else 0

    def top(self, side: int, levels: int) -> list[int]:
        """Return the best prices of a side."""
        return self.bids.prices[-levels:] if side == BUY else self.asks.prices[:levels]

    def depth(self, side: int, levels: int) -> int:
        """Return what is shown on the best levels of a side."""
        quantities = self.side(side).quantities
        return sum([quantities[price] for price in self.top(side, levels)])


def key_of(owner: int, symbol_id: int) -> int:
    """Return the number of an owner in a symbol."""
    return owner << 16 | symbol_id


def opposite(side_key: int) -> int:
    """Return the number of the same owner in the same symbol on the other side."""
    return side_key ^ 1


def symbol_in(key: int) -> int:
    """Return the symbol of the number of an owner in a symbol."""
    return key & 0xFFFF


def symbol_of(side_key: int) -> int:
    """Return the symbol of the number of an owner in a symbol on a side."""
    return symbol_in(side_key >> 1)
