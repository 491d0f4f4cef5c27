"""What happened in the market as rows of tables, by business date and symbol: trades, orders, book and candles.

Orders and book grow with the events. Trades and candles are given at the end, because a bust or a correction may change
an earlier one: every row then says how the trade stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import IntEnum
from typing import Any, NamedTuple

from exchange.domain import events as e
from exchange.domain.order import CancelReason, OrderType, Side, TimeInForce
from exchange.domain.reasons import Reason
from exchange.domain.trade import BustReason
from exchange.domain.units import date_number, public_id, sequence_of
from exchange.market_data.book_builder import BookBuilder
from exchange.market_data.candles import SECOND_NS, candle_start
from exchange.market_data.statistics import Figures, figures_of_trade
from exchange.market_data.trade import Trade, TradeStatus
from exchange.wire.fields import RECORD_START, kind_of
from exchange.wire.records import LAST_OF_COMMAND, decode_event


class Kind(IntEnum):
    """What the numbers of a column are."""

    NUMBER = 1
    PRICE = 2
    """In 1/10,000; 0 where there is none."""
    MONEY = 3
    """In 1/10,000."""
    TIME = 4
    """Nanoseconds since 1970, UTC; 0 where there is none."""
    ID = 5
    """Unsigned, 64 bits; 0 where there is none."""
    TEXT = 6


Column = tuple[str, Kind]
Row = tuple[Any, ...]


class DayRow(NamedTuple):
    """A row of a table of one business date, YYYYMMDD, and symbol."""

    date: int
    symbol: str
    row: Row


_N, _P, _M, _T, _I, _X = Kind.NUMBER, Kind.PRICE, Kind.MONEY, Kind.TIME, Kind.ID, Kind.TEXT
COLUMNS: dict[str, tuple[Column, ...]] = {
    "trades": (
        ("sequence", _N), ("executed_at", _T), ("match_id", _I), ("price", _P), ("qty", _N), ("taker_side", _X),
        ("maker_order_id", _I), ("taker_order_id", _I), ("reference_price", _P), ("status", _X),
        ("executed_price", _P), ("executed_qty", _N), ("changed_sequence", _N), ("changed_at", _T), ("reason", _X),
        ("ruling_id", _I),
    ),
    "orders": (
        ("sequence", _N), ("at", _T), ("event", _X), ("order_id", _I), ("account", _I), ("side", _X), ("type", _X),
        ("time_in_force", _X), ("price", _P), ("qty", _N), ("leaves_qty", _N), ("reason", _X), ("other_id", _I),
    ),
    "book": (
        ("sequence", _N), ("at", _T), ("side", _X), ("price", _P), ("qty", _N), ("orders", _N),
    ),
    "candles": (
        ("start", _T), ("end", _T), ("open", _P), ("high", _P), ("low", _P), ("close", _P), ("volume", _N),
        ("notional", _M), ("vwap", _P), ("trades", _N),
    ),
}  # fmt: skip
"""The columns of each table, in order."""


def _name(values: type[IntEnum], value: int) -> str:
    return values(value).name.lower() if value in values._value2member_map_ else str(value)


class DayTable:
    """One of the tables. wanted_date, wanted_symbol: what to keep, 0 and the empty text for all.

    interval_s: of candles. `apply` gives what events add to the table, `finish` what only their end tells.
    """

    def __init__(
        self, table: str, *, wanted_date: int = 0, wanted_symbol: str = "", interval_s: int = 60
    ) -> None:
        self.sequence = 0
        self._wanted_date = wanted_date
        self._wanted_symbol = wanted_symbol
        self._interval_s = interval_s
        self._table = table
        self._date = 0
        self._names: dict[int, str] = {}
        self._trades: dict[int, Trade] = {}
        self._builder = BookBuilder() if table == "book" else None
        self._orders = _ORDER_EVENTS if table == "orders" else {}
        kinds: list[type[e.Event]] = [e.SymbolAdded, e.SymbolConfigured, e.BusinessDayStarted, *self._orders]
        if table in ("trades", "candles"):
            kinds += [e.TradeExecuted, e.TradeBusted, e.TradeCorrected]
        self._kinds = {kind_of(kind): True for kind in kinds}

    def apply(self, events: bytes) -> Iterator[DayRow]:
        """Take event records of whole commands in, and give the rows that stand for good."""
        for command in _commands(events):
            for event in self._looked_at(command):
                yield from self._take(event)
            if self._builder is not None:
                yield from self._book_rows(self._builder, command)

    def finish(self) -> Iterator[DayRow]:
        """Give the rows of trades and candles, as they stand after all that was taken in."""
        if self._table == "candles":
            yield from self._candle_rows()
            return
        for trade in self._trades.values():
            yield DayRow(trade.business_date, self._names[trade.symbol_id], _trade_row(trade))

    def _looked_at(self, command: bytes) -> Iterator[e.Event]:
        offset = 0
        while offset < len(command):
            length, kind, _ = RECORD_START.unpack_from(command, offset)
            if kind in self._kinds:
                yield decode_event(command, offset)
            offset += length

    def _take(self, event: e.Event) -> Iterator[DayRow]:
        match event:
            case e.SymbolAdded() | e.SymbolConfigured():
                self._names[event.symbol_id] = event.symbol
            case e.BusinessDayStarted(date=date):
                self._date = date
            case e.TradeExecuted() if not self._orders:
                self._keep(event)
            case e.TradeBusted() | e.TradeCorrected():
                if trade := self._trades.get(sequence_of(event.match_id)):
                    self._trades[trade.sequence] = trade.changed(event)
            case _ if self._is_wanted(event):
                write = self._orders[type(event)]
                name, date = self._names[event.symbol_id], self._day(event)
                for row in write(event):
                    yield DayRow(date, name, row)

    def _keep(self, event: e.TradeExecuted) -> None:
        if self._is_wanted(event):
            self._trades[event.sequence] = Trade(
                event.partition, event.sequence, event.symbol_id, self._day(event), event.time_ns, event.price,
                event.quantity, event.price, event.quantity, event.maker_order_id, event.taker_order_id,
                event.taker_side, event.reference_price,
            )  # fmt: skip

    def _day(self, event: e.Event) -> int:
        return self._date or date_number(event.time_ns)

    def _is_wanted(self, event: e.Event) -> bool:
        name = self._names.get(event.symbol_id)
        return (
            name is not None
            and self._wanted_symbol in ("", name)
            and self._wanted_date in (0, self._day(event))
        )

    def _book_rows(self, builder: BookBuilder, command: bytes) -> Iterator[DayRow]:
        for update in builder.follow(command):
            date = self._date or date_number(update.time_ns)
            name = self._names[update.symbol_id]
            if self._wanted_symbol not in ("", name) or self._wanted_date not in (0, date):
                continue
            for side, levels in (("buy", update.bids), ("sell", update.asks)):
                for level in levels:
                    yield DayRow(date, name, (update.sequence, update.time_ns, side, *level))

    def _candle_rows(self) -> Iterator[DayRow]:
        found: dict[tuple[int, int, int], Figures] = {}
        for trade in self._trades.values():
            if trade.stands:
                start_ns = candle_start(self._interval_s, trade.business_date, trade.executed_ns)
                key = trade.business_date, trade.symbol_id, start_ns
                if key in found:
                    found[key] = found[key].with_trade(trade.sequence, trade.price, trade.quantity)
                else:
                    found[key] = figures_of_trade(trade.sequence, trade.price, trade.quantity)
        for (date, symbol_id, start_ns), of in sorted(found.items()):
            end_ns = start_ns + self._interval_s * SECOND_NS
            row = (
                start_ns,
                end_ns,
                of.open,
                of.high,
                of.low,
                of.last,
                of.volume,
                of.notional,
                of.vwap,
                of.trades,
            )
            yield DayRow(date, self._names[symbol_id], row)


def _commands(events: bytes) -> Iterator[bytes]:
    """Cut events between commands, so that a day that begins is known before what happens in it."""
    offset = start = 0
    while offset < len(events):
        length, _, flags = RECORD_START.unpack_from(events, offset)
        offset += length
        if flags & LAST_OF_COMMAND:
            yield events[start:offset]
            start = offset


def _trade_row(trade: Trade) -> Row:
    reason = _name(BustReason, trade.reason) if trade.reason is not None else ""
    return (
        trade.sequence, trade.executed_ns, trade.match_id, trade.price, trade.quantity,
        _name(Side, trade.taker_side), trade.maker_order_id, trade.taker_order_id, trade.reference_price,
        _name(TradeStatus, trade.status), trade.executed_price, trade.executed_quantity, trade.changed_sequence,
        trade.changed_ns, reason, trade.ruling_id,
    )  # fmt: skip


# --- what happens to orders -----------------------------------------------------------------------


def _order_row(event: Any, what: str, **found: Any) -> Row:
    """Write a row of the table of orders. found: what is not in the event under the same name."""
    side = found.get("side", getattr(event, "side", 0))
    kind, force = getattr(event, "order_type", None), getattr(event, "time_in_force", None)
    return (
        event.sequence, event.time_ns, what, found.get("order_id") or event.order_id,
        found.get("account", getattr(event, "account_id", 0)), _name(Side, side),
        "" if kind is None else _name(OrderType, kind), "" if force is None else _name(TimeInForce, force),
        event.price, found.get("quantity", event.quantity), found.get("leaves", 0), found.get("reason", ""),
        found.get("other", 0),
    )  # fmt: skip


def _accepted(event: Any) -> Iterable[Row]:
    return [_order_row(event, "accepted", leaves=event.quantity)]


def _rejected(event: Any) -> Iterable[Row]:
    return [_order_row(event, "rejected", reason=_name(Reason, event.reason))]


def _cancelled(event: Any) -> Iterable[Row]:
    return [_order_row(event, "cancelled", reason=_name(CancelReason, event.reason))]


def _amended(event: Any) -> Iterable[Row]:
    reason = "kept_priority" if event.kept_priority else "lost_priority"
    return [_order_row(event, "amended", leaves=event.leaves, reason=reason)]


def _replaced(event: Any) -> Iterable[Row]:
    gone = _order_row(event, "replaced", quantity=event.cancelled_quantity, other=event.new_order_id)
    come = _order_row(
        event, "accepted", order_id=event.new_order_id, leaves=event.quantity, other=event.order_id
    )
    return [gone, come]


def _executed(event: Any) -> Iterable[Row]:
    match_id = public_id(event.partition, event.sequence)
    taker = event.taker_side
    maker = Side.SELL if taker == Side.BUY else Side.BUY
    return [
        _order_row(
            event, "executed", order_id=event.maker_order_id, account=event.maker_account_id, side=maker,
            leaves=event.maker_leaves, reason="maker", other=match_id,
        ),
        _order_row(
            event, "executed", order_id=event.taker_order_id, account=event.taker_account_id, side=taker,
            leaves=event.taker_leaves, reason="taker", other=match_id,
        ),
    ]  # fmt: skip


_ORDER_EVENTS: dict[type[e.Event], Callable[[Any], Iterable[Row]]] = {
    e.OrderAccepted: _accepted,
    e.OrderRejected: _rejected,
    e.OrderCancelled: _cancelled,
    e.OrderAmended: _amended,
    e.OrderReplaced: _replaced,
    e.TradeExecuted: _executed,
}
