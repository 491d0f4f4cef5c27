"""What the matcher must do, written again as naively as possible: lists, searched and sorted anew for every question.

It shares no code with the matcher. Reasons are found by asking which apply at all and taking the first of the table;
balances, reference prices and what limits measure are added up from all that ever happened. `naive_books.py` has what
it knows, `naive_risk.py` and `naive_short_sales.py` rulebook 4, `naive_matching.py` 1, 2 and 6,
`naive_phases.py` 5, `naive_bands.py`, `naive_corridors.py` and `naive_breaker.py` 7, `naive_lists.py`,
`naive_quotes.py` and `naive_pegs.py` 8 and 1.14 to 1.17, `naive_corporate_actions.py` 9; here are the commands, those
of linked orders in `naive_linked_entry.py`.
"""

from __future__ import annotations

from dataclasses import replace

from exchange.domain import commands as c
from exchange.domain.order import AUCTION_TIMES, CancelReason, OrderFlag, OrderType, Side, TimeInForce
from exchange.domain.phase import Phase
from exchange.domain.reasons import Reason
from exchange.domain.units import NOTIONAL_MAX, PRICE_MAX
from tests.matching.naive_linked_entry import (
    RESTING,
    STOPS,
    NaiveLinkedEntry,
    Reasons,
    first,
    may_rest,
    session_of,
)
from tests.matching.naive_matching import trailed
from tests.matching.naive_phases import BEFORE_OPEN, DAY_NS, NO_CANCEL
from tests.matching.naive_values import TERMS, Fact, Order, Symbol, Trade

OF_A_DAY = (TimeInForce.DAY, *AUCTION_TIMES)
NO_SYMBOL = Symbol(1, [(0, 1)], [], [""])


