"""The one numbered stream of events: numbers them, writes their records, and keeps the running hash.

The running hash is XXH3-64 over the bytes of all events of one command, seeded with the hash before; a
command without events leaves it. So it does not depend on how commands were batched.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import Any, NamedTuple, TypeVar

import msgspec
from xxhash import xxh3_64_intdigest

from exchange.domain import events as e
from exchange.domain.order import CancelReason
from exchange.domain.reasons import Reason
from exchange.domain.trade import TradeCondition
from exchange.domain.units import SymbolId
from exchange.matching.order_book import NOTED, RestingOrder
from exchange.wire.records import (
    EVENT_HEADER,
    FLAGS_OFFSET,
    LAST_OF_COMMAND,
    LAYOUTS,
    VERSION,
    encode_event,
    number_of,
)

AnyEvent = TypeVar("AnyEvent", bound=e.Event)

INT64_MAX = 2**63 - 1

ACCEPTED, ACCEPTED_NUMBER = LAYOUTS[e.OrderAccepted].struct, number_of(e.OrderAccepted)
CANCELLED, CANCELLED_NUMBER = LAYOUTS[e.OrderCancelled].struct, number_of(e.OrderCancelled)
REPLACED, REPLACED_NUMBER = LAYOUTS[e.OrderReplaced].struct, number_of(e.OrderReplaced)
EXECUTED, EXECUTED_NUMBER = LAYOUTS[e.TradeExecuted].struct, number_of(e.TradeExecuted)


class Note(NamedTuple):
    """A trade of an order that is noted, or with a reason its end.

    leaves, whole: what it had left after it, and its quantity then.
    """

    order: RestingOrder
    quantity: int
    leaves: int
    reason: int
    whole: int = 0


class Counters(msgspec.Struct):
    """What happened since this venue was made or restored, no part of its state. rejects: by reason."""

    orders: int = 0
    cancels: int = 0
    trades: int = 0
    rejects: Counter[int] = msgspec.field(default_factory=Counter)


class EventStream:
    """The events of a venue. The four that orders cause most are packed directly, all others by `write`."""

    __slots__ = (
        "_command_begins_at", "_last_event_at", "_out", "command_sequence", "counters", "epoch", "noted", "partition",
        "running_hash", "sequence", "time_ns",
    )  # fmt: skip

    def __init__(self, partition: int) -> None:
        self.partition = partition
        self.epoch = 0
        self.time_ns = 0
        self.command_sequence = 0
        self.sequence = 0
        self.running_hash = 0
        self.counters = Counters()
        self.noted: deque[Note] = deque()
        """What the command did to orders on which others depend, until that is followed."""
        self._out = bytearray()
        self._command_begins_at = 0
        self._last_event_at = 0

    def begin_command(self, command_sequence: int) -> None:
        """Begin the events of a command."""
        self.command_sequence = command_sequence
        self._command_begins_at = len(self._out)

    def end_command(self) -> None:
        """Mark the command's last event and take the command's events into the running hash."""
        out = self._out
        if len(out) > self._command_begins_at:
            out[self._last_event_at + FLAGS_OFFSET] = LAST_OF_COMMAND
            self.running_hash = xxh3_64_intdigest(out[self._command_begins_at :], self.running_hash)

    def symbols_concerned(self) -> list[int]:
        """Return the ids of the symbols that the command's events so far concern, as they come first."""
        found: dict[int, None] = {}
        at = self._command_begins_at
        while at < len(self._out):
            length, *_, symbol_id = EVENT_HEADER.unpack_from(self._out, at)
            found[symbol_id] = None
            at += length
        return [symbol_id for symbol_id in found if symbol_id]

    def take(self) -> bytes:
        """Return the events written since the last call."""
        events = bytes(self._out)
        self._out.clear()
        return events

    def write(self, event_type: type[AnyEvent], *, symbol_id: int = 0, **fields: Any) -> AnyEvent:
        """Add an event of any type; return it as a value."""
        self.sequence += 1
        header: dict[str, Any] = {
            "sequence": self.sequence, "command_sequence": self.command_sequence, "time_ns": self.time_ns,
            "epoch": self.epoch, "partition": self.partition, "last_of_command": False,
        }  # fmt: skip
        event = event_type(symbol_id=SymbolId(symbol_id), **header, **fields)
        self._append(encode_event(event))
        return event

    def command_rejected(
        self,
        command_type: int,
        reason: Reason,
        *,
        subject: int = 0,
        measured: int = 0,
        limit: int = 0,
        symbol_id: int = 0,
    ) -> None:
        """Say that a command other than an order's entry was refused."""
        self.counters.rejects[reason.value] += 1
        self.write(
            e.CommandRejected, symbol_id=symbol_id, command_type=command_type, reason=reason, subject=subject,
            measured=int64(measured), limit=int64(limit),
        )  # fmt: skip

    def order_rejected(
        self, reason: Reason, *, measured: int, limit: int, symbol_id: int, **order: Any
    ) -> None:
        """Say that an order was refused. order: the fields of `OrderRejected` as they were sent."""
        self.counters.rejects[reason.value] += 1
        self.write(
            e.OrderRejected,
            symbol_id=symbol_id,
            reason=reason,
            measured=int64(measured),
            limit=int64(limit),
            **order,
        )

    def order_accepted(self, order: RestingOrder, client_order_id: bytes) -> None:
        """Say that an order was taken. client_order_id: as in its record, 36 bytes."""
        self.sequence += 1
        self.counters.orders += 1
        self._append(ACCEPTED.pack(
            ACCEPTED.size, ACCEPTED_NUMBER, VERSION, 0, self.partition, self.sequence,
            self.command_sequence, self.time_ns, self.epoch, order.symbol_id, order.order_id,
            order.account_id, order.side, order.order_type, order.time_in_force, order.flags, order.price,
            order.quantity, client_order_id,
        ))  # fmt: skip

    def order_cancelled(self, order: RestingOrder, reason: CancelReason) -> None:
        """Say that what was left of an order is gone."""
        self.sequence += 1
        self.counters.cancels += 1
        self._append(CANCELLED.pack(
            CANCELLED.size, CANCELLED_NUMBER, VERSION, 0, self.partition, self.sequence,
            self.command_sequence, self.time_ns, self.epoch, order.symbol_id, order.order_id,
            order.account_id, order.side, reason, order.price, order.leaves,
        ))  # fmt: skip
        if order.marks & NOTED:
            self.noted.append(Note(order, 0, 0, reason))

    def order_replaced(self, old: RestingOrder, new: RestingOrder, client_order_id: bytes) -> None:
        """Say that an order gave way to a new one. client_order_id: the new one's, 36 bytes."""
        self.sequence += 1
        self.counters.orders += 1
        self._append(REPLACED.pack(
            REPLACED.size, REPLACED_NUMBER, VERSION, 0, self.partition, self.sequence,
            self.command_sequence, self.time_ns, self.epoch, new.symbol_id, old.order_id, new.order_id,
            new.account_id, new.side, new.order_type, new.time_in_force, new.flags, old.leaves, new.price,
            new.quantity, client_order_id,
        ))  # fmt: skip

    def trade_executed(
        self,
        maker: RestingOrder,
        taker: RestingOrder,
        price: int,
        quantity: int,
        reference_price: int,
        condition: TradeCondition,
    ) -> int:
        """Say that two orders traded, both reduced already; return the sequence."""
        self.sequence += 1
        self.counters.trades += 1
        self._append(EXECUTED.pack(
            EXECUTED.size, EXECUTED_NUMBER, VERSION, 0, self.partition, self.sequence,
            self.command_sequence, self.time_ns, self.epoch, maker.symbol_id, maker.order_id, taker.order_id,
            maker.account_id, taker.account_id, price, quantity, reference_price, maker.leaves,
            taker.leaves, taker.side, condition,
        ))  # fmt: skip
        if (maker.marks | taker.marks) & NOTED:
            self.noted += [
                Note(o, quantity, o.leaves, 0, o.quantity) for o in (maker, taker) if o.marks & NOTED
            ]
        return self.sequence

    def _append(self, record: bytes) -> None:
        self._last_event_at = len(self._out)
        self._out += record


def int64(number: int) -> int:
    """Return the nearest number that fits a signed 64-bit field."""
    return min(max(number, -INT64_MAX - 1), INT64_MAX)
