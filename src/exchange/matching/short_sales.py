"""What a symbol asks of short sales, and whether a decline has restricted them. SEC Rule 201 of Regulation SHO.

A trade at or below the closing price less the trigger restricts short sales for the rest of the business date and the
whole next one: they must then have a limit above the best bid that is shown, unless they are marked exempt. The closing
price is the reference price with which a business date begins; for a trigger that is set within a date, that of then.
"""

from __future__ import annotations

from exchange.domain.symbol import ShortSaleTerms
from exchange.domain.trade import BASIS_POINTS

RESTRICTED_DAYS = 2
"""Business dates for which a restriction holds, the one in which it begins included."""


class ShortSales:
    """One symbol's short sales. closing_price: 0 without a trigger; days: for which a restriction holds, 0 for none."""

    __slots__ = ("closing_price", "days", "terms", "trigger_price")

    def __init__(self) -> None:
        self.terms = ShortSaleTerms()
        self.closing_price = 0
        self.days = 0
        self.trigger_price = 0
        """A trade at this price or below restricts short sales; 0 where none would change anything."""

    def set(self, terms: ShortSaleTerms, reference_price: int) -> None:
        """Take other terms over. A trigger that is new measures from the reference price."""
        self.terms = terms
        if not terms.trigger_bps:
            self.closing_price = self.days = 0
        self.close_at(self.closing_price or reference_price)

    def close_at(self, price: int) -> None:
        """Measure from another closing price."""
        self.closing_price = price if self.terms.trigger_bps else 0
        self._settle()

    def restrict(self) -> None:
        """Restrict short sales."""
        self.days = RESTRICTED_DAYS
        self._settle()

    def begin_day(self, reference_price: int) -> bool:
        """Begin a business date; tell whether there was a restriction."""
        was_restricted = self.days > 0
        self.days = max(self.days - 1, 0)
        self.close_at(reference_price)
        return was_restricted

    def restore(self, terms: ShortSaleTerms, closing_price: int, days: int) -> None:
        """Take over what a snapshot holds."""
        self.terms, self.closing_price, self.days = terms, closing_price, days
        self._settle()

    def _settle(self) -> None:
        left = BASIS_POINTS - self.terms.trigger_bps
        is_armed = self.closing_price and self.days < RESTRICTED_DAYS
        self.trigger_price = self.closing_price * left // BASIS_POINTS if is_armed else 0
