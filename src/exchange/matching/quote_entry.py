"""Quotes in and out, and how they are protected."""

from __future__ import annotations

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain.order import NO_TERMS, CancelReason, OrderType, Side, TimeInForce
from exchange.domain.quote import (
    PROTECTION_WINDOW_MS_MAX,
    PROTECTIONS_MAX,
    QUOTES_MAX,
    ProtectionLimits,
    Quote,
)
from exchange.domain.reasons import Reason
from exchange.domain.units import public_id
from exchange.matching.market import Market
from exchange.matching.matcher import Matcher
from exchange.matching.order_book import QUOTED, RestingOrder
from exchange.matching.order_checks import (
    NO_CLIENT_ORDER_ID,
    Refusal,
    refusal_of_cancel,
    refusal_of_session,
    refusal_of_terms,
)
from exchange.matching.quotes import begin_window
from exchange.matching.risk_checks import Proposal, RiskChecks
from exchange.matching.short_sale_desk import ShortSaleDesk
from exchange.matching.venue_state import QuoteDesk, VenueState
from exchange.wire.records import number_of

LIMIT, DAY = OrderType.LIMIT, TimeInForce.DAY


class QuoteEntry:
    """Judges and carries out the commands about quotes."""

    def __init__(self, state: VenueState, matcher: Matcher) -> None:
        self._state = state
        self._events = state.events
        self._matcher = matcher
        self._quotes = matcher.quotes
        self._risk = RiskChecks(state)
        self._short_sales = ShortSaleDesk(state)

    # --- quote ---------------------------------------------------------------------------------------

    def quote(self, command: c.MassQuote) -> None:
        """Take the quotes of a mass quote, each by itself, or say why not."""
        refusal = self._refusal_of_mass_quote(command)
        if refusal:
            self._refuse(command, refusal, command.account_id, 0)
            return
        for place, quote in enumerate(command.quotes):
            if refusal := self._refusal_of_quote(command.account_id, quote):
                self._events.counters.rejects[refusal.reason.value] += 1
                self._events.write(
                    e.QuoteRejected, symbol_id=quote.symbol_id, account_id=command.account_id,
                    quote_id=command.quote_id, reason=refusal.reason, measured=refusal.measured,
                    limit=refusal.limit,
                )  # fmt: skip
            else:
                self._take(command, place, quote)

    def _take(self, command: c.MassQuote, place: int, quote: Quote) -> None:
        account_id, symbol_id = command.account_id, quote.symbol_id
        bid = self._order(command, 2 * place, quote, Side.BUY)
        ask = self._order(command, 2 * place + 1, quote, Side.SELL)
        self._events.write(
            e.QuoteAccepted, symbol_id=symbol_id, account_id=account_id, quote_id=command.quote_id,
            bid_order_id=bid.order_id if bid else 0, ask_order_id=ask.order_id if ask else 0,
        )  # fmt: skip
        self._quotes.withdraw(account_id, [symbol_id], CancelReason.QUOTE_REPLACED)
        desk = self._state.quote_desks.setdefault((account_id, symbol_id), QuoteDesk())
        for order in (bid, ask):
            if order is None:
                continue
            self._events.order_accepted(order, NO_CLIENT_ORDER_ID)
            if self._quotes.is_reached(account_id, symbol_id):
                self._events.order_cancelled(order, CancelReason.QUOTE_PROTECTION)
                continue
            if order is bid:
                desk.bid = order.order_id
            else:
                desk.ask = order.order_id
            self._matcher.execute(self._state.markets[symbol_id], order)

    def _order(self, command: c.MassQuote, place: int, quote: Quote, side: Side) -> RestingOrder | None:
        price, quantity = side_of(quote, side)
        if not quantity:
            return None
        order_id = public_id(self._events.partition, self._events.command_sequence - place)
        return RestingOrder(
            order_id, command.account_id, quote.symbol_id, side, LIMIT, DAY, 0, price, quantity, quantity, "",
            self._events.time_ns, NO_TERMS, 0, QUOTED,
        )  # fmt: skip

    def _refusal_of_mass_quote(self, command: c.MassQuote) -> Refusal | None:
        count, symbols = len(command.quotes), {quote.symbol_id for quote in command.quotes}
        if command.account_id not in self._state.directory.accounts:
            return Refusal(Reason.UNKNOWN_ACCOUNT, command.account_id)
        if not 0 < count <= QUOTES_MAX or len(symbols) < count:
            return Refusal(Reason.QUOTE_INVALID, count, QUOTES_MAX)
        reserved = self._state.ids_reserved()
        due = 2 * count - 1
        return Refusal(Reason.ORDER_IDS_MISSING, reserved, due) if reserved < due else None

    def _refusal_of_quote(self, account_id: int, quote: Quote) -> Refusal | None:
        market = self._state.markets.get(quote.symbol_id)
        if market is None:
            return Refusal(Reason.UNKNOWN_SYMBOL, quote.symbol_id)
        refusal = self._risk.refusal_of_access(account_id, quote.symbol_id) or refusal_of_session(
            market, LIMIT, DAY, 0
        )
        if refusal:
            return refusal
        sides = [(side, *side_of(quote, side)) for side in Side]
        for _, price, quantity in sides:
            refusal = refusal_of_terms(market, LIMIT, price, quantity) if quantity else None
            if refusal:
                return refusal
        if self._quotes.is_reached(account_id, quote.symbol_id):
            return Refusal(Reason.QUOTES_NOT_RESET)
        if not (quote.bid_quantity or quote.ask_quantity):
            return Refusal(Reason.QUOTE_INVALID)
        if quote.bid_quantity and quote.ask_quantity and quote.bid_price >= quote.ask_price:
            return Refusal(Reason.QUOTE_CROSSED, quote.bid_price, quote.ask_price)
        return self._refusal_of_short_sale(account_id, market, quote) or self._refusal_of_risk(
            account_id, market, sides
        )

    def _refusal_of_short_sale(self, account_id: int, market: Market, quote: Quote) -> Refusal | None:
        """Check the ask, which nobody marks as a short sale, in place of the one that it replaces."""
        before = self._state.orders.get(self._desk_of(account_id, market).ask)
        freed = before.leaves if before else 0
        price, quantity = quote.ask_price, quote.ask_quantity
        if not quantity:
            return None
        return self._short_sales.refusal_of_order(
            market, account_id, Side.SELL, LIMIT, 0, price, quantity, freed
        )

    def _refusal_of_risk(
        self, account_id: int, market: Market, sides: list[tuple[Side, int, int]]
    ) -> Refusal | None:
        """Check each side against the limits, in place of the one that it replaces."""
        desk = self._desk_of(account_id, market)
        for (side, price, quantity), order_id in zip(sides, (desk.bid, desk.ask), strict=True):
            if not quantity or not self._state.risk_books:
                continue
            replaces = self._state.orders.get(order_id)
            proposal = Proposal(account_id, side, LIMIT, 0, price, quantity, quantity, DAY, replaces)
            if refusal := self._risk.refusal_of_order(market, proposal):
                return refusal
        return None

    def _desk_of(self, account_id: int, market: Market) -> QuoteDesk:
        return self._state.quote_desks.get((account_id, market.symbol_id), QuoteDesk())

    # --- withdraw ------------------------------------------------------------------------------------

    def cancel(self, command: c.CancelQuotes) -> None:
        """Withdraw an account's quotes, where its owner or the exchange asks for it."""
        account = self._state.directory.accounts.get(command.account_id)
        if account is None or command.participant_id not in (0, account.participant_id):
            self._refuse(command, Refusal(Reason.UNKNOWN_ACCOUNT, command.account_id), command.account_id, 0)
            return
        if refusal := self._refusal_of_symbol(command.symbol_id):
            self._refuse(command, refusal, command.account_id, 0)
            return
        symbols: list[int] = (
            [command.symbol_id] if command.symbol_id else self._quotes.symbols_of(command.account_id)
        )
        if command.participant_id:
            symbols = [each for each in symbols if not refusal_of_cancel(self._state.markets[each])]
        count = self._quotes.withdraw(command.account_id, symbols, CancelReason.QUOTE_CANCELLED)
        self._events.write(
            e.QuotesCancelled, symbol_id=command.symbol_id, account_id=command.account_id, count=count
        )

    # --- protect -------------------------------------------------------------------------------------

    def protect(self, command: c.SetQuoteProtection) -> None:
        """Protect an account's quotes from now on, counting from nothing; or end that."""
        limits = ProtectionLimits(
            command.quantity, command.executions, command.percent_bps, command.delta, command.window_ms
        )
        desks, key = self._state.quote_desks, (command.account_id, command.symbol_id)
        refusal = self._refusal_of_protection(command)
        held = sum(desk.limits.window_ms > 0 for desk in desks.values()) if limits.window_ms else 0
        if not refusal and held >= PROTECTIONS_MAX:
            refusal = Refusal(Reason.DIRECTORY_FULL, held, PROTECTIONS_MAX)
        if refusal:
            self._refuse(command, refusal, command.account_id, command.symbol_id)
            return
        desk = desks.setdefault(key, QuoteDesk())
        desk.limits, desk.is_reached = limits, False
        begin_window(desk)
        self._events.write(
            e.QuoteProtectionSet, symbol_id=command.symbol_id, account_id=command.account_id,
            quantity=limits.quantity, executions=limits.executions, percent_bps=limits.percent_bps,
            delta=limits.delta, window_ms=limits.window_ms,
        )  # fmt: skip

    def reset(self, command: c.ResetQuoteProtection) -> None:
        """Let an account quote again whose protection was reached."""
        refusal = self._refusal_of_account(command.account_id) or self._refusal_of_symbol(command.symbol_id)
        desk = self._state.quote_desks.get((command.account_id, command.symbol_id))
        if not refusal and (desk is None or not desk.is_reached):
            refusal = Refusal(Reason.QUOTE_PROTECTION_INVALID)
        if refusal or desk is None:
            self._refuse(command, refusal or Refusal(Reason.QUOTE_PROTECTION_INVALID), command.account_id, 0)
            return
        desk.is_reached = False
        begin_window(desk)
        self._events.write(e.QuoteProtectionReset, symbol_id=command.symbol_id, account_id=command.account_id)

    def _refusal_of_protection(self, command: c.SetQuoteProtection) -> Refusal | None:
        has_limit = command.quantity or command.executions or command.percent_bps or command.delta
        refusal = self._refusal_of_account(command.account_id) or self._refusal_of_symbol(command.symbol_id)
        if refusal:
            return refusal
        if command.window_ms > PROTECTION_WINDOW_MS_MAX or bool(has_limit) != bool(command.window_ms):
            return Refusal(Reason.QUOTE_PROTECTION_INVALID, command.window_ms, PROTECTION_WINDOW_MS_MAX)
        return None

    # --- what they share -----------------------------------------------------------------------------

    def _refusal_of_account(self, account_id: int) -> Refusal | None:
        known = account_id in self._state.directory.accounts
        return None if known else Refusal(Reason.UNKNOWN_ACCOUNT, account_id)

    def _refusal_of_symbol(self, symbol_id: int) -> Refusal | None:
        known = not symbol_id or symbol_id in self._state.markets
        return None if known else Refusal(Reason.UNKNOWN_SYMBOL, symbol_id)

    def _refuse(self, command: c.Command, refusal: Refusal, subject: int, symbol_id: int) -> None:
        self._events.command_rejected(
            number_of(type(command)), refusal.reason, subject=subject, measured=refusal.measured,
            limit=refusal.limit, symbol_id=symbol_id if symbol_id in self._state.markets else 0,
        )  # fmt: skip


def side_of(quote: Quote, side: Side) -> tuple[int, int]:
    """Return price and quantity of a side of a quote."""
    return (
        (quote.bid_price, quote.bid_quantity) if side is Side.BUY else (quote.ask_price, quote.ask_quantity)
    )
