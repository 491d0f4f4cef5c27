"""Positions: what each account has bought, sold and brought in of each symbol, by the stream of events.

A position is kept as sums, so that a bust takes out exactly what its trade put in, whatever came between, and
the order of events does not matter. It is computed from the events and not from the ledger, so that each can
be held against the other.
"""

from __future__ import annotations

import msgspec

from exchange.domain.units import Money
from exchange.post_trade.trade import Trade


class Position(msgspec.Struct, gc=False):
    """What an account has of a symbol and what it paid.

    deposited: shares brought in less shares taken out.
    """

    deposited: int = 0
    bought: int = 0
    sold: int = 0
    bought_notional: int = 0
    sold_notional: int = 0

    @property
    def quantity(self) -> int:
        """Return the shares held; below zero is short."""
        return self.deposited + self.bought - self.sold

    @property
    def traded(self) -> int:
        """Return the shares held from trading alone."""
        return self.bought - self.sold

    @property
    def cost(self) -> int:
        """Return the money paid for what was bought less the money received for what was sold."""
        return self.bought_notional - self.sold_notional

    @property
    def average_price(self) -> int:
        """Return the average price of the side that trading left open, rounded half up; 0 where none is.

        Long: of everything bought; short: of everything sold.
        """
        if self.traded > 0:
            return rounded(self.bought_notional, self.bought)
        return rounded(self.sold_notional, self.sold) if self.traded < 0 else 0


class Positions:
    """The positions of all accounts, and the cash that each has paid or received in trades.

    `touched` holds the (account, symbol) pairs that changed since `forget_touched`, for whoever stores them.
    """

    def __init__(self, positions: dict[tuple[int, int], Position] | None = None) -> None:
        self.positions = positions if positions is not None else {}
        self.paid: dict[int, int] = {}
        for (account_id, _), position in self.positions.items():
            self.paid[account_id] = self.paid.get(account_id, 0) + position.cost
        self.touched: dict[tuple[int, int], Position] = {}

    def add_trade(self, trade: Trade) -> None:
        """Take a trade's facts in."""
        self._move(trade, 1)

    def remove_trade(self, trade: Trade) -> None:
        """Take a trade's facts out again."""
        self._move(trade, -1)

    def move_shares(self, account_id: int, symbol_id: int, quantity: int) -> None:
        """Take in shares that were deposited, or with a quantity below zero, withdrawn."""
        self._touch(account_id, symbol_id).deposited += quantity

    def cash_paid(self, account_id: int) -> Money:
        """Return what an account paid in all its trades, less what it received."""
        return Money(self.paid.get(account_id, 0))

    def forget_touched(self) -> None:
        """Take note that the positions in `touched` are stored."""
        self.touched = {}

    def _move(self, trade: Trade, sign: int) -> None:
        buyer_id, seller_id, symbol_id = trade.buy_account_id, trade.sell_account_id, trade.symbol_id
        quantity, notional = sign * trade.quantity, sign * trade.notional
        buyer = self._touch(buyer_id, symbol_id)
        buyer.bought += quantity
        buyer.bought_notional += notional
        seller = self._touch(seller_id, symbol_id)
        seller.sold += quantity
        seller.sold_notional += notional
        paid = self.paid
        paid[buyer_id] = paid.get(buyer_id, 0) + notional
        paid[seller_id] = paid.get(seller_id, 0) - notional

    def _touch(self, account_id: int, symbol_id: int) -> Position:
        pair = account_id, symbol_id
        position = self.positions.get(pair)
        if position is None:
            position = self.positions[pair] = Position()
        self.touched[pair] = position
        return position


def rounded(notional: int, quantity: int) -> int:
    """Divide money by shares, rounding half up; both at least 0, and 0 shares give 0."""
    return (2 * notional + quantity) // (2 * quantity) if quantity else 0
