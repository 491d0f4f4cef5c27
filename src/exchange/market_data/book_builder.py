"""Rebuild every order book from the event stream, order by order, and say after each command what changed.

An order that comes in stands aside as *incoming* until its command is over: only then is it known whether
something is left of it that may rest. So the books equal the venue's after the last event of a command, and
are not looked at in between.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Protocol

import msgspec

from exchange.domain import events as e
from exchange.domain.order import OrderType, Side, TimeInForce
from exchange.market_data.book import Book, BookOrder, LevelTotal
from exchange.wire.fields import RECORD_START, field_struct, kind_of, refuse_unknown
from exchange.wire.records import EVENT_HEADER, LAST_OF_COMMAND, ProtocolError

SNAPSHOT_MAGIC = b"XBK1"
_RESTING = (TimeInForce.DAY, TimeInForce.GTC)

_ACCEPTED = field_struct(
    e.OrderAccepted, "symbol_id", "order_id", "side", "order_type", "time_in_force", "price", "quantity"
)
_REPLACED_ORDER = field_struct(e.OrderReplaced, "order_id")
_REPLACING_ORDER = field_struct(
    e.OrderReplaced, "symbol_id", "new_order_id", "side", "order_type", "time_in_force", "price", "quantity"
)
_CANCELLED = field_struct(e.OrderCancelled, "order_id")
_AMENDED = field_struct(e.OrderAmended, "order_id", "kept_priority", "price", "leaves")
_EXECUTED = field_struct(e.TradeExecuted, "maker_order_id", "taker_order_id", "maker_leaves", "taker_leaves")
_STAMP = field_struct(e.Event, "sequence", "time_ns")
_SNAPSHOT = struct.Struct("<4sQQII")
_SNAPSHOT_BOOK = struct.Struct("<IQ")
_SNAPSHOT_ORDER = struct.Struct("<IBQII")


class BookUpdate(msgspec.Struct, frozen=True, gc=False):
    """What one command changed in one book: the levels touched, as they are after it.

    sequence: of the command's last event; prev_sequence: that of the book's update before, 0 for the first.
    """

    symbol_id: int
    sequence: int
    prev_sequence: int
    time_ns: int
    bids: list[LevelTotal]
    asks: list[LevelTotal]
    best_bid: LevelTotal | None
    best_ask: LevelTotal | None
    checksum: int


class OrderWatcher(Protocol):
    """Who is told what happens to each resting order, in that order, and by which event record."""

    def order_added(self, order: BookOrder, events: bytes, offset: int) -> None:
        """An order rests from now on, last in its queue, with `order.leaves` shares."""

    def order_executed(self, order: BookOrder, leaves: int, events: bytes, offset: int) -> None:
        """A trade is about to leave so much of a resting order."""

    def order_reduced(self, order: BookOrder, leaves: int, events: bytes, offset: int) -> None:
        """Its owner or the exchange is about to leave so much of a resting order; with 0 it is gone."""


class BookBuilder:
    """All order books of one partition, fed with event records. sequence, time_ns: of the last event taken in.

    watcher: told of each resting order, if anybody is.
    """

    def __init__(self, watcher: OrderWatcher | None = None) -> None:
        self.books: dict[int, Book] = {}
        self.orders: dict[int, BookOrder] = {}
        self.sequence = 0
        self.time_ns = 0
        self._watcher = watcher
        self._incoming: BookOrder | None = None
        self._changed: dict[int, Book] = {}
        self._handlers: dict[int, Callable[[bytes, int], None]] = {
            kind_of(e.OrderAccepted): self._accepted,
            kind_of(e.OrderCancelled): self._cancelled,
            kind_of(e.OrderAmended): self._amended,
            kind_of(e.OrderReplaced): self._replaced,
            kind_of(e.TradeExecuted): self._executed,
        }

    def watch(self, watcher: OrderWatcher | None) -> None:
        """Tell somebody, or nobody, of each resting order from now on, in the place of who was told before."""
        self._watcher = watcher

    def apply(self, events: bytes) -> list[BookUpdate]:
        """Take event records of whole commands in; return what each command changed, in order."""
        return list(self.follow(events))

    def follow(self, events: bytes) -> Iterator[BookUpdate]:
        """Do what `apply` does, command by command: with each update the books stand as after its command.

        It must be run to its end.
        """
        handlers = self._handlers
        offset = last = 0
        end = len(events)
        while offset < end:
            length, kind, flags = RECORD_START.unpack_from(events, offset)
            handler = handlers.get(kind)
            if handler is not None:
                handler(events, offset)
            else:
                refuse_unknown(kind, offset)
            if flags & LAST_OF_COMMAND and (self._incoming is not None or self._changed):
                yield from self._finish_command(events, offset)
            if length < EVENT_HEADER.size:
                raise ProtocolError(f"length at offset {offset}: {length} is less than any event has")
            last = offset
            offset += length
        if end:
            self.sequence, self.time_ns = _STAMP.unpack_from(events, last)

    def book(self, symbol_id: int) -> Book:
        """Return the book of a symbol, empty if nothing ever rested in it."""
        return self.books.get(symbol_id) or Book(symbol_id)

    def snapshot(self) -> bytes:
        """Write the state between two commands. Equal states give equal bytes."""
        assert self._incoming is None, "a snapshot is taken between commands"
        books = [self.books[symbol_id] for symbol_id in sorted(self.books)]
        parts = [_SNAPSHOT.pack(SNAPSHOT_MAGIC, self.sequence, self.time_ns, len(books), len(self.orders))]
        parts += [_SNAPSHOT_BOOK.pack(book.symbol_id, book.sequence) for book in books]
        for book in books:
            for queue in book.queues():
                parts += [
                    _SNAPSHOT_ORDER.pack(each.symbol_id, each.side, each.order_id, each.price, each.leaves)
                    for each in queue
                ]
        return b"".join(parts)

    @classmethod
    def restore(cls, data: bytes, watcher: OrderWatcher | None = None) -> BookBuilder:
        """Read what `snapshot` wrote. Raise `ProtocolError` where it is something else."""
        if len(data) < _SNAPSHOT.size or not data.startswith(SNAPSHOT_MAGIC):
            raise ProtocolError(
                f"book snapshot: {len(data)} bytes that begin with {data[:4]!r}; written otherwise"
            )
        builder = cls(watcher)
        _, builder.sequence, builder.time_ns, books, orders = _SNAPSHOT.unpack_from(data)
        orders_at = _SNAPSHOT.size + books * _SNAPSHOT_BOOK.size
        size = orders_at + orders * _SNAPSHOT_ORDER.size
        if len(data) != size:
            raise ProtocolError(f"book snapshot: {len(data)} bytes, {size} expected; it is cut or damaged")
        for symbol_id, sequence in _SNAPSHOT_BOOK.iter_unpack(data[_SNAPSHOT.size : orders_at]):
            builder._book(symbol_id).sequence = sequence
        for values in _SNAPSHOT_ORDER.iter_unpack(data[orders_at:]):
            builder._add(BookOrder(*values))
        for book in builder._changed.values():
            book.bids.take_changes()
            book.asks.take_changes()
        builder._changed.clear()
        return builder

    def _book(self, symbol_id: int) -> Book:
        book = self.books.get(symbol_id)
        if book is None:
            book = self.books[symbol_id] = Book(symbol_id)
        return book

    def _accepted(self, events: bytes, offset: int) -> None:
        values = _ACCEPTED.unpack_from(events, offset)
        symbol_id, order_id, side, order_type, time_in_force, price, quantity = values
        rests = order_type == OrderType.LIMIT and time_in_force in _RESTING
        self._incoming = BookOrder(symbol_id, side, order_id, price, quantity, rests)

    def _replaced(self, events: bytes, offset: int) -> None:
        self._take_away(self.orders[_REPLACED_ORDER.unpack_from(events, offset)[0]], 0, events, offset)
        values = _REPLACING_ORDER.unpack_from(events, offset)
        symbol_id, order_id, side, order_type, time_in_force, price, quantity = values
        rests = order_type == OrderType.LIMIT and time_in_force in _RESTING
        self._incoming = BookOrder(symbol_id, side, order_id, price, quantity, rests)

    def _cancelled(self, events: bytes, offset: int) -> None:
        (order_id,) = _CANCELLED.unpack_from(events, offset)
        incoming = self._incoming
        if incoming is not None and incoming.order_id == order_id:
            self._incoming = None
        else:
            self._take_away(self.orders[order_id], 0, events, offset)

    def _amended(self, events: bytes, offset: int) -> None:
        order_id, kept_priority, price, leaves = _AMENDED.unpack_from(events, offset)
        order = self.orders[order_id]
        if kept_priority:
            self._take_away(order, leaves, events, offset)
        else:
            self._take_away(order, 0, events, offset)
            order.price, order.leaves = price, leaves
            self._incoming = order

    def _executed(self, events: bytes, offset: int) -> None:
        maker_id, taker_id, maker_leaves, taker_leaves = _EXECUTED.unpack_from(events, offset)
        maker = self.orders[maker_id]
        if self._watcher is not None:
            self._watcher.order_executed(maker, maker_leaves, events, offset)
        self._reduce(maker, maker_leaves)
        incoming = self._incoming
        assert incoming is not None, f"trade of order {taker_id}, and no order is coming in"
        assert incoming.order_id == taker_id, f"order {taker_id} trades, but {incoming.order_id} is coming in"
        incoming.leaves = taker_leaves

    def _take_away(self, order: BookOrder, leaves: int, events: bytes, offset: int) -> None:
        if self._watcher is not None:
            self._watcher.order_reduced(order, leaves, events, offset)
        self._reduce(order, leaves)

    def _reduce(self, order: BookOrder, leaves: int) -> None:
        book = self.books[order.symbol_id]
        (book.bids if order.side == Side.BUY else book.asks).reduce(order, leaves)
        if not leaves:
            del self.orders[order.order_id]
        self._changed[book.symbol_id] = book

    def _add(self, order: BookOrder) -> None:
        book = self._book(order.symbol_id)
        (book.bids if order.side == Side.BUY else book.asks).add(order)
        self.orders[order.order_id] = order
        self._changed[book.symbol_id] = book

    def _finish_command(self, events: bytes, offset: int) -> list[BookUpdate]:
        incoming = self._incoming
        if incoming is not None:
            self._incoming = None
            if incoming.leaves and incoming.rests:
                self._add(incoming)
                if self._watcher is not None:
                    self._watcher.order_added(incoming, events, offset)
        sequence, time_ns = _STAMP.unpack_from(events, offset)
        updates = []
        for book in self._changed.values():
            bids, asks = book.bids, book.asks
            bid_changes, ask_changes = bids.take_changes(), asks.take_changes()
            updates.append(
                BookUpdate(
                    book.symbol_id, sequence, book.sequence, time_ns, bid_changes, ask_changes,
                    bids.best, asks.best, book.checksum(),
                )
            )  # fmt: skip
            book.sequence = sequence
        self._changed.clear()
        return updates
