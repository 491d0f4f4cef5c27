"""What stands before the match: who is blocked, and the limits of account, participant and symbol.

The checks come in the order of `LimitKind`; of several limits of one kind the symbol's is asked first, then the
participant's, then the account's, and each must hold. Cancels pass always. Where nobody is blocked and no limit is
set, nothing here is asked.
"""

from __future__ import annotations

from typing import NamedTuple

from exchange.domain import events as e
from exchange.domain.order import AUCTION_TIMES, CancelReason, OrderType, Side
from exchange.domain.reasons import Reason
from exchange.domain.risk import ALERT_PERCENTS, BlockCause, LimitKind, RiskScope
from exchange.domain.trade import BASIS_POINTS
from exchange.matching.event_stream import int64
from exchange.matching.market import Market
from exchange.matching.order_book import LINKED, RestingOrder
from exchange.matching.order_checks import REPRICE, Refusal
from exchange.matching.stop_orders import STOPS
from exchange.matching.venue_state import VenueState
from exchange.risk.holdings import CASH
from exchange.risk.risk_book import MS_NS, RiskBook
from exchange.wire.ouch_reference import is_reference, session_of

_BUY = Side.BUY
_MARKET = OrderType.MARKET
_MARKET_TO_LIMIT = OrderType.MARKET_TO_LIMIT
_WITHOUT_COLLAR = (OrderType.MARKET, OrderType.MARKET_TO_LIMIT, OrderType.STOP)


class Proposal(NamedTuple):
    """An order as it would be. leaves: what would be unfilled of it; replaces: the live order whose place it takes."""

    account_id: int
    side: Side
    order_type: int
    flags: int
    price: int
    quantity: int
    leaves: int
    time_in_force: int
    replaces: RestingOrder | None = None

    @property
    def freed(self) -> int:
        """Return how many shares of the order before are no longer open."""
        return self.replaces.leaves if self.replaces else 0

    @property
    def freed_notional(self) -> int:
        """Return the money of the order before that is no longer open."""
        return self.replaces.leaves * self.replaces.price if self.replaces else 0

    @property
    def is_less(self) -> bool:
        """Tell whether it is the order before with less quantity: there is less risk than there was."""
        before = self.replaces
        return before is not None and self.price == before.price and self.leaves < before.leaves


