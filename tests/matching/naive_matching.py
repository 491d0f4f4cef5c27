"""How orders trade in the naive model: rulebook 1, 2 and 6."""

from __future__ import annotations

from exchange.domain.order import (
    AUCTION_TIMES,
    CancelReason,
    OrderFlag,
    OrderType,
    SelfTradeMode,
    Side,
    TimeInForce,
)
from exchange.domain.trade import TradeCondition
from exchange.domain.units import QUANTITY_MAX
from tests.matching.naive_allocation import shares
from tests.matching.naive_books import BPS, other, price_rank
from tests.matching.naive_short_sales import NaiveShortSales
from tests.matching.naive_values import Note, Order, Print, Symbol, Trade

GUIDELINE = ((250_000, 10), (500_000, 5), (10**12, 3))
"""(highest reference price, percent)."""


class NaiveMatching(NaiveShortSales):
    """Lets orders come in. woken: stop orders that a trade reached, in the sequence in which they come in."""

    def __init__(self, accounts: dict[int, int], symbols: dict[int, Symbol]) -> None:
        super().__init__(accounts, symbols)
        self.woken: list[Order] = []

    def execute(self, order: Order) -> None:
        """Let an order come in, and then what it triggered, in that sequence."""
        self.come_in(order)
        self.let_woken_come_in()

    def let_woken_come_in(self) -> None:
        """Follow what happened, 8.5, and let triggered stop orders come in, each wholly before the next, 1.10."""
        while self.notes or self.woken:
            if self.notes:
                self.follow(self.notes.pop(0))
                continue
            order = self.woken.pop(0)
            order.type = OrderType.MARKET if order.type == OrderType.STOP else OrderType.LIMIT
            self.said.append(("triggered", order.id, order.stop, order.reached))
            self.end_pair_of_triggered(order)
            self.come_in_if_it_may(order)
            order.reached = 0

    def come_in_if_it_may(self, order: Order) -> None:
        """Let an order come in that was taken before, unless a block, a limit or a restriction keeps it out."""
        why_not = self.why_not_triggered(order)
        if not why_not and self.is_restricted(order):
            why_not = CancelReason.SHORT_SALE
        if why_not:
            self.kill([order], why_not)
        else:
            self.come_in(order)

    def follow(self, note: Note) -> None:
        """Do what follows from a trade or an end of an order; `naive_lists.py` and `naive_quotes.py` know what."""
        raise NotImplementedError

    def end_pair_of_triggered(self, order: Order) -> None:
        """Cancel the limit order of a pair whose stop order is triggered."""
        raise NotImplementedError

    def wake(self, symbol: int, price: int) -> None:
        """Take the stop orders that a price reaches, and let trails follow it."""
        for side in Side:
            for order in self.waiting(symbol, side):
                if price >= order.stop if side == Side.BUY else price <= order.stop:
                    order.reached = price
                    self.woken.append(order)
        for side in Side:
            for order in self.waiting(symbol, side):
                stop = trailed(order, price) if order.trail or order.trail_bps else order.stop
                if stop < order.stop if side == Side.BUY else stop > order.stop:
                    order.stop = stop
                    self.to_the_back(order)

    # --- what price limits say; a market without any ------------------------------------------------

    def trading_range(self, number: int) -> tuple[int, int] | tuple[()]:
        """Return from where to where an order trades that comes in now, nothing for anywhere."""
        return ()

    def limited(self, order: Order, own: int, limits: tuple[int, int] | tuple[()], *, rests: bool) -> int:
        """Return the worst price at which an order trades within limits. own: without, 0 for any."""
        return own

    def is_stopped(self, order: Order, own: int, limits: tuple[int, int] | tuple[()]) -> bool:
        """Tell whether limits alone keep an order from trading on."""
        return False

    def is_protected(self, number: int) -> bool:
        """Tell whether a trade is within limits."""
        return False

    # --- one order -----------------------------------------------------------------------------------

    def come_in(self, order: Order) -> None:
        """Let one order come in: it trades, waits or is cancelled."""
        self.to_the_back(order)
        order.shown = order.part
        if order.waits:
            return
        if self.gathers(order.symbol) or order.tif in AUCTION_TIMES:
            if not order.for_auction:
                self._note_top(order)
            return
        if not self._takes_a_price(order):
            return
        rests = order.type == OrderType.LIMIT and order.tif not in (TimeInForce.IOC, TimeInForce.FOK)
        wanted = order.left if order.tif == TimeInForce.FOK else order.minimum
        own, limits = self._worst(order), self.trading_range(order.symbol)
        worst = self.limited(order, own, limits, rests=rests)
        if self._finds(order, worst) >= wanted:
            self._trade(order, worst)
            why_not = self._why_no_more(order)
            if order.live and order.left and self.is_stopped(order, own, limits):
                why_not = CancelReason.PRICE_LIMIT
        else:
            why_not = CancelReason.MINIMUM_QUANTITY
            if order.tif == TimeInForce.FOK:
                why_not = CancelReason.FILL_OR_KILL
        if order.live and order.left and rests:
            order.shown = order.part
            self._note_top(order)
        elif order.live and order.left:
            self.kill([order], why_not)

    def _takes_a_price(self, order: Order) -> bool:
        """Price a market-to-limit order, 1.3, or a post-only one that would trade, 1.5; False where it is cancelled."""
        if order.type == OrderType.MARKET_TO_LIMIT:
            best = self.best(order.symbol, order.side, order.left)
            if not best:
                self.kill([order], CancelReason.NO_OPPOSITE)
                return False
            order.type, order.price = OrderType.LIMIT, best
            self.said.append(("repriced", order.id, best))
        elif order.flags & OrderFlag.REPRICE and self.crosses(
            order.symbol, order.side, order.price, order.left
        ):
            order.price = self.behind(order.symbol, order.side, order.left)
            self.said.append(("repriced", order.id, order.price))
        return True

    def _why_no_more(self, order: Order) -> CancelReason:
        opposite = [o for o in self.resting(order.symbol, other(order.side)) if not o.hidden]
        protected = order.type == OrderType.MARKET and self.symbols[order.symbol].band_bps
        return CancelReason.PROTECTION if protected and opposite else CancelReason.IMMEDIATE_OR_CANCEL

    def _note_top(self, order: Order) -> None:
        """See whether an order that comes to rest betters the price of its side. Rulebook 6.3."""
        symbol = self.symbols[order.symbol]
        if not symbol.steps or order.hidden:
            return
        beside = [o for o in self.resting(order.symbol, order.side) if not o.hidden and o is not order]
        least = max((step.minimum for step in symbol.steps if step.kind == 3), default=0)
        if not beside or (
            order.price > beside[0].price if order.side == Side.BUY else order.price < beside[0].price
        ):
            symbol.top[order.side] = order.id if order.in_queue >= least else 0
        else:
            self.lose_top(order)

    def lose_top(self, order: Order) -> None:
        """Take the top order's rank away."""
        top = self.symbols[order.symbol].top
        if top.get(order.side) == order.id:
            top[order.side] = 0

    # --- trades --------------------------------------------------------------------------------------

    def _trade(self, order: Order, worst: int) -> None:
        reference = self.reference(order.symbol)
        while order.live and order.left and (found := self._willing(order, order.left, worst)):
            given = self._shared_out(order, found[0])
            own = [maker for maker, _ in given if self._is_own(maker, order)]
            if own:
                self._prevent(own[0], order)
                continue
            for maker, quantity in given:
                self._fill(maker, order, quantity, reference)

    def _shared_out(self, order: Order, first: Order) -> list[tuple[Order, int]]:
        """Return who trades next, and how much."""
        symbol = self.symbols[order.symbol]
        if not symbol.steps or first.hidden:
            return [(first, min(first.in_queue, order.left))]
        beside = [
            o for o in self.resting(order.symbol, first.side) if not o.hidden and o.price == first.price
        ]
        return shares(
            order.left, beside, symbol.steps, symbol.makers, symbol.top.get(first.side, 0), symbol.lot
        )

    def _fill(self, maker: Order, order: Order, quantity: int, reference: int) -> None:
        self.exchange(maker, order, maker.price, quantity, reference)
        self.refresh(maker)
        self.note_trade(maker, order)
        self.note_decline(order.symbol, maker.price)
        self.wake(order.symbol, maker.price)

    def exchange(
        self, maker: Order, taker: Order, price: int, quantity: int, reference: int, *, auction: bool = False
    ) -> None:
        """Let two orders trade at a price, and note what that makes of the reference price. Rulebook 2.1."""
        buyer, seller = (taker, maker) if taker.side == Side.BUY else (maker, taker)
        percent = next(percent for highest, percent in GUIDELINE if reference <= highest)
        counts = auction or abs(price - reference) * 100 < reference * percent
        trade = Trade(
            maker.id, taker.id, maker.symbol, buyer.account, seller.account, price, quantity, reference, counts,
            time=self.now,
        )  # fmt: skip
        self.trades.append(trade)
        self.symbols[maker.symbol].history.append(trade)
        self.lasts.append((maker.symbol, price))
        self.prints.append(Print(maker.symbol, price, quantity, buyer.account, seller.account))
        for party in (maker, taker):
            party.filled += quantity
            party.live = party.left > 0
            self.notes.append(Note(party, quantity, party.left, 0, party.quantity))
        maker.shown -= quantity
        mark = TradeCondition.WITHIN_LIMITS if self.is_protected(maker.symbol) else TradeCondition.CONTINUOUS
        if auction:
            mark = TradeCondition.AUCTION
        self.said.append(
            ("trade", maker.id, taker.id, price, quantity, reference, maker.left, taker.left, mark)
        )

    def refresh(self, order: Order) -> None:
        """Show the next part of an iceberg order when the last is used up, at the end of the queue. Rulebook 1.7."""
        if order.live and order.part and order.shown <= 0:
            self.to_the_back(order)
            order.shown = min(order.part, order.left)
            self.lose_top(order)
            self.said.append(("refreshed", order.id, order.shown, order.left))

    def _prevent(self, maker: Order, taker: Order) -> None:
        """Do what the mode of the incoming order's member says. Rulebook 1.13."""
        quantity, mode = min(maker.left, taker.left), self.group(taker)[1]
        self.said.append(("prevented", maker.id, taker.id, quantity, mode))
        oldest = mode in (SelfTradeMode.CANCEL_OLDEST, SelfTradeMode.CANCEL_BOTH)
        newest = mode in (SelfTradeMode.CANCEL_NEWEST, SelfTradeMode.CANCEL_BOTH)
        decrements = mode == SelfTradeMode.DECREMENT
        for party, goes in ((maker, oldest), (taker, newest)):
            if goes or (decrements and party.left == quantity):
                self.kill([party], CancelReason.SELF_TRADE)
            elif decrements:
                party.quantity -= quantity
                party.shown = min(party.shown, party.left)
                self.said.append(("amended", party.id, True, party.price, party.quantity, party.left))

    # --- who would trade -----------------------------------------------------------------------------

    def _is_own(self, maker: Order, order: Order) -> bool:
        return self.group(maker)[0] == self.group(order)[0] != 0

    def _worst(self, order: Order) -> int:
        """Return the worst price at which an order trades, 0 for any."""
        return self.edge(order.symbol, order.side) if order.type == OrderType.MARKET else order.price

    def _willing(self, order: Order, brings: int, worst: int) -> list[Order]:
        """Find who trades with an order that has so much left, in the sequence in which they would."""
        buys = order.side == Side.BUY
        return [
            o for o in self.resting(order.symbol, other(order.side))
            if o.minimum <= brings and (not worst or (o.price <= worst if buys else o.price >= worst))
        ]  # fmt: skip

    def _finds(self, order: Order, worst: int) -> int:
        """Add up what an order would trade at once, as far as an order of its own group may not end it."""
        wanted = order.left if order.tif == TimeInForce.FOK else order.minimum
        found = 0
        willing = self._willing(order, QUANTITY_MAX, worst)
        for level in sorted({(price_rank(o), o.hidden) for o in willing}):
            if found >= wanted:
                break
            before, reserves = found, 0
            for maker in (o for o in willing if (price_rank(o), o.hidden) == level):
                if maker.minimum > max(order.left - found, 0):
                    continue
                if not self._is_own(maker, order):
                    found += maker.left
                    reserves += maker.left - maker.in_queue
                elif self.group(order)[1] != SelfTradeMode.CANCEL_OLDEST:
                    shares_out = self.symbols[order.symbol].steps and not maker.hidden
                    return before if shares_out else found - reserves
        return found


def trailed(order: Order, price: int) -> int:
    """Return the stop price at an order's distance from a price."""
    away = order.trail or max(price * order.trail_bps // BPS, 1)
    return price + away if order.side == Side.BUY else price - away
