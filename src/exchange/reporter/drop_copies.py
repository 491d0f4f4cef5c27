"""Which events concern an account, and how its participant is told: executions, cancels, busts and corrections, and
orders that a corporate action adjusted.

An event is stored as its record under each account that it concerns, some of one account and one batch in a row, and
turned into words only when it is read. A trade between two orders of one participant is told twice, once for each
order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from exchange.domain import corporate_events as ca
from exchange.domain import events as e
from exchange.domain.directory import Directory
from exchange.domain.order import CancelReason, Side
from exchange.domain.units import public_id
from exchange.wire.fields import RECORD_START, field_struct, kind_of
from exchange.wire.records import decode_event, sequence_of, split
from exchange.wire.rest.admin import BUST_REASON_TEXT
from exchange.wire.rest.drop_copy import DropCopy
from exchange.wire.rest.market import price_text, time_text
from exchange.wire.rest.orders import CANCEL_REASON_TEXT, SIDE_TEXT

ITEMS_PER_EVENT_MAX = 2
RECORDS_PER_ROW_MAX = 16
"""Many are quick to write, few quick to read from the middle."""

_ACCOUNTS = {
    kind_of(e.TradeExecuted): field_struct(
        e.TradeExecuted, "sequence", "maker_account_id", "taker_account_id"
    ),
    kind_of(e.TradeBusted): field_struct(e.TradeBusted, "sequence", "buy_account_id", "sell_account_id"),
    kind_of(e.TradeCorrected): field_struct(
        e.TradeCorrected, "sequence", "buy_account_id", "sell_account_id"
    ),
    kind_of(e.OrderCancelled): field_struct(e.OrderCancelled, "sequence", "account_id"),
}
_ADJUSTED = kind_of(e.OrderAmended)
_ADJUSTED_FIELDS = field_struct(e.OrderAmended, "sequence", "command_sequence", "account_id")
_ACTIONS = {
    kind_of(kind): field_struct(kind, "command_sequence") for kind in (ca.SymbolSplit, ca.DividendPaid)
}
"""A change of an order that follows one of these within its command was not its owner's."""
_OTHER = {Side.BUY: Side.SELL, Side.SELL: Side.BUY}


def is_copied(kind: int) -> bool:
    """Tell whether events of a kind are told as drop copies."""
    return kind in _ACCOUNTS


def concerned(events: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Give (account, sequence, record) of each event for each account that it concerns."""
    offset, end, action = 0, len(events), 0
    while offset < end:
        length, kind, _ = RECORD_START.unpack_from(events, offset)
        fields = _ACCOUNTS.get(kind)
        if kind in _ACTIONS:
            (action,) = _ACTIONS[kind].unpack_from(events, offset)
        elif kind == _ADJUSTED and action:
            record = events[offset : offset + length]
            sequence, command, account = _ADJUSTED_FIELDS.unpack_from(record)
            if command == action:
                yield account, sequence, record
        if fields is not None:
            record = events[offset : offset + length]
            sequence, *accounts = fields.unpack_from(record)
            yield accounts[0], sequence, record
            if accounts[-1] != accounts[0]:
                yield accounts[-1], sequence, record
        offset += length


def rows_of(events: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Give (account, last sequence, records) of the events of one batch, at most `RECORDS_PER_ROW_MAX` in each."""
    by_account: defaultdict[int, list[bytes]] = defaultdict(list)
    for account_id, _, record in concerned(events):
        by_account[account_id].append(record)
    for account_id, records in by_account.items():
        for start in range(0, len(records), RECORDS_PER_ROW_MAX):
            row = records[start : start + RECORDS_PER_ROW_MAX]
            yield account_id, sequence_of(row[-1]), b"".join(row)


def records_of(row: bytes) -> Iterator[tuple[int, bytes]]:
    """Give (sequence, record) of each event in a stored row."""
    for offset, length in split(row):
        yield sequence_of(row, offset), row[offset : offset + length]


def copies_of(record: bytes, account_id: int, directory: Directory) -> list[DropCopy]:
    """Return what an event says to one of the accounts that it concerns."""
    event = decode_event(record)
    write = _WRITERS[type(event)]
    symbol = directory.symbols[event.symbol_id].symbol
    return list(write(event, account_id, symbol))


def _copy(event: e.Event, account_id: int, symbol: str, **fields: Any) -> DropCopy:
    return DropCopy(
        seq=event.sequence, at=time_text(event.time_ns), account=str(account_id), symbol=symbol, **fields
    )


def _executed(event: e.TradeExecuted, account_id: int, symbol: str) -> Iterator[DropCopy]:
    match_id = str(public_id(event.partition, event.sequence))
    sides = (
        ("maker", event.maker_account_id, event.maker_order_id, event.maker_leaves, _OTHER[event.taker_side]),
        ("taker", event.taker_account_id, event.taker_order_id, event.taker_leaves, event.taker_side),
    )
    for liquidity, account, order_id, leaves, side in sides:
        if account == account_id:
            yield _copy(
                event, account_id, symbol, type="execution", order_id=str(order_id), side=SIDE_TEXT[side],
                price=price_text(event.price), qty=str(event.quantity), match_id=match_id, liquidity=liquidity,
                leaves_qty=str(leaves),
            )  # fmt: skip


def _cancelled(event: e.OrderCancelled, account_id: int, symbol: str) -> Iterator[DropCopy]:
    yield _copy(
        event, account_id, symbol, type="cancel", order_id=str(event.order_id), side=SIDE_TEXT[event.side],
        price=price_text(event.price) if event.price else None, qty=str(event.quantity), leaves_qty="0",
        reason=CANCEL_REASON_TEXT.get(event.reason, CancelReason(event.reason).name.lower()),
    )  # fmt: skip


def _changed(event: e.TradeBusted | e.TradeCorrected, account_id: int, symbol: str) -> Iterator[DropCopy]:
    new: dict[str, Any] = {}
    if isinstance(event, e.TradeCorrected):
        new = {"new_price": price_text(event.new_price), "new_qty": str(event.new_quantity)}
    sides = (
        (Side.BUY, event.buy_account_id, event.buy_order_id),
        (Side.SELL, event.sell_account_id, event.sell_order_id),
    )
    for side, account, order_id in sides:
        if account == account_id:
            yield _copy(
                event, account_id, symbol, type="correction" if new else "bust", order_id=str(order_id),
                side=SIDE_TEXT[side], price=price_text(event.price), qty=str(event.quantity),
                match_id=str(event.match_id), reason=BUST_REASON_TEXT[event.reason],
                ruling_id=str(event.ruling_id), executed_at=time_text(event.executed_ns), **new,
            )  # fmt: skip


def _adjusted(event: e.OrderAmended, account_id: int, symbol: str) -> Iterator[DropCopy]:
    yield _copy(
        event, account_id, symbol, type="adjustment", order_id=str(event.order_id), side=SIDE_TEXT[event.side],
        price=price_text(event.price) if event.price else None, qty=str(event.quantity),
        leaves_qty=str(event.leaves), reason="corporate_action",
    )  # fmt: skip


_WRITERS: dict[type[e.Event], Callable[[Any, int, str], Iterator[DropCopy]]] = {
    e.TradeExecuted: _executed,
    e.OrderCancelled: _cancelled,
    e.TradeBusted: _changed,
    e.TradeCorrected: _changed,
    e.OrderAmended: _adjusted,
}
