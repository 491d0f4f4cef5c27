"""What happened by corporate actions, and to short sales: events of the one numbered stream."""

from __future__ import annotations

from exchange.domain.corporate_action import HoldingCause
from exchange.domain.events import Event
from exchange.domain.units import AccountId, Money, OrderId, Price, Quantity, SymbolId


class SymbolSplit(Event, frozen=True, kw_only=True):
    """A symbol was split: `new_shares` for `old_shares`. What it did to orders, limits and holdings follows.

    old_reference, reference_price: live before and after; cash_price: at which fractions of a share are paid out.
    """

    new_shares: int
    old_shares: int
    old_reference: Price
    reference_price: Price
    cash_price: Price
    note: str


class SymbolRenamed(Event, frozen=True, kw_only=True):
    """A symbol has another ticker from now on; the old one points to it and is never given to another."""

    old_symbol: str
    symbol: str
    name: str


class DividendPaid(Event, frozen=True, kw_only=True):
    """A symbol went ex dividend; the orders that it lowered and what holders got follow. amount: money per share."""

    amount: Price
    old_reference: Price
    reference_price: Price
    note: str


class HoldingAdjusted(Event, frozen=True, kw_only=True):
    """A corporate action of the event's symbol changed what an account has. asset: 0 for cash, else the symbol.

    amount: money or shares, below zero where the account, being short, gave them; balance: afterwards.
    """

    account_id: AccountId
    cause: HoldingCause
    asset: SymbolId
    amount: Money
    balance: Money


class SpecialTermsAdjusted(Event, frozen=True, kw_only=True):
    """A corporate action changed an order's special terms; that the order changed is told next."""

    order_id: OrderId
    account_id: AccountId
    minimum_quantity: Quantity
    display_quantity: Quantity
    stop_price: Price
    trail_amount: Price
    trail_bps: int
    expires_ns: int


class ShortSaleTermsSet(Event, frozen=True, kw_only=True):
    """What is asked of short sales from now on. closing_price: what a decline is measured from, 0 for no trigger."""

    trigger_bps: int
    needs_locate: bool
    needs_marking: bool
    closing_price: Price


class ShortSaleRestricted(Event, frozen=True, kw_only=True):
    """Short sales must be above the best bid from now on, or with `is_restricted` false need not.

    days: business dates for which it holds, this one included; price: of the trade that caused it, 0 for none.
    closing_price: from which the next decline is measured.
    """

    is_restricted: bool
    days: int
    price: Price
    closing_price: Price
