"""The client order ids each account has used on this business date: a repeated order does nothing.

An id that begins with `~` belongs to a binary session. Its numbers only rise, so no id comes twice and none is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from exchange.domain.commands import ReplaceOrder
from exchange.wire.records import number_of

ORDER_ID_BYTES = 8
SESSION_MARK = "~"
"""The first character of the ids of binary sessions (`wire/ouch_reference.py`)."""
REPLACE_ORDER = number_of(ReplaceOrder)


class FirstUse(msgspec.Struct, frozen=True, gc=False):
    """What came first under a client order id.

    order_id: the order it made; command_type: of the command's record; body: the 20 bytes of its body before
    the client order id (of an order with special terms the XXH3-128 of its body, and zeros), so that the same body
    means the same order. A day has a million of them, so they are kept
    out of the garbage collector's sight: walking over them stopped the engine for a quarter of a second.
    """

    order_id: int
    command_type: int
    body: bytes


class ClientOrderIds:
    """A table per account, at most `maximum` ids each; when full, orders with a new id are rejected that day.

    Only accepted orders are remembered: a rejected one may be sent again under its id.
    """

    def __init__(self, maximum: int) -> None:
        self.maximum = maximum
        self._used: dict[int, dict[str, FirstUse]] = {}
        self._replaced: dict[int, int] = {}

    def find(self, account_id: int, client_order_id: str) -> FirstUse | None:
        """Return what an account used this id for, if it did."""
        used = self._used.get(account_id)
        return used.get(client_order_id) if used else None

    def count(self, account_id: int) -> int:
        """Return how many ids an account has used."""
        return len(self._used.get(account_id, ()))

    def account_of_replaced(self, order_id: int) -> int:
        """Return the account of an order that is gone because a replace with an id took its place, else 0."""
        return self._replaced.get(order_id, 0)

    def remember(self, account_id: int, client_order_id: str, first: FirstUse) -> None:
        """Note the first use of an id, but for one of a session."""
        if client_order_id.startswith(SESSION_MARK):
            return
        self._used.setdefault(account_id, {})[client_order_id] = first
        if first.command_type == REPLACE_ORDER:
            self._replaced[int.from_bytes(first.body[:ORDER_ID_BYTES], "little")] = account_id

    def forget_all_but(self, is_live: Callable[[int], bool]) -> None:
        """Start a business date: only ids of live orders stay."""
        kept = [entry for entry in self.entries() if is_live(entry[2].order_id)]
        self._used.clear()
        self._replaced.clear()
        for account_id, client_order_id, first in kept:
            self.remember(account_id, client_order_id, first)

    def entries(self) -> Iterator[tuple[int, str, FirstUse]]:
        """Give (account id, client order id, first use), by account, then in the sequence of use."""
        for account_id in sorted(self._used):
            for client_order_id, first in self._used[account_id].items():
                yield account_id, client_order_id, first
