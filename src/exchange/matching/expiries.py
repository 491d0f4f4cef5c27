"""When the orders end that are good till a time."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapify, heappop, heappush

ENDED_KEPT = 64
"""Entries of ended orders that may always stay; beyond it they are at most as many as the live ones were lately."""


class Expiries:
    """The ends of live orders, soonest first. is_live: tells whether an order is live; ended ones drop out late."""

    __slots__ = ("_clear_at", "_is_live", "_queue")

    def __init__(self, is_live: Callable[[int], bool]) -> None:
        self._is_live = is_live
        self._queue: list[tuple[int, int]] = []
        self._clear_at = ENDED_KEPT

    def add(self, expires_ns: int, order_id: int) -> None:
        """Note when an order ends, 0 for never; the order need not be live yet."""
        if not expires_ns:
            return
        if len(self._queue) >= self._clear_at:
            self._queue = [entry for entry in self._queue if self._is_live(entry[1])]
            heapify(self._queue)
            self._clear_at = 2 * len(self._queue) + ENDED_KEPT
        heappush(self._queue, (expires_ns, order_id))

    def next_ns(self) -> int:
        """Return when the next live order ends, 0 for never."""
        while self._queue:
            expires_ns, order_id = self._queue[0]
            if self._is_live(order_id):
                return expires_ns
            heappop(self._queue)
        return 0

    def take_due(self, now_ns: int) -> int:
        """Take out the live order that ends soonest, of several the oldest, if its time is over; return its id or 0."""
        expires_ns = self.next_ns()
        return heappop(self._queue)[1] if 0 < expires_ns <= now_ns else 0
