"""Short sales: what operators set, what an order must be, and when a restriction begins and ends."""

from __future__ import annotations

from exchange.domain import commands as c
from exchange.domain import corporate_events as ce
from exchange.domain.order import OrderFlag, OrderType, Side
from exchange.domain.reasons import Reason
from exchange.domain.risk import LimitKind, RiskScope
from exchange.domain.symbol import SHORT_TRIGGER_BPS_MAX, ShortSaleTerms
from exchange.matching.market import Market
from exchange.matching.order_book import RestingOrder
from exchange.matching.order_checks import Refusal
from exchange.matching.stop_orders import STOPS
from exchange.matching.venue_state import VenueState
from exchange.wire.records import number_of

SHORT, EXEMPT, LOCATED = (
    OrderFlag.SHORT.value,
    OrderFlag.SHORT_EXEMPT.value,
    OrderFlag.LOCATED.value,
)
MARKED = SHORT | EXEMPT
SHORT_FLAGS = MARKED | LOCATED
_UNPRICED = (OrderType.MARKET, OrderType.MARKET_TO_LIMIT)


class ShortSaleDesk:
    """Judges and carries out what concerns short sales."""

    def __init__(self, state: VenueState) -> None:
        self._state = state
        self._events = state.events

    # --- commands ------------------------------------------------------------------------------------

    def set_terms(self, command: c.SetShortSaleTerms) -> None:
        """Set what a symbol asks of short sales; without a trigger a restriction ends."""
        market, refusal = self._state.markets.get(command.symbol_id), None
        if market is None:
            refusal = Refusal(Reason.UNKNOWN_SYMBOL, command.symbol_id)
        elif command.trigger_bps > SHORT_TRIGGER_BPS_MAX:
            refusal = Refusal(Reason.SHORT_TERMS_INVALID, command.trigger_bps, SHORT_TRIGGER_BPS_MAX)
        if refusal or market is None:
            assert refusal is not None, "terms of an unknown symbol were refused"
            self._events.command_rejected(
                number_of(c.SetShortSaleTerms), refusal.reason, subject=command.symbol_id, measured=refusal.measured,
                limit=refusal.limit, symbol_id=command.symbol_id,
            )  # fmt: skip
            return
        short_sales, was_restricted = market.short_sales, market.short_sales.days > 0
        terms = ShortSaleTerms(command.trigger_bps, command.needs_locate, command.needs_marking)
        short_sales.set(terms, market.reference.price)
        self._state.directory.apply(self._events.write(
            ce.ShortSaleTermsSet, symbol_id=command.symbol_id, trigger_bps=terms.trigger_bps,
            needs_locate=terms.needs_locate, needs_marking=terms.needs_marking,
            closing_price=short_sales.closing_price,
        ))  # fmt: skip
        if was_restricted and not short_sales.days:
            self._tell(market, 0)

    # --- orders --------------------------------------------------------------------------------------

    def refusal_of_order(
        self, market: Market, account_id: int, side: int, order_type: int, flags: int, price: int, leaves: int,
        freed: int = 0,
    ) -> Refusal | None:  # fmt: skip
        """Check an order's marking as a short sale, and its price where these are restricted.

        freed: what is open already of the order whose place it takes.
        """
        marked = flags & MARKED
        if flags & SHORT_FLAGS and (side != Side.SELL or marked in (0, MARKED)):
            return Refusal(Reason.SHORT_FLAG_INVALID, flags)
        terms = market.short_sales.terms
        if not marked:
            needs_marking = terms.needs_marking and side == Side.SELL
            return self._refusal_of_unmarked(market, account_id, leaves, freed) if needs_marking else None
        book = self._state.risk_books.get((RiskScope.ACCOUNT, account_id))
        if book is None or not book.limit(LimitKind.SHORT_SALES, market.symbol_id):
            return Refusal(Reason.SHORT_SALE_NOT_PERMITTED)
        if terms.needs_locate and not flags & LOCATED:
            return Refusal(Reason.LOCATE_MISSING)
        if order_type in STOPS:
            return None
        return refusal_of_price(market, order_type, flags, price)

    def refusal_of_unmarked(self, market: Market, order: RestingOrder) -> Refusal | None:
        """Check an order not marked that waited and comes in: where marking is asked for, its shares must be there."""
        needs_marking = market.short_sales.terms.needs_marking and order.side is Side.SELL
        return self._refusal_of_unmarked(market, order.account_id, order.leaves, 0) if needs_marking else None

    def _refusal_of_unmarked(
        self, market: Market, account_id: int, leaves: int, freed: int
    ) -> Refusal | None:
        book = self._state.risk_books.get((RiskScope.ACCOUNT, account_id))
        reserved = book.open_shares(market.symbol_id, Side.SELL) - freed if book else 0
        available = self._state.holdings.balance(account_id, market.symbol_id) - reserved
        return Refusal(Reason.SHORT_SALE_UNMARKED, leaves, available) if leaves > available else None

    # --- restrictions --------------------------------------------------------------------------------

    def note_trade(self, market: Market, price: int) -> None:
        """Restrict short sales, for a trade has reached the trigger price."""
        market.short_sales.restrict()
        self._tell(market, price)

    def begin_day(self) -> None:
        """Begin a business date: measure from new closing prices, and end restrictions whose time is over."""
        for _, market in sorted(self._state.markets.items()):
            if market.short_sales.terms.trigger_bps and market.short_sales.begin_day(market.reference.price):
                self._tell(market, 0)

    def _tell(self, market: Market, price: int) -> None:
        short_sales = market.short_sales
        self._state.directory.apply(self._events.write(
            ce.ShortSaleRestricted, symbol_id=market.symbol_id, is_restricted=short_sales.days > 0,
            days=short_sales.days, price=price, closing_price=short_sales.closing_price,
        ))  # fmt: skip


def refusal_of_price(market: Market, order_type: int, flags: int, price: int) -> Refusal | None:
    """Check that a short sale is above the best bid, where short sales are restricted; asked in continuous trading."""
    if not market.short_sales.days or not flags & SHORT or market.gathers:
        return None
    bids = market.book.bids
    best_bid = bids.best_level().price if bids.ranks else 0
    if order_type in _UNPRICED or price <= best_bid:
        return Refusal(Reason.SHORT_SALE_PRICE, price, best_bid)
    return None
