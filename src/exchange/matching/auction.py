"""Call auctions: who takes part in which sequence, and the price at which most is traded.

An order takes part with all it has left, what is hidden or in reserve too, unless it has a minimum. First come market
orders, then the best price; at one price what is shown, then orders for this auction alone, then hidden ones; there
the oldest first.

The price is one that somebody named, or the reference price: the one at which most is traded; of several the one that
leaves least over; of several, where all leave something over on the buy side the highest, on the sell side the
lowest; else the one nearest to the reference price.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import NamedTuple

from exchange.domain.order import OrderType, Side, TimeInForce
from exchange.domain.phase import AuctionKind
from exchange.matching.order_book import OrderBook, RestingOrder

OF_ONE_AUCTION = {
    TimeInForce.AT_THE_OPEN: AuctionKind.OPENING,
    TimeInForce.AT_THE_CLOSE: AuctionKind.CLOSING,
}


class Outcome(NamedTuple):
    """How an auction would end. price: 0 where nothing is traded; surplus: what is left over, below 0 of sales.

    Where nothing is traded the surplus is that at the reference price.
    """

    price: int
    volume: int
    surplus: int

    @property
    def side(self) -> int:
        """Return the side that has more than the other, 0 for none."""
        if self.surplus == 0:
            return 0
        return Side.BUY if self.surplus > 0 else Side.SELL


class PriceRow(NamedTuple):
    """What is wanted at a price: bought, sold: shares that would trade at it or better."""

    price: int
    bought: int
    sold: int

    @property
    def outcome(self) -> Outcome:
        """Return how the auction would end at this price."""
        return Outcome(self.price, min(self.bought, self.sold), self.bought - self.sold)


class Indication(NamedTuple):
    """What is told while orders gather; see `AuctionIndicated`."""

    price: int
    far_price: int
    reference_price: int
    paired: int
    imbalance: int
    side: int


NOTHING_INDICATED = Indication(0, 0, 0, 0, 0, 0)


class AuctionOrders:
    """The orders of one symbol that trade in an auction only, in the sequence of their arrival, by id."""

    __slots__ = ("waiting",)

    def __init__(self) -> None:
        self.waiting: dict[int, RestingOrder] = {}

    def add(self, order: RestingOrder) -> None:
        """Let an order wait, behind those that are there."""
        self.waiting[order.order_id] = order

    def remove(self, order: RestingOrder) -> None:
        """Take an order out."""
        del self.waiting[order.order_id]

    def of_side(self, side: Side) -> list[RestingOrder]:
        """Return what waits on a side: market orders, then the best price; there the oldest first."""
        return sorted((o for o in self.waiting.values() if o.side is side), key=auction_rank)

    def of_auction(self, side: Side, kind: AuctionKind) -> list[RestingOrder]:
        """Return those orders of a side that are for this auction."""
        return [order for order in self.of_side(side) if is_for(order, kind)]


def is_for(order: RestingOrder, kind: AuctionKind) -> bool:
    """Tell whether an order that waits for an auction is for this one."""
    return OF_ONE_AUCTION.get(order.time_in_force, kind) is kind


def auction_rank(order: RestingOrder) -> tuple[bool, int]:
    """Return what sorts the orders of one side: market orders first, then the best price."""
    is_limited = order.order_type is not OrderType.MARKET
    return is_limited, -order.price if order.side is Side.BUY else order.price


def in_sequence(book: OrderBook, waiting: AuctionOrders, side: Side, kind: AuctionKind) -> list[RestingOrder]:
    """Return who takes part in an auction on a side, who trades first first."""
    shown, hidden = (book.bids, book.hidden_bids) if side is Side.BUY else (book.asks, book.hidden_asks)
    everybody = (*shown.orders(), *waiting.of_auction(side, kind), *hidden.orders())
    return sorted((order for order in everybody if not order.minimum), key=auction_rank)


def price_rows(
    buys: Sequence[RestingOrder], sells: Sequence[RestingOrder], reference_price: int
) -> list[PriceRow]:
    """Return what would be bought and sold at each price that comes into question, lowest price first."""
    prices = sorted({order.price for order in (*buys, *sells) if order.price} | {reference_price})
    bought = _sums_from_best(buys, reversed(prices))[::-1]
    sold = _sums_from_best(sells, prices)
    return [PriceRow(*row) for row in zip(prices, bought, sold, strict=True)]


def find_price(buys: Sequence[RestingOrder], sells: Sequence[RestingOrder], reference_price: int) -> Outcome:
    """Return the price of an auction between those who take part, and what it trades."""
    outcomes = [row.outcome for row in price_rows(buys, sells, reference_price)]
    most = max(outcome.volume for outcome in outcomes)
    if most == 0:
        at_reference = next(outcome for outcome in outcomes if outcome.price == reference_price)
        return Outcome(0, 0, at_reference.surplus)
    outcomes = [outcome for outcome in outcomes if outcome.volume == most]
    least = min(abs(outcome.surplus) for outcome in outcomes)
    outcomes = [outcome for outcome in outcomes if abs(outcome.surplus) == least]
    if all(outcome.surplus > 0 for outcome in outcomes):
        return outcomes[-1]
    if all(outcome.surplus < 0 for outcome in outcomes):
        return outcomes[0]
    return min(outcomes, key=lambda outcome: abs(outcome.price - reference_price))


def indicate(
    book: OrderBook, waiting: AuctionOrders, kind: AuctionKind, reference_price: int
) -> tuple[Outcome, Indication]:
    """Return how an auction would end now, and what is told of it."""
    buys, sells = (in_sequence(book, waiting, side, kind) for side in Side)
    outcome = find_price(buys, sells, reference_price)
    far = 0
    if waiting.waiting:
        buys, sells = ([order for order in orders if order.is_for_auction] for orders in (buys, sells))
        far = find_price(buys, sells, reference_price).price
    return outcome, Indication(
        outcome.price, far, reference_price, outcome.volume, abs(outcome.surplus), outcome.side
    )


def _sums_from_best(orders: Iterable[RestingOrder], prices: Iterable[int]) -> list[int]:
    """Return how much would trade at each of the prices, which get worse for nobody but the other side."""
    at_price: dict[int, int] = {}
    for order in orders:
        at_price[order.price] = at_price.get(order.price, 0) + order.leaves
    at_any_price = at_price.get(0, 0)
    return [at_any_price + total for total in accumulate(at_price.get(price, 0) for price in prices)]
