"""What the matcher must do, written again as naively as possible: lists, searched and sorted anew for every question.

It shares no code with the matcher. Reasons are found by asking which apply at all and taking the first of the table;
balances and reference prices are added up from all that ever happened.
"""

from __future__ import annotations

from collections.abc import Iterable

from exchange.domain import commands as c
from exchange.domain.order import OrderFlag, OrderType, Side, TimeInForce
from exchange.domain.reasons import Reason
from exchange.domain.units import NOTIONAL_MAX, PRICE_MAX
from tests.matching.naive_values import TERMS, Order, Outcome, Symbol, Trade

GUIDELINE = ((250_000, 10), (500_000, 5), (10**12, 3))
"""(highest reference price, percent)."""


class NaiveVenue:
    """Knows accounts as {account: participant} and symbols by id; commands come with their sequence as order id."""

    def __init__(self, accounts: dict[int, int], symbols: dict[int, Symbol]) -> None:
        self.accounts = accounts
        self.symbols = symbols
        self.orders: list[Order] = []
        self.trades: list[Trade] = []
        self.moves: list[tuple[int, int, int]] = []
        self.uses: list[tuple[int, str, tuple[object, ...], int]] = []
        """Client order ids: (account, id, what the command said, order)."""
        self.places = 0
        self.now = 0
        self.prints: list[tuple[int, int]] = []
        """(symbol, price) of every trade as it happened."""
        self.woken: list[Order] = []
        self.groups: dict[int, tuple[int, int]] = {}
        """(group, mode) by participant."""

    # --- questions -----------------------------------------------------------------------------------

    def book(self, symbol: int, side: int) -> list[tuple[int, int, int]]:
        """Return (order, price, left) in the sequence in which the orders would trade."""
        return [(o.id, o.price, o.in_queue) for o in self._resting(symbol, side) if not o.hidden]

    def hidden(self, symbol: int, side: int) -> list[tuple[int, int, int]]:
        """Return (order, price, left) of what is not shown, in the sequence in which it would trade."""
        return [(o.id, o.price, o.left) for o in self._resting(symbol, side) if o.hidden]

    def _resting(self, symbol: int, side: int) -> list[Order]:
        return sorted(
            (o for o in self.orders if o.live and not o.waits and (o.symbol, o.side) == (symbol, side)),
            key=_priority,
        )

    def stops(self, symbol: int, side: int) -> list[tuple[int, int, int]]:
        """Return (order, stop price, left) of the stop orders that wait, the nearest first."""
        return [(o.id, o.stop, o.left) for o in self._waiting(symbol, side)]

    def _waiting(self, symbol: int, side: int) -> list[Order]:
        waiting = [o for o in self.orders if o.live and o.waits and not o.reached]
        waiting = [o for o in waiting if (o.symbol, o.side) == (symbol, side)]
        return sorted(waiting, key=lambda o: (o.stop if side == Side.BUY else -o.stop, o.place))

    def last_price(self, symbol: int) -> int:
        """Return the price of the last trade, 0 before the first."""
        return next((price for of, price in reversed(self.prints) if of == symbol), 0)

    def _stop_reasons(self, command: c.EnterOrder) -> tuple[int, dict[Reason, bool]]:
        """Return where a trailing stop stands at first, 0 for another order, and what is wrong with stop and trail."""
        _, _, _, stop, trail, trail_bps = (getattr(command, name, 0) for name in TERMS)
        stops = command.order_type in (OrderType.STOP, OrderType.STOP_LIMIT)
        trailing = stops and (trail > 0 or trail_bps > 0)
        symbol = self.symbols.get(command.symbol_id)
        if symbol is None:
            return 0, {}
        last = self.last_price(command.symbol_id)
        probe = Order(0, 0, 0, command.side, 0, 0, 0, 0, 0, 0, trail=trail, trail_bps=trail_bps)
        first = self._trailed(probe, last or self.reference(command.symbol_id)) if trailing else 0
        with_a_price = command.order_type == OrderType.STOP_LIMIT or stop > 0
        in_two_ways = trail > 0 and trail_bps > 0
        reached = last > 0 and (last >= stop if command.side == Side.BUY else last <= stop)
        fixed = stops and not trailing
        return first, {
            Reason.STOP_PRICE_NOT_ALLOWED: not stops and max(stop, trail, trail_bps) > 0,
            Reason.TRAIL_INVALID: trailing
            and (with_a_price or in_two_ways or trail_bps > 5_000 or not 0 < first <= PRICE_MAX),
            Reason.STOP_PRICE_MISSING: fixed and stop == 0,
            Reason.STOP_PRICE_INVALID: fixed and (stop > PRICE_MAX or stop % symbol.tick != 0),
            Reason.STOP_ALREADY_REACHED: fixed and reached,
        }

    def _trailed(self, order: Order, price: int) -> int:
        away = order.trail or max(price * order.trail_bps // 10_000, 1)
        return price + away if order.side == Side.BUY else price - away

    def balance(self, account: int, symbol: int) -> int:
        """Add up all that ever moved an account's shares, or its cash for symbol 0."""
        total = sum(amount for who, what, amount in self.moves if (who, what) == (account, symbol))
        for trade in self.trades:
            amount = 0 if trade.busted else trade.quantity if symbol else -trade.quantity * trade.price
            if symbol in (0, trade.symbol):
                total += amount * ((trade.buyer == account) - (trade.seller == account))
        return total

    def reference(self, symbol: int) -> int:
        """Go back through what happened to the last price that counts."""
        for entry in reversed(self.symbols[symbol].history):
            if isinstance(entry, int):
                return entry
            if entry.counts and not entry.busted:
                return entry.price
        raise AssertionError("the history of a symbol begins with a price")

    # --- orders --------------------------------------------------------------------------------------

    def enter(self, id: int, command: c.EnterOrder) -> Outcome:
        """Enter an order."""
        used = self._use(command.account_id, command.client_order_id)
        if used and used[2] == _said(command):
            return Outcome(duplicate_of=used[3])
        market = command.order_type == OrderType.MARKET
        stops = command.order_type in (OrderType.STOP, OrderType.STOP_LIMIT)
        limit = command.order_type in (OrderType.LIMIT, OrderType.STOP_LIMIT)
        tif, flags, quantity = command.time_in_force, command.flags, command.quantity
        minimum, part, expires, stop, trail, trail_bps = (getattr(command, name, 0) for name in TERMS)
        resting = command.order_type not in (OrderType.MARKET, OrderType.STOP) and tif in (
            TimeInForce.DAY,
            TimeInForce.GTC,
            TimeInForce.GTD,
        )
        post_only = flags & OrderFlag.POST_ONLY
        all_or_none = flags & OrderFlag.ALL_OR_NONE
        hidden = flags & OrderFlag.HIDDEN
        best = self._best(command.symbol_id, command.side, quantity)
        too_large = (
            command.order_type == OrderType.MARKET_TO_LIMIT and best and best * quantity > NOTIONAL_MAX
        )
        first, stop_reasons = self._stop_reasons(command)
        applies = {
            Reason.UNKNOWN_ACCOUNT: command.account_id not in self.accounts,
            Reason.UNKNOWN_SYMBOL: command.symbol_id not in self.symbols,
            Reason.CLIENT_ORDER_ID_REUSED: used is not None,
            Reason.PRICE_NOT_ALLOWED: not limit and command.price != 0,
            Reason.TIME_IN_FORCE_NOT_ALLOWED: (market and tif in (TimeInForce.GTC, TimeInForce.GTD))
            or (stops and tif in (TimeInForce.IOC, TimeInForce.FOK)),
            Reason.EXPIRY_INVALID: expires <= self.now if tif == TimeInForce.GTD else expires != 0,
            Reason.MINIMUM_QUANTITY_INVALID: minimum > (0 if all_or_none else quantity),
            Reason.DISPLAY_NOT_ALLOWED: ((hidden or part > 0) and not resting)
            or (part > 0 and (hidden or all_or_none or minimum)),
            Reason.DISPLAY_QUANTITY_INVALID: part > quantity
            or part % self.symbols.get(command.symbol_id, Symbol(1, 1, [])).lot != 0
            or (part > 0 and part * 100 < quantity),
            **stop_reasons,
            Reason.POST_ONLY_NOT_ALLOWED: post_only and not (resting and limit and not stops),
            Reason.POST_ONLY_WOULD_TRADE: post_only
            and self._crosses(command.symbol_id, command.side, command.price, quantity)
            and not (flags & OrderFlag.REPRICE and self._behind(command.symbol_id, command.side, quantity)),
            **self._term_reasons(command.symbol_id, command.price, quantity, not limit),
        }
        applies[Reason.NOTIONAL_OVERFLOW] = bool(applies[Reason.NOTIONAL_OVERFLOW] or too_large)
        if refused := _first(applies):
            return Outcome(refused)
        if command.client_order_id:
            self.uses.append((command.account_id, command.client_order_id, _said(command), id))
        self.places += 1
        order = Order(
            id, command.account_id, command.symbol_id, command.side, command.order_type, command.time_in_force,
            flags, command.price, quantity, self.places, asked_minimum=minimum, part=part, expires=expires,
            stop=first or stop, trail=trail, trail_bps=trail_bps,
        )  # fmt: skip
        if resting and (all_or_none or minimum):
            order.flags |= OrderFlag.HIDDEN
        self.orders.append(order)
        return self._execute(order)

    def cancel(self, command: c.CancelOrder) -> Outcome:
        """Cancel an order."""
        order = self._own(command.order_id, command.participant_id)
        return self._kill([order]) if order else Outcome(Reason.UNKNOWN_ORDER)

    def cancel_orders(self, command: c.CancelOrders) -> Outcome:
        """Cancel all that fit."""
        owner = self.accounts.get(command.account_id)
        foreign = command.participant_id not in (0, owner)
        applies = {
            Reason.UNKNOWN_ACCOUNT: command.account_id != 0 and (owner is None or foreign),
            Reason.UNKNOWN_SYMBOL: command.symbol_id not in (0, *self.symbols),
        }
        if refused := _first(applies):
            return Outcome(refused)
        return self._kill(
            order
            for order in self.orders
            if command.participant_id in (0, self.accounts[order.account])
            and command.account_id in (0, order.account)
            and command.symbol_id in (0, order.symbol)
            and command.side in (0, order.side)
        )

    def amend(self, command: c.AmendOrder) -> Outcome:
        """Amend an order."""
        order = self._own(command.order_id, command.participant_id)
        filled = order.filled if order else 0
        applies = self._change_reasons(
            order, command.price, command.quantity, max(command.quantity - filled, 0)
        )
        if order:
            same = (order.price, order.quantity) == (command.price, command.quantity)
            applies[Reason.NOTHING_TO_AMEND] = same
            applies[Reason.AMEND_BELOW_FILLED] = command.quantity <= order.filled
        if refused := _first(applies):
            return Outcome(refused)
        assert order
        keeps = command.price == order.price and command.quantity < order.quantity
        order.price, order.quantity = command.price, command.quantity
        if keeps:
            return Outcome()
        self.places += 1
        order.place = self.places
        return self._execute(order)

    def replace(self, id: int, command: c.ReplaceOrder) -> Outcome:
        """Replace an order."""
        order = self._own(command.order_id, command.participant_id)
        account = order.account if order else self._account_that_replaced(command)
        used = self._use(account, command.client_order_id)
        if used and used[2] == _said(command):
            return Outcome(duplicate_of=used[3])
        applies = self._change_reasons(order, command.price, command.quantity, command.quantity)
        if refused := _first(applies | {Reason.CLIENT_ORDER_ID_REUSED: used is not None}):
            return Outcome(refused)
        assert order
        order.live = False
        if command.client_order_id:
            self.uses.append((account, command.client_order_id, _said(command), id))
        self.places += 1
        new = Order(
            id, account, order.symbol, order.side, order.type, order.tif, order.flags, command.price,
            command.quantity, self.places, asked_minimum=order.asked_minimum, part=order.part, expires=order.expires,
            stop=order.stop, trail=order.trail, trail_bps=order.trail_bps,
        )  # fmt: skip
        self.orders.append(new)
        return self._execute(new)

    # --- the rest ------------------------------------------------------------------------------------

    def end_day(self) -> Outcome:
        """End a business date."""
        outcome = self._kill(order for order in self.orders if order.tif == TimeInForce.DAY)
        live = [order.id for order in self.orders if order.live]
        self.uses = [use for use in self.uses if use[3] in live]
        return outcome

    def pass_time(self, now: int) -> Outcome:
        """Let the orders end whose time is over."""
        self.now = now
        ended = Outcome()
        for order in sorted(self.orders, key=lambda order: (order.expires, order.id)):
            if order.live and 0 < order.expires <= now:
                ended.cancelled += self._kill([order]).cancelled
        return ended

    def bust(self, trade: Trade) -> Outcome:
        """Bust a trade."""
        if trade.busted:
            return Outcome(Reason.TRADE_ALREADY_BUSTED)
        trade.busted = True
        return Outcome()

    def correct(self, trade: Trade, traded: int, price: int, quantity: int) -> Outcome:
        """Correct a trade. traded: its quantity when it was executed."""
        tick = self.symbols[trade.symbol].tick
        wrong = price < 1 or price > PRICE_MAX or price % tick != 0 or not 0 < quantity <= traded
        same = (price, quantity) == (trade.price, trade.quantity)
        applies = {Reason.TRADE_ALREADY_BUSTED: trade.busted, Reason.CORRECTION_INVALID: wrong or same}
        if refused := _first(applies):
            return Outcome(refused)
        trade.price, trade.quantity = price, quantity
        return Outcome()

    def deposit(self, account: int, symbol: int, amount: int) -> Outcome:
        """Bring in cash or shares."""
        self.moves.append((account, symbol, amount))
        return Outcome()

    def withdraw(self, account: int, symbol: int, amount: int) -> Outcome:
        """Take out cash or shares."""
        if amount > self.balance(account, symbol):
            return Outcome(Reason.INSUFFICIENT_BALANCE)
        self.moves.append((account, symbol, -amount))
        return Outcome()

    # --- what they share -----------------------------------------------------------------------------

    def _execute(self, order: Order) -> Outcome:
        """Let an order come in, and then what it triggered, in that sequence."""
        outcome = Outcome()
        coming = [order]
        while coming:
            order = coming.pop(0)
            if order.waits and not order.reached:
                break
            if order.waits:
                order.type = OrderType.MARKET if order.type == OrderType.STOP else OrderType.LIMIT
                outcome.triggered.append((order.id, order.stop, order.reached))
            self.places += 1
            order.place = self.places
            more = self._come_in(order)
            for name in ("fills", "cancelled", "repriced", "refreshed", "prevented"):
                getattr(outcome, name).extend(getattr(more, name))
            coming += self.woken
            self.woken = []
        return outcome

    def _print(self, symbol: int, price: int) -> None:
        """Note the price of a trade: trigger what it reaches, and let trails follow."""
        self.prints.append((symbol, price))
        for side in Side:
            for order in self._waiting(symbol, side):
                if price >= order.stop if side == Side.BUY else price <= order.stop:
                    order.reached = price
                    self.woken.append(order)
        for side in Side:
            for order in self._waiting(symbol, side):
                stop = self._trailed(order, price) if order.trail or order.trail_bps else order.stop
                if stop < order.stop if side == Side.BUY else stop > order.stop:
                    self.places += 1
                    order.stop, order.place = stop, self.places

    def _come_in(self, order: Order) -> Outcome:
        outcome = Outcome()
        reference = self.reference(order.symbol)
        best = self._best(order.symbol, order.side, order.left)
        if order.type == OrderType.MARKET_TO_LIMIT:
            if not best:
                return self._kill([order])
            order.type, order.price = OrderType.LIMIT, best
            outcome.repriced.append((order.id, best))
        elif order.flags & OrderFlag.REPRICE and self._crosses(
            order.symbol, order.side, order.price, order.left
        ):
            order.price = self._behind(order.symbol, order.side, order.left)
            outcome.repriced.append((order.id, order.price))
        order.shown = order.part
        rests = order.type == OrderType.LIMIT and order.tif not in (TimeInForce.IOC, TimeInForce.FOK)
        wanted = order.left if order.tif == TimeInForce.FOK else order.minimum
        if self._finds(order) < wanted:
            if not rests:
                outcome.cancelled = self._kill([order]).cancelled
            return outcome
        band = reference * self.symbols[order.symbol].band_bps // 10_000
        while order.live and order.left and (found := self._willing(order, order.left, reference, band)):
            maker = found[0]
            if self._group(maker)[0] == self._group(order)[0] != 0:
                self._prevent(maker, order, outcome)
                continue
            quantity = min(maker.in_queue, order.left)
            buyer, seller = (order, maker) if order.side == Side.BUY else (maker, order)
            percent = next(percent for highest, percent in GUIDELINE if reference <= highest)
            trade = Trade(
                maker.id, order.id, order.symbol, buyer.account, seller.account, maker.price, quantity, reference,
                counts=abs(maker.price - reference) * 100 < reference * percent,
            )  # fmt: skip
            self.trades.append(trade)
            self.symbols[order.symbol].history.append(trade)
            outcome.fills.append((maker.id, order.id, maker.price, quantity, reference))
            for party in (maker, order):
                party.filled += quantity
                party.live = party.left > 0
            self._print(order.symbol, maker.price)
            maker.shown -= quantity
            if maker.live and maker.part and not maker.shown:
                self.places += 1
                maker.place, maker.shown = self.places, min(maker.part, maker.left)
                outcome.refreshed.append((maker.id, maker.shown, maker.left))
        order.shown = order.part
        if order.live and order.left and not rests:
            outcome.cancelled += self._kill([order]).cancelled
        return outcome

    def set_group(self, command: c.SetSelfTradePrevention) -> Outcome:
        """Put a member into a group."""
        if command.participant_id not in self.accounts.values():
            return Outcome(Reason.UNKNOWN_PARTICIPANT)
        if command.mode > 4 or (command.group == 0) != (command.mode == 0):
            return Outcome(Reason.SELF_TRADE_MODE_INVALID)
        self.groups[command.participant_id] = (command.group, command.mode)
        return Outcome()

    def _group(self, order: Order) -> tuple[int, int]:
        return self.groups.get(self.accounts[order.account], (0, 0))

    def _prevent(self, maker: Order, taker: Order, outcome: Outcome) -> None:
        quantity = min(maker.left, taker.left)
        outcome.prevented.append((maker.id, taker.id, quantity))
        mode = self._group(taker)[1]
        for party, goes in ((maker, mode in (2, 3)), (taker, mode in (1, 3))):
            if goes or (mode == 4 and party.left == quantity):
                outcome.cancelled += self._kill([party]).cancelled
            elif mode == 4:
                party.quantity -= quantity
                party.shown = min(party.shown, party.left)

    def _finds(self, order: Order) -> int:
        """Add up what an order would trade at once."""
        found = 0
        reference = self.reference(order.symbol)
        band = reference * self.symbols[order.symbol].band_bps // 10_000
        group, mode = self._group(order)
        level, reserves = None, 0
        for other in self._willing(order, 10**12, reference, band):
            if level != (other.price, other.hidden):
                if found >= (order.left if order.tif == TimeInForce.FOK else order.minimum):
                    break
                level, reserves = (other.price, other.hidden), 0
            if other.minimum > max(order.left - found, 0):
                continue
            if group == 0 or self._group(other)[0] != group:
                found += other.left
                reserves += other.left - other.in_queue
            elif mode != 2:
                return found - reserves
        return found

    def _willing(self, order: Order, brings: int, reference: int, band: int) -> list[Order]:
        """Find who trades with an order that has so much left, in the sequence in which they would."""
        market = order.type == OrderType.MARKET
        buys = order.side == Side.BUY
        worst = order.price if not market else reference + (band if buys else -band)
        any_price = market and not self.symbols[order.symbol].band_bps
        others = self._resting(order.symbol, Side.SELL if buys else Side.BUY)
        return [
            other
            for other in others
            if other.minimum <= brings
            and (any_price or (other.price <= worst if buys else other.price >= max(worst, 1)))
        ]

    def _best(self, symbol: int, side: int, quantity: int) -> int:
        """Return the price of who trades first with so much, 0 where nobody does."""
        others = self._resting(symbol, Side.SELL if side == Side.BUY else Side.BUY)
        return next((other.price for other in others if other.minimum <= quantity), 0)

    def _behind(self, symbol: int, side: int, quantity: int) -> int:
        """Go down from the best price, or up, to the next that is on a tick; 0 where there is none."""
        best = self._best(symbol, side, quantity)
        tick = self.symbols[symbol].tick
        price = (best - 1) // tick * tick if side == Side.BUY else (best // tick + 1) * tick
        return price if price <= PRICE_MAX else 0

    def _kill(self, orders: Iterable[Order]) -> Outcome:
        dying = sorted((order for order in orders if order.live), key=lambda order: order.id)
        for order in dying:
            order.live = False
        return Outcome(cancelled=[(order.id, order.left) for order in dying])

    def _own(self, id: int, participant: int) -> Order | None:
        for order in self.orders:
            if order.id == id and order.live and participant in (0, self.accounts[order.account]):
                return order
        return None

    def _use(self, account: int, client_id: str) -> tuple[int, str, tuple[object, ...], int] | None:
        return next((use for use in self.uses if client_id and use[:2] == (account, client_id)), None)

    def _account_that_replaced(self, command: c.ReplaceOrder) -> int:
        for account, _, said, _ in self.uses:
            of_it = said[0] == "replace" and said[1] == command.order_id
            if of_it and command.participant_id in (0, self.accounts[account]):
                return account
        return 0

    def _crosses(self, symbol: int, side: int, price: int, quantity: int) -> bool:
        best = self._best(symbol, side, quantity)
        return best > 0 and (best <= price if side == Side.BUY else best >= price)

    def _change_reasons(
        self, order: Order | None, price: int, quantity: int, left: int
    ) -> dict[Reason, bool]:
        unpriced = order is not None and order.type == OrderType.STOP
        applies = self._term_reasons(order.symbol if order else 0, price, quantity, unpriced)
        applies[Reason.PRICE_NOT_ALLOWED] = unpriced and price != 0
        applies[Reason.UNKNOWN_ORDER] = order is None
        if order:
            applies[Reason.DISPLAY_QUANTITY_INVALID] = 0 < order.part * 100 < quantity
            applies[Reason.POST_ONLY_WOULD_TRADE] = bool(
                order.flags & OrderFlag.POST_ONLY
                and self._crosses(order.symbol, order.side, price, left)
                and not (order.flags & OrderFlag.REPRICE and self._behind(order.symbol, order.side, left))
            )
        return applies

    def _term_reasons(self, symbol_id: int, price: int, quantity: int, market: bool) -> dict[Reason, bool]:
        symbol = self.symbols.get(symbol_id, Symbol(1, 1, []))
        return {
            Reason.SYMBOL_SUSPENDED: symbol.suspended,
            Reason.QUANTITY_NOT_POSITIVE: quantity < 1,
            Reason.QUANTITY_NOT_IN_LOTS: quantity % symbol.lot != 0,
            Reason.PRICE_MISSING: price < 1 and not market,
            Reason.PRICE_TOO_HIGH: price > PRICE_MAX and not market,
            Reason.PRICE_NOT_ON_TICK: price % symbol.tick != 0 and not market,
            Reason.NOTIONAL_OVERFLOW: price * quantity > NOTIONAL_MAX and not market,
        }


def _priority(order: Order) -> tuple[int, bool, int]:
    return (-order.price if order.side == Side.BUY else order.price, order.hidden, order.place)


def _first(applies: dict[Reason, bool]) -> Reason | None:
    return next((reason for reason in Reason if applies.get(reason)), None)


def _said(command: c.EnterOrder | c.ReplaceOrder) -> tuple[object, ...]:
    if isinstance(command, c.ReplaceOrder):
        return ("replace", command.order_id, command.participant_id, command.price, command.quantity)
    return (
        type(command), command.symbol_id, command.side, command.order_type, command.time_in_force, command.flags,
        command.price, command.quantity, *(getattr(command, name, 0) for name in TERMS),
    )  # fmt: skip
