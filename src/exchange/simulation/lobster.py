"""Reads LOBSTER files: order messages of a real market, the book they begin with, and what is to be compared.

Prices are in 1/10,000 of a currency unit, as ours. Times are text with up to nine decimals and become integer
nanoseconds after midnight without passing through a float. Every mistake names its file and line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple, NoReturn

from exchange.domain.order import Side
from exchange.domain.units import PRICE_MAX, QUANTITY_MAX, Price, Quantity

LINE_CHARACTERS_MAX = 200
"""A longer line is no LOBSTER line; it is refused before it is split."""
OPENING_ORDERS_MAX = 100_000
EXCEPTIONS_MAX = 100_000
QUOTES_MAX = 10_000_000

_TIME = re.compile(r"(\d{1,6})(?:\.(\d{1,9}))?\Z", re.ASCII)
_WHOLE = re.compile(r"-?\d{1,18}\Z", re.ASCII)
_SIDES = {"buy": Side.BUY, "sell": Side.SELL}
_DIRECTIONS = {1: Side.BUY, -1: Side.SELL}


class LobsterError(ValueError):
    """A file that is not what LOBSTER writes; the message names file, line, and what was seen."""


class MessageType(IntEnum):
    """The second column of a message. LOBSTER sample readme, 2013-09-01."""

    NEW = 1
    """A new limit order."""
    REDUCE = 2
    """Part of an order is cancelled; size: the shares removed."""
    DELETE = 3
    """An order is deleted; size: the shares that were left."""
    EXECUTE = 4
    """A visible order trades; id, price and direction are those of the resting order."""
    EXECUTE_HIDDEN = 5
    """A hidden order trades: the visible book does not change."""
    HALT = 7
    """Price -1: trading halts; 0: quoting resumes; 1: trading resumes."""


class Message(NamedTuple):
    """One line of a message file. row: its line, from 1 without the header; time_ns: after midnight."""

    row: int
    time_ns: int
    kind: MessageType
    order_id: int
    size: int
    price: int
    side: Side


class OpeningOrder(NamedTuple):
    """An order that rests before the first message."""

    side: Side
    price: Price
    size: Quantity
    order_id: int


class QueueException(NamedTuple):
    """An execution out of turn: on this row the named order is reduced, and nothing is sent against it."""

    row: int
    order_id: int
    size: Quantity


class Quotes(NamedTuple):
    """The best prices with the shares at each; 0 and 0 where a side is empty."""

    ask: int
    ask_size: int
    bid: int
    bid_size: int


class QuoteState(NamedTuple):
    """The best quotes after a message that changed them."""

    row: int
    quotes: Quotes


class Line(NamedTuple):
    """A line of a file that is being read, for messages about it."""

    path: Path
    number: int
    fields: list[str]

    def fail(self, what: str) -> NoReturn:
        """Refuse the line."""
        raise LobsterError(f"{self.path}, line {self.number}: {what}")

    def whole(self, at: int, name: str, low: int, high: int) -> int:
        """Return a column as a whole number within bounds."""
        text = self.fields[at]
        if not _WHOLE.match(text) or not low <= int(text) <= high:
            self.fail(f"{name} must be a whole number from {low} to {high}, got {_shown(text)}")
        return int(text)


def read_messages(path: Path) -> Iterator[Message]:
    """Give the messages of a file, one by one. Raise `LobsterError` at the first line that is broken."""
    before = -1
    row = 0
    for line in _lines(path, 6, "time, type, order id, size, price, direction"):
        if row == 0 and line.number == 1 and not _TIME.match(line.fields[0]):
            continue
        row += 1
        message = _message(line, row)
        if message.time_ns < before:
            line.fail(f"time {line.fields[0]} is before that of the line above; sort the file by time")
        before = message.time_ns
        yield message


def read_opening_book(path: Path) -> list[OpeningOrder]:
    """Read the orders to enter before the first message, in the order in which they queue."""
    orders = []
    seen: dict[int, int] = {}
    for line in _rows(path, 4, "side,price,size,order_id", OPENING_ORDERS_MAX):
        side = _SIDES.get(line.fields[0]) or line.fail(
            f"side must be buy or sell, got {_shown(line.fields[0])}"
        )
        order = OpeningOrder(
            side,
            Price(line.whole(1, "price", 1, PRICE_MAX)),
            Quantity(line.whole(2, "size", 1, QUANTITY_MAX)),
            line.whole(3, "order id", 1, 10**18 - 1),
        )
        if seen.setdefault(order.order_id, line.number) != line.number:
            line.fail(f"order {order.order_id} stands in line {seen[order.order_id]} already")
        orders.append(order)
    return orders


def read_exceptions(path: Path) -> dict[int, QueueException]:
    """Read the executions out of turn, by their row in the message file."""
    exceptions: dict[int, QueueException] = {}
    for line in _rows(path, 4, "row,time,order_id,size", EXCEPTIONS_MAX):
        row = line.whole(0, "row", 1, 10**9)
        if row in exceptions:
            line.fail(f"row {row} is named twice")
        exceptions[row] = QueueException(
            row, line.whole(2, "order id", 1, 10**18 - 1), Quantity(line.whole(3, "size", 1, QUANTITY_MAX))
        )
    return exceptions


def read_quotes(path: Path) -> list[QuoteState]:
    """Read the best quotes after each message that changed them, in order of rows."""
    states: list[QuoteState] = []
    for line in _rows(path, 6, "time,ask,ask_size,bid,bid_size,row", QUOTES_MAX):
        ask, bid = (line.whole(at, name, 0, PRICE_MAX) for at, name in ((1, "ask"), (3, "bid")))
        ask_size, bid_size = (
            line.whole(at, name, 0, 10**18 - 1) for at, name in ((2, "ask_size"), (4, "bid_size"))
        )
        row = line.whole(5, "row", 1, 10**9)
        if states and row <= states[-1].row:
            line.fail(f"row {row} must be above the {states[-1].row} of the line before")
        states.append(QuoteState(row, Quotes(ask, ask_size, bid, bid_size)))
    return states


def parse_time_ns(text: str) -> int | None:
    """Turn seconds after midnight, such as 34200.004241176, into nanoseconds; None where it is no time."""
    found = _TIME.match(text)
    if not found:
        return None
    return int(found[1]) * 1_000_000_000 + int((found[2] or "").ljust(9, "0"))


def _message(line: Line, row: int) -> Message:
    time_ns = parse_time_ns(line.fields[0])
    if time_ns is None:
        line.fail(
            f"time must be seconds after midnight such as 34200.004241176, got {_shown(line.fields[0])}"
        )
    number = line.fields[1]
    if number not in _KINDS:
        known = ", ".join(f"{kind.value} {kind.name.lower()}" for kind in MessageType)
        line.fail(f"message type must be one of {known}; got {_shown(number)}")
    kind = _KINDS[number]
    if kind == MessageType.HALT:
        return Message(row, time_ns, kind, 0, 0, line.whole(4, "price of a halt", -1, 1), Side.SELL)
    direction = line.whole(5, "direction", -1, 1)
    side = _DIRECTIONS.get(direction) or line.fail("direction must be 1 (buy) or -1 (sell), got '0'")
    lowest_id = 0 if kind == MessageType.EXECUTE_HIDDEN else 1
    return Message(
        row,
        time_ns,
        kind,
        line.whole(2, "order id", lowest_id, 10**18 - 1),
        line.whole(3, "size", 1, QUANTITY_MAX),
        line.whole(4, "price", 1, PRICE_MAX),
        side,
    )


_KINDS = {str(kind.value): kind for kind in MessageType}


def _rows(path: Path, columns: int, header: str, rows_max: int) -> Iterator[Line]:
    """Give the lines below a header; it must be there and begin with these columns."""
    wanted = header.split(",")
    lines = _lines(path, columns, header)
    first = next(lines, None)
    if first is None or first.fields[: len(wanted)] != wanted:
        seen = ",".join(first.fields) if first else ""
        raise LobsterError(f"{path}, line 1: the header must begin with {header}, got {_shown(seen)}")
    for line in lines:
        if line.number - 1 > rows_max:
            line.fail(f"more than {rows_max} rows; split the file")
        yield line


def _lines(path: Path, columns: int, names: str) -> Iterator[Line]:
    number = 1
    try:
        with path.open(encoding="ascii") as file:
            for number, text in enumerate(iter(lambda: file.readline(LINE_CHARACTERS_MAX + 1), ""), 1):
                line = Line(path, number, text.rstrip("\r\n").split(","))
                if len(text) > LINE_CHARACTERS_MAX:
                    line.fail(f"longer than {LINE_CHARACTERS_MAX} characters; it begins {_shown(text)}")
                if len(line.fields) < columns:
                    line.fail(
                        f"needs {columns} columns ({names}), got {len(line.fields)}: {_shown(text.rstrip())}"
                    )
                yield line
    except OSError as error:
        raise LobsterError(
            f"{path}: cannot be read: {error.strerror}; give the path of a LOBSTER file"
        ) from error
    except UnicodeDecodeError as error:
        raise LobsterError(
            f"{path}: after line {number}: byte {error.object[error.start]:#04x} is no ASCII; is this text?"
        ) from error


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:59] + "…")
