"""What a subscriber has not been told yet of a book: all of it, or only of the best levels, merged over time.

Nothing here decides when to tell: after every command, or now and then.
"""

from __future__ import annotations

from typing import Protocol

from exchange.market_data.book import Book, LevelTotal
from exchange.market_data.book_builder import BookUpdate

Changes = tuple[list[LevelTotal], list[LevelTotal]]
"""Bid and ask levels that changed, as they are now; quantity 0 where a level is gone."""


class View(Protocol):
    """One way to look at a book. depth: levels a side, 0 for all."""

    depth: int

    def add(self, update: BookUpdate) -> None:
        """Take in what a command changed."""

    def take(self, book: Book) -> Changes:
        """Return what changed since the last time, and forget it. book: as it is now."""


class WholeBook:
    """All levels of a book."""

    depth = 0

    def __init__(self) -> None:
        self._bids: dict[int, LevelTotal] = {}
        self._asks: dict[int, LevelTotal] = {}

    def add(self, update: BookUpdate) -> None:
        """Take in what a command changed."""
        for level in update.bids:
            self._bids[level[0]] = level
        for level in update.asks:
            self._asks[level[0]] = level

    def take(self, book: Book) -> Changes:
        """Return what changed since the last time, and forget it."""
        changes = list(self._bids.values()), list(self._asks.values())
        self._bids, self._asks = {}, {}
        return changes


class BestLevels:
    """The best levels of a book: one that moves into view is a change, and so is one that moves out."""

    def __init__(self, depth: int, book: Book) -> None:
        assert depth > 0, "all levels are a WholeBook"
        self.depth = depth
        self._shown = book.totals(depth)

    def add(self, update: BookUpdate) -> None:
        """Take in what a command changed: nothing to do, for `take` compares what is in view."""

    def take(self, book: Book) -> Changes:
        """Return what changed in view since the last time."""
        before, self._shown = self._shown, book.totals(self.depth)
        return _difference(before[0], self._shown[0]), _difference(before[1], self._shown[1])


def _difference(before: list[LevelTotal], now: list[LevelTotal]) -> list[LevelTotal]:
    if before == now:
        return []
    known = {level[0]: level for level in before}
    changed = [level for level in now if known.pop(level[0], None) != level]
    return [(price, 0, 0) for price in known] + changed
