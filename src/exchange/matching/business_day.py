"""Business dates: what happens when one ends and the next begins, by command or when its time is over.

When a date ends, its day orders and those for an auction are cancelled in the sequence of their entry, and client
order ids are forgotten but for those of live orders. A day that ends by itself is followed by the next one, 24 hours
long; after a longer silence one step leads to the date that holds the present.
"""

from __future__ import annotations

from datetime import date

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain.order import AUCTION_TIMES, CancelReason, TimeInForce
from exchange.domain.reasons import Reason
from exchange.domain.units import next_date
from exchange.matching.order_checks import Refusal
from exchange.matching.order_entry import OrderEntry
from exchange.matching.short_sale_desk import ShortSaleDesk
from exchange.matching.venue_state import VenueState
from exchange.matching.volatility import Volatility
from exchange.wire.records import number_of

OF_A_DAY = (TimeInForce.DAY, *AUCTION_TIMES)
DAY_NS = 86_400_000_000_000
YEAR_MAX = 2999
"""So that a date never leaves the calendar however often it rolls: times end in 2554."""


class BusinessDay:
    """Begins business dates."""

    def __init__(self, state: VenueState, order_entry: OrderEntry, volatility: Volatility) -> None:
        self._state = state
        self._order_entry = order_entry
        self._volatility = volatility
        self._short_sales = ShortSaleDesk(state)

    def start(self, command: c.StartBusinessDay) -> None:
        """Begin a date by command."""
        now_ns = self._state.events.time_ns
        ends_later = command.ends_ns == 0 or command.ends_ns > now_ns
        if not (command.date > self._state.business_date and is_date(command.date) and ends_later):
            refusal = Refusal(Reason.BUSINESS_DATE_NOT_LATER, command.date, self._state.business_date)
            self._state.events.command_rejected(
                number_of(c.StartBusinessDay), refusal.reason, measured=refusal.measured, limit=refusal.limit
            )
            return
        self._begin(command.date, command.ends_ns)

    def tick(self, now_ns: int) -> None:
        """Begin the date that holds the present, if the last one's time is over."""
        state = self._state
        overdue_ns = now_ns - state.day_ends_ns
        if state.day_ends_ns == 0 or overdue_ns < 0:
            return
        days = overdue_ns // DAY_NS + 1
        new_date = state.business_date
        for _ in range(days):
            new_date = next_date(new_date)
        self._begin(new_date, state.day_ends_ns + days * DAY_NS)

    def _begin(self, new_date: int, ends_ns: int) -> None:
        state = self._state
        for order in state.live_orders(lambda order: order.time_in_force in OF_A_DAY):
            self._order_entry.cancel_for(order, CancelReason.DAY_ENDED)
        state.client_order_ids.forget_all_but(state.is_remembered)
        for book in state.risk_books.values():
            book.begin_day()
        state.business_date, state.day_ends_ns = new_date, ends_ns
        state.events.write(e.BusinessDayStarted, date=new_date, ends_ns=ends_ns)
        self._volatility.begin_day()
        self._short_sales.begin_day()


def is_date(number: int) -> bool:
    """Tell whether YYYYMMDD is a date of the calendar up to `YEAR_MAX`."""
    try:
        date(number // 10_000, number // 100 % 100, number % 100)
    except ValueError:
        return False
    return number // 10_000 <= YEAR_MAX
