"""The commands of order lists, pegs and quotes in the naive model: rulebook 1.14, 1.17, 8.1 to 8.4, 8.6 to 8.9."""

from __future__ import annotations

from dataclasses import replace

from exchange.domain import commands as c
from exchange.domain.order import CancelReason, OrderFlag, OrderType, PegKind, Side, TimeInForce
from exchange.domain.order_list import Contingency, ListedOrder
from exchange.domain.quote import ProtectionKind, Quote
from exchange.domain.reasons import Reason
from exchange.domain.units import NOTIONAL_MAX, PRICE_MAX
from tests.matching.naive_breaker import NaiveBreaker
from tests.matching.naive_phases import NO_CANCEL
from tests.matching.naive_quotes import Protection
from tests.matching.naive_values import TERMS, Listing, Order, Pegging, Symbol

RESTING = (TimeInForce.DAY, TimeInForce.GTC, TimeInForce.GTD)
STOPS = (OrderType.STOP, OrderType.STOP_LIMIT)
HOUR_MS = 3_600_000
QUOTES_MAX = 100
ORDERS_OF = {Contingency.ONE_CANCELS_OTHER: 2, Contingency.ONE_TRIGGERS_OTHER: 2, Contingency.BRACKET: 3}
OF_WHAT_COMES_IN = (
    Reason.SYMBOL_HALTED, Reason.PHASE_TAKES_NO_ORDERS, Reason.ORDER_NOT_IN_PHASE, Reason.AUCTION_OVER,
    Reason.STOP_ALREADY_REACHED, Reason.SHORT_FLAG_INVALID, Reason.SHORT_SALE_NOT_PERMITTED, Reason.LOCATE_MISSING,
    Reason.SHORT_SALE_UNMARKED, Reason.SHORT_SALE_PRICE, Reason.POST_ONLY_WOULD_TRADE,
)  # fmt: skip
"""Reasons that an order is not asked for which waits for an entry: who knows what holds when it comes in."""
Reasons = dict[Reason, bool]
Refused = Reason | tuple[Reason, int, int] | None
Use = tuple[int, str, tuple[object, ...], int]
"""Of a client order id: account, id, what the command said, order."""


