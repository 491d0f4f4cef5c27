"""The audit trail of orders: every event of every order as rows, each chained to the row before by a hash.

A row is text in all its columns, so that its hash is the same in every file format. The last row of a day says how many
there are; without it a file is cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from hashlib import blake2b
from typing import Any

import msgspec

from exchange.domain import commands as c
from exchange.domain import corporate_events as ce
from exchange.domain import events as e
from exchange.domain.directory import Directory
from exchange.domain.order import Side
from exchange.domain.order_list import Contingency
from exchange.domain.units import format_date, format_price, format_time, public_id
from exchange.wire.records import number_of

COLUMNS = (
    "row", "seq", "command", "at", "epoch", "event", "order_id", "other_order_id", "member", "account", "symbol",
    "side", "price", "qty", "leaves", "reason", "client_order_id", "terms", "match_id", "hash",
)  # fmt: skip
COLUMNS_BEFORE = tuple(column for column in COLUMNS if column != "terms")
"""The columns of files that were written before there were terms; they are verified as ever."""
END = "end_of_day"
HASH_BYTES = 16
_SEPARATOR = "\x1f"
Row = tuple[str, ...]

ORDER_EVENTS = (
    e.OrderAccepted, e.SpecialTermsAccepted, e.OrderRepriced, e.OrderRefreshed, e.OrderTriggered, e.OrderRejected,
    e.OrderDuplicated, e.OrderCancelled, e.OrderAmended, e.OrderReplaced, e.PegAccepted, ce.SpecialTermsAdjusted,
    e.OrderListTriggered, e.OrderListEnded, e.QuoteRejected, e.QuotesCancelled, e.QuoteProtectionReached,
)  # fmt: skip
"""Events of one order, or of an account's quotes; those of two are trades, busts, corrections, prevented trades, lists
and quotes; those of a symbol are splits, dividends and new tickers; a refused command is of the order that it named."""
SYMBOL_EVENTS = (ce.SymbolSplit, ce.DividendPaid, ce.SymbolRenamed)
OF_ORDERS = {
    number_of(kind): kind.__name__
    for kind in (
        c.CancelOrder, c.AmendOrder, c.ReplaceOrder, c.CancelOrders, c.CancelOrdersWithin, c.EnterOrderList,
        c.MassQuote, c.CancelQuotes,
    )
}  # fmt: skip
"""Commands whose refusal stands in the trail, by number."""
NAMES_AN_ORDER = ("CancelOrder", "AmendOrder", "ReplaceOrder")
NAMES_AN_ACCOUNT = ("EnterOrderList", "MassQuote", "CancelQuotes")
_PRICES = (
    "stop_price", "trail_amount", "old_price", "old_reference", "reference_price", "cash_price", "amount", "offset",
)  # fmt: skip
_HEAD = frozenset({
    "sequence", "command_sequence", "time_ns", "epoch", "partition", "last_of_command", "symbol_id", "account_id",
    "order_id", "new_order_id", "side", "price", "quantity", "leaves", "reason", "client_order_id", "orders",
})  # fmt: skip
"""What has a column of its own, or is told otherwise."""


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
        self._accounts: dict[int, int] = {}
        self._ended: list[int] = []

    def take(self, event: e.Event) -> Iterator[Row]:
        """Give the rows of an event."""
        if isinstance(event, e.BusinessDayStarted):
            self._present_date = event.date
            for order_id in self._ended:
                self._accounts.pop(order_id, None)
            self._ended = []
        self._follow(event)
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

    def _follow(self, event: e.Event) -> None:
        """Remember whose the orders are until the day is over on which they end: a refused cancel names no account."""
        match event:
            case e.OrderAccepted():
                self._accounts[event.order_id] = event.account_id
            case e.OrderReplaced():
                self._accounts[event.new_order_id] = event.account_id
                self._ended.append(event.order_id)
            case e.OrderCancelled():
                self._ended.append(event.order_id)
            case e.TradeExecuted():
                sides = (
                    (event.maker_order_id, event.maker_leaves),
                    (event.taker_order_id, event.taker_leaves),
                )
                self._ended += [order_id for order_id, leaves in sides if not leaves]

    def _fields_of(self, event: e.Event) -> Iterator[dict[str, str]]:
        match event:
            case e.OrderListAccepted():
                yield from self._of_list(event)
            case e.QuoteAccepted():
                for side, order_id in ((Side.BUY, event.bid_order_id), (Side.SELL, event.ask_order_id)):
                    if order_id:
                        yield self._who(event.account_id, event.symbol_id) | {
                            "order_id": text_of(order_id), "side": side_of(side), "terms": f"quote_id={event.quote_id}",
                        }  # fmt: skip
            case e.CommandRejected() if event.command_type in OF_ORDERS:
                yield self._of_refusal(event)
            case _ if isinstance(event, SYMBOL_EVENTS):
                yield self._who(0, event.symbol_id) | {"account": "", "terms": terms_of(event)}
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
        values["terms"] = terms_of(event)
        return values

    def _of_list(self, event: e.OrderListAccepted) -> Iterator[dict[str, str]]:
        """Give a row for each order of a list, whether it comes in at once or waits."""
        contingency = Contingency(event.contingency).name.lower()
        for place, order in enumerate(event.orders):
            terms = {"list_id": event.list_id, "contingency": contingency, "place": place + 1}
            yield self._who(event.account_id, event.symbol_id) | {
                "order_id": text_of(event.list_id - place), "side": side_of(order.side), "price": price_of(order.price),
                "qty": text_of(order.quantity), "client_order_id": order.client_order_id,
                "terms": " ".join([*(f"{name}={value}" for name, value in terms.items()), terms_of(order)]),
            }  # fmt: skip

    def _of_refusal(self, event: e.CommandRejected) -> dict[str, str]:
        """Give the row of a command that was refused and changed nothing."""
        command = OF_ORDERS[event.command_type]
        account_id = 0
        if command in NAMES_AN_ORDER:
            account_id = self._accounts.get(event.subject, 0)
        elif command in NAMES_AN_ACCOUNT:
            account_id = event.subject
        values = self._who(account_id, event.symbol_id) | {"reason": text_of(event.reason)}
        values["terms"] = (
            f"command={command} subject={event.subject} measured={event.measured} limit={event.limit}"
        )
        if command in NAMES_AN_ORDER:
            values["order_id"] = text_of(event.subject)
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
            "account": str(account_id) if account_id else "",
            "member": member.name if member else "",
            "symbol": symbol.symbol if symbol else "",
        }


def terms_of(event: msgspec.Struct) -> str:
    """Write what has no column of its own as words `name=value`; what is nothing or empty is left out."""
    values = {name: getattr(event, name) for name in event.__struct_fields__ if name not in _HEAD}
    words = []
    for name, value in values.items():
        if value or isinstance(value, bool):
            text = format_price(value) if name in _PRICES and value > 0 else text_of(value)
            words.append(f"{name}={text.replace(' ', '_')}")
    return " ".join(words)


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
        if len(row) not in (len(COLUMNS), len(COLUMNS_BEFORE)):
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
