"""Orders that are entered together and depend on each other. Numbers are those of FIX where FIX has one."""

from __future__ import annotations

from enum import IntEnum

import msgspec

from exchange.domain.order import CancelReason, SpecialTerms

ORDER_LISTS_MAX = 100_000
"""Order lists that live at a time; one more is refused."""


class Contingency(IntEnum):
    """How the orders of a list depend on each other. Numbers 1 and 2 are those of FIX 5.0 tag 1385."""

    ONE_CANCELS_OTHER = 1
    """A limit order and a stop order: what one fills the other has less, and both end together."""
    ONE_TRIGGERS_OTHER = 2
    """An entry, and an order that comes in once the entry is done, with what that filled."""
    BRACKET = 100
    """An entry, and a pair as above that comes in once the entry is done, with what that filled."""


ORDERS_OF = {
    Contingency.ONE_CANCELS_OTHER: 2,
    Contingency.ONE_TRIGGERS_OTHER: 2,
    Contingency.BRACKET: 3,
}
"""How many orders a list has."""


class ListEnd(IntEnum):
    """Why an order list is over."""

    FILLED = 1
    """One order of its pair was filled."""
    TRIGGERED = 2
    """The stop order of its pair was triggered."""
    CANCELLED = 3
    """An order of its pair was cancelled, or its entry by a person, or with nothing filled."""
    ENTERED = 4
    """The order that waited for the entry came in."""
    SUSPENDED = 5
    """Its entry ended while the symbol was suspended."""


BY_A_PERSON = (
    CancelReason.REQUESTED,
    CancelReason.OPERATOR,
    CancelReason.MASS_CANCEL,
    CancelReason.KILL_SWITCH,
    CancelReason.CANCEL_TIMER,
    CancelReason.CORPORATE_ACTION,
)
"""Who takes an entry back for these reasons does not want what waits for it; after a split nobody knows."""


class ListedOrder(msgspec.Struct, frozen=True, gc=False):
    """One order of a list, as it is entered; see `EnterOrder` and `SpecialTerms`."""

    side: int
    order_type: int
    time_in_force: int
    flags: int
    price: int
    quantity: int
    client_order_id: str = ""
    minimum_quantity: int = 0
    display_quantity: int = 0
    stop_price: int = 0
    trail_amount: int = 0
    trail_bps: int = 0
    expires_ns: int = 0

    @property
    def terms(self) -> SpecialTerms:
        """Return what it asks beyond price, quantity, time in force and flags."""
        return SpecialTerms(
            minimum_quantity=self.minimum_quantity, display_quantity=self.display_quantity,
            stop_price=self.stop_price, trail_amount=self.trail_amount, trail_bps=self.trail_bps,
            expires_ns=self.expires_ns,
        )  # fmt: skip
