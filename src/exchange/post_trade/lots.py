"""Profit and loss of one account in one symbol from its trades: by FIFO lots and by average cost, side by side.

A fill first closes what is open on the other side, and opens with the rest. By FIFO the oldest lots are closed first;
by average cost each share that is closed cost the average of all that are open, rounded half up, and the rest of the
rounding stays with what is open. What is realised and what is not sum to the same by both methods, always: the value of
what is held less all that was paid for it. Only trading counts: shares brought in have no price and make no lot.
"""

from __future__ import annotations

from collections import deque

import msgspec

from exchange.domain.corporate_action import Split
from exchange.domain.units import MatchId, Money, Price, Quantity, TimeNs
from exchange.post_trade.positions import rounded


class Lot(msgspec.Struct, frozen=True, gc=False):
    """Shares that one trade opened and no later one has closed; quantity below zero is short."""

    quantity: int
    price: Price
    match_id: MatchId
    opened_ns: TimeNs


class Holding(msgspec.Struct, kw_only=True):
    """What an account's trades in a symbol left open, and what those closed brought.

    cost: what the open shares cost by average cost, below zero where they are short; realised: money.
    """

    lots: deque[Lot] = msgspec.field(default_factory=deque)
    quantity: int = 0
    cost: int = 0
    realised_fifo: int = 0
    realised_average: int = 0

    def take(self, quantity: int, price: Price, match_id: MatchId, time_ns: TimeNs) -> None:
        """Take a fill in, later than all before. quantity: below zero for a sale."""
        sign = 1 if quantity > 0 else -1
        closing = min(abs(quantity), max(0, -sign * self.quantity))
        if closing:
            self._close(closing, sign, price)
        opening = abs(quantity) - closing
        if opening:
            self.lots.append(Lot(sign * opening, price, match_id, time_ns))
            self.cost += sign * opening * price
        self.quantity += quantity

    def _close(self, closing: int, sign: int, price: Price) -> None:
        """Close shares with a fill. sign: of the fill, the other one than what is open has."""
        was_open = abs(self.quantity)
        share = self.cost if closing == was_open else _rounded(self.cost * closing, was_open)
        self.cost -= share
        self.realised_average += -sign * closing * price - share
        while closing:
            lot = self.lots[0]
            part = min(closing, abs(lot.quantity))
            self.realised_fifo += -sign * part * (price - lot.price)
            closing -= part
            if part == abs(lot.quantity):
                self.lots.popleft()
            else:
                self.lots[0] = msgspec.structs.replace(lot, quantity=lot.quantity + sign * part)

    def split(self, split: Split, cash_price: Price) -> None:
        """Turn the open shares into those that a split makes of them; what they cost stays, in whole prices a lot.

        The last share that rounding leaves goes to the older lot; a fraction of one brings money, by both methods.
        """
        whole, rest = split.shares(self.quantity)
        lots, shares_before, whole_before = list(self.lots), 0, 0
        cost_before = sum(lot.quantity * lot.price for lot in lots)
        self.lots.clear()
        for lot in lots:
            shares_before += lot.quantity
            quantity = split.shares(shares_before)[0] - whole_before
            whole_before += quantity
            if quantity:
                price = Price(_rounded(lot.quantity * lot.price, abs(quantity)) * (1 if quantity > 0 else -1))
                self.lots.append(msgspec.structs.replace(lot, quantity=quantity, price=price))
        cash = split.cash(rest, cash_price)
        self.realised_fifo += cash + sum(lot.quantity * lot.price for lot in self.lots) - cost_before
        self.realised_average += cash
        if not whole:
            self.realised_average -= self.cost
            self.cost = 0
        self.quantity = whole

    @property
    def average_price(self) -> int:
        """Return the average cost of a share that is open, rounded half up; 0 where none is."""
        return rounded(abs(self.cost), abs(self.quantity)) if self.quantity else 0

    def unrealised(self, mark: Price) -> tuple[Money, Money]:
        """Return what closing at a price would bring beyond the cost, by FIFO and by average cost."""
        value = self.quantity * mark
        fifo_cost = sum(lot.quantity * lot.price for lot in self.lots)
        return Money(value - fifo_cost), Money(value - self.cost)


class Fill(msgspec.Struct, frozen=True, gc=False):
    """One side of a trade. quantity: below zero for a sale; is_maker: its order rested in the book."""

    match_id: MatchId
    symbol_id: int
    quantity: int
    price: Price
    is_maker: bool
    time_ns: TimeNs
    business_date: int

    @property
    def shares(self) -> Quantity:
        """Return how many shares changed hands."""
        return Quantity(abs(self.quantity))


def _rounded(numerator: int, denominator: int) -> int:
    """Divide and round half away from zero, for costs that may be below zero."""
    return rounded(numerator, denominator) if numerator >= 0 else -rounded(-numerator, denominator)
