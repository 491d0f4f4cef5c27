"""Cash and shares per account, as deposits, withdrawals, trades, busts and corrections move them."""

from __future__ import annotations

CASH = 0
"""Stands where a symbol id would: the account's money, in 1/10,000 of a currency unit."""


class Holdings:
    """What every account has. A trade may overdraw both sides: buying power is checked elsewhere."""

    __slots__ = ("balances",)

    def __init__(self) -> None:
        self.balances: dict[tuple[int, int], int] = {}
        """By (account id, symbol id or CASH); an account without an entry has 0."""

    def balance(self, account_id: int, symbol_id: int) -> int:
        """Return an account's shares of a symbol, or its cash."""
        return self.balances.get((account_id, symbol_id), 0)

    def add(self, account_id: int, symbol_id: int, amount: int) -> int:
        """Bring in shares or cash, or take them out where negative; return the balance afterwards."""
        balance = self.balances.get((account_id, symbol_id), 0) + amount
        self.balances[account_id, symbol_id] = balance
        return balance

    def trade(self, *, buyer: int, seller: int, symbol_id: int, price: int, quantity: int) -> None:
        """Move shares from the seller's account to the buyer's, and the money the other way."""
        notional = price * quantity
        self.add(buyer, symbol_id, quantity)
        self.add(seller, symbol_id, -quantity)
        self.add(seller, CASH, notional)
        self.add(buyer, CASH, -notional)

    def undo_trade(self, *, buyer: int, seller: int, symbol_id: int, price: int, quantity: int) -> None:
        """Move back what a trade moved."""
        self.trade(buyer=seller, seller=buyer, symbol_id=symbol_id, price=price, quantity=quantity)
