"""The audit trail of orders: every event of every order as rows, each chained to the row before by a hash.

A row is text in all its columns, so that its hash is the same in every file format. The last row of a day says how many
there are; without it a file is cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from hashlib import blake2b
from typing import Any

from exchange.domain import events as e
from exchange.domain.directory import Directory
from exchange.domain.order import Side
from exchange.domain.units import format_date, format_price, format_time, public_id

COLUMNS = (
    "row", "seq", "command", "at", "epoch", "event", "order_id", "other_order_id", "member", "account", "symbol",
    "side", "price", "qty", "leaves", "reason", "client_order_id", "match_id", "hash",
)  # fmt: skip
END = "end_of_day"
HASH_BYTES = 16
_SEPARATOR = "\x1f"
Row = tuple[str, ...]

ORDER_EVENTS = (
    e.OrderAccepted, e.SpecialTermsAccepted, e.OrderRepriced, e.OrderRefreshed, e.OrderTriggered, e.OrderRejected,
    e.OrderDuplicated, e.OrderCancelled, e.OrderAmended, e.OrderReplaced,
)  # fmt: skip
"""Events of one order; those of two are trades, busts, corrections, and trades that were prevented."""


def first_hash(partition: int, date: int) -> bytes:
    """Return the hash before the first row of a day."""
    return blake2b(f"audit {partition} {date}".encode(), digest_size=HASH_BYTES).digest()


def row_hash(before: bytes, fields: Sequence[str]) -> bytes:
    """Return the hash after a row: BLAKE2b-128 of the hash before it and its fields."""
    return blake2b(before + _SEPARATOR.join(fields).encode(), digest_size=HASH_BYTES).digest()


class AuditTrail:
    """Makes the rows of one business date; give it all events in order."""

    def __init__(self, partition: int, date: int) -> None:
        self.directory = Directory()
        self.rows = 0
        self.hash = first_hash(partition, date)
        self._date = date
        self._present_date = 0

    def take(self, event: e.Event) -> Iterator[Row]:
        """Give the rows of an event."""
        if isinstance(event, e.BusinessDayStarted):
            self._present_date = event.date
        self.directory.apply(event)
        if self._present_date == self._date:
            for fields in self._fields_of(event):
                yield self._chained(event, fields)

    def end(self) -> Row:
        """Give the last row, which says how many there are before it."""
        known = {"event": END, "match_id": str(self.rows)}
        return self._row([known.get(column, "") for column in COLUMNS[:-1]])

    def _chained(self, event: e.Event, fields: dict[str, str]) -> Row:
        head = {
            "seq": str(event.sequence), "command": str(event.command_sequence), "at": format_time(event.time_ns),
            "epoch": str(event.epoch), "event": type(event).__name__,
        }  # fmt: skip
        known = head | fields
        return self._row([known.get(column, "") for column in COLUMNS[:-1]])

    def _row(self, fields: list[str]) -> Row:
        self.rows += 1
        fields[0] = str(self.rows)
        self.hash = row_hash(self.hash, fields)
        return (*fields, self.hash.hex())

    def _fields_of(self, event: e.Event) -> Iterator[dict[str, str]]:
        match event:
            case e.TradeExecuted() | e.MatchPrevented():
                yield from self._of_two(event)
            case e.TradeBusted() | e.TradeCorrected():
                yield from self._of_ruling(event)
            case _ if isinstance(event, ORDER_EVENTS):
                yield self._of_order(event)

    def _of_order(self, event: Any) -> dict[str, str]:
        values = {
            name: text_of(getattr(event, name, ""))
            for name in ("order_id", "leaves", "reason", "client_order_id")
        }
        values |= self._who(event.account_id, event.symbol_id)
        values["qty"] = text_of(getattr(event, "quantity", ""))
        values["price"] = price_of(getattr(event, "price", 0))
        values["side"] = side_of(getattr(event, "side", 0))
        values["other_order_id"] = text_of(getattr(event, "new_order_id", ""))
        return values

    def _of_two(self, event: e.TradeExecuted | e.MatchPrevented) -> Iterator[dict[str, str]]:
        for mine, other in (("maker", "taker"), ("taker", "maker")):
            side = event.taker_side if mine == "taker" else Side(3 - event.taker_side)
            traded = isinstance(event, e.TradeExecuted)
            yield self._who(getattr(event, f"{mine}_account_id"), event.symbol_id) | {
                "order_id": text_of(getattr(event, f"{mine}_order_id")),
                "other_order_id": text_of(getattr(event, f"{other}_order_id")),
                "side": side_of(side), "price": price_of(event.price), "qty": text_of(event.quantity),
                "leaves": text_of(getattr(event, f"{mine}_leaves", "")),
                "reason": "" if traded else "self_trade_prevention",
                "match_id": text_of(public_id(event.partition, event.sequence)) if traded else "",
            }  # fmt: skip

    def _of_ruling(self, event: e.TradeBusted | e.TradeCorrected) -> Iterator[dict[str, str]]:
        corrected = isinstance(event, e.TradeCorrected)
        price, quantity = (
            (event.new_price, event.new_quantity)
            if isinstance(event, e.TradeCorrected)
            else (event.price, event.quantity)
        )
        for side, mine, other in ((Side.BUY, "buy", "sell"), (Side.SELL, "sell", "buy")):
            yield self._who(getattr(event, f"{mine}_account_id"), event.symbol_id) | {
                "order_id": text_of(getattr(event, f"{mine}_order_id")),
                "other_order_id": text_of(getattr(event, f"{other}_order_id")),
                "side": side_of(side), "price": price_of(price), "qty": text_of(quantity),
                "leaves": "", "reason": ("corrected " if corrected else "busted ") + text_of(event.reason),
                "match_id": text_of(event.match_id),
            }  # fmt: skip

    def _who(self, account_id: int, symbol_id: int) -> dict[str, str]:
        account = self.directory.accounts.get(account_id)
        member = self.directory.participants.get(account.participant_id) if account else None
        symbol = self.directory.symbols.get(symbol_id)
        return {
            "account": str(account_id),
            "member": member.name if member else "",
            "symbol": symbol.symbol if symbol else "",
        }


def text_of(value: object) -> str:
    """Write a value: the name of an enum's member in small letters, anything else as it is."""
    return value.name.lower() if isinstance(value, Enum) else str(value)


