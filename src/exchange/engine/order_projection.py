"""What a run of events means for the table of orders: pure, many events at once, straight from the records.

What an order was when it came stands in the table as the record of the event that placed it, undecoded until
somebody reads it.
"""

from __future__ import annotations

from enum import IntEnum
from struct import Struct
from typing import Any

import msgspec

from exchange.domain import corporate_events as ce
from exchange.domain import events as e
from exchange.domain.order import OrderStatus, Side
from exchange.domain.units import public_id
from exchange.wire.records import EVENT_HEADER, LAYOUTS, number_of
from exchange.wire.rest.orders import cancel_status

LENGTH_AND_TYPE = Struct("<IB")
ACCEPTED = number_of(e.OrderAccepted)
REJECTED = number_of(e.OrderRejected)
CANCELLED = number_of(e.OrderCancelled)
AMENDED = number_of(e.OrderAmended)
REPLACED = number_of(e.OrderReplaced)
EXECUTED = number_of(e.TradeExecuted)
BUSTED = number_of(e.TradeBusted)
CORRECTED = number_of(e.TradeCorrected)
TERMS_ACCEPTED = number_of(e.SpecialTermsAccepted)
PEG_ACCEPTED = number_of(e.PegAccepted)
TERMS_ADJUSTED = number_of(ce.SpecialTermsAdjusted)
REPRICED = number_of(e.OrderRepriced)

_ACCEPTED = LAYOUTS[e.OrderAccepted].struct
_REJECTED = LAYOUTS[e.OrderRejected].struct
_CANCELLED = LAYOUTS[e.OrderCancelled].struct
_AMENDED = LAYOUTS[e.OrderAmended].struct
_REPLACED = LAYOUTS[e.OrderReplaced].struct
_REPRICED = LAYOUTS[e.OrderRepriced].struct
_EXECUTED = LAYOUTS[e.TradeExecuted].struct
PREVENTED = number_of(e.MatchPrevented)
_PREVENTED = LAYOUTS[e.MatchPrevented].struct
TRIGGERED = number_of(e.OrderTriggered)
_ORDER_EVENT = Struct(EVENT_HEADER.format + "Q")
_BUSTED = LAYOUTS[e.TradeBusted].struct
_CORRECTED = LAYOUTS[e.TradeCorrected].struct

_OTHER_SIDE = {int(Side.BUY): int(Side.SELL), int(Side.SELL): int(Side.BUY)}


class FillState(IntEnum):
    """Whether a fill stands."""

    EXECUTED = 0
    CORRECTED = 1
    BUSTED = 2


class Update(IntEnum):
    """Where a value stands in an update of an order; filled, notional and busted are differences.

    leaves: what may still trade; filled, notional: quantity and sum of price × quantity of trades that stand;
    ended: the last status of an order that did not end by filling; reason: of its cancel; terms: the record of its
    special terms; triggered_ns: when a stop order's price was reached. None: as it was.
    """

    ORDER_ID = 0
    UPDATED_NS = 1
    LEAVES = 2
    FILLED = 3
    NOTIONAL = 4
    ENDED = 5
    REASON = 6
    BUSTED = 7
    REPLACED_BY = 8
    PRICE = 9
    QUANTITY = 10
    TERMS = 11
    TRIGGERED_NS = 12


TRADED_COLUMNS = 5
CANCELLED_COLUMNS = 7
"""An update that only trades, or only trades and a cancel, wrote to need not carry the columns behind these."""

OrderRow = tuple[int, int, int, str, int, int, bytes]
FillRow = tuple[int, int, int, int, int, int, int, int, int]
PreventedRow = tuple[int, int, int, int, int, int, int, int, int, int, int]
RulingRow = tuple[int | None, int | None, int, int, int, int]

_LEAVES, _FILLED, _NOTIONAL = int(Update.LEAVES), int(Update.FILLED), int(Update.NOTIONAL)
_ENDED, _REASON = int(Update.ENDED), int(Update.REASON)


class Changes(msgspec.Struct):
    """What a run of events does to the tables, to be written in this order.

    orders: (order id, account, symbol, client order id, leaves, ended, record that placed it);
    updates: by order id, as far as they go of `Update`;
    fills: (account, match id, side, order id, symbol, price, quantity, maker, time);
    rulings: (price, quantity, state, match id, buyer's account, seller's account); None for what stays;
    prevented: (event sequence, symbol, maker's order, taker's order, maker's account, taker's account, price,
    quantity, taker's side, mode, time).
    """

    orders: list[OrderRow]
    updates: dict[int, list[Any]]
    fills: list[FillRow]
    rulings: list[RulingRow]
    prevented: list[PreventedRow] = msgspec.field(default_factory=list)

    def update(self, order_id: int, time_ns: int, columns: int = TRADED_COLUMNS) -> list[Any]:
        """Return the update that takes what happens to an order, with so many columns at least."""
        row = self.updates.get(order_id)
        if row is None:
            row = self.updates[order_id] = [order_id, time_ns, None, 0, 0]
        else:
            row[1] = time_ns
        if len(row) < columns:
            row += _FURTHER_COLUMNS[len(row) : columns]
        return row


_FURTHER_COLUMNS: list[Any] = [None] * len(Update)
_FURTHER_COLUMNS[Update.BUSTED] = 0


def project(events: bytes) -> Changes:
    """Return what a run of whole event records does to the tables of orders and fills."""
    changes = Changes([], {}, [], [])
    read_head = LENGTH_AND_TYPE.unpack_from
    offset, end = 0, len(events)
    while offset < end:
        length, number = read_head(events, offset)
        take = _TAKERS.get(number)
        if take is not None:
            take(changes, events, offset)
        offset += length
    return changes


