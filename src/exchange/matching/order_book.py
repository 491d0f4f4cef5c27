"""The resting orders of one symbol: two sides of price levels, each level a queue, oldest order first."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from exchange.domain.order import OrderType, Side, TimeInForce

BUY = Side.BUY
NO_LEVEL = -(2**32)
"""The rank of no price: worse than any."""


class RestingOrder(msgspec.Struct, gc=False):
    """An order as it stands in the book. quantity: whole, filled part included; leaves: what is unfilled."""

    order_id: int
    account_id: int
    symbol_id: int
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    flags: int
    price: int
    quantity: int
    leaves: int
    client_order_id: str
    entered_ns: int

    @property
    def filled(self) -> int:
        """Return how much of the order has traded."""
        return self.quantity - self.leaves


class Level(NamedTuple):
    """A price with the sum of what rests there and the number of orders."""

    price: int
    quantity: int
    orders: int


class QueuePlace(NamedTuple):
    """Where an order stands at its price: place 1 trades first; what stands ahead of it there."""

    place: int
    orders_ahead: int
    quantity_ahead: int


class PriceLevel:
    """The orders at one price, oldest first, and the sum of what they leave unfilled."""

    __slots__ = ("price", "quantity", "queue")

    def __init__(self, price: int) -> None:
        self.price = price
        self.quantity = 0
        # Not a plain dict: finding the first key of one that lost many first keys takes ever longer.
        self.queue: OrderedDict[int, RestingOrder] = OrderedDict()


class BookSide:
    """All bids or all asks. A price's *rank* rises as the price gets better, so the best rank stands last."""

    __slots__ = ("levels", "ranks", "sign")

    def __init__(self, side: Side) -> None:
        self.sign = 1 if side is BUY else -1
        self.levels: dict[int, PriceLevel] = {}
        self.ranks: list[int] = []

    def rank(self, price: int) -> int:
        """Return the rank of a price on this side."""
        return self.sign * price

    def best_rank(self) -> int:
        """Return the rank of the best price, `NO_LEVEL` where nothing rests."""
        return self.ranks[-1] if self.ranks else NO_LEVEL

    def best_level(self) -> PriceLevel:
        """Return the level at the best price; there must be one."""
        return self.levels[self.ranks[-1]]

    def levels_best_first(self) -> Iterator[PriceLevel]:
        """Give the price levels, best price first."""
        return (self.levels[rank] for rank in reversed(self.ranks))

    def orders(self) -> Iterator[RestingOrder]:
        """Give the orders in the sequence in which they would trade."""
        for level in self.levels_best_first():
            yield from level.queue.values()

    def add(self, order: RestingOrder) -> None:
        """Put an order last in the queue at its price."""
        rank = self.sign * order.price
        level = self.levels.get(rank)
        if level is None:
            level = self.levels[rank] = PriceLevel(order.price)
            insort(self.ranks, rank)
        level.queue[order.order_id] = order
        level.quantity += order.leaves

    def remove(self, order: RestingOrder) -> None:
        """Take an order out of its queue."""
        rank = self.sign * order.price
        level = self.levels[rank]
        del level.queue[order.order_id]
        level.quantity -= order.leaves
        if not level.queue:
            del self.levels[rank]
            del self.ranks[bisect_left(self.ranks, rank)]

    def reduce(self, order: RestingOrder, quantity: int) -> None:
        """Take some of an order's unfilled quantity away; it keeps its place, and leaves the book at zero."""
        if quantity == order.leaves:
            self.remove(order)
            order.leaves = 0
        else:
            order.leaves -= quantity
            self.levels[self.sign * order.price].quantity -= quantity

    def quantity_down_to(self, rank: int, wanted: int) -> int:
        """Return the sum of what rests at this rank or better, counting no further than what is wanted."""
        total = 0
        for level in self.levels_best_first():
            if total >= wanted or self.sign * level.price < rank:
                break
            total += level.quantity
        return total


class OrderBook:
    """The two sides of one symbol."""

    __slots__ = ("asks", "bids")

    def __init__(self) -> None:
        self.bids = BookSide(Side.BUY)
        self.asks = BookSide(Side.SELL)

    def own_side(self, side: Side) -> BookSide:
        """Return the side on which an order of this side rests."""
        return self.bids if side is BUY else self.asks

    def opposite_side(self, side: Side) -> BookSide:
        """Return the side with which an order of this side trades."""
        return self.asks if side is BUY else self.bids

    def would_trade(self, side: Side, price: int) -> bool:
        """Tell whether an order with this limit would trade at once."""
        opposite = self.opposite_side(side)
        return opposite.best_rank() >= opposite.rank(price)

    def depth(self, levels: int) -> tuple[list[Level], list[Level]]:
        """Return the best price levels of the bids and of the asks, best first."""
        return _depth(self.bids, levels), _depth(self.asks, levels)

    def place_in_queue(self, order: RestingOrder) -> QueuePlace:
        """Count what stands ahead of a resting order at its price."""
        side = self.own_side(order.side)
        quantity_ahead = 0
        for orders_ahead, other in enumerate(side.levels[side.rank(order.price)].queue.values()):
            if other is order:
                return QueuePlace(orders_ahead + 1, orders_ahead, quantity_ahead)
            quantity_ahead += other.leaves
        raise AssertionError(f"order {order.order_id} is not in the queue at its price")


def _depth(side: BookSide, levels: int) -> list[Level]:
    found: list[Level] = []
    for level in side.levels_best_first():
        if len(found) >= levels:
            break
        found.append(Level(level.price, level.quantity, len(level.queue)))
    return found
