"""The messages of OUCH 5.0 as plain values: what a client sends, and what the exchange answers.

Texts are without their filling blanks, prices are integers of 1/10,000, times nanoseconds since midnight UTC. An
appendage is a run of (tag, value); `wire/ouch.py` has the layouts.
"""

from __future__ import annotations

import msgspec

Appendage = tuple[tuple[int, bytes], ...]


class Inbound(msgspec.Struct, frozen=True, kw_only=True):
    """What a client sends."""


class Outbound(msgspec.Struct, frozen=True, kw_only=True):
    """What the exchange sends. timestamp: nanoseconds since midnight, UTC."""

    timestamp: int


class EnterOrder(Inbound, frozen=True, kw_only=True):
    """A new order. user_ref_num: above every one used before."""

    user_ref_num: int
    side: str
    quantity: int
    symbol: str
    price: int
    time_in_force: str = "0"
    display: str = "Y"
    capacity: str = "A"
    intermarket_sweep: str = "N"
    cross_type: str = "N"
    cl_ord_id: str = ""
    appendage: Appendage = ()


class ReplaceOrder(Inbound, frozen=True, kw_only=True):
    """Cancel an order and enter another in its place; quantity: of the new one."""

    orig_user_ref_num: int
    user_ref_num: int
    quantity: int
    price: int
    time_in_force: str = "0"
    display: str = "Y"
    intermarket_sweep: str = "N"
    cl_ord_id: str = ""
    appendage: Appendage = ()


class CancelOrder(Inbound, frozen=True, kw_only=True):
    """Cancel an order, or make it smaller. quantity: its new whole size, executed part included; 0 for all."""

    user_ref_num: int
    quantity: int = 0
    appendage: Appendage = ()


class ModifyOrder(Inbound, frozen=True, kw_only=True):
    """Make an order smaller in its place. quantity: its new whole size, executed part included."""

    user_ref_num: int
    side: str
    quantity: int
    appendage: Appendage = ()


class MassCancel(Inbound, frozen=True, kw_only=True):
    """Cancel every live order of this session, or only those of a symbol."""

    user_ref_num: int
    firm: str = ""
    symbol: str = ""
    appendage: Appendage = ()


class DisableOrderEntry(Inbound, frozen=True, kw_only=True):
    """Have every further order of this session refused."""

    user_ref_num: int
    firm: str = ""
    appendage: Appendage = ()


class EnableOrderEntry(Inbound, frozen=True, kw_only=True):
    """Have orders of this session taken again."""

    user_ref_num: int
    firm: str = ""
    appendage: Appendage = ()


class AccountQuery(Inbound, frozen=True, kw_only=True):
    """Ask for the next usable user reference number."""

    appendage: Appendage = ()


class SystemEvent(Outbound, frozen=True, kw_only=True):
    """The day begins (S) or ends (E)."""

    event: str


class Accepted(Outbound, frozen=True, kw_only=True):
    """An order was taken."""

    user_ref_num: int
    side: str
    quantity: int
    symbol: str
    price: int
    time_in_force: str
    display: str
    order_reference: int
    capacity: str
    intermarket_sweep: str
    cross_type: str
    state: str
    cl_ord_id: str
    appendage: Appendage = ()


class Replaced(Outbound, frozen=True, kw_only=True):
    """An order gave way to another."""

    orig_user_ref_num: int
    user_ref_num: int
    side: str
    quantity: int
    symbol: str
    price: int
    time_in_force: str
    display: str
    order_reference: int
    capacity: str
    intermarket_sweep: str
    cross_type: str
    state: str
    cl_ord_id: str
    appendage: Appendage = ()


class Canceled(Outbound, frozen=True, kw_only=True):
    """So many shares of an order are gone without trading."""

    user_ref_num: int
    decrement: int
    reason: str


class AiqCanceled(Outbound, frozen=True, kw_only=True):
    """Shares of an order are gone because it would have traded with its own owner."""

    user_ref_num: int
    decrement: int
    reason: str
    quantity_prevented: int
    price: int
    liquidity: str


class Executed(Outbound, frozen=True, kw_only=True):
    """An order traded. liquidity: A added, R removed."""

    user_ref_num: int
    quantity: int
    price: int
    liquidity: str
    match_number: int
    appendage: Appendage = ()


class BrokenTrade(Outbound, frozen=True, kw_only=True):
    """A trade is void. reason: E erroneous, C consent, S supervisory, X external."""

    user_ref_num: int
    match_number: int
    reason: str
    cl_ord_id: str


class TradeCorrection(Outbound, frozen=True, kw_only=True):
    """A trade has another price or less quantity; both as they are now."""

    user_ref_num: int
    quantity: int
    price: int
    liquidity: str
    match_number: int
    reason: str
    cl_ord_id: str


class Rejected(Outbound, frozen=True, kw_only=True):
    """An order, or a replacement, was refused. reason: see `wire/ouch_codes.py`."""

    user_ref_num: int
    reason: int
    cl_ord_id: str


class CancelPending(Outbound, frozen=True, kw_only=True):
    """A cancel waits for a cross."""

    user_ref_num: int


class CancelRejected(Outbound, frozen=True, kw_only=True):
    """A cancel was refused."""

    user_ref_num: int


class PriorityUpdate(Outbound, frozen=True, kw_only=True):
    """An order has a new place in the queue."""

    user_ref_num: int
    price: int
    display: str
    order_reference: int


class Modified(Outbound, frozen=True, kw_only=True):
    """An order has a new size."""

    user_ref_num: int
    side: str
    quantity: int


class Restated(Outbound, frozen=True, kw_only=True):
    """An order was changed by other means. reason: R refreshed, P new price; appendage: tags 22 and 23."""

    user_ref_num: int
    reason: str
    appendage: Appendage = ()


class MassCancelResponse(Outbound, frozen=True, kw_only=True):
    """All orders of a mass cancel are gone."""

    user_ref_num: int
    firm: str
    symbol: str
    appendage: Appendage = ()


class DisableOrderEntryResponse(Outbound, frozen=True, kw_only=True):
    """Orders of this session are refused from now on."""

    user_ref_num: int
    firm: str
    appendage: Appendage = ()


class EnableOrderEntryResponse(Outbound, frozen=True, kw_only=True):
    """Orders of this session are taken again."""

    user_ref_num: int
    firm: str
    appendage: Appendage = ()


class AccountQueryResponse(Outbound, frozen=True, kw_only=True):
    """The next usable user reference number."""

    next_user_ref_num: int
