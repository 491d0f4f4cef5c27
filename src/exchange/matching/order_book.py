"""The resting orders of one symbol: two sides of price levels, each level a queue, oldest order first."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Iterator
from heapq import merge
from typing import NamedTuple

import msgspec

from exchange.domain.order import (
    AUCTION_TIMES,
    NO_TERMS,
    OrderFlag,
    OrderType,
    Side,
    SpecialTerms,
    TimeInForce,
)

BUY = Side.BUY
HIDDEN = OrderFlag.HIDDEN.value
ALL_OR_NONE = OrderFlag.ALL_OR_NONE.value
LINKED = 1
"""A mark: it is in an order list, and what becomes of it matters to the others there."""
QUOTED = 2
"""A mark: it is one side of a market maker's quote."""
PEGGED = 4
"""A mark: its price follows the best prices that are shown."""
NOTED = LINKED | QUOTED
"""The marks of orders whose trades and end are noted, for others depend on them."""
MARKET = OrderType.MARKET
LIMIT = OrderType.LIMIT
WAITING = (OrderType.STOP, OrderType.STOP_LIMIT)
NO_LEVEL = -(2**32)
"""The rank of no price: worse than any."""


class RestingOrder(msgspec.Struct, gc=False):
    """An order as it stands in the book. quantity: whole, filled part included; leaves: what is unfilled.

    reserve: the part of `leaves` that is not shown yet; terms: as they were entered; marks: what the market follows of
    it, which no member sets and no record has.
    """

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
    terms: SpecialTerms = NO_TERMS
    reserve: int = 0
    marks: int = 0

    @property
    def filled(self) -> int:
        """Return how much of the order has traded."""
        return self.quantity - self.leaves

    @property
    def displayed(self) -> int:
        """Return how much of the order stands in its queue; of an order that is shown it is what is shown."""
        return self.leaves - self.reserve

    @property
    def minimum(self) -> int:
        """Return how much at least must trade at once: never more than what is left, 0 for anything."""
        if self.flags & ALL_OR_NONE:
            return self.leaves
        return min(self.terms.minimum_quantity, self.leaves)

    @property
    def is_waiting(self) -> bool:
        """Tell whether the order is a stop order that was not triggered."""
        return self.order_type in WAITING

    @property
    def is_parked(self) -> bool:
        """Tell whether the order is pegged and has no price for now."""
        return not self.price and self.order_type is LIMIT and not self.is_for_auction

    @property
    def is_shown(self) -> bool:
        """Tell whether the order is in the book that everybody sees."""
        return not self.flags & HIDDEN and not self.is_waiting and not self.is_for_auction

    @property
    def is_for_auction(self) -> bool:
        """Tell whether the order trades in an auction only, as market orders that wait do."""
        return self.order_type is MARKET or self.time_in_force in AUCTION_TIMES


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
    """The orders at one price, oldest first, and the sum of what of them stands in the queue."""

    __slots__ = ("price", "quantity", "queue")

    def __init__(self, price: int) -> None:
        self.price = price
        self.quantity = 0
        # Not a plain dict: finding the first key of one that lost many first keys takes ever longer.
        self.queue: OrderedDict[int, RestingOrder] = OrderedDict()


class BookSide:
    """All bids or all asks, those that are shown or those that are hidden.

    A price's *rank* rises as the price gets better, so the best rank stands last.
    """

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
        level.quantity += order.leaves - order.reserve

    def remove(self, order: RestingOrder) -> None:
        """Take an order out of its queue."""
        rank = self.sign * order.price
        level = self.levels[rank]
        del level.queue[order.order_id]
        level.quantity -= order.leaves - order.reserve
        if not level.queue:
            del self.levels[rank]
            del self.ranks[bisect_left(self.ranks, rank)]

    def fill(self, order: RestingOrder, quantity: int) -> None:
        """Take some of what an order has in its queue; it keeps its place, and leaves the book with nothing left."""
        if quantity == order.leaves:
            self.remove(order)
            order.leaves = 0
        else:
            order.leaves -= quantity
            self.levels[self.sign * order.price].quantity -= quantity

    def refresh(self, order: RestingOrder) -> None:
        """Put the next part of an order, whose shown part is used up, last in the queue at its price."""
        level = self.levels[self.sign * order.price]
        shown = min(order.terms.display_quantity, order.reserve)
        level.queue.move_to_end(order.order_id)
        level.quantity += shown
        order.reserve -= shown

    def reduce(self, order: RestingOrder, quantity: int) -> None:
        """Take away some, but not all, of an order's unfilled quantity, the reserve first; it keeps its place."""
        of_reserve = min(quantity, order.reserve)
        order.leaves -= quantity
        order.reserve -= of_reserve
        self.levels[self.sign * order.price].quantity -= quantity - of_reserve


