"""Pegged orders: unseen, at a price that follows the best prices shown.

They are pegged to what is shown, and are not shown themselves, so none is pegged to another. When the command that
moved the best prices is done, each whose price changed comes in at its new price, in the sequence of their entry: it
loses its place, and trades with what it meets unseen. It is never priced to trade with what is shown. One without a
price waits aside: where a side it needs is empty, where its price would be none, and while orders gather.

A command that moves the best prices, or the limits of a price guard, costs a look at each pegged order of the symbol,
`PEGS_MAX` at most; they look again only where what they did triggered a stop order.
"""

from __future__ import annotations

from typing import Protocol

from exchange.domain import events as e
from exchange.domain.order import Peg, PegKind, RepriceReason, Side
from exchange.domain.phase import Phase
from exchange.domain.symbol import SymbolState
from exchange.domain.units import PRICE_MAX
from exchange.matching.event_stream import EventStream
from exchange.matching.market import Market, PegPrices
from exchange.matching.order_book import RestingOrder
from exchange.matching.venue_state import VenueState

NO_PRICES = (0, 0, 0, 0)
"""What pegged orders follow while orders gather."""


class PegExecution(Protocol):
    """What a matcher does for pegged orders."""

    def take_out(self, order: RestingOrder) -> None:
        """Take a live order out of where it is."""

    def let_in(self, market: Market, order: RestingOrder) -> None:
        """Let an order come in, or wait aside where it has no price."""

    def settle(self) -> None:
        """Let in what was triggered."""


class Pegs:
    """Moves pegged orders."""

    def __init__(self, state: VenueState, execution: PegExecution) -> None:
        self._state = state
        self._events: EventStream = state.events
        self._execution = execution

    def follow(self) -> None:
        """Move the pegged orders of those symbols that the command's events concern, until all stand.

        What stop orders did that one symbol's moves triggered may have taken quotes out of another.
        """
        followed = -1
        while followed != self._events.sequence:
            followed = self._events.sequence
            for symbol_id in self._events.symbols_concerned():
                if symbol_id in self._state.pegged:
                    self._follow(self._state.markets[symbol_id])

    def park(self, market: Market) -> None:
        """Take every pegged order of a symbol aside, for orders gather from now on."""
        market.peg_prices = None
        for order_id in list(market.pegs):
            order = self._state.orders.get(order_id)
            if order and order.price:
                self._move(market, order, 0)

    def _follow(self, market: Market) -> None:
        while self._forget_ended(market) and market.state is SymbolState.ACTIVE:
            prices = NO_PRICES if market.phase is not Phase.CONTINUOUS else prices_followed(market)
            if prices == market.peg_prices:
                return
            market.peg_prices = prices
            for order_id, peg in list(market.pegs.items()):
                order = self._state.orders.get(order_id)
                if order:
                    price = pegged_price(market, order, peg, prices)
                    if price != order.price:
                        self._move(market, order, price)
            self._execution.settle()

    def _forget_ended(self, market: Market) -> bool:
        """Forget the pegged orders that have ended; tell whether there are others."""
        for order_id in [order_id for order_id in market.pegs if order_id not in self._state.orders]:
            del market.pegs[order_id]
        if not market.pegs:
            self._state.pegged.pop(market.symbol_id, None)
        return bool(market.pegs)

    def _move(self, market: Market, order: RestingOrder, price: int) -> None:
        self._execution.take_out(order)
        order.price = price
        self._events.write(
            e.OrderRepriced, symbol_id=market.symbol_id, order_id=order.order_id, account_id=order.account_id,
            side=order.side, reason=RepriceReason.PEG, price=price,
        )  # fmt: skip
        self._execution.let_in(market, order)


def prices_followed(market: Market) -> PegPrices:
    """Return all that the prices of pegged orders depend on, as the market stands."""
    bids, asks = market.book.bids, market.book.asks
    lowest, highest = (0, PRICE_MAX) if market.guard is None else market.price_limits(market.guard)
    return (
        bids.ranks[-1] if bids.ranks else 0,
        -asks.ranks[-1] if asks.ranks else 0,
        lowest,
        highest,
    )


def pegged_price(market: Market, order: RestingOrder, peg: Peg, prices: PegPrices) -> int:
    """Return the price of a pegged order, 0 for none.

    A midpoint may lie on half a tick; what is between two prices that can be is rounded against the order. None is
    beyond the symbol's bands or corridor.
    """
    bid, ask, lowest, highest = prices
    own, opposite = (bid, ask) if order.side is Side.BUY else (ask, bid)
    price = 0
    if peg.kind is PegKind.MIDPOINT:
        if bid and ask:
            price = (bid + ask) // 2 if order.side is Side.BUY else -(-(bid + ask) // 2)
    elif pegged_to := own if peg.kind is PegKind.PRIMARY else opposite:
        price = on_tick(market, pegged_to + peg.offset, order.side)
        if price and opposite:
            behind = market.price_behind(opposite, order.side)
            price = (
                (min(price, behind) if order.side is Side.BUY else max(price, behind)) if behind > 0 else 0
            )
    if price and peg.limit:
        price = min(price, peg.limit) if order.side is Side.BUY else max(price, peg.limit)
    if price and order.side is Side.BUY and price > highest:
        price = on_tick(market, highest, order.side)
    elif price and order.side is Side.SELL and price < lowest:
        price = on_tick(market, lowest, order.side)
    return price if 0 < price <= PRICE_MAX else 0


def on_tick(market: Market, price: int, side: Side) -> int:
    """Return the nearest price on a tick that is not better for the others than this one, 0 for none."""
    if not 0 < price <= PRICE_MAX:
        return 0
    if price % market.tick_at(price) == 0:
        return price
    return max(market.price_behind(price, side), 0)
