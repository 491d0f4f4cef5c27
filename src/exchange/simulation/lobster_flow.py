"""Turns LOBSTER messages into what a member would have sent, and knows the book that must come out.

Pure: messages in, actions out. A new order is entered; a reduction amends it, keeping its place; a deletion
cancels it; an execution is an immediate-or-cancel order of the opposite side at the resting price, but on the
rows of the queue exceptions it reduces the named order and nothing is sent against it; a hidden execution is
nothing; a halt suspends the symbol, and as the exchange has no quote-only phase, either resumption ends it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from exchange.domain.order import Side
from exchange.simulation.lobster import (
    LobsterError,
    Message,
    MessageType,
    OpeningOrder,
    QueueException,
    Quotes,
)

OPPOSITE = {Side.BUY: Side.SELL, Side.SELL: Side.BUY}


class Enter(NamedTuple):
    """Enter a limit order that rests; it trades under its LOBSTER id."""

    row: int
    order_id: int
    side: Side
    price: int
    quantity: int


class Execute(NamedTuple):
    """Send an immediate-or-cancel order. maker: LOBSTER id of the order that it ought to meet."""

    row: int
    maker: int
    side: Side
    price: int
    quantity: int


class Reduce(NamedTuple):
    """Amend an order. quantity: the new whole quantity, filled part included."""

    row: int
    order_id: int
    quantity: int


class Cancel(NamedTuple):
    """Cancel what is left of an order."""

    row: int
    order_id: int


class Halt(NamedTuple):
    """Suspend the symbol, or let it trade again."""

    row: int
    suspended: bool


Action = Enter | Execute | Reduce | Cancel | Halt


@dataclass(slots=True)
class FlowOrder:
    """An order of the file that is still there. quantity: whole; leaves: unfilled."""

    side: Side
    price: int
    quantity: int
    leaves: int


@dataclass(slots=True)
class FlowCounts:
    """What the messages were. out_of_turn: queue exceptions; unknown: messages that name an unknown order."""

    messages: int = 0
    hidden: int = 0
    halts: int = 0
    out_of_turn: int = 0
    out_of_turn_shares: int = 0
    unknown: int = 0


class BestPrices:
    """Shares by price on each side. A side's best price is looked up afresh where it was emptied."""

    def __init__(self) -> None:
        self._levels: dict[Side, dict[int, int]] = {Side.BUY: {}, Side.SELL: {}}

    def change(self, side: Side, price: int, shares: int) -> None:
        """Add shares at a price, or take them away where negative."""
        self.set(side, price, self._levels[side].get(price, 0) + shares)

    def set(self, side: Side, price: int, shares: int) -> None:
        """Set the shares at a price; none removes the level."""
        assert shares >= 0, f"{shares} shares at {price}"
        if shares:
            self._levels[side][price] = shares
        else:
            self._levels[side].pop(price, None)

    def clear(self) -> None:
        """Forget all levels."""
        for levels in self._levels.values():
            levels.clear()

    def quotes(self) -> Quotes:
        """Return the best quotes."""
        bids, asks = self._levels[Side.BUY], self._levels[Side.SELL]
        bid, ask = max(bids, default=0), min(asks, default=0)
        return Quotes(ask, asks.get(ask, 0), bid, bids.get(bid, 0))


