"""An order book that keeps itself right: it takes the stream's messages in, checks each, and says when it is stale.

A book is *live* or *stale*. It begins stale, a snapshot makes it live, and these make it stale again: a message that
does not follow the one before, a checksum that is not its own, the loss of the connection, an exchange that says that
nothing new comes. While it is stale its levels stay what they were; `stale` says why, `as_of` how far they are right.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from decimal import Decimal
from itertools import islice
from typing import NamedTuple
from zlib import crc32

from exchange.domain.units import format_price, parse_price
from exchange.wire.rest.stream import BookDelta, BookSnapshot, LevelText

CHECKSUM_LEVELS = 10
NOTHING_YET = "no snapshot has come yet"


class Level(NamedTuple):
    """One price level: quantity in shares, orders: how many they are."""

    price: Decimal
    quantity: int
    orders: int


class BookSide:
    """One side by price in 1/10,000; `best` sorts it, which is remembered until it changes."""

    def __init__(self, sign: int) -> None:
        self._sign = sign
        self._levels: dict[int, tuple[int, int]] = {}
        self._sorted: list[int] | None = None

    def __len__(self) -> int:
        """Return the number of price levels."""
        return len(self._levels)

    def __iter__(self) -> Iterator[Level]:
        """Give the levels, best first."""
        for price in self._prices():
            yield Level(Decimal(format_price(price)), *self._levels[price])

    def best(self, count: int = 1) -> list[Level]:
        """Return so many levels at most, best first."""
        return list(islice(self, count))

    def clear(self) -> None:
        """Forget all levels."""
        self._levels.clear()
        self._sorted = None

    def put(self, level: LevelText) -> None:
        """Take a level as it is now; quantity 0: it is gone."""
        price, quantity = parse_price(level[0]), int(level[1])
        if quantity:
            if price not in self._levels:
                self._sorted = None
            self._levels[price] = quantity, level[2]
        elif self._levels.pop(price, None) is not None:
            self._sorted = None

    def top(self) -> list[int]:
        """Return price and quantity of the ten best levels, one after the other, as the checksum takes them."""
        return [n for price in self._prices()[:CHECKSUM_LEVELS] for n in (price, self._levels[price][0])]

    def _prices(self) -> list[int]:
        if self._sorted is None:
            self._sorted = sorted(self._levels, reverse=self._sign > 0)
        return self._sorted


class Book:
    """One symbol's book. seq: of the last message taken in; as_of: the event up to which the levels are right."""

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.bids = BookSide(1)
        self.asks = BookSide(-1)
        self.seq = 0
        self.as_of = 0
        self.at = ""
        self._stale = NOTHING_YET
        self._not_before = 0

    @property
    def stale(self) -> str:
        """Return why the book may be wrong; empty while it is right."""
        return self._stale

    @property
    def is_live(self) -> bool:
        """Tell whether the book is right."""
        return not self._stale

    def take(self, message: BookSnapshot | BookDelta, up_to: int = 0) -> bool:
        """Take the next message in; tell whether it could be. Where not, the book is stale and needs a snapshot.

        up_to: the event up to which the source of a snapshot is known to be complete, if it is later than the book's.
        """
        if isinstance(message, BookSnapshot):
            self.bids.clear()
            self.asks.clear()
        elif message.seq <= self.seq:
            return True
        elif message.prev_seq != self.seq:
            self._stale = f"a message is missing: one follows {message.prev_seq}, the book is at {self.seq}"
            return False
        for level in message.bids:
            self.bids.put(level)
        for level in message.asks:
            self.asks.put(level)
        if (checksum := self.checksum()) != message.checksum:
            self._stale = f"the checksum is {checksum}, the exchange's {message.checksum}"
            return False
        self.seq = message.seq
        self.at = message.at if isinstance(message, BookDelta) else self.at
        self.confirm(max(message.seq, up_to) if isinstance(message, BookSnapshot) else message.seq)
        return True

    def confirm(self, sequence: int) -> None:
        """Take notice that the book is right up to an event; a source that is behind what was seen keeps it stale."""
        if sequence < self._not_before:
            self._stale = f"its source is at event {sequence}, behind {self._not_before} that was seen before"
            return
        self.as_of = self._not_before = sequence
        self._stale = ""

    def doubt(self, why: str) -> None:
        """Say that the book may be wrong from now on, and why."""
        self._stale = why

    def checksum(self) -> int:
        """Return the CRC-32 over the ten best levels, bids then asks: price and quantity as int64, little-endian."""
        numbers = self.bids.top() + self.asks.top()
        return crc32(struct.pack(f"<{len(numbers)}q", *numbers))

    def __repr__(self) -> str:
        """Show the best prices and the state."""
        bid, ask = (f"{side.best()[0].price}" if len(side) else "-" for side in (self.bids, self.asks))
        return f"<Book {self.symbol} {bid} / {ask} at {self.seq}, {self._stale or 'live'}>"
