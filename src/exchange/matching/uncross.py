"""End an auction: those who take part trade with each other at its price, in their sequence.

Of two orders the older one is the maker. An iceberg order trades all it has at its place, part by part. Members of one
self-trade group trade with each other here. What is left of the orders for this auction is cancelled.
"""

from __future__ import annotations

from exchange.domain import events as e
from exchange.domain.order import CancelReason, Side
from exchange.domain.phase import AuctionKind
from exchange.domain.trade import TradeCondition
from exchange.domain.units import public_id
from exchange.matching.auction import Outcome, in_sequence
from exchange.matching.market import Market
from exchange.matching.order_book import RestingOrder
from exchange.matching.risk_checks import RiskChecks
from exchange.matching.short_sale_desk import ShortSaleDesk
from exchange.matching.venue_state import VenueState


def uncross(state: VenueState, risk: RiskChecks, market: Market, kind: AuctionKind, outcome: Outcome) -> None:
    """Trade what an auction's outcome says, then cancel what was for this auction alone."""
    state.events.write(
        e.AuctionExecuted, symbol_id=market.symbol_id, auction=kind, price=outcome.price,
        reference_price=market.reference.price, volume=outcome.volume, imbalance=abs(outcome.surplus),
        side=outcome.side,
    )  # fmt: skip
    if outcome.volume:
        _trade(state, risk, market, kind, outcome)
    for side in Side:
        for order in market.auction.of_auction(side, kind):
            market.auction.remove(order)
            del state.orders[order.order_id]
            if state.risk_books:
                risk.reduced(order, order.leaves)
            state.events.order_cancelled(order, CancelReason.AUCTION_ENDED)


def _trade(state: VenueState, risk: RiskChecks, market: Market, kind: AuctionKind, outcome: Outcome) -> None:
    buys = iter(in_sequence(market.book, market.auction, Side.BUY, kind))
    sells = iter(in_sequence(market.book, market.auction, Side.SELL, kind))
    reference_price, left = market.reference.price, outcome.volume
    buy, sell = next(buys), next(sells)
    while left:
        quantity = min(buy.displayed, sell.displayed, left)
        left -= quantity
        for order in (buy, sell):
            _fill(state, market, order, quantity)
        maker, taker = (buy, sell) if buy.order_id < sell.order_id else (sell, buy)
        sequence = state.events.trade_executed(
            maker, taker, outcome.price, quantity, reference_price, TradeCondition.AUCTION
        )
        match_id = public_id(state.events.partition, sequence)
        market.reference.trade(match_id, outcome.price, compared_with=outcome.price)
        state.holdings.trade(
            buyer=buy.account_id, seller=sell.account_id, symbol_id=market.symbol_id, price=outcome.price,
            quantity=quantity,
        )  # fmt: skip
        if state.risk_books:
            risk.traded_in_auction(market, maker, taker, outcome.price, quantity)
        for order in (buy, sell):
            _refresh(state, market, order)
        buy = buy if buy.leaves or not left else next(buys)
        sell = sell if sell.leaves or not left else next(sells)
    market.last_price = outcome.price
    if outcome.price <= market.short_sales.trigger_price:
        ShortSaleDesk(state).note_trade(market, outcome.price)


def _fill(state: VenueState, market: Market, order: RestingOrder, quantity: int) -> None:
    """Take some of what an order shows; one with nothing left is gone."""
    if not order.is_for_auction:
        market.book.home_of(order).fill(order, quantity)
    else:
        order.leaves -= quantity
        if not order.leaves:
            market.auction.remove(order)
    if not order.leaves:
        del state.orders[order.order_id]


def _refresh(state: VenueState, market: Market, order: RestingOrder) -> None:
    """Show the next part of an order whose shown part is used up; it is last in its queue when the auction is over."""
    if not order.leaves or order.displayed:
        return
    market.book.home_of(order).refresh(order)
    market.lose_top(order)
    state.events.write(
        e.OrderRefreshed, symbol_id=market.symbol_id, order_id=order.order_id, account_id=order.account_id,
        side=order.side, price=order.price, displayed=order.displayed, leaves=order.leaves,
    )  # fmt: skip