def price_of(price: int) -> str:
    """Write a price, nothing for none."""
    return format_price(price) if price else ""


def side_of(side: int) -> str:
    """Write a side, nothing for none."""
    return {Side.BUY.value: "buy", Side.SELL.value: "sell"}.get(int(side), "")


def first_fault(rows: Iterable[Sequence[str]], partition: int, date: int) -> tuple[str, int, str]:
    """Look through a whole trail; return where it is broken first (empty for nowhere), its rows and its last hash."""
    before, expected, ended = first_hash(partition, date), 1, False
    for row in rows:
        if ended:
            return f"row {row[0] or expected} stands behind the end of the day", expected - 1, before.hex()
        if len(row) != len(COLUMNS):
            return f"row {expected} has {len(row)} columns, wanted {len(COLUMNS)}", expected - 1, before.hex()
        if row[0] != str(expected):
            return f"row {row[0] or '(none)'} stands where row {expected} is due", expected - 1, before.hex()
        before = row_hash(before, row[:-1])
        if before.hex() != row[-1]:
            return f"row {expected} was changed, or one before it", expected - 1, before.hex()
        ended = row[COLUMNS.index("event")] == END
        if ended and row[-2] != str(expected - 1):
            return f"the last row counts {row[-2]} rows, there are {expected - 1}", expected, before.hex()
        expected += 1
    fault = "" if ended else f"the file is cut: after row {expected - 1} the end of the day is missing"
    return fault, expected - 1, before.hex()


def title_of(partition: int, date: int) -> str:
    """Return the name of a day's file, without its ending."""
    return f"audit-{format_date(date)}-{partition}"
