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

from exchange.domain import corporate_events as ce
from exchange.domain import events as e
from exchange.domain.order import OrderFlag, OrderType, Side, TimeInForce
from exchange.domain.trade import TradeCondition
from exchange.market_data.book import Book, BookOrder, LevelTotal
from exchange.wire.fields import RECORD_START, field_struct, kind_of, refuse_unknown
from exchange.wire.records import EVENT_HEADER, LAST_OF_COMMAND, ProtocolError

SNAPSHOT_MAGIC = b"XBK2"
SNAPSHOT_MAGIC_1 = b"XBK1"
"""Of snapshots in which all that rests is shown."""
_RESTING = (TimeInForce.DAY, TimeInForce.GTC, TimeInForce.GTD)

_ACCEPTED = field_struct(
    e.OrderAccepted,
    "symbol_id",
    "order_id",
    "side",
    "order_type",
    "time_in_force",
    "flags",
    "price",
    "quantity",
)
_REPLACED_ORDER = field_struct(e.OrderReplaced, "order_id")
_REPLACING_ORDER = field_struct(
    e.OrderReplaced,
    "symbol_id",
    "new_order_id",
    "side",
    "order_type",
    "time_in_force",
    "flags",
    "price",
    "quantity",
)
_CANCELLED = field_struct(e.OrderCancelled, "order_id")
_AMENDED = field_struct(e.OrderAmended, "order_id", "kept_priority", "price", "leaves")
_TERMS = field_struct(e.SpecialTermsAccepted, "order_id", "display_quantity")
_REPRICED = field_struct(e.OrderRepriced, "order_id", "price")
_REFRESHED = field_struct(e.OrderRefreshed, "order_id", "displayed", "leaves")
_TRIGGERED = field_struct(e.OrderTriggered, "order_id", "order_type", "time_in_force", "flags")
_EXECUTED = field_struct(
    e.TradeExecuted, "maker_order_id", "taker_order_id", "maker_leaves", "taker_leaves", "state"
)
_HIDDEN = OrderFlag.HIDDEN.value
_STOPS = (OrderType.STOP, OrderType.STOP_LIMIT)
_STAMP = field_struct(e.Event, "sequence", "time_ns")
_SNAPSHOT = struct.Struct("<4sQQII")
_SNAPSHOT_BOOK = struct.Struct("<IQ")
_SNAPSHOT_ORDER_1 = struct.Struct("<IBQII")
_SNAPSHOT_ORDER = struct.Struct("<IBQIIIIB")


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
    """Who is told what happens to each resting order, in that order, and by which event record.

    Of hidden orders only trades are told; of an iceberg `order.leaves` is what it shows.
    """

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
            kind_of(e.SpecialTermsAccepted): self._terms_accepted,
            kind_of(ce.SpecialTermsAdjusted): self._terms_adjusted,
            kind_of(e.OrderRepriced): self._repriced,
            kind_of(e.OrderRefreshed): self._refreshed,
            kind_of(e.OrderTriggered): self._triggered,
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
                parts += [_snapshot_order(each) for each in queue]
        parts += [_snapshot_order(each) for _, each in sorted(self.orders.items()) if each.hidden]
        return b"".join(parts)

    @classmethod
    def restore(cls, data: bytes, watcher: OrderWatcher | None = None) -> BookBuilder:
        """Read what `snapshot` wrote. Raise `ProtocolError` where it is something else."""
        if len(data) < _SNAPSHOT.size or not data.startswith((SNAPSHOT_MAGIC, SNAPSHOT_MAGIC_1)):
            raise ProtocolError(
                f"book snapshot: {len(data)} bytes that begin with {data[:4]!r}; written otherwise"
            )
        builder = cls(watcher)
        _, builder.sequence, builder.time_ns, books, orders = _SNAPSHOT.unpack_from(data)
        orders_at = _SNAPSHOT.size + books * _SNAPSHOT_BOOK.size
        order_layout = _SNAPSHOT_ORDER if data.startswith(SNAPSHOT_MAGIC) else _SNAPSHOT_ORDER_1
        size = orders_at + orders * order_layout.size
        if len(data) != size:
            raise ProtocolError(f"book snapshot: {len(data)} bytes, {size} expected; it is cut or damaged")
        for symbol_id, sequence in _SNAPSHOT_BOOK.iter_unpack(data[_SNAPSHOT.size : orders_at]):
            builder._book(symbol_id).sequence = sequence
        for values in order_layout.iter_unpack(data[orders_at:]):
            order = BookOrder(*values[:5])
            if len(values) > 5:
                order.reserve, order.display, order.hidden = values[5], values[6], bool(values[7])
            builder._add(order)
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
        self._settle(events, offset)
        values = _ACCEPTED.unpack_from(events, offset)
        symbol_id, order_id, side, order_type, time_in_force, flags, price, quantity = values
        rests = order_type != OrderType.MARKET and time_in_force in _RESTING
        incoming = self._incoming = BookOrder(symbol_id, side, order_id, price, quantity, rests)
        if flags & _HIDDEN or order_type in _STOPS:
            incoming.hidden = True

    def _terms_accepted(self, events: bytes, offset: int) -> None:
        order_id, display_quantity = _TERMS.unpack_from(events, offset)
        self._coming(order_id).display = display_quantity

    def _terms_adjusted(self, events: bytes, offset: int) -> None:
        order_id, display_quantity = _TERMS.unpack_from(events, offset)
        if self._incoming is not None:
            self._settle(events, offset)
        self.orders[order_id].display = display_quantity

    def _repriced(self, events: bytes, offset: int) -> None:
        order_id, price = _REPRICED.unpack_from(events, offset)
        if self._incoming is None or self._incoming.order_id != order_id:
            self._settle(events, offset)
            self._incoming = self.orders.pop(order_id)
        self._coming(order_id).price = price

    def _replaced(self, events: bytes, offset: int) -> None:
        old = self.orders[_REPLACED_ORDER.unpack_from(events, offset)[0]]
        self._remove(old, events, offset)
        values = _REPLACING_ORDER.unpack_from(events, offset)
        symbol_id, order_id, side, order_type, time_in_force, flags, price, quantity = values
        rests = order_type != OrderType.MARKET and time_in_force in _RESTING
        incoming = self._incoming = BookOrder(symbol_id, side, order_id, price, quantity, rests)
        incoming.display, incoming.hidden = old.display, flags & _HIDDEN != 0 or order_type in _STOPS

    def _cancelled(self, events: bytes, offset: int) -> None:
        (order_id,) = _CANCELLED.unpack_from(events, offset)
        incoming = self._incoming
        if incoming is not None and incoming.order_id == order_id:
            self._incoming = None
        else:
            self._remove(self.orders[order_id], events, offset)

    def _amended(self, events: bytes, offset: int) -> None:
        order_id, kept_priority, price, leaves = _AMENDED.unpack_from(events, offset)
        incoming = self._incoming
        if incoming is not None and incoming.order_id == order_id:
            incoming.leaves = leaves
            return
        if incoming is not None:
            self._settle(events, offset)
        order = self.orders[order_id]
        if kept_priority:
            shown = min(order.leaves, leaves)
            order.reserve = leaves - shown
            self._take_away(order, shown, events, offset)
        else:
            self._remove(order, events, offset)
            order.price, order.leaves = price, leaves
            self._incoming = order

    def _executed(self, events: bytes, offset: int) -> None:
        maker_id, taker_id, maker_leaves, taker_leaves, condition = _EXECUTED.unpack_from(events, offset)
        self._trade_resting(maker_id, maker_leaves, events, offset)
        if condition == TradeCondition.AUCTION:
            self._trade_resting(taker_id, taker_leaves, events, offset)
        else:
            self._coming(taker_id).leaves = taker_leaves

    def _trade_resting(self, order_id: int, all_leaves: int, events: bytes, offset: int) -> None:
        """Let an order trade that rests; in an auction both do."""
        order = self.orders[order_id]
        leaves = all_leaves - order.reserve
        if self._watcher is not None:
            self._watcher.order_executed(order, leaves, events, offset)
        self._reduce(order, leaves)

    def _refreshed(self, events: bytes, offset: int) -> None:
        order_id, displayed, leaves = _REFRESHED.unpack_from(events, offset)
        order = self.orders[order_id]
        order.leaves, order.reserve = displayed, leaves - displayed
        self._come_to_rest(order, events, offset)

    def _triggered(self, events: bytes, offset: int) -> None:
        """Let a stop order come in, after what came in before it is done."""
        order_id, order_type, time_in_force, flags = _TRIGGERED.unpack_from(events, offset)
        self._settle(events, offset)
        order = self._incoming = self.orders.pop(order_id)
        order.hidden = flags & _HIDDEN != 0
        order.rests = order_type != OrderType.MARKET and time_in_force in _RESTING

    def _coming(self, order_id: int) -> BookOrder:
        incoming = self._incoming
        assert incoming is not None, f"events of order {order_id}, and no order is coming in"
        assert incoming.order_id == order_id, f"order {order_id} trades, but {incoming.order_id} is coming in"
        return incoming

    def _take_away(self, order: BookOrder, leaves: int, events: bytes, offset: int) -> None:
        if self._watcher is not None and not order.hidden:
            self._watcher.order_reduced(order, leaves, events, offset)
        self._reduce(order, leaves)

    def _reduce(self, order: BookOrder, leaves: int) -> None:
        """Leave so much of an order in its queue; with nothing there and in reserve it is gone."""
        if order.hidden:
            order.leaves = leaves
        else:
            book = self.books[order.symbol_id]
            (book.bids if order.side == Side.BUY else book.asks).reduce(order, leaves)
            self._changed[book.symbol_id] = book
        if not leaves and not order.reserve:
            del self.orders[order.order_id]

    def _remove(self, order: BookOrder, events: bytes, offset: int) -> None:
        order.reserve = 0
        self._take_away(order, 0, events, offset)

    def _add(self, order: BookOrder) -> None:
        self.orders[order.order_id] = order
        if not order.hidden:
            book = self._book(order.symbol_id)
            (book.bids if order.side == Side.BUY else book.asks).add(order)
            self._changed[book.symbol_id] = book

    def _come_to_rest(self, order: BookOrder, events: bytes, offset: int) -> None:
        self._add(order)
        if self._watcher is not None and not order.hidden:
            self._watcher.order_added(order, events, offset)

    def _settle(self, events: bytes, offset: int) -> None:
        """Let what is left of the order that came in rest: had it been cancelled, its event would have said so.

        What may not rest, and is there nevertheless, waits unseen for an auction.
        """
        incoming, self._incoming = self._incoming, None
        if incoming is not None and incoming.leaves:
            incoming.hidden = incoming.hidden or not incoming.rests
            if not incoming.hidden and 0 < incoming.display < incoming.leaves:
                incoming.reserve = incoming.leaves - incoming.display
                incoming.leaves = incoming.display
            self._come_to_rest(incoming, events, offset)

    def _finish_command(self, events: bytes, offset: int) -> list[BookUpdate]:
        self._settle(events, offset)
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


def _snapshot_order(order: BookOrder) -> bytes:
    return _SNAPSHOT_ORDER.pack(
        order.symbol_id, order.side, order.order_id, order.price, order.leaves, order.reserve, order.display,
        order.hidden,
    )  # fmt: skip
