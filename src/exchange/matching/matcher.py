"""How an incoming order trades: with the best price first, there with what is shown first, then with the oldest.

Every trade is at the resting order's price. A market order trades at any price, or within the symbol's protection
band around the reference price. What is left of a limit order rests if its time in force lets it; of any other order
it is cancelled. A fill-or-kill order trades whole or not at all; an order with a minimum trades at least so much at
once, or waits. What is shown of an iceberg order trades at its place in the queue; when it is used up, the next part
goes to the end of the queue. Where a symbol has an allocation, it says which of the orders shown at a price get how
much (`allocation.py`). A trade that reaches stop prices triggers those orders: they come in when the order that
traded is done, in the sequence in which they were triggered, and may trigger more. Orders of one self-trade group do
not trade with each other. Where a symbol has a price guard, nothing trades beyond its limits (`price_guard.py`).
"""

from __future__ import annotations

from collections import deque

from exchange.domain import events as e
from exchange.domain.order import (
    AUCTION_TIMES,
    NO_TERMS,
    CancelReason,
    OrderFlag,
    OrderType,
    RepriceReason,
    SelfTradeMode,
    Side,
    TimeInForce,
)
from exchange.domain.phase import Phase
from exchange.domain.trade import TradeCondition
from exchange.domain.units import public_id
from exchange.matching.allocation import Allocator, Standing, StepList, checked
from exchange.matching.market import Market
from exchange.matching.order_book import LINKED, NO_LEVEL, QUOTED, BookSide, RestingOrder
from exchange.matching.order_lists import OrderLists
from exchange.matching.pegs import Pegs
from exchange.matching.quotes import Quotes
from exchange.matching.risk_checks import RiskChecks
from exchange.matching.short_sale_desk import ShortSaleDesk, refusal_of_price
from exchange.matching.stop_orders import STOPS
from exchange.matching.venue_state import NO_GROUP, VenueState

_BUY = Side.BUY
_CONTINUOUS = Phase.CONTINUOUS
_CONTINUOUSLY = TradeCondition.CONTINUOUS
_WITHIN_LIMITS = TradeCondition.WITHIN_LIMITS
_MARKET = OrderType.MARKET
_LIMIT = OrderType.LIMIT
_MARKET_TO_LIMIT = OrderType.MARKET_TO_LIMIT
_IMMEDIATE_OR_CANCEL = TimeInForce.IOC
_FILL_OR_KILL = TimeInForce.FOK
_REPRICE = OrderFlag.REPRICE.value
_SHORT = OrderFlag.SHORT.value
NO_LIMITS = (0, 0)
PriceRange = tuple[int, int]
"""The lowest and the highest price at which an order may trade."""
ANY_PRICE = NO_LEVEL + 1
"""The rank from which on every price will do."""