class OrderBook:
    """The sides of one symbol: what is shown, and what is hidden."""

    __slots__ = ("asks", "bids", "hidden_asks", "hidden_bids")

    def __init__(self) -> None:
        self.bids = BookSide(Side.BUY)
        self.asks = BookSide(Side.SELL)
        self.hidden_bids = BookSide(Side.BUY)
        self.hidden_asks = BookSide(Side.SELL)

    def home_of(self, order: RestingOrder) -> BookSide:
        """Return the side on which an order rests."""
        if order.flags & HIDDEN:
            return self.hidden_bids if order.side is BUY else self.hidden_asks
        return self.bids if order.side is BUY else self.asks

    def opposite_side(self, side: Side) -> BookSide:
        """Return what is shown on the side with which an order of this side trades."""
        return self.asks if side is BUY else self.bids

    def hidden_opposite_side(self, side: Side) -> BookSide:
        """Return what is hidden on the side with which an order of this side trades."""
        return self.hidden_asks if side is BUY else self.hidden_bids

    def highest_ask(self) -> int:
        """Return the highest price at which anybody sells, shown or hidden; 0 where nobody does."""
        return max((-side.ranks[0] for side in (self.asks, self.hidden_asks) if side.ranks), default=0)

    def reaches(self, side: Side, limit: int, price: int) -> bool:
        """Tell whether an order of this side with this limit may trade at a price."""
        return limit >= price if side is BUY else limit <= price

    def willing(self, side: Side, quantity: int) -> RestingOrder | None:
        """Return who trades first with an order of this side that has so much left, whatever its limit.

        At one price what is shown comes before what is hidden. A hidden order with a minimum above the quantity
        is passed over.
        """
        shown, hidden = self.opposite_side(side), self.hidden_opposite_side(side)
        best = next(iter(shown.best_level().queue.values())) if shown.ranks else None
        for order in hidden.orders():
            if best and shown.best_rank() >= hidden.rank(order.price):
                break
            if order.minimum <= quantity:
                return order
        return best

    def opposite_queues(self, side: Side) -> Iterator[PriceLevel]:
        """Give the queues with which an order of this side trades, in this sequence: shown before hidden."""
        shown, hidden = self.opposite_side(side), self.hidden_opposite_side(side)
        first = ((rank, 1) for rank in reversed(shown.ranks))
        then = ((rank, 0) for rank in reversed(hidden.ranks))
        for rank, is_shown in merge(first, then, reverse=True):
            yield (shown if is_shown else hidden).levels[rank]

    def depth(self, levels: int) -> tuple[list[Level], list[Level]]:
        """Return the best price levels of the bids and of the asks, best first."""
        return _depth(self.bids, levels), _depth(self.asks, levels)

    def place_in_queue(self, order: RestingOrder) -> QueuePlace:
        """Count what is shown ahead of a resting order at its price; the order must be shown itself."""
        side = self.home_of(order)
        quantity_ahead = 0
        for orders_ahead, other in enumerate(side.levels[side.rank(order.price)].queue.values()):
            if other is order:
                return QueuePlace(orders_ahead + 1, orders_ahead, quantity_ahead)
            quantity_ahead += other.displayed
        raise AssertionError(f"order {order.order_id} is not in the queue at its price")


def _depth(side: BookSide, levels: int) -> list[Level]:
    found: list[Level] = []
    for level in side.levels_best_first():
        if len(found) >= levels:
            break
        found.append(Level(level.price, level.quantity, len(level.queue)))
    return found
