"""What happened to order lists, pegged orders and quotes; `events.py` has all events."""

from __future__ import annotations

from exchange.domain.event import Event
from exchange.domain.order import PegKind
from exchange.domain.order_list import ListedOrder, ListEnd
from exchange.domain.quote import ProtectionKind
from exchange.domain.reasons import Reason
from exchange.domain.units import AccountId, OrderId, Price, Quantity


class OrderListAccepted(Event, frozen=True, kw_only=True):
    """An order list was taken. list_id: the id of its first order; the second has the id before, and so on.

    Orders that come in at once are accepted within the same command, those that wait when they come in.
    """

    list_id: OrderId
    account_id: AccountId
    contingency: int
    orders: tuple[ListedOrder, ...]


class OrderListTriggered(Event, frozen=True, kw_only=True):
    """The entry of a list is done: what waited for it comes in now, with what the entry filled."""

    list_id: OrderId
    account_id: AccountId
    order_id: OrderId
    quantity: Quantity


class OrderListEnded(Event, frozen=True, kw_only=True):
    """The orders of a list do not depend on each other any more. order_id: the one whose end or trigger ended it."""

    list_id: OrderId
    account_id: AccountId
    order_id: OrderId
    end: ListEnd


class PegAccepted(Event, frozen=True, kw_only=True):
    """How the order that the event before took gets its price; its price is told whenever it changes."""

    order_id: OrderId
    account_id: AccountId
    kind: PegKind
    offset: int
    limit: Price


class QuoteAccepted(Event, frozen=True, kw_only=True):
    """A quote was taken in place of the one before. bid_order_id, ask_order_id: of its sides, 0 for none.

    The cancels of the one before and the acceptance of its orders follow within the same command.
    """

    account_id: AccountId
    quote_id: int
    bid_order_id: OrderId
    ask_order_id: OrderId


class QuoteRejected(Event, frozen=True, kw_only=True):
    """A quote was refused; the one before it stays."""

    account_id: AccountId
    quote_id: int
    reason: Reason
    measured: int
    limit: int


class QuotesCancelled(Event, frozen=True, kw_only=True):
    """An account's quotes were withdrawn. count: of orders."""

    account_id: AccountId
    count: int


class QuoteProtectionSet(Event, frozen=True, kw_only=True):
    """An account's quotes are protected so in a symbol, or with 0 all together; a window of 0 is not at all."""

    account_id: AccountId
    quantity: int
    executions: int
    percent_bps: int
    delta: int
    window_ms: int


class QuoteProtectionReached(Event, frozen=True, kw_only=True):
    """A protection was reached: the quotes are withdrawn, and none is taken until it is reset."""

    account_id: AccountId
    kind: ProtectionKind
    measured: int
    limit: int


class QuoteProtectionReset(Event, frozen=True, kw_only=True):
    """An account may quote again."""

    account_id: AccountId