def _accept(changes: Changes, events: bytes, offset: int) -> None:
    values = _ACCEPTED.unpack_from(events, offset)
    client_order_id = values[18].rstrip(b"\0").decode("ascii")
    record = events[offset : offset + values[0]]
    changes.orders.append((values[10], values[11], values[9], client_order_id, values[17], 0, record))


def _reject(changes: Changes, events: bytes, offset: int) -> None:
    values = _REJECTED.unpack_from(events, offset)
    client_order_id = values[18].rstrip(b"\0").decode("ascii", "replace")
    record = events[offset : offset + values[0]]
    ended = int(OrderStatus.REJECTED)
    changes.orders.append((values[10], values[11], values[9], client_order_id, 0, ended, record))


def _execute(changes: Changes, events: bytes, offset: int) -> None:
    (
        _, _, _, _, partition, sequence, _, time_ns, _, symbol_id,
        maker_id, taker_id, maker_account, taker_account, price, quantity, _, maker_leaves, taker_leaves,
        taker_side, _,
    ) = _EXECUTED.unpack_from(events, offset)  # fmt: skip
    match_id = public_id(partition, sequence)
    for order_id, leaves in ((maker_id, maker_leaves), (taker_id, taker_leaves)):
        row = changes.update(order_id, time_ns)
        row[_LEAVES] = leaves
        row[_FILLED] += quantity
        row[_NOTIONAL] += price * quantity
    maker_side = _OTHER_SIDE[taker_side]
    fills = changes.fills
    fills.append((maker_account, match_id, maker_side, maker_id, symbol_id, price, quantity, 1, time_ns))
    fills.append((taker_account, match_id, taker_side, taker_id, symbol_id, price, quantity, 0, time_ns))


def _cancel(changes: Changes, events: bytes, offset: int) -> None:
    values = _CANCELLED.unpack_from(events, offset)
    row = changes.update(values[10], values[7], CANCELLED_COLUMNS)
    row[_LEAVES] = 0
    row[_ENDED] = int(cancel_status(values[13]))
    row[_REASON] = values[13]


def _amend(changes: Changes, events: bytes, offset: int) -> None:
    values = _AMENDED.unpack_from(events, offset)
    row = changes.update(values[10], values[7], len(Update))
    row[Update.PRICE], row[Update.QUANTITY], row[_LEAVES] = values[15:]


def _reprice(changes: Changes, events: bytes, offset: int) -> None:
    values = _REPRICED.unpack_from(events, offset)
    changes.update(values[10], values[7], len(Update))[Update.PRICE] = values[14]


def _accept_terms(changes: Changes, events: bytes, offset: int) -> None:
    length, _, _, _, _, _, _, time_ns, _, _, order_id = _ORDER_EVENT.unpack_from(events, offset)
    changes.update(order_id, time_ns, len(Update))[Update.TERMS] = events[offset : offset + length]


def _trigger(changes: Changes, events: bytes, offset: int) -> None:
    *_, time_ns, _, _, order_id = _ORDER_EVENT.unpack_from(events, offset)
    changes.update(order_id, time_ns, len(Update))[Update.TRIGGERED_NS] = time_ns


def _prevent(changes: Changes, events: bytes, offset: int) -> None:
    values = _PREVENTED.unpack_from(events, offset)
    changes.prevented.append((values[5], values[9], *values[10:18], values[7]))


def _replace(changes: Changes, events: bytes, offset: int) -> None:
    values = _REPLACED.unpack_from(events, offset)
    new = values[11]
    row = changes.update(values[10], values[7], len(Update))
    row[_LEAVES] = 0
    row[_ENDED] = int(OrderStatus.REPLACED)
    row[Update.REPLACED_BY] = new
    client_order_id = values[20].rstrip(b"\0").decode("ascii")
    record = events[offset : offset + values[0]]
    changes.orders.append((new, values[12], values[9], client_order_id, values[19], 0, record))


def _bust(changes: Changes, events: bytes, offset: int) -> None:
    values = _BUSTED.unpack_from(events, offset)
    match_id, price, quantity, buyer, seller, buy_order_id, sell_order_id = values[10:17]
    for order_id in (buy_order_id, sell_order_id):
        _unfill(changes.update(order_id, values[7], len(Update)), quantity, price * quantity)
    changes.rulings.append((None, None, int(FillState.BUSTED), match_id, buyer, seller))


def _correct(changes: Changes, events: bytes, offset: int) -> None:
    values = _CORRECTED.unpack_from(events, offset)
    match_id, price, quantity, buyer, seller, buy_order_id, sell_order_id = values[10:17]
    new_price, new_quantity = values[20:]
    for order_id in (buy_order_id, sell_order_id):
        difference = price * quantity - new_price * new_quantity
        _unfill(changes.update(order_id, values[7], len(Update)), quantity - new_quantity, difference)
    changes.rulings.append((new_price, new_quantity, int(FillState.CORRECTED), match_id, buyer, seller))


def _unfill(row: list[Any], quantity: int, notional: int) -> None:
    row[_FILLED] -= quantity
    row[_NOTIONAL] -= notional
    row[Update.BUSTED] += quantity


_TAKERS = {
    ACCEPTED: _accept,
    REJECTED: _reject,
    EXECUTED: _execute,
    CANCELLED: _cancel,
    AMENDED: _amend,
    REPLACED: _replace,
    REPRICED: _reprice,
    TERMS_ACCEPTED: _accept_terms,
    PEG_ACCEPTED: _accept_terms,
    TERMS_ADJUSTED: _accept_terms,
    TRIGGERED: _trigger,
    PREVENTED: _prevent,
    BUSTED: _bust,
    CORRECTED: _correct,
}