class NaiveLinkedEntry(NaiveBreaker):
    """Takes order lists, pegs and quotes. ids_reserved: how many ids the commands just before have reserved."""

    def __init__(self, accounts: dict[int, int], symbols: dict[int, Symbol]) -> None:
        super().__init__(accounts, symbols)
        self.uses: list[Use] = []
        self.ids_reserved = 0

    def order_reasons(self, order: Order) -> Reasons:
        """Tell all that is wrong with an order; the venue knows what."""
        raise NotImplementedError

    def first_stop(self, order: Order) -> int:
        """Return where a trailing stop stands at first; the venue knows where."""
        raise NotImplementedError

    # --- client order ids ----------------------------------------------------------------------------

    def use_of(self, account: int, client_id: str) -> Use | None:
        """Find what a client order id was used for."""
        return next((use for use in self.uses if client_id and use[:2] == (account, client_id)), None)

    def remember(self, order: Order, client_id: str, said: tuple[object, ...]) -> None:
        """Keep an id, but for one of a session, which never comes twice."""
        if client_id and not client_id.startswith("~"):
            self.uses.append((order.account, client_id, said, order.id))

    # --- 8.1 order lists -----------------------------------------------------------------------------

    def enter_list(self, id: int, command: c.EnterOrderList) -> Refused:
        """Take a list whole or not at all."""
        named = next((row.client_order_id for row in command.orders if row.client_order_id), "")
        used = self.use_of(command.account_id, named)
        if used and used[2] == ("list", command):
            self.said.append(("duplicate", used[3]))
            return None
        if len(command.orders) != ORDERS_OF.get(command.contingency):  # type: ignore[call-overload]
            return Reason.ORDER_LIST_INVALID
        if self.ids_reserved < len(command.orders) - 1:
            return Reason.ORDER_IDS_MISSING
        orders = [self._order_of(id - place, command, row) for place, row in enumerate(command.orders)]
        refused = self._wrong_in_itself(command, orders) or self._wrong_in_list(command.contingency, orders)
        if refused or (refused := self.broken_limit(orders[0], None)):
            return refused
        for order, row in zip(orders, command.orders, strict=True):
            if may_rest(order) and order.minimum:
                order.flags |= OrderFlag.HIDDEN
            self.remember(order, row.client_order_id, ("list", command))
        self.said.append(("list", id, command.contingency))
        self._list(id, command, orders)
        return None

    def _order_of(self, id: int, command: c.EnterOrderList, row: ListedOrder) -> Order:
        minimum, part, expires, stop, trail, trail_bps = (getattr(row, name) for name in TERMS)
        return Order(
            id, command.account_id, command.symbol_id, row.side, row.order_type, row.time_in_force, row.flags,
            row.price, row.quantity, 0, asked_minimum=minimum, part=part, expires=expires, stop=stop, trail=trail,
            trail_bps=trail_bps, session=session_of(row.client_order_id),
        )  # fmt: skip

    def _list(self, id: int, command: c.EnterOrderList, orders: list[Order]) -> None:
        if command.contingency == Contingency.ONE_CANCELS_OTHER:
            self.lists.append(Listing(id, command.contingency, command.symbol_id, 0, id, id - 1, []))
            comes_in = [orders[1], orders[0]]
        else:
            self.lists.append(Listing(id, command.contingency, command.symbol_id, id, 0, 0, orders[1:]))
            comes_in = [orders[0]]
        for order in comes_in:
            if order.trail or order.trail_bps:
                order.stop = self.first_stop(order)
            self.orders.append(order)
            self.said.append(("accepted", order.id))
            self.execute(order)

    def _wrong_in_itself(self, command: c.EnterOrderList, orders: list[Order]) -> Reason | None:
        """Look at each order by itself, as it would be alone."""
        names: list[str] = []
        for order, row in zip(orders, command.orders, strict=True):
            applies = self.order_reasons(order)
            if names and command.contingency != Contingency.ONE_CANCELS_OTHER:
                applies |= dict.fromkeys(OF_WHAT_COMES_IN, False)
            name = row.client_order_id
            used = self.use_of(order.account, name) is not None or (name != "" and name in names)
            if refused := first(applies | {Reason.CLIENT_ORDER_ID_REUSED: used}):
                return refused
            names.append(name)
        return None

    def _wrong_in_list(self, kind: int, orders: list[Order]) -> Reason | None:
        """Look at each order's place. Rulebook 8.2 and 8.3."""
        has_entry = kind != Contingency.ONE_CANCELS_OTHER
        pair = [] if kind == Contingency.ONE_TRIGGERS_OTHER else orders[-2:]
        for order in orders:
            waits = has_entry and order is not orders[0]
            trails = order.trail > 0 or order.trail_bps > 0
            is_stop_of_pair = len(pair) == 2 and order is pair[1]
            applies = {
                Reason.LIST_ORDER_INVALID: ((waits or not has_entry) and not is_plain(order))
                or (waits and trails)
                or (order in pair and order.waits != is_stop_of_pair)
                or (is_stop_of_pair and not self._is_behind(pair[0], order)),
                Reason.LIST_SIDES_INVALID: has_entry and order in pair and order.side == orders[0].side,
                Reason.LIST_QUANTITIES_DIFFER: order.quantity != orders[0].quantity,
            }
            if refused := first(applies):
                return refused
        return None

    def _is_behind(self, limit: Order, stop: Order) -> bool:
        price = self.first_stop(stop) if stop.trail or stop.trail_bps else stop.stop
        worse = price > limit.price if stop.side == Side.BUY else price < limit.price
        return worse and limit.side == stop.side

    def breaks_pair(self, order: Order, due: int, quantity: int) -> bool:
        """Rulebook 8.4: the quantity of a pair is not changed."""
        return self.pair_of(order.id) is not None and quantity != due

    def take_place_in_list(self, old: int, new: int) -> None:
        """Let an order stand in its list where another stood."""
        for listing in self.lists:
            listing.entry, listing.limit, listing.stop = (
                new if id == old else id for id in (listing.entry, listing.limit, listing.stop)
            )

    # --- 1.14 pegged orders --------------------------------------------------------------------------

    def enter_peg(self, id: int, command: c.EnterPeggedOrder) -> Refused:
        """Take a pegged order."""
        used = self.use_of(command.account_id, command.client_order_id)
        if used and used[2] == ("peg", command):
            self.said.append(("duplicate", used[3]))
            return None
        order = Order(
            id, command.account_id, command.symbol_id, command.side, OrderType.LIMIT, command.time_in_force,
            OrderFlag.HIDDEN, command.limit, command.quantity, 0, session=session_of(command.client_order_id),
            peg=Pegging(command.kind, command.offset, command.limit),
        )  # fmt: skip
        measured = replace(order, peg=None, flags=0)
        if order.symbol in self.symbols and not command.limit:
            measured.price = self.reference(order.symbol)
        reasons = self.order_reasons(replace(measured, price=command.limit or measured.price))
        if not command.limit:
            reasons |= {Reason.PRICE_NOT_ON_TICK: False, Reason.PRICE_MISSING: False}
        midpoint_beside = command.kind == PegKind.MIDPOINT and command.offset != 0
        applies = reasons | {
            Reason.CLIENT_ORDER_ID_REUSED: used is not None,
            Reason.NOTIONAL_OVERFLOW: command.quantity * PRICE_MAX > NOTIONAL_MAX,
            Reason.EXPIRY_INVALID: False,
            Reason.PEG_INVALID: command.kind not in tuple(PegKind)
            or midpoint_beside
            or command.time_in_force not in (TimeInForce.DAY, TimeInForce.GTC),
        }
        if refused := first(applies) or self.broken_limit(measured, None):
            return refused
        self.remember(order, command.client_order_id, ("peg", command))
        self.orders.append(order)
        self.said += [("accepted", id), ("pegged", id, command.kind, command.offset, command.limit)]
        order.price = 0
        if price := self.price_of_peg(order):
            order.price = price
            self.said.append(("repriced", id, price))
            self.come_in(order)
        self.let_woken_come_in()
        return None

    # --- 8.7 quotes ----------------------------------------------------------------------------------

    def quote(self, id: int, command: c.MassQuote) -> Refused:
        """Take quotes, each by itself."""
        symbols = [quote.symbol_id for quote in command.quotes]
        applies = {
            Reason.UNKNOWN_ACCOUNT: command.account_id not in self.accounts,
            Reason.QUOTE_INVALID: not 0 < len(symbols) <= QUOTES_MAX or len(set(symbols)) < len(symbols),
            Reason.ORDER_IDS_MISSING: self.ids_reserved < 2 * len(symbols) - 1,
        }
        if refused := first(applies):
            return refused
        for place, quote in enumerate(command.quotes):
            sides = quote_orders(id - 2 * place, command.account_id, quote)
            wrong = self._wrong_with_quote(command.account_id, quote, sides)
            if wrong:
                measured = wrong if isinstance(wrong, tuple) else (wrong, 0, 0)
                self.said.append(
                    ("no quote", command.account_id, quote.symbol_id, command.quote_id, *measured)
                )
            else:
                self._take_quote(command, quote.symbol_id, sides)
        return None

    def _take_quote(self, command: c.MassQuote, symbol: int, sides: list[Order]) -> None:
        account = command.account_id
        bid, ask = (next((o.id for o in sides if o.side == side), 0) for side in Side)
        self.said.append(("quoted", account, symbol, command.quote_id, bid, ask))
        self.withdraw(account, [symbol], CancelReason.QUOTE_REPLACED)
        for order in sides:
            self.orders.append(order)
            self.said.append(("accepted", order.id))
            if self.must_reset(account, symbol):
                self.kill([order], CancelReason.QUOTE_PROTECTION)
            else:
                self.execute(order)

    def _wrong_with_quote(self, account: int, quote: Quote, sides: list[Order]) -> Refused:
        """Look at both sides before the limits measure either, each in place of the one it replaces."""
        any_side = Order(0, account, quote.symbol_id, Side.BUY, OrderType.LIMIT, TimeInForce.DAY, 0, 1, 1, 0)
        if refused := first(self._place_reasons(any_side)):
            return refused
        for order in sides:
            if refused := first(only_terms(self.order_reasons(order))):
                return refused
        crossed = len(sides) == 2 and quote.bid_price >= quote.ask_price
        before = {order.side: order for order in self.quoted(account, [quote.symbol_id])}
        asks = [order for order in sides if order.side == Side.SELL]
        applies = {
            Reason.QUOTES_NOT_RESET: self.must_reset(account, quote.symbol_id),
            Reason.QUOTE_INVALID: not sides,
            Reason.QUOTE_CROSSED: crossed,
            **(self.short_sale_reasons(asks[0], before.get(Side.SELL)) if asks else {}),
        }
        if refused := first(applies):
            return refused
        return next(filter(None, (self.broken_limit(order, before.get(order.side)) for order in sides)), None)

    def _place_reasons(self, order: Order) -> Reasons:
        """Tell what access and market say to any order."""
        reasons = self.order_reasons(order)
        return {reason: applies for reason, applies in reasons.items() if not is_of_terms(reason)}

    def cancel_quotes(self, command: c.CancelQuotes) -> Refused:
        """Withdraw quotes; a member's stay where it may not cancel."""
        owner, member = self.accounts.get(command.account_id), command.participant_id
        applies = {
            Reason.UNKNOWN_ACCOUNT: owner is None or member not in (0, owner),
            Reason.UNKNOWN_SYMBOL: command.symbol_id not in (0, *self.symbols),
        }
        if refused := first(applies):
            return refused
        symbols = [command.symbol_id] if command.symbol_id else list(self.symbols)
        symbols = [each for each in symbols if not (member and self.symbols[each].phase in NO_CANCEL)]
        count = self.withdraw(command.account_id, symbols, CancelReason.QUOTE_CANCELLED)
        self.said.append(("withdrew", command.account_id, command.symbol_id, count))
        return None

    # --- 8.8 protection ------------------------------------------------------------------------------

    def protect_quotes(self, command: c.SetQuoteProtection) -> Refused:
        """Protect quotes from now on, or no more."""
        limits = (command.quantity, command.executions, command.percent_bps, command.delta)
        has_window = 0 < command.window_ms <= HOUR_MS
        applies = self._protection_reasons(command.account_id, command.symbol_id) | {
            Reason.QUOTE_PROTECTION_INVALID: has_window != any(limits) or command.window_ms > HOUR_MS
        }
        if refused := first(applies):
            return refused
        by_kind = dict(zip(ProtectionKind, limits, strict=True))
        protection = Protection(by_kind, command.window_ms)
        self.protections[command.account_id, command.symbol_id] = protection
        self.said.append(("protected", command.account_id, command.symbol_id, *limits, command.window_ms))
        return None

    def reset_quotes(self, command: c.ResetQuoteProtection) -> Refused:
        """Let an account quote again."""
        protection = self.protections.get((command.account_id, command.symbol_id))
        applies = self._protection_reasons(command.account_id, command.symbol_id) | {
            Reason.QUOTE_PROTECTION_INVALID: not (protection and protection.is_reached)
        }
        if refused := first(applies):
            return refused
        assert protection
        protection.is_reached, protection.traded = False, []
        self.said.append(("reset", command.account_id, command.symbol_id))
        return None

    def _protection_reasons(self, account: int, symbol: int) -> Reasons:
        return {
            Reason.UNKNOWN_ACCOUNT: account not in self.accounts,
            Reason.UNKNOWN_SYMBOL: symbol not in (0, *self.symbols),
        }