class RiskChecks:
    """Asks the limits, and keeps the books that they measure by."""

    def __init__(self, state: VenueState) -> None:
        self._state = state
        self._events = state.events
        self._holdings = state.holdings
        self._blocks = state.directory.blocks
        self._books = state.risk_books

    def books_of(self, account_id: int) -> list[RiskBook]:
        """Return the books of an account's participant and of the account, where there are any."""
        keys = (
            (RiskScope.PARTICIPANT, self._state.owner_of(account_id)),
            (RiskScope.ACCOUNT, account_id),
        )
        return [self._books[key] for key in keys if key in self._books]

    # --- access --------------------------------------------------------------------------------------

    def refusal_of_access(
        self, account_id: int, symbol_id: int, client_order_id: str | None = ""
    ) -> Refusal | None:
        """Check that neither market, participant, account, session nor symbol is blocked, nor the symbol barred."""
        owner = self._state.owner_of(account_id)
        for scope, subject_id, reason, measured in (
            (RiskScope.MARKET, 0, Reason.MARKET_BLOCKED, 0),
            (RiskScope.PARTICIPANT, owner, Reason.PARTICIPANT_BLOCKED, owner),
            (RiskScope.ACCOUNT, account_id, Reason.ACCOUNT_BLOCKED, account_id),
            (
                RiskScope.SESSION,
                session := session_of_order(client_order_id),
                Reason.SESSION_BLOCKED,
                session,
            ),
            (RiskScope.SYMBOL, symbol_id, Reason.SYMBOL_BLOCKED, 0),
        ):
            if (scope, subject_id) in self._blocks:
                return Refusal(reason, measured)
        barred = any((LimitKind.SYMBOL_BARRED, symbol_id) in b.limits for b in self.books_of(account_id))
        return Refusal(Reason.SYMBOL_BARRED) if barred else None

    # --- the order -----------------------------------------------------------------------------------

    def refusal_of_order(self, market: Market, order: Proposal) -> Refusal | None:
        """Check an order that is right in itself against all limits; less of what there is only counts as a message."""
        own = self.books_of(order.account_id)
        if order.is_less:
            return self._refusal_of_message(own)
        symbol_book = self._books.get((RiskScope.SYMBOL, market.symbol_id))
        books = [symbol_book, *own] if symbol_book else own
        worst = worst_price(market, order)
        return (
            self._refusal_of_quantity(books, order)
            or self._refusal_of_notional(books, worst * order.leaves)
            or self._refusal_of_collar(books, market, order)
            or self._refusal_of_duplicate(own, market, order)
            or self._refusal_of_message(own)
            or self._refusal_of_position(own, market, order)
            or self._refusal_of_buying_power(own, market, order, worst)
            or self._refusal_of_gross(own, order, worst * order.leaves)
            or self._refusal_of_loss(own)
        )

    def why_not_triggered(self, market: Market, order: RestingOrder) -> CancelReason | None:
        """Check a triggered stop order once more, which is out of the books already: blocks, and what it may cost."""
        if self.refusal_of_access(order.account_id, order.symbol_id, order.client_order_id):
            return CancelReason.KILL_SWITCH
        proposal = Proposal(
            order.account_id, order.side, order.order_type, order.flags, order.price, order.quantity, order.leaves,
            order.time_in_force,
        )  # fmt: skip
        own = self.books_of(order.account_id)
        symbol_book = self._books.get((RiskScope.SYMBOL, market.symbol_id))
        worst = worst_price(market, proposal)
        broken = (
            self._refusal_of_notional([symbol_book, *own] if symbol_book else own, worst * order.leaves)
            or self._refusal_of_buying_power(own, market, proposal, worst)
            or self._refusal_of_gross(own, proposal, worst * order.leaves)
        )
        return CancelReason.RISK_LIMIT if broken else None

    def count_cancel(self, account_id: int) -> None:
        """Count a member's cancel as a message; it passes whatever the rate."""
        for book in self.books_of(account_id):
            if limit := book.limit(LimitKind.MESSAGES):
                book.count_message(self._events.time_ns, *limit, must_pass=True)

    def reserved(self, account_id: int, symbol_id: int) -> int:
        """Return what of an account's cash or shares may not be withdrawn, for its open orders need it."""
        book = self._books.get((RiskScope.ACCOUNT, account_id))
        credit = book.limit(LimitKind.BUYING_POWER) if book else None
        if book is None or credit is None:
            return 0
        if symbol_id == CASH:
            return max(book.open_notional[_BUY] - credit[0], 0)
        may_be_short = book.limit(LimitKind.SHORT_SALES, symbol_id)
        return 0 if may_be_short else book.open_shares(symbol_id, Side.SELL)

    def _refusal_of_quantity(self, books: list[RiskBook], order: Proposal) -> Refusal | None:
        for book in books:
            limit = book.limit(LimitKind.MAX_QUANTITY)
            if limit and order.quantity > limit[0]:
                return Refusal(Reason.MAX_QUANTITY, order.quantity, limit[0])
        return None

    def _refusal_of_notional(self, books: list[RiskBook], notional: int) -> Refusal | None:
        for book in books:
            limit = book.limit(LimitKind.MAX_NOTIONAL)
            if limit and notional > limit[0]:
                return Refusal(Reason.MAX_NOTIONAL, notional, limit[0])
        return None

    def _refusal_of_collar(self, books: list[RiskBook], market: Market, order: Proposal) -> Refusal | None:
        if order.order_type in _WITHOUT_COLLAR:
            return None
        reference = market.reference.price
        for book in books:
            limit = book.limit(LimitKind.COLLAR)
            if not limit:
                continue
            band = reference * limit[0] // BASIS_POINTS
            edge = reference + band if order.side is _BUY else reference - band
            if order.price > edge if order.side is _BUY else order.price < edge:
                return Refusal(Reason.PRICE_COLLAR, order.price, edge)
        return None

    def _refusal_of_duplicate(self, own: list[RiskBook], market: Market, order: Proposal) -> Refusal | None:
        if order.replaces:
            return None
        same = (order.side.value, market.symbol_id, order.price, order.quantity)
        for book in own:
            limit = book.limit(LimitKind.DUPLICATES)
            if limit:
                count = book.count_order(same, self._events.time_ns, limit[1])
                if count > limit[0]:
                    return Refusal(Reason.DUPLICATE_ORDERS, count, limit[0])
        return None

    def _refusal_of_message(self, own: list[RiskBook]) -> Refusal | None:
        for book in own:
            limit = book.limit(LimitKind.MESSAGES)
            early_ns = book.count_message(self._events.time_ns, *limit, must_pass=False) if limit else 0
            if limit and early_ns:
                return Refusal(Reason.MESSAGE_RATE, -(-early_ns // MS_NS), limit[0])
        return None

    def _refusal_of_position(self, own: list[RiskBook], market: Market, order: Proposal) -> Refusal | None:
        held = self._holdings.balance(order.account_id, market.symbol_id)
        for book in own:
            limit = book.limit(LimitKind.POSITION, market.symbol_id)
            if limit is None:
                continue
            coming = book.open_shares(market.symbol_id, order.side) - order.freed + order.leaves
            worst = coming + (held if order.side is _BUY else -held)
            if worst > limit[0]:
                return Refusal(Reason.POSITION_LIMIT, worst, limit[0])
        return None

    def _refusal_of_buying_power(
        self, own: list[RiskBook], market: Market, order: Proposal, worst: int
    ) -> Refusal | None:
        for book in own:
            limit = book.limit(LimitKind.BUYING_POWER)
            if limit is None:
                continue
            if order.side is _BUY:
                reserved = book.open_notional[_BUY] - order.freed_notional
                available = self._holdings.balance(order.account_id, CASH) + limit[0] - reserved
                if worst * order.leaves > available:
                    return Refusal(Reason.BUYING_POWER, worst * order.leaves, available)
            elif not book.limit(LimitKind.SHORT_SALES, market.symbol_id):
                reserved = book.open_shares(market.symbol_id, order.side) - order.freed
                available = self._holdings.balance(order.account_id, market.symbol_id) - reserved
                if order.leaves > available:
                    return Refusal(Reason.SHORT_SALE, order.leaves, available)
        return None

    def _refusal_of_gross(self, own: list[RiskBook], order: Proposal, notional: int) -> Refusal | None:
        for book in own:
            limit = book.limit(LimitKind.GROSS)
            open_now = sum(book.open_notional.values()) - order.freed_notional
            if limit and book.gross + open_now + notional > limit[0]:
                return Refusal(Reason.GROSS_LIMIT, book.gross + open_now + notional, limit[0])
        return None

    def _refusal_of_loss(self, own: list[RiskBook]) -> Refusal | None:
        for book in own:
            limit = book.limit(LimitKind.LOSS)
            if limit and (loss := book.loss(self._price_of)) >= limit[0]:
                return Refusal(Reason.LOSS_LIMIT, loss, limit[0])
        return None

    def _price_of(self, symbol_id: int) -> int:
        return self._state.markets[symbol_id].reference.price

    # --- the books -----------------------------------------------------------------------------------

    def opened(self, order: RestingOrder) -> None:
        """Note that an order is live, with what it has left."""
        if order.marks & LINKED and self._state.reserves_nothing(order):
            return
        for book in self.books_of(order.account_id):
            book.open(order.side, order.symbol_id, order.price, order.leaves)

    def reduced(self, order: RestingOrder, quantity: int) -> None:
        """Note that so much of a live order is gone without a trade."""
        if order.marks & LINKED and self._state.reserves_nothing(order):
            return
        for book in self.books_of(order.account_id):
            book.open(order.side, order.symbol_id, order.price, -quantity)

    def traded(self, market: Market, resting: RestingOrder, incoming: RestingOrder, quantity: int) -> None:
        """Note a trade at the resting order's price in both members' books; then tell what limit is nearly used up."""
        price = resting.price
        self.reduced(resting, quantity)
        for order in (resting, incoming):
            for book in self.books_of(order.account_id):
                book.trade(order.side, market.symbol_id, price, quantity)
        for order in (resting, incoming):
            for book in self.books_of(order.account_id):
                self._after_trade(book, order.side)

    def traded_in_auction(
        self, market: Market, maker: RestingOrder, taker: RestingOrder, price: int, quantity: int
    ) -> None:
        """Note a trade of two orders that both rested, at an auction's price."""
        for order in (maker, taker):
            self.reduced(order, quantity)
        for order in (maker, taker):
            for book in self.books_of(order.account_id):
                book.trade(order.side, market.symbol_id, price, quantity)
        for order in (maker, taker):
            for book in self.books_of(order.account_id):
                self._after_trade(book, order.side)

    def _after_trade(self, book: RiskBook, side: Side) -> None:
        now_ns = self._events.time_ns
        limit = book.limit(LimitKind.EXECUTIONS)
        if limit and book.count_execution(side, now_ns, limit[1]) >= limit[0]:
            self._block_for_executions(book)
        if limit := book.limit(LimitKind.GROSS):
            self._alert(book, LimitKind.GROSS, book.gross, limit[0])
        if limit := book.limit(LimitKind.LOSS):
            self._alert(book, LimitKind.LOSS, book.loss(self._price_of), limit[0])

    def _block_for_executions(self, book: RiskBook) -> None:
        if (book.scope, book.subject_id) not in self._blocks:
            event = self._events.write(
                e.TradingBlocked, scope=RiskScope(book.scope), subject_id=book.subject_id, key_id=0, role=0,
                cause=BlockCause.EXECUTIONS, count=0, note="",
            )  # fmt: skip
            self._state.directory.apply(event)

    def _alert(self, book: RiskBook, kind: LimitKind, measured: int, limit: int) -> None:
        percent = next((p for p in ALERT_PERCENTS if measured * 100 >= limit * p), 0)
        if percent > book.alerted[kind]:
            book.alerted[kind] = percent
            self._events.write(
                e.RiskAlerted, scope=RiskScope(book.scope), subject_id=book.subject_id, kind=kind, percent=percent,
                measured=int64(measured), limit=limit,
            )  # fmt: skip


def session_of_order(client_order_id: str | None) -> int:
    """Return the session of an order, which is the id of its key, by its client order id; 0 where it has none."""
    text = (client_order_id or "").encode("ascii")
    return session_of(text) if is_reference(text) else 0


def worst_price(market: Market, order: Proposal) -> int:
    """Return the highest price at which an order could trade now, 0 where it cannot; a waiting one's own price.

    So much per share it may cost a buyer, and move for a seller. What rests of it rests at no higher price.
    """
    book = market.book
    if order.order_type in STOPS:
        return order.price
    gathers = market.gathers or order.time_in_force in AUCTION_TIMES
    if order.order_type == _MARKET and gathers:
        return market.reference.price
    if order.order_type == _MARKET and order.side is _BUY:
        protective = market.protective_price(order.side)
        highest = book.highest_ask()
        return min(protective, highest) if protective else highest
    if order.order_type != _MARKET and order.order_type != _MARKET_TO_LIMIT and order.side is _BUY:
        return order.price
    best = book.willing(order.side, order.leaves)
    if best is None:
        return order.price
    if order.flags & REPRICE and book.reaches(order.side, order.price, best.price):
        return market.price_behind(best.price, order.side)
    return max(order.price, best.price)