class NaiveVenue(NaiveLinkedEntry):
    """Takes commands; `tell` returns what each led to. An order's id is its command's sequence."""

    def __init__(self, accounts: dict[int, int], symbols: dict[int, Symbol], day_ends: int = 0) -> None:
        super().__init__(accounts, symbols)
        self.day_ends = day_ends

    def tell(self, command: c.Command, sequence: int) -> list[Fact]:
        """Take a command; return what it led to."""
        self.said = []
        if refused := self._take(command, sequence):
            told = refused if isinstance(refused, tuple) else (refused, 0, 0)
            self.said = [("refused", *told)]
        self.ids_reserved = self.ids_reserved + 1 if isinstance(command, c.ReserveOrderId) else 0
        self.let_woken_come_in()
        self.follow_pegs()
        self.watch()
        self.indicate()
        return self.said

    def _take(self, command: c.Command, sequence: int) -> Reason | tuple[Reason, int, int] | None:
        match command:
            case c.EnterOrder():
                return self._enter_order(sequence, command)
            case c.AmendOrder():
                return self._amend(command)
            case c.ReplaceOrder():
                return self._replace(sequence, command)
            case c.CancelOrder():
                return self._cancel(command)
            case c.CancelOrders():
                return self._cancel_orders(command)
            case c.SetSelfTradePrevention():
                return self._set_group(command)
            case c.SetMarketProtection():
                self.symbols[command.symbol_id].band_bps = command.protection_bps
            case c.SetAllocation():
                symbol = self.symbols[command.symbol_id]
                symbol.steps, symbol.makers, symbol.top = command.steps, command.lead_makers, {}
            case c.SetReferencePrice():
                price = command.reference_price
                if not 0 < price == self.symbols[command.symbol_id].tick_down(price):
                    return Reason.REFERENCE_PRICE_INVALID
                self.symbols[command.symbol_id].history.append(price)
            case c.SetSymbolState():
                self.set_suspended(command.symbol_id, command.state == 2)
            case c.Deposit():
                self.moves.append((command.account_id, command.symbol_id, command.amount))
            case c.Withdraw():
                return self._withdraw(command)
            case c.StartBusinessDay():
                self._begin_day(command.ends_ns)
            case c.Tick():
                self.begin_due_phases()
                self.end_what_is_due(self.now)
            case _:
                return self._take_of_an_operator(command, sequence)
        return None

    def _take_of_an_operator(
        self, command: c.Command, sequence: int
    ) -> Reason | tuple[Reason, int, int] | None:
        match command:
            case c.BlockTrading():
                return self.block(command)
            case c.UnblockTrading():
                return self.unblock(command)
            case c.SetShortSaleTerms():
                return self.set_short_sale_terms(command)
            case c.SetRiskLimit():
                return self.set_limit(command)
            case c.SetPriceBands():
                return self.set_bands(command)
            case c.SetPriceCorridor():
                return self.set_corridor(command)
            case c.SetMarketBreaker():
                return self.set_breaker(command)
            case c.ReportIndexLevel():
                return self.report_level(command)
            case c.SetCancelTimer():
                return self.set_timer(command)
            case c.SetPhase():
                return self.set_phase(command)
            case c.SchedulePhase():
                return self.schedule_phase(command)
            case c.ClearSchedule():
                return self.clear_schedule(command.symbol_id)
            case c.SetAuctionTerms():
                return self.set_collar(command)
            case c.HaltTrading():
                return self.halt(command)
            case c.ResumeTrading():
                return self.resume(command)
            case c.AddSymbol():
                if refused := first(self.ticker_reasons(command.symbol)):
                    return refused
                self.list_symbol(command)
            case c.ConfigureSymbol():
                if self.ticker_reasons(command.symbol)[Reason.SYMBOL_RENAMED]:
                    return Reason.SYMBOL_RENAMED
                self.configure(command)
            case c.SplitSymbol():
                return first(self.split_reasons(command)) or self.split(command)
            case c.RenameSymbol():
                return first(self.rename_reasons(command)) or self.rename(command)
            case c.PayDividend():
                return first(self.dividend_reasons(command)) or self.pay_dividend(command)
            case c.ReserveOrderId():
                pass  # counted by `tell`
            case c.CreateAccount():
                self.accounts[len(self.accounts) + 1] = command.participant_id
            case c.CreateKey():
                self.keys += 1
            case c.RevokeKey() | c.ConfigureRule() | c.ConfirmConfiguration() | c.StartEngine():
                pass  # the market does not know them
            case _:
                return self._take_linked(command, sequence)
        return None

    def _take_linked(self, command: c.Command, sequence: int) -> Reason | tuple[Reason, int, int] | None:
        match command:
            case c.EnterOrderList():
                return self.enter_list(sequence, command)
            case c.EnterPeggedOrder():
                return self.enter_peg(sequence, command)
            case c.MassQuote():
                return self.quote(sequence, command)
            case c.CancelQuotes():
                return self.cancel_quotes(command)
            case c.SetQuoteProtection():
                return self.protect_quotes(command)
            case c.ResetQuoteProtection():
                return self.reset_quotes(command)
            case _:
                raise NotImplementedError(type(command).__name__)

    # --- enter ---------------------------------------------------------------------------------------

    def _enter_order(self, id: int, command: c.EnterOrder) -> Reason | tuple[Reason, int, int] | None:
        used = self.use_of(command.account_id, command.client_order_id)
        if used and used[2] == _said(command):
            self.said.append(("duplicate", used[3]))
            return None
        minimum, part, expires, stop, trail, trail_bps = (getattr(command, name, 0) for name in TERMS)
        order = Order(
            id, command.account_id, command.symbol_id, command.side, command.order_type, command.time_in_force,
            command.flags, command.price, command.quantity, 0, asked_minimum=minimum, part=part, expires=expires,
            stop=stop, trail=trail, trail_bps=trail_bps, session=session_of(command.client_order_id),
        )  # fmt: skip
        applies = self.order_reasons(order) | {Reason.CLIENT_ORDER_ID_REUSED: used is not None}
        if refused := first(applies) or self.broken_limit(order, None):
            return refused
        if order.trail or order.trail_bps:
            order.stop = self.first_stop(order)
        if may_rest(order) and order.minimum:
            order.flags |= OrderFlag.HIDDEN
        self._remember(order, command)
        self.orders.append(order)
        self.said.append(("accepted", id))
        self.execute(order)
        return None

    def order_reasons(self, order: Order) -> Reasons:
        """Tell all that is wrong with an order in itself, and what the market says to it."""
        return {
            Reason.UNKNOWN_ACCOUNT: order.account not in self.accounts,
            Reason.UNKNOWN_SYMBOL: order.symbol not in self.symbols,
            **self.access_reasons(order.account, order.symbol, order.session),
            **self._phase_reasons(order),
            **_handling_reasons(order),
            **self._special_reasons(order),
            **self._term_reasons(order),
            **self.short_sale_reasons(order, None),
            Reason.POST_ONLY_WOULD_TRADE: self._would_trade(order),
        }

    def _phase_reasons(self, order: Order) -> dict[Reason, bool]:
        """Rulebook 5.1: the table."""
        symbol = self.symbols.get(order.symbol, NO_SYMBOL)
        phase, limit_or_stop = symbol.phase, order.type in (OrderType.LIMIT, *STOPS)
        post_only = order.flags & OrderFlag.POST_ONLY != 0
        gathers = not (
            order.tif in (TimeInForce.IOC, TimeInForce.FOK)
            or order.type == OrderType.MARKET_TO_LIMIT
            or post_only
        )
        outlives = order.tif in (TimeInForce.GTC, TimeInForce.GTD) and limit_or_stop and not post_only
        return {
            Reason.SYMBOL_SUSPENDED: symbol.suspended,
            Reason.SYMBOL_HALTED: phase == Phase.HALTED,
            Reason.PHASE_TAKES_NO_ORDERS: phase == Phase.CLOSED,
            Reason.ORDER_NOT_IN_PHASE: phase != Phase.CONTINUOUS
            and not (outlives if phase == Phase.POST_CLOSE else gathers),
            Reason.AUCTION_OVER: order.tif == TimeInForce.AT_THE_OPEN and phase not in BEFORE_OPEN,
        }

    def _special_reasons(self, order: Order) -> dict[Reason, bool]:
        """Rulebook 1.4 to 1.10: what special terms may be."""
        symbol = self.symbols.get(order.symbol, NO_SYMBOL)
        all_or_none = order.flags & OrderFlag.ALL_OR_NONE
        till_date = order.tif == TimeInForce.GTD
        too_little = 0 < order.part * 100 < order.quantity
        hides = order.flags & OrderFlag.HIDDEN or order.part
        return {
            Reason.EXPIRY_INVALID: order.expires <= self.now if till_date else order.expires != 0,
            Reason.MINIMUM_QUANTITY_INVALID: order.asked_minimum > (0 if all_or_none else order.quantity)
            or bool(order.tif in AUCTION_TIMES and (order.asked_minimum or all_or_none)),
            Reason.DISPLAY_NOT_ALLOWED: bool(hides and not may_rest(order))
            or bool(order.part and (order.flags & OrderFlag.HIDDEN or all_or_none or order.asked_minimum)),
            Reason.DISPLAY_QUANTITY_INVALID: order.part > order.quantity
            or order.part % symbol.lot != 0
            or too_little,
            **(self._stop_reasons(order, symbol) if order.symbol in self.symbols else {}),
        }

    def _stop_reasons(self, order: Order, symbol: Symbol) -> dict[Reason, bool]:
        stops, last = order.type in STOPS, self.last_price(order.symbol)
        trails = stops and max(order.trail, order.trail_bps) > 0
        fixed = stops and not trails
        in_two_ways = order.trail > 0 and order.trail_bps > 0
        reached = last > 0 and (last >= order.stop if order.side == Side.BUY else last <= order.stop)
        return {
            Reason.STOP_PRICE_NOT_ALLOWED: not stops and max(order.stop, order.trail, order.trail_bps) > 0,
            Reason.TRAIL_INVALID: trails
            and (
                order.type == OrderType.STOP_LIMIT or order.stop > 0 or in_two_ways or order.trail_bps > 5_000
                or not 0 < self.first_stop(order) <= PRICE_MAX
            ),
            Reason.STOP_PRICE_MISSING: fixed and order.stop == 0,
            Reason.STOP_PRICE_INVALID: fixed and (order.stop > PRICE_MAX or symbol.tick_up(order.stop) != order.stop),
            Reason.STOP_ALREADY_REACHED: fixed and reached,
        }  # fmt: skip

    def first_stop(self, order: Order) -> int:
        """Return where a trailing stop stands at first."""
        return trailed(order, self.last_price(order.symbol) or self.reference(order.symbol))

    def _term_reasons(self, order: Order) -> dict[Reason, bool]:
        symbol, priced = (
            self.symbols.get(order.symbol, NO_SYMBOL),
            order.type in (OrderType.LIMIT, OrderType.STOP_LIMIT),
        )
        price = order.price
        if order.type == OrderType.MARKET_TO_LIMIT and order.symbol in self.symbols:
            price = self.best(order.symbol, order.side, order.quantity)
        return {
            Reason.QUANTITY_NOT_POSITIVE: order.quantity < 1,
            Reason.QUANTITY_NOT_IN_LOTS: order.quantity % symbol.lot != 0,
            Reason.PRICE_NOT_ALLOWED: not priced and order.price != 0,
            Reason.PRICE_MISSING: order.price < 1 and priced,
            Reason.PRICE_TOO_HIGH: order.price > PRICE_MAX and priced,
            Reason.PRICE_NOT_ON_TICK: priced and order.price % symbol.tick_at(order.price) != 0,
            Reason.NOTIONAL_OVERFLOW: price * order.quantity > NOTIONAL_MAX,
        }

    def _would_trade(self, order: Order) -> bool:
        if not order.flags & OrderFlag.POST_ONLY or order.symbol not in self.symbols:
            return False
        left = max(order.left, 0)
        can_move = order.flags & OrderFlag.REPRICE and self.behind(order.symbol, order.side, left)
        return self.crosses(order.symbol, order.side, order.price, left) and not can_move

    # --- cancel --------------------------------------------------------------------------------------

    def _cancel(self, command: c.CancelOrder) -> Reason | None:
        order = self.own(command.order_id, command.participant_id)
        if not order:
            return Reason.UNKNOWN_ORDER
        if command.participant_id:
            self.count_cancel(order.account)
            if self.symbols[order.symbol].phase in NO_CANCEL:
                return Reason.PHASE_TAKES_NO_CANCELS
        self.kill([order], CancelReason.REQUESTED if command.participant_id else CancelReason.OPERATOR)
        return None

    def _cancel_orders(self, command: c.CancelOrders) -> Reason | None:
        """Rulebook 3.3; a member's orders stay where it may not cancel them."""
        owner, member = self.accounts.get(command.account_id), command.participant_id
        applies = {
            Reason.SIDE_INVALID: command.side > 2,
            Reason.UNKNOWN_ACCOUNT: command.account_id != 0 and (owner is None or member not in (0, owner)),
            Reason.UNKNOWN_SYMBOL: command.symbol_id not in (0, *self.symbols),
            Reason.UNKNOWN_PARTICIPANT: member not in (0, *self.accounts.values()),
        }
        if refused := first(applies):
            return refused
        lowest, highest = getattr(command, "lowest_price", 0), getattr(command, "highest_price", 0)
        fitting = [
            o for o in self.orders
            if member in (0, self.accounts[o.account])
            and command.account_id in (0, o.account)
            and command.symbol_id in (0, o.symbol)
            and command.side in (0, o.side)
            and not (member and self.symbols[o.symbol].phase in NO_CANCEL)
            and lowest <= o.price and (not highest or o.price <= highest)
        ]  # fmt: skip
        count = self.kill(fitting, CancelReason.MASS_CANCEL if member else CancelReason.OPERATOR)
        self.said.append(("cancelled in all", count))
        return None

    # --- amend and replace ---------------------------------------------------------------------------

    def _amend(self, command: c.AmendOrder) -> Reason | tuple[Reason, int, int] | None:
        order = self.own(command.order_id, command.participant_id)
        changed = _changed(order, command)
        applies = self._change_reasons(order, changed)
        if order:
            same = (order.price, order.quantity) == (command.price, command.quantity)
            applies[Reason.NOTHING_TO_AMEND] = same
            applies[Reason.AMEND_BELOW_FILLED] = command.quantity <= order.filled
            applies[Reason.LIST_QUANTITIES_DIFFER] = self.breaks_pair(order, order.quantity, command.quantity)
        if refused := first(applies) or self.broken_limit(changed, order):
            return refused
        assert order
        keeps = command.price == order.price and command.quantity < order.quantity
        order.price, order.quantity = command.price, command.quantity
        self.said.append(("amended", order.id, keeps, order.price, order.quantity, order.left))
        if not keeps:
            self.execute(order)
        return None

    def _replace(self, id: int, command: c.ReplaceOrder) -> Reason | tuple[Reason, int, int] | None:
        order = self.own(command.order_id, command.participant_id)
        account = order.account if order else self._account_that_replaced(command)
        used = self.use_of(account, command.client_order_id)
        if used and used[2] == _said(command):
            self.said.append(("duplicate", used[3]))
            return None
        new = replace(_changed(order, command), id=id, filled=0)
        applies = self._change_reasons(order, new) | {Reason.CLIENT_ORDER_ID_REUSED: used is not None}
        if order:
            applies[Reason.LIST_QUANTITIES_DIFFER] = self.breaks_pair(order, order.left, command.quantity)
        if refused := first(applies) or self.broken_limit(new, order):
            return refused
        assert order
        new.session = session_of(command.client_order_id)
        order.live = False
        self.take_place_in_list(order.id, id)
        self.said.append(("replaced", order.id, id, order.left))
        self._remember(new, command)
        self.orders.append(new)
        self.execute(new)
        return None

    def _change_reasons(self, order: Order | None, changed: Order) -> dict[Reason, bool]:
        """Tell what is wrong with a changed order; of one that is none, with its terms alone."""
        if not order:
            return {**self._term_reasons(changed), Reason.UNKNOWN_ORDER: True}
        symbol = self.symbols[order.symbol]
        if order.peg or order.quoted:
            return {Reason.PEG_NOT_CHANGED: order.peg is not None, Reason.QUOTE_NOT_CHANGED: order.quoted}
        return {
            **self.access_reasons(order.account, order.symbol, order.session),
            **self._term_reasons(changed),
            **self.short_sale_reasons(changed, order),
            Reason.SYMBOL_SUSPENDED: symbol.suspended,
            Reason.SYMBOL_HALTED: symbol.phase == Phase.HALTED,
            Reason.PHASE_TAKES_NO_ORDERS: symbol.phase == Phase.CLOSED,
            Reason.PHASE_TAKES_NO_CANCELS: symbol.phase in NO_CANCEL,
            Reason.DISPLAY_QUANTITY_INVALID: 0 < order.part * 100 < changed.quantity,
            Reason.POST_ONLY_WOULD_TRADE: self._would_trade(changed),
        }

    # --- client order ids ----------------------------------------------------------------------------

    def _remember(self, order: Order, command: c.EnterOrder | c.ReplaceOrder) -> None:
        self.remember(order, command.client_order_id, _said(command))

    def _account_that_replaced(self, command: c.ReplaceOrder) -> int:
        for account, _, said, _ in self.uses:
            of_it = said[0] == "replace" and said[1] == command.order_id
            if of_it and command.participant_id in (0, self.accounts[account]):
                return account
        return 0

    # --- the rest ------------------------------------------------------------------------------------

    def _set_group(self, command: c.SetSelfTradePrevention) -> Reason | None:
        if command.participant_id not in self.accounts.values():
            return Reason.UNKNOWN_PARTICIPANT
        if command.mode > 4 or (command.group == 0) != (command.mode == 0):
            return Reason.SELF_TRADE_MODE_INVALID
        self.groups[command.participant_id] = (command.group, command.mode)
        return None

    def _withdraw(self, command: c.Withdraw) -> Reason | None:
        account, symbol, amount = command.account_id, command.symbol_id, command.amount
        if amount > self.balance(account, symbol) - self.reserved(account, symbol):
            return Reason.INSUFFICIENT_BALANCE
        self.moves.append((account, symbol, -amount))
        return None

    def bust(self, trade: Trade) -> list[Fact]:
        """Bust a trade. Rulebook 2.2."""
        refused = first(_ruling_reasons(trade))
        self.said, self.ids_reserved = [("refused", refused, 0, 0)] if refused else [], 0
        trade.busted = trade.busted or not refused
        self.indicate()
        return self.said

    def correct(self, trade: Trade, traded: int, price: int, quantity: int) -> list[Fact]:
        """Correct a trade. traded: its quantity when it was executed. Rulebook 2.2."""
        tick = self.symbols[trade.symbol].tick_at(price)
        wrong = price < 1 or price > PRICE_MAX or price % tick != 0 or not 0 < quantity <= traded
        same = (price, quantity) == (trade.price, trade.quantity)
        applies = {**_ruling_reasons(trade), Reason.CORRECTION_INVALID: wrong or same}
        refused = first(applies)
        self.said, self.ids_reserved = [("refused", refused, 0, 0)] if refused else [], 0
        if not refused:
            trade.price, trade.quantity = price, quantity
        self.indicate()
        return self.said

    def end_what_is_due(self, until: int) -> None:
        """End orders, the soonest first, then timers, then the business date. Rulebook 1.4, 3.4."""
        for order in sorted(self.orders, key=lambda order: (order.expires, order.id)):
            if 0 < order.expires <= until:
                self.kill([order], CancelReason.EXPIRED)
        self.end_timers(until)
        if 0 < self.day_ends <= until:
            self._begin_day(self.day_ends + ((until - self.day_ends) // DAY_NS + 1) * DAY_NS)
        self.let_woken_come_in()

    def _begin_day(self, ends: int) -> None:
        self.kill([order for order in self.orders if order.tif in OF_A_DAY], CancelReason.DAY_ENDED)
        live = [order.id for order in self.orders if order.live]
        live += [id for listing in self.lists for id in listing.ids]
        self.uses = [use for use in self.uses if use[3] in live]
        self.begin_risk_day()
        self.day_ends = ends
        self.said.append(("day", ends))
        self.begin_limits_day()
        self.begin_short_sale_day()


def _handling_reasons(order: Order) -> dict[Reason, bool]:
    """Rulebook 1.2 to 1.5, 1.10 and 5.6: which type takes which time in force."""
    takes = RESTING
    if order.type == OrderType.MARKET:
        takes = (TimeInForce.DAY, TimeInForce.IOC, TimeInForce.FOK, *AUCTION_TIMES)
    if order.type == OrderType.MARKET_TO_LIMIT:
        takes = (*RESTING, TimeInForce.IOC, TimeInForce.FOK)
    if order.type == OrderType.LIMIT:
        takes = tuple(TimeInForce)
    passive = order.type == OrderType.LIMIT and order.tif in RESTING
    return {
        Reason.TIME_IN_FORCE_NOT_ALLOWED: order.tif not in takes,
        Reason.POST_ONLY_NOT_ALLOWED: order.flags & OrderFlag.POST_ONLY != 0 and not passive,
    }


def _changed(order: Order | None, command: c.AmendOrder | c.ReplaceOrder) -> Order:
    """Return an order as a change would make it; of none, a limit order that is nobody's."""
    if order:
        return replace(order, price=command.price, quantity=command.quantity, filled=order.filled)
    return Order(0, 0, 0, 0, OrderType.LIMIT, 0, 0, command.price, command.quantity, 0)


def _ruling_reasons(trade: Trade) -> dict[Reason, bool]:
    return {Reason.TRADE_ALREADY_BUSTED: trade.busted, Reason.TRADE_BEFORE_SPLIT: trade.before_split}


def _said(command: c.EnterOrder | c.ReplaceOrder) -> tuple[object, ...]:
    if isinstance(command, c.ReplaceOrder):
        return ("replace", command.order_id, command.participant_id, command.price, command.quantity)
    return (
        type(command), command.symbol_id, command.side, command.order_type, command.time_in_force, command.flags,
        command.price, command.quantity, *(getattr(command, name, 0) for name in TERMS),
    )  # fmt: skip
