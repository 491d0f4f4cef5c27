"""What happens to the queue of each price level, order by order, for those who want to know their place in it.

A change says how much of an order is left, 0 for none. An order that is not known yet is last in the queue at its
price; one that is known keeps its place. An order that loses its place is gone first, and then comes again.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from zlib import crc32

from exchange.market_data.book import BookOrder

CHECKSUM_ORDERS = 10

QueueChange = tuple[int, int, int, int]
"""Side, order id, price, quantity left."""


class QueueChanges:
    """Gathers the changes of the symbols that somebody wants. It is an `OrderWatcher` of the book builder."""

    def __init__(self) -> None:
        self._changes: dict[int, list[QueueChange]] = {}

    def want(self, symbol_id: int) -> None:
        """Gather the changes of a symbol from now on."""
        self._changes.setdefault(symbol_id, [])

    def leave(self, symbol_id: int) -> None:
        """Gather them no longer."""
        self._changes.pop(symbol_id, None)

    def take(self, symbol_id: int) -> list[QueueChange]:
        """Return what changed since the last time, in order, and forget it."""
        changes = self._changes.get(symbol_id)
        if not changes:
            return []
        self._changes[symbol_id] = []
        return changes

    # --- OrderWatcher -----------------------------------------------------------------------------

    def order_added(self, order: BookOrder, events: bytes, offset: int) -> None:
        """Note an order that rests, last in its queue."""
        self._note(order, order.leaves)

    def order_executed(self, order: BookOrder, leaves: int, events: bytes, offset: int) -> None:
        """Note what a trade leaves of an order, unless it is hidden."""
        if not order.hidden:
            self._note(order, leaves)

    def order_reduced(self, order: BookOrder, leaves: int, events: bytes, offset: int) -> None:
        """Note what its owner or the exchange leaves of an order."""
        self._note(order, leaves)

    def _note(self, order: BookOrder, leaves: int) -> None:
        changes = self._changes.get(order.symbol_id)
        if changes is not None:
            changes.append((order.side, order.order_id, order.price, leaves))


def queue_checksum(bids: Iterable[BookOrder], asks: Iterable[BookOrder]) -> int:
    """Return the CRC-32 over the orders given, bids then asks: id, price and quantity as int64, little-endian."""
    values = [
        value
        for orders in (bids, asks)
        for each in orders
        for value in (each.order_id, each.price, each.leaves)
    ]
    return crc32(struct.pack(f"<{len(values)}Q", *values))
