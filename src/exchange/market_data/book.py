"""One symbol's order book as the reporter keeps it: price levels, their queues, a checksum over the best."""

from __future__ import annotations

import struct
from bisect import bisect_left, insort
from collections.abc import Iterator
from zlib import crc32

from exchange.domain.order import Side
from exchange.domain.units import PRICE_MAX

CHECKSUM_LEVELS = 10

LevelTotal = tuple[int, int, int]
"""(price, quantity, orders) of one price level; quantity and orders are 0 where the level is gone."""

_TOP = [struct.Struct(f"<{2 * count}q") for count in range(CHECKSUM_LEVELS + 1)]


class BookOrder:
    """One order. leaves: the shares that stand in the queue; rests: whether what is left of it may rest.

    display: how much is shown at a time, 0 for all; reserve: what is not shown yet; hidden: it is not in the book.
    """

    __slots__ = ("display", "hidden", "leaves", "order_id", "price", "reserve", "rests", "side", "symbol_id")

    def __init__(
        self, symbol_id: int, side: int, order_id: int, price: int, leaves: int, rests: bool = True
    ) -> None:
        self.display = 0
        self.reserve = 0
        self.hidden = False
        self.symbol_id = symbol_id
        self.side = side
        self.order_id = order_id
        self.price = price
        self.leaves = leaves
        self.rests = rests


class PriceLevel:
    """The orders at one price, oldest first, and the sum of what they have left."""

    __slots__ = ("orders", "price", "quantity")

    def __init__(self, price: int) -> None:
        self.price = price
        self.quantity = 0
        self.orders: dict[int, BookOrder] = {}

    def total(self) -> LevelTotal:
        """Return (price, quantity, orders)."""
        return self.price, self.quantity, len(self.orders)


class BookSide:
    """The price levels of one side.

    keys: price × sign, rising, so that the best price is always the last; touched: the prices changed since
    `take_changes`, which alone brings `best` up to date; top: the best levels in bytes, None when they must
    be written again.
    """

    __slots__ = ("best", "keys", "levels", "sign", "top", "touched")

    def __init__(self, side: int) -> None:
        self.sign = 1 if side == Side.BUY else -1
        self.levels: dict[int, PriceLevel] = {}
        self.keys: list[int] = []
        self.touched: dict[int, None] = {}
        self.best: LevelTotal | None = None
        self.top: bytes | None = b""

    def add(self, order: BookOrder) -> None:
        """Put an order at the end of the queue at its price."""
        price = order.price
        level = self.levels.get(price)
        if level is None:
            level = self.levels[price] = PriceLevel(price)
            insort(self.keys, price * self.sign)
        level.orders[order.order_id] = order
        level.quantity += order.leaves
        self.touched[price] = None

    def reduce(self, order: BookOrder, leaves: int) -> None:
        """Leave this much of a resting order, in its place; with nothing left it goes."""
        price = order.price
        level = self.levels[price]
        level.quantity -= order.leaves - leaves
        order.leaves = leaves
        self.touched[price] = None
        if not leaves:
            del level.orders[order.order_id]
            if not level.orders:
                del self.levels[price]
                del self.keys[bisect_left(self.keys, price * self.sign)]

    def ordered(self, count: int = 0) -> Iterator[PriceLevel]:
        """Give the levels, best first. count: how many at most, 0 for all."""
        for key in reversed(self.keys[-count:]):
            yield self.levels[key * self.sign]

    def take_changes(self) -> list[LevelTotal]:
        """Return the levels touched since the last time, as they are now."""
        touched = self.touched
        if not touched:
            return []
        keys, levels, sign = self.keys, self.levels, self.sign
        worst_key = keys[-CHECKSUM_LEVELS] if len(keys) >= CHECKSUM_LEVELS else -PRICE_MAX
        changes = []
        for price in touched:
            level = levels.get(price)
            changes.append((price, level.quantity, len(level.orders)) if level else (price, 0, 0))
            if price * sign >= worst_key:
                self.top = None
        touched.clear()
        if self.top is None:
            self.best = levels[keys[-1] * sign].total() if keys else None
        return changes

    def top_bytes(self) -> bytes:
        """Return the ten best levels as the checksum takes them: (price, quantity), int64 little-endian."""
        if self.top is None:
            values: list[int] = []
            for key in reversed(self.keys[-CHECKSUM_LEVELS:]):
                level = self.levels[key * self.sign]
                values += (level.price, level.quantity)
            self.top = _TOP[len(values) // 2].pack(*values)
        return self.top


class Book:
    """One symbol's book. sequence: of the last event of the last command that changed it, 0 before any."""

    __slots__ = ("asks", "bids", "sequence", "symbol_id")

    def __init__(self, symbol_id: int) -> None:
        self.symbol_id = symbol_id
        self.sequence = 0
        self.bids = BookSide(Side.BUY)
        self.asks = BookSide(Side.SELL)

    def side(self, side: int) -> BookSide:
        """Return the bids for `Side.BUY`, the asks for `Side.SELL`."""
        return self.bids if side == Side.BUY else self.asks

    def totals(self, levels: int = 0) -> tuple[list[LevelTotal], list[LevelTotal]]:
        """Return bids and asks by price level, best first. levels: how many a side, 0 for all."""
        return (
            [level.total() for level in self.bids.ordered(levels)],
            [level.total() for level in self.asks.ordered(levels)],
        )

    def queues(self) -> tuple[Iterator[BookOrder], Iterator[BookOrder]]:
        """Give bids and asks order by order: best price first, oldest first within a price."""
        return (
            (order for level in self.bids.ordered() for order in level.orders.values()),
            (order for level in self.asks.ordered() for order in level.orders.values()),
        )

    def checksum(self) -> int:
        """Return the CRC-32 over the ten best levels, bids then asks."""
        return crc32(self.asks.top_bytes(), crc32(self.bids.top_bytes()))


def checksum_of(bids: list[LevelTotal], asks: list[LevelTotal]) -> int:
    """Return the checksum of levels that are given, best first: what a subscriber computes."""
    checksum = 0
    for levels in (bids, asks):
        values = [number for level in levels[:CHECKSUM_LEVELS] for number in level[:2]]
        checksum = crc32(struct.pack(f"<{len(values)}q", *values), checksum)
    return checksum