class OrderFlow:
    """The orders of the file so far, by LOBSTER id. name: of the file, for messages about it."""

    def __init__(self, name: str, exceptions: Mapping[int, QueueException] | None = None) -> None:
        self.name = name
        self.orders: dict[int, FlowOrder] = {}
        self.counts = FlowCounts()
        self.best = BestPrices()
        self._exceptions = exceptions or {}

    def open_with(self, book: Iterable[OpeningOrder]) -> list[Enter]:
        """Return the orders to enter before the first message; their row is 0."""
        return [self._enter(0, order.order_id, order.side, order.price, order.size) for order in book]

    def timed_actions(
        self, book: Iterable[OpeningOrder], messages: Iterable[Message]
    ) -> Iterator[tuple[int, Action]]:
        """Give (time_ns, action) in their order, the opening book first, at the time of the first message."""
        iterator = iter(messages)
        first = next(iterator, None)
        start_ns = first.time_ns if first else 0
        for entered in self.open_with(book):
            yield start_ns, entered
        for message in chain([first] if first else [], iterator):
            action = self.action(message)
            if action is not None:
                yield message.time_ns, action

    def action(self, message: Message) -> Action | None:
        """Take one message in and return what it leads to. Raise `LobsterError` on a contradiction."""
        self.counts.messages += 1
        exception = self._exceptions.get(message.row)
        if exception is not None and (
            message.kind != MessageType.EXECUTE or (exception.order_id, exception.size) != message[3:5]
        ):
            raise self._contradiction(
                message,
                f"the exceptions have an execution of {exception.size} shares of order {exception.order_id}",
            )
        match message.kind:
            case MessageType.NEW:
                return self._enter(message.row, message.order_id, message.side, message.price, message.size)
            case MessageType.REDUCE:
                return self._reduce(message)
            case MessageType.DELETE:
                return self._cancel(message)
            case MessageType.EXECUTE:
                return self._execute_out_of_turn(message) if exception else self._execute(message)
            case MessageType.EXECUTE_HIDDEN:
                self.counts.hidden += 1
                return None
            case MessageType.HALT:
                self.counts.halts += 1
                return Halt(message.row, message.price < 0)

    def _enter(self, row: int, order_id: int, side: Side, price: int, size: int) -> Enter:
        if order_id in self.orders:
            raise LobsterError(f"{self.name}, row {row}: order {order_id} is entered, but it rests already")
        self.orders[order_id] = FlowOrder(side, price, size, size)
        self.best.change(side, price, size)
        return Enter(row, order_id, side, price, size)

    def _reduce(self, message: Message) -> Reduce | Cancel | None:
        order = self.orders.get(message.order_id)
        if order is None:
            self.counts.unknown += 1
            return None
        if message.size >= order.leaves:
            return self._cancel(message)
        order.quantity -= message.size
        self._take(message.order_id, message.size)
        return Reduce(message.row, message.order_id, order.quantity)

    def _cancel(self, message: Message) -> Cancel | None:
        order = self.orders.get(message.order_id)
        if order is None:
            self.counts.unknown += 1
            return None
        self._take(message.order_id, order.leaves)
        return Cancel(message.row, message.order_id)

    def _execute(self, message: Message) -> Execute:
        if message.order_id in self.orders:
            self._take(message.order_id, message.size)
        else:
            self.counts.unknown += 1
        return Execute(message.row, message.order_id, OPPOSITE[message.side], message.price, message.size)

    def _execute_out_of_turn(self, message: Message) -> Reduce | Cancel | None:
        self.counts.out_of_turn += 1
        self.counts.out_of_turn_shares += message.size
        return self._reduce(message)

    def _take(self, order_id: int, shares: int) -> None:
        order = self.orders[order_id]
        taken = min(shares, order.leaves)
        order.leaves -= taken
        self.best.change(order.side, order.price, -taken)
        if not order.leaves:
            del self.orders[order_id]

    def _contradiction(self, message: Message, what: str) -> LobsterError:
        seen = f"{message.kind.name.lower()} of {message.size} shares of order {message.order_id}"
        return LobsterError(
            f"{self.name}, row {message.row}: {seen}, but {what}; do both files belong together?"
        )


def distinct_states(quotes: Iterable[tuple[int, Quotes]]) -> list[tuple[int, Quotes]]:
    """Keep of (row, quotes) after each message those that differ from the one before, and the first."""
    states: list[tuple[int, Quotes]] = []
    for row, state in quotes:
        if not states or states[-1][1] != state:
            states.append((row, state))
    return states