class Matcher:
    """Executes incoming orders against the books of a venue."""

    def __init__(self, state: VenueState) -> None:
        self._state = state
        self._groups = state.self_trade_groups
        self._events = state.events
        self._orders = state.orders
        self._holdings = state.holdings
        self._risk = RiskChecks(state)
        self._short_sales = ShortSaleDesk(state)
        self._risk_books, self._blocks = state.risk_books, state.directory.blocks
        self._partition = state.events.partition
        self.order_lists = OrderLists(state, self)
        self.pegs = Pegs(state, self)
        self.quotes = Quotes(state, self)
        self._triggered: deque[tuple[RestingOrder, int]] = deque()
        """Stop orders that are to come in within this command, each with the price that triggered it."""

    def execute(self, market: Market, incoming: RestingOrder) -> None:
        """Let an order come in; then those stop orders that its trades triggered, one after the other."""
        self._come_in(market, incoming)
        self.settle()

    def put_back(self, market: Market, order: RestingOrder) -> None:
        """Let an order that was taken out rest or wait again, last at its price; it trades with nothing."""
        if order.order_type not in STOPS:
            self._gather(market, order)
            return
        self._orders[order.order_id] = order
        market.stops.add(order)
        if self._risk_books:
            self._risk.opened(order)

    def trigger(self, market: Market, price: int) -> None:
        """Let those stop orders come in that the price of an auction triggered, one after the other."""
        self._take_triggered(market, price)
        self.settle()

    def settle(self) -> None:
        """Follow what happened to orders on which others depend; let in what that triggered, one after the other."""
        noted, triggered = self._events.noted, self._triggered
        while noted or triggered:
            if noted:
                note = noted.popleft()
                follower = self.quotes if note.order.marks & QUOTED else self.order_lists
                follower.follow(note)
            else:
                order, last_price = triggered.popleft()
                self._trigger(self._state.markets[order.symbol_id], order, last_price)

    def _gather(self, market: Market, incoming: RestingOrder) -> None:
        """Let an order wait for an auction: in the book, or where it trades in an auction only, beside it."""
        if not incoming.is_for_auction:
            self._rest(market, incoming)
            return
        self._orders[incoming.order_id] = incoming
        market.auction.add(incoming)
        if self._risk_books:
            self._risk.opened(incoming)

    def _come_in(self, market: Market, incoming: RestingOrder) -> None:
        """Trade an incoming order as far as it goes; then rest what is left, or cancel it."""
        if incoming.order_type in STOPS:
            self.put_back(market, incoming)
            return
        guard = market.guard
        gathers = market.phase is not _CONTINUOUS or (guard is not None and guard.is_left)
        if gathers or incoming.time_in_force in AUCTION_TIMES:
            self._gather(market, incoming)
            return
        needs_price = incoming.order_type is _MARKET_TO_LIMIT or incoming.flags & _REPRICE
        if needs_price and not self._give_price(market, incoming):
            return
        worst_rank = self._worst_rank(market, incoming)
        time_in_force = incoming.time_in_force
        may_rest = incoming.order_type is _LIMIT and time_in_force not in (
            _IMMEDIATE_OR_CANCEL,
            _FILL_OR_KILL,
        )
        own_rank, limits = worst_rank, NO_LIMITS
        if guard is not None:
            limits = market.price_limits(guard)
            worst_rank = self._limited_rank(market, limits, incoming, own_rank, may_rest)
        if time_in_force is _FILL_OR_KILL or incoming.flags or incoming.terms is not NO_TERMS:
            wanted = incoming.leaves if time_in_force is _FILL_OR_KILL else incoming.minimum
            if wanted and self._available(market, incoming, worst_rank, wanted) < wanted:
                self._trade_nothing(market, incoming, may_rest)
                return
        self._trade(market, worst_rank, incoming)
        if not incoming.leaves:
            return
        is_stopped = worst_rank > own_rank and self._is_stopped(market, incoming, own_rank, limits)
        if may_rest:
            self._rest(market, incoming)
        elif is_stopped:
            self._events.order_cancelled(incoming, CancelReason.PRICE_LIMIT)
        else:
            self._events.order_cancelled(incoming, self._why_no_more(market, incoming))

    # --- before it trades ----------------------------------------------------------------------------

    def _give_price(self, market: Market, incoming: RestingOrder) -> bool:
        """Price a market-to-limit order, or a post-only one that would trade; tell whether it goes on."""
        best = market.book.willing(incoming.side, incoming.leaves)
        if incoming.order_type is _MARKET_TO_LIMIT:
            if best is None:
                self._events.order_cancelled(incoming, CancelReason.NO_OPPOSITE)
                return False
            incoming.order_type = _LIMIT
            self._reprice(incoming, best.price, RepriceReason.MARKET_TO_LIMIT)
        elif best and market.book.reaches(incoming.side, incoming.price, best.price):
            price = market.price_behind(best.price, incoming.side)
            self._reprice(incoming, price, RepriceReason.POST_ONLY)
        return True

    def _reprice(self, incoming: RestingOrder, price: int, reason: RepriceReason) -> None:
        incoming.price = price
        self._events.write(
            e.OrderRepriced, symbol_id=incoming.symbol_id, order_id=incoming.order_id,
            account_id=incoming.account_id, side=incoming.side, reason=reason, price=price,
        )  # fmt: skip

    def _worst_rank(self, market: Market, incoming: RestingOrder) -> int:
        """Return the rank, on the opposite side, of the worst price at which an order trades."""
        price = market.protective_price(incoming.side) if incoming.order_type is _MARKET else incoming.price
        return market.book.opposite_side(incoming.side).rank(price) if price else ANY_PRICE

    def _limited_rank(
        self, market: Market, limits: PriceRange, incoming: RestingOrder, own_rank: int, may_rest: bool
    ) -> int:
        """Return the rank of the worst price that an order and price limits allow; bands price what may rest anew."""
        lowest, highest = limits
        limit, other = (highest, lowest) if incoming.side is _BUY else (lowest, highest)
        opposite, best = (
            market.book.opposite_side(incoming.side),
            market.book.willing(incoming.side, incoming.leaves),
        )
        rank = opposite.rank(limit)
        if best and opposite.rank(best.price) > opposite.rank(other):
            rank = opposite.rank(best.price) + 1
        if rank <= own_rank:
            return own_rank
        if may_rest and market.guard is not None and market.guard.reprices:
            self._reprice(incoming, limit, RepriceReason.PRICE_LIMIT)
        return rank

    def _is_stopped(self, market: Market, incoming: RestingOrder, own_rank: int, limits: PriceRange) -> bool:
        """Tell whether a price limit keeps an order from trading on, and leave the corridor where it does.

        limits: as they were when the order came in; its own trades move those of a corridor.
        """
        best, guard = market.book.willing(incoming.side, incoming.leaves), market.guard
        assert guard is not None, "there is a price limit"
        if best is None or market.book.opposite_side(incoming.side).rank(best.price) < own_rank:
            return False
        guard.leave(best.price, *limits)
        return True

    def _available(self, market: Market, incoming: RestingOrder, worst_rank: int, wanted: int) -> int:
        """Return how much an order would trade at once, counting no further than what is wanted."""
        rank = market.book.opposite_side(incoming.side).rank
        group, mode = self._state.self_trade_group(incoming.account_id) if self._groups else NO_GROUP
        total = 0
        for level in market.book.opposite_queues(incoming.side):
            if total >= wanted or rank(level.price) < worst_rank:
                break
            reserves, before = 0, total
            for resting in level.queue.values():
                if resting.minimum > max(incoming.leaves - total, 0):
                    continue
                if not self._is_own(group, resting):
                    total += resting.leaves
                    reserves += resting.reserve
                elif mode is not SelfTradeMode.CANCEL_OLDEST:
                    allocator = self._state.allocator or market.allocator
                    return before if allocator and resting.is_shown else total - reserves
        return total

    def _trade_nothing(self, market: Market, incoming: RestingOrder, may_rest: bool) -> None:
        """Let an order wait that did not find what it wants at least, or cancel it."""
        if may_rest:
            self._rest(market, incoming)
        elif incoming.time_in_force is _FILL_OR_KILL:
            self._events.order_cancelled(incoming, CancelReason.FILL_OR_KILL)
        else:
            self._events.order_cancelled(incoming, CancelReason.MINIMUM_QUANTITY)

    # --- trade ---------------------------------------------------------------------------------------

    def _trade(self, market: Market, worst_rank: int, incoming: RestingOrder) -> None:
        """Fill an incoming order from the opposite side while both have something left that fits."""
        book = market.book
        shown = book.opposite_side(incoming.side)
        group, mode = self._state.self_trade_group(incoming.account_id) if self._groups else NO_GROUP
        allocator = self._state.allocator or market.allocator
        simple = not group and not allocator and not book.hidden_opposite_side(incoming.side).ranks
        reference_price = market.reference.price
        while incoming.leaves:
            if simple:
                if shown.best_rank() < worst_rank:
                    return
                resting = next(iter(shown.best_level().queue.values()))
                self._fill(market, shown, resting, incoming, incoming.leaves, reference_price)
                continue
            willing = book.willing(incoming.side, incoming.leaves)
            if willing is None or shown.rank(willing.price) < worst_rank:
                return
            if allocator and willing.is_shown:
                self._share_out(market, allocator, incoming, group, mode, reference_price)
                continue
            if self._is_own(group, willing):
                self._prevent(market, willing, incoming, mode)
                continue
            self._fill(market, book.home_of(willing), willing, incoming, incoming.leaves, reference_price)

    def _share_out(
        self,
        market: Market,
        allocator: Allocator,
        incoming: RestingOrder,
        group: int,
        mode: SelfTradeMode,
        reference_price: int,
    ) -> None:
        """Trade with the orders shown at the best price what the allocator gives them, the oldest first.

        Where it would give something to an own order, only this match is prevented, and all is shared out anew.
        """
        shown = market.book.opposite_side(incoming.side)
        top = market.tops[Side.SELL if incoming.side is _BUY else _BUY]
        orders = list(shown.best_level().queue.values())
        standing = [
            Standing(
                order.displayed, order.order_id, order.account_id, order.entered_ns, order.order_id == top
            )
            for order in orders
        ]
        given = checked(
            incoming.leaves, standing, allocator.allocate(incoming.leaves, standing, market.round_lot)
        )
        gets = [(order, quantity) for order, quantity in zip(orders, given, strict=True) if quantity]
        for order, _ in gets:
            if self._is_own(group, order):
                self._prevent(market, order, incoming, mode)
                return
        for order, quantity in gets:
            self._fill(market, shown, order, incoming, quantity, reference_price)

    def _fill(
        self,
        market: Market,
        home: BookSide,
        resting: RestingOrder,
        incoming: RestingOrder,
        wanted: int,
        reference_price: int,
    ) -> None:
        """Trade so much of what both have, but no more of the resting order than stands in its queue."""
        quantity = min(wanted, resting.leaves - resting.reserve)
        incoming.leaves -= quantity
        home.fill(resting, quantity)
        if not resting.leaves:
            del self._orders[resting.order_id]
        guard = market.guard
        sequence = self._events.trade_executed(
            resting, incoming, resting.price, quantity, reference_price,
            _CONTINUOUSLY if guard is None else _WITHIN_LIMITS,
        )  # fmt: skip
        if guard is not None:
            guard.note_trade(sequence, resting.price)
        market.reference.trade(public_id(self._partition, sequence), resting.price, reference_price)
        market.last_price = resting.price
        buyer, seller = (incoming, resting) if incoming.side is _BUY else (resting, incoming)
        self._holdings.trade(
            buyer=buyer.account_id, seller=seller.account_id, symbol_id=market.symbol_id,
            price=resting.price, quantity=quantity,
        )  # fmt: skip
        if resting.leaves and resting.leaves == resting.reserve:
            home.refresh(resting)
            market.lose_top(resting)
            self._events.write(
                e.OrderRefreshed, symbol_id=market.symbol_id, order_id=resting.order_id,
                account_id=resting.account_id, side=resting.side, price=resting.price,
                displayed=resting.displayed, leaves=resting.leaves,
            )  # fmt: skip
        if self._risk_books:
            self._risk.traded(market, resting, incoming, quantity)
        if resting.price <= market.short_sales.trigger_price:
            self._short_sales.note_trade(market, resting.price)
        if market.stops.waiting:
            self._take_triggered(market, resting.price)

    # --- self-trade prevention -----------------------------------------------------------------------

    def _is_own(self, group: int, resting: RestingOrder) -> bool:
        """Tell whether a resting order is of a self-trade group; nothing is of group 0."""
        return group != 0 and self._state.self_trade_group(resting.account_id)[0] == group

    def _prevent(
        self, market: Market, resting: RestingOrder, incoming: RestingOrder, mode: SelfTradeMode
    ) -> None:
        """Do to two orders of one group what the incoming one's mode says; a cancelled one has nothing left."""
        quantity = min(resting.leaves, incoming.leaves)
        self._events.write(
            e.MatchPrevented, symbol_id=market.symbol_id, maker_order_id=resting.order_id,
            taker_order_id=incoming.order_id, maker_account_id=resting.account_id,
            taker_account_id=incoming.account_id, price=resting.price, quantity=quantity, taker_side=incoming.side,
            mode=mode,
        )  # fmt: skip
        decrements = mode is SelfTradeMode.DECREMENT
        resting_goes = resting.leaves == quantity if decrements else mode is not SelfTradeMode.CANCEL_NEWEST
        incoming_goes = incoming.leaves == quantity if decrements else mode is not SelfTradeMode.CANCEL_OLDEST
        if self._risk_books and (resting_goes or decrements):
            self._risk.reduced(resting, resting.leaves if resting_goes else quantity)
        if resting_goes:
            market.book.home_of(resting).remove(resting)
            del self._orders[resting.order_id]
            self._events.order_cancelled(resting, CancelReason.SELF_TRADE)
        elif decrements:
            market.book.home_of(resting).reduce(resting, quantity)
            self._decremented(resting, quantity)
        if incoming_goes:
            self._events.order_cancelled(incoming, CancelReason.SELF_TRADE)
            incoming.leaves = 0
        elif decrements:
            incoming.leaves -= quantity
            self._decremented(incoming, quantity)

    def _decremented(self, order: RestingOrder, quantity: int) -> None:
        """Say that an order has so much less whole quantity; what it has left is less already."""
        order.quantity -= quantity
        self._events.write(
            e.OrderAmended, symbol_id=order.symbol_id, order_id=order.order_id, account_id=order.account_id,
            side=order.side, kept_priority=True, old_price=order.price, price=order.price, quantity=order.quantity,
            leaves=order.leaves,
        )  # fmt: skip

    # --- stop orders ---------------------------------------------------------------------------------

    def _take_triggered(self, market: Market, price: int) -> None:
        """Take out the stop orders that a trade at a price triggers."""
        for order in market.stops.take_triggered(price):
            del self._orders[order.order_id]
            if self._risk_books:
                self._risk.reduced(order, order.leaves)
            self._triggered.append((order, price))

    def _trigger(self, market: Market, order: RestingOrder, last_price: int) -> None:
        """Let a stop order come in as what it is from now on, if the limits let it."""
        order.order_type = _MARKET if order.order_type is OrderType.STOP else _LIMIT
        self._events.write(
            e.OrderTriggered, symbol_id=order.symbol_id, order_id=order.order_id, account_id=order.account_id,
            side=order.side, order_type=order.order_type, time_in_force=order.time_in_force, flags=order.flags,
            price=order.price, leaves=order.leaves, stop_price=order.terms.stop_price, last_price=last_price,
        )  # fmt: skip
        if order.marks & LINKED:
            self.order_lists.triggered(order)
        self.come_in(market, order)

    # --- for order lists -----------------------------------------------------------------------------

    def come_in(self, market: Market, order: RestingOrder) -> None:
        """Let an order come in that was taken before, if the limits let it."""
        is_guarded = self._risk_books or self._blocks
        why_not = self._risk.why_not_triggered(market, order) if is_guarded else None
        if not why_not and order.flags & _SHORT:
            refused = refusal_of_price(market, order.order_type, order.flags, order.price)
            why_not = CancelReason.SHORT_SALE if refused else None
        if why_not:
            self._events.order_cancelled(order, why_not)
        else:
            self._come_in(market, order)

    def trigger_at_once(self, order: RestingOrder, last_price: int) -> None:
        """Let a stop order come in after those that were triggered before."""
        self._triggered.append((order, last_price))

    def triggered(self, order_id: int) -> RestingOrder | None:
        """Return an order that was triggered and is still to come in."""
        return next((order for order, _ in self._triggered if order.order_id == order_id), None)

    def forget_triggered(self, order: RestingOrder) -> None:
        """Take out an order that was triggered and is still to come in."""
        kept = [entry for entry in self._triggered if entry[0] is not order]
        self._triggered.clear()
        self._triggered.extend(kept)

    def take_out(self, order: RestingOrder) -> None:
        """Take a live order out of where it is: the book, or where it waits."""
        del self._orders[order.order_id]
        if self._risk_books:
            self._risk.reduced(order, order.leaves)
        market = self._state.markets[order.symbol_id]
        if order.is_waiting:
            market.stops.remove(order)
        elif order.is_for_auction:
            market.auction.remove(order)
        elif not order.is_parked:
            market.book.home_of(order).remove(order)

    def let_in(self, market: Market, order: RestingOrder) -> None:
        """Let a pegged order come in, or wait aside where it has no price."""
        if order.price:
            self._come_in(market, order)
            return
        self._orders[order.order_id] = order
        if self._risk_books:
            self._risk.opened(order)

    # --- after it traded -----------------------------------------------------------------------------

    def _rest(self, market: Market, order: RestingOrder) -> None:
        """Put what is left of an order into the book, an iceberg order with a fresh part shown."""
        display_quantity = order.terms.display_quantity
        order.reserve = max(order.leaves - display_quantity, 0) if display_quantity else 0
        self._orders[order.order_id] = order
        allocator = self._state.allocator or market.allocator
        if allocator and order.is_shown:
            market.note_top(order, allocator.top_minimum if isinstance(allocator, StepList) else 0)
        market.book.home_of(order).add(order)
        if self._risk_books:
            self._risk.opened(order)

    def _why_no_more(self, market: Market, incoming: RestingOrder) -> CancelReason:
        """Say why an order that may not rest does not trade more."""
        protected = incoming.order_type is _MARKET and market.protection_bps
        if protected and market.book.opposite_side(incoming.side).ranks:
            return CancelReason.PROTECTION
        return CancelReason.IMMEDIATE_OR_CANCEL