def first(applies: Reasons) -> Reason | None:
    """Return the reason that stands first in the table of those that apply."""
    return next((reason for reason in Reason if applies.get(reason)), None)


def session_of(client_order_id: str) -> int:
    """Return the key whose session gave an order this id, 0 for none: `~`, then its number in five digits."""
    return int(client_order_id[1:6], 16) if client_order_id.startswith("~") else 0


def may_rest(order: Order) -> bool:
    """Tell whether what is left of an order may stay."""
    return order.type not in (OrderType.MARKET, OrderType.STOP) and order.tif in RESTING


def is_plain(order: Order) -> bool:
    """Rulebook 8.2: it rests, and asks for nothing but to be hidden, an iceberg, a trail."""
    asks = order.flags & ~OrderFlag.HIDDEN or order.asked_minimum
    return not asks and order.type in (OrderType.LIMIT, *STOPS) and order.tif in RESTING


def quote_orders(id: int, account: int, quote: Quote) -> list[Order]:
    """Return the sides that a quote has; the ask has the id before the bid's."""
    sides = [
        (id, Side.BUY, quote.bid_price, quote.bid_quantity),
        (id - 1, Side.SELL, quote.ask_price, quote.ask_quantity),
    ]
    return [
        Order(
            number, account, quote.symbol_id, side, OrderType.LIMIT, TimeInForce.DAY, 0, price, quantity, 0, quoted=True
        )
        for number, side, price, quantity in sides
        if quantity
    ]  # fmt: skip


def is_of_terms(reason: Reason) -> bool:
    """Tell whether a reason is of an order's quantity and price."""
    return list(Reason).index(reason) >= list(Reason).index(Reason.QUANTITY_NOT_POSITIVE)


def only_terms(reasons: Reasons) -> Reasons:
    """Leave out what was asked before, and what is asked of both sides together."""
    marks = (Reason.SHORT_SALE_UNMARKED, Reason.SHORT_SALE_PRICE)
    return {
        reason: applies for reason, applies in reasons.items() if is_of_terms(reason) and reason not in marks
    }
