"""The stop orders of one symbol, which wait until the last trade reaches their stop price.

A buy waits for a trade at its stop price or above, a sale for one at its stop price or below. One trade triggers the
nearest stop price first, and of one stop price the oldest first. A trailing stop follows the last trade at its
distance, but never away from it; when it moves it is last at its new price.
"""

from __future__ import annotations

from msgspec import structs

from exchange.domain.order import OrderType, Side, SpecialTerms
from exchange.domain.trade import BASIS_POINTS
from exchange.matching.order_book import RestingOrder

STOPS = (OrderType.STOP, OrderType.STOP_LIMIT)
TRAILING_STOPS_MAX = 1_000
"""Trailing stops of one symbol, for every trade looks at all of them; one more is refused."""


class StopOrders:
    """Waiting orders by id, in the sequence of their arrival at their stop price, which stands in their terms."""

    __slots__ = ("trailing", "waiting")

    def __init__(self) -> None:
        self.waiting: dict[int, RestingOrder] = {}
        self.trailing = 0

    def add(self, order: RestingOrder) -> None:
        """Let an order wait, last at its stop price."""
        self.waiting[order.order_id] = order
        self.trailing += trails(order.terms)

    def remove(self, order: RestingOrder) -> None:
        """Take an order out."""
        del self.waiting[order.order_id]
        self.trailing -= trails(order.terms)

    def of_side(self, side: Side) -> list[RestingOrder]:
        """Return what waits on a side, the nearest stop price first, of one price the oldest first."""
        sign = 1 if side is Side.BUY else -1
        waiting = [order for order in self.waiting.values() if order.side is side]
        return sorted(waiting, key=lambda order: sign * order.terms.stop_price)

    def take_triggered(self, price: int) -> list[RestingOrder]:
        """Take out what a trade at this price triggers; let what trails follow it."""
        triggered = [
            order
            for side in Side
            for order in self.of_side(side)
            if is_reached(side, order.terms.stop_price, price)
        ]
        for order in triggered:
            self.remove(order)
        if self.trailing:
            self._follow(price)
        return triggered

    def _follow(self, price: int) -> None:
        for order in [order for side in Side for order in self.of_side(side) if trails(order.terms)]:
            stop_price = trailed_price(order.side, order.terms, price)
            nearer = stop_price < order.terms.stop_price
            if stop_price and nearer == (order.side is Side.BUY) and stop_price != order.terms.stop_price:
                self.remove(order)
                order.terms = structs.replace(order.terms, stop_price=stop_price)
                self.add(order)


def trails(terms: SpecialTerms) -> bool:
    """Tell whether a stop follows the last trade."""
    return terms.trail_amount > 0 or terms.trail_bps > 0


def trailed_price(side: Side, terms: SpecialTerms, price: int) -> int:
    """Return the stop price at the order's distance from a price; 0 or less where there is none."""
    distance = terms.trail_amount or max(price * terms.trail_bps // BASIS_POINTS, 1)
    return price + distance if side is Side.BUY else price - distance


def is_reached(side: Side, stop_price: int, price: int) -> bool:
    """Tell whether a trade at a price reaches a stop price."""
    return price >= stop_price if side is Side.BUY else price <= stop_price
