"""Price-time priority: an incoming order trades with the best price first, there with the oldest order first.

Every trade is at the resting order's price. What is left rests if the order is a limit order for the day or
good till cancelled, and is cancelled otherwise. A fill-or-kill order trades whole or not at all.
"""

from __future__ import annotations

from exchange.domain.order import CancelReason, OrderType, Side, TimeInForce
from exchange.domain.units import public_id
from exchange.matching.market import Market
from exchange.matching.order_book import NO_LEVEL, BookSide, RestingOrder
from exchange.matching.venue_state import VenueState

_BUY = Side.BUY
_LIMIT = OrderType.LIMIT
_IMMEDIATE_OR_CANCEL = TimeInForce.IOC
_FILL_OR_KILL = TimeInForce.FOK


class Matcher:
    """Executes incoming orders against the books of a venue."""

    def __init__(self, state: VenueState) -> None:
        self._events = state.events
        self._orders = state.orders
        self._holdings = state.holdings
        self._partition = state.events.partition

    def execute(self, market: Market, incoming: RestingOrder) -> None:
        """Trade an incoming order as far as it goes; then rest what is left, or cancel it."""
        opposite = market.book.opposite_side(incoming.side)
        worst_rank = opposite.rank(incoming.price) if incoming.order_type is _LIMIT else NO_LEVEL + 1
        time_in_force = incoming.time_in_force
        if time_in_force is _FILL_OR_KILL:
            wanted = incoming.leaves
            if opposite.quantity_down_to(worst_rank, wanted) < wanted:
                self._events.order_cancelled(incoming, CancelReason.FILL_OR_KILL)
                return
        if opposite.best_rank() >= worst_rank:
            self._trade(market, opposite, worst_rank, incoming)
            if not incoming.leaves:
                return
        if incoming.order_type is _LIMIT and time_in_force is not _IMMEDIATE_OR_CANCEL:
            self._orders[incoming.order_id] = incoming
            market.book.own_side(incoming.side).add(incoming)
        else:
            self._events.order_cancelled(incoming, CancelReason.IMMEDIATE_OR_CANCEL)

    def _trade(self, market: Market, opposite: BookSide, worst_rank: int, incoming: RestingOrder) -> None:
        """Fill an incoming order from the opposite side while both have something left that fits."""
        reference_price = market.reference.price
        while incoming.leaves and opposite.best_rank() >= worst_rank:
            resting = next(iter(opposite.best_level().queue.values()))
            quantity = min(incoming.leaves, resting.leaves)
            incoming.leaves -= quantity
            opposite.reduce(resting, quantity)
            if not resting.leaves:
                del self._orders[resting.order_id]
            sequence = self._events.trade_executed(resting, incoming, quantity, reference_price, market.state)
            market.reference.trade(public_id(self._partition, sequence), resting.price, reference_price)
            buyer, seller = (incoming, resting) if incoming.side is _BUY else (resting, incoming)
            self._holdings.trade(
                buyer=buyer.account_id, seller=seller.account_id, symbol_id=market.symbol_id,
                price=resting.price, quantity=quantity,
            )  # fmt: skip
