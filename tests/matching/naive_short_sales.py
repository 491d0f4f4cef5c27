"""Short sales in the naive model: rulebook 4.5 and 4.6."""

from __future__ import annotations

from exchange.domain import commands as c
from exchange.domain.order import OrderFlag, OrderType, Side
from exchange.domain.reasons import Reason
from exchange.domain.risk import LimitKind
from tests.matching.naive_books import BPS
from tests.matching.naive_risk import ACCOUNT, NaiveRisk
from tests.matching.naive_values import Order

TRIGGER_BPS_MAX = 9_999
WITHOUT_LIMIT = (OrderType.MARKET, OrderType.MARKET_TO_LIMIT)


class NaiveShortSales(NaiveRisk):
    """Knows what each symbol asks of short sales, and for how many dates a decline restricts them."""

    def set_short_sale_terms(self, command: c.SetShortSaleTerms) -> Reason | None:
        """Set a symbol's trigger, and whether it asks for locates and marks."""
        if command.symbol_id not in self.symbols:
            return Reason.UNKNOWN_SYMBOL
        if command.trigger_bps > TRIGGER_BPS_MAX:
            return Reason.SHORT_TERMS_INVALID
        symbol = self.symbols[command.symbol_id]
        symbol.needs_locate, symbol.needs_marking = command.needs_locate, command.needs_marking
        had_trigger, symbol.trigger_bps = symbol.trigger_bps > 0, command.trigger_bps
        if not symbol.trigger_bps:
            symbol.closing = 0
        elif not had_trigger:
            symbol.closing = self.reference(command.symbol_id)
        self.said.append(("short terms", command.symbol_id, symbol.trigger_bps, symbol.closing))
        if symbol.restricted_dates and not symbol.trigger_bps:
            symbol.restricted_dates = 0
            self._tell_restriction(command.symbol_id, 0)
        return None

    def short_sale_reasons(self, order: Order, before: Order | None) -> dict[Reason, bool]:
        """Tell what is wrong with an order as a short sale. before: as it is now, of a change."""
        if order.symbol not in self.symbols:
            return {}
        symbol, sale = self.symbols[order.symbol], order.side == Side.SELL
        short, exempt, located = (
            order.flags & flag != 0 for flag in (OrderFlag.SHORT, OrderFlag.SHORT_EXEMPT, OrderFlag.LOCATED)
        )
        marked = short or exempt
        permitted = self._limit((int(ACCOUNT), order.account), LimitKind.SHORT_SALES, order.symbol)
        return {
            Reason.SHORT_FLAG_INVALID: (short and exempt)
            or (marked and not sale)
            or (located and not marked),
            Reason.SHORT_SALE_NOT_PERMITTED: marked and not permitted,
            Reason.LOCATE_MISSING: marked and symbol.needs_locate and not located,
            Reason.SHORT_SALE_UNMARKED: sale
            and not marked
            and symbol.needs_marking
            and max(order.left, 0) > self.shares_to_sell(order, before),
            Reason.SHORT_SALE_PRICE: not order.waits and self.is_restricted(order),
        }

    def shares_to_sell(self, order: Order, before: Order | None) -> int:
        """Return the shares an account has, less its open sales where they are counted."""
        subject = (int(ACCOUNT), order.account)
        shares = self.balance(order.account, order.symbol)
        if subject in self.subjects:
            shares -= self.open_shares(subject, Side.SELL, order.symbol, before)
        return shares

    def is_restricted(self, order: Order) -> bool:
        """Tell whether a decline keeps an order from coming in: it is short, and not above the best bid shown."""
        symbol = self.symbols[order.symbol]
        bids = [o.price for o in self.resting(order.symbol, Side.BUY) if not o.hidden]
        return (
            symbol.restricted_dates > 0
            and not self.gathers(order.symbol)
            and order.flags & OrderFlag.SHORT != 0
            and (order.type in WITHOUT_LIMIT or any(price >= order.price for price in bids))
        )

    def note_decline(self, number: int, price: int) -> None:
        """Restrict short sales for this date and the next, where a trade is so low."""
        symbol = self.symbols[number]
        is_low = price * BPS <= symbol.closing * (BPS - symbol.trigger_bps)
        if symbol.trigger_bps and is_low and symbol.restricted_dates < 2:
            symbol.restricted_dates = 2
            self._tell_restriction(number, price)

    def begin_short_sale_day(self) -> None:
        """Measure from new closing prices; a restriction has a date less."""
        for number, symbol in sorted(self.symbols.items()):
            if symbol.trigger_bps:
                symbol.closing = self.reference(number)
            if symbol.restricted_dates:
                symbol.restricted_dates -= 1
                self._tell_restriction(number, 0)

    def _tell_restriction(self, number: int, price: int) -> None:
        symbol = self.symbols[number]
        dates = symbol.restricted_dates
        self.said.append(("restricted", number, dates > 0, dates, price, symbol.closing))
