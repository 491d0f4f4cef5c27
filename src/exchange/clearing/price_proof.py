"""The proof of prices: closing prices made anew from the trades that made them, as these stood when the day was closed.

A price is that of the symbol's last trade that stood at an event, after the splits since then; without one, the
reference price as it was. What people entered instead is what their acts say.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, select

from exchange.clearing.cycle_store import CYCLES_MAX, list_cycles
from exchange.clearing.house_store import list_acts
from exchange.clearing.house_tables import closing_prices
from exchange.clearing.queries import entries_of
from exchange.clearing.splits import read_splits
from exchange.clearing.store import TRADE_COLUMNS, trade_of
from exchange.clearing.tables import trades
from exchange.domain.directory import Directory
from exchange.domain.units import format_date, format_price, public_id
from exchange.infra.store import directory_events
from exchange.post_trade.ledger import TransferCode
from exchange.post_trade.statement import SplitFact
from exchange.post_trade.trade import Trade
from exchange.wire.records import decode_event

PRICES = "prices"
ACTS_MAX = 1_000_000
Prices = dict[tuple[int, int], int]
"""Prices by symbol id and day."""


class Close(NamedTuple):
    """The close of a day: when, and the price that its trades made of each symbol."""

    date: int
    closed_ns: int
    prices: dict[int, int]


class Entered(NamedTuple):
    """A price that people entered by an act. key: symbol id and day."""

    act: int
    key: tuple[int, int]
    price: int
    time_ns: int


def make_closes(connection: Connection, partition: int) -> list[Close]:
    """Make the prices of every closed day anew, the oldest first."""
    past = Past(connection, partition)
    return [
        Close(cycle.business_date, cycle.closed_ns, past.prices(cycle.business_date, cycle.sequence))
        for cycle in reversed(list_cycles(connection, partition, 0, CYCLES_MAX))
    ]


def closing_price_faults(connection: Connection, partition: int, closes: list[Close]) -> list[str]:
    """Say which closing price is neither what the day's trades make it nor what was entered."""
    stored = read_closing_prices(connection, partition)
    entered = {each.key: each.price for each in entered_prices(connection, partition)}
    made = {(symbol, close.date): price for close in closes for symbol, price in close.prices.items()}
    return [
        f"the closing price of symbol {key[0]} on {format_date(key[1])} is {_shown(stored.get(key))}, "
        f"{_shown(made.get(key))} by its trades, {_shown(entered.get(key))} by what was entered"
        for key in sorted({*stored, *made, *entered})
        if key not in stored or stored[key] not in (made.get(key), entered.get(key))
    ]


def read_closing_prices(connection: Connection, partition: int) -> Prices:
    """Read all closing prices."""
    table = closing_prices.c
    query = select(table.symbol_id, table.business_date, table.price).where(table.partition == partition)
    return {(symbol_id, day): price for symbol_id, day, price in connection.execute(query)}


def entered_prices(connection: Connection, partition: int) -> list[Entered]:
    """Return the prices that people entered, in the order of their acts."""
    found: list[Entered] = []
    for act in reversed(list_acts(connection, partition, PRICES, 0, ACTS_MAX)):
        body: dict[str, Any] = msgspec.json.decode(act.body)
        found += [
            Entered(act.number, (symbol_id, day), price, act.time_ns)
            for symbol_id, day, price in body["prices"]
        ]
    return found


class Past:
    """What symbols were worth at events of the past, asked in the order of the events."""

    def __init__(self, connection: Connection, partition: int) -> None:
        self._connection = connection
        self._partition = partition
        self._splits = read_splits(connection, partition)
        self._directory = Directory()
        table = directory_events.c
        query = select(table.sequence, table.record).where(table.partition == partition)
        self._events = [
            (row.sequence, row.record) for row in connection.execute(query.order_by(table.sequence))
        ]
        self._applied = 0

    def prices(self, day: int, sequence: int) -> dict[int, int]:
        """Return the price of each symbol on a day, as it was known at an event."""
        while self._applied < len(self._events) and self._events[self._applied][0] <= sequence:
            self._directory.apply(decode_event(self._events[self._applied][1]))
            self._applied += 1
        return {
            int(symbol_id): self._price(symbol_id, day, sequence) or int(symbol.reference_price)
            for symbol_id, symbol in sorted(self._directory.symbols.items())
        }

    def splits(self, sequence: int) -> list[SplitFact]:
        """Return the splits that were known at an event."""
        return [fact for fact in self._splits if fact.sequence <= sequence]

    def _price(self, symbol_id: int, day: int, sequence: int) -> int:
        for trade in self._trades(symbol_id, day, sequence):
            price = int(trade.price) if trade.version == 1 else price_at(self._connection, trade, sequence)
            if price:
                for fact in self._splits:
                    is_since = trade.sequence < fact.sequence <= sequence and fact.date <= day
                    price = fact.split.price(price) if fact.symbol_id == symbol_id and is_since else price
                return price
        return 0

    def _trades(self, symbol_id: int, day: int, sequence: int) -> Iterator[Trade]:
        """Read the trades of a symbol up to a day and an event, the last one first."""
        columns = trades.c
        query = select(*TRADE_COLUMNS).where(
            columns.partition == self._partition, columns.symbol_id == symbol_id, columns.business_date <= day,
            columns.match_id <= public_id(self._partition, sequence),
        )  # fmt: skip
        piece, offset = 1, 0
        while rows := self._connection.execute(
            query.order_by(columns.match_id.desc()).limit(piece).offset(offset)
        ).all():
            yield from map(trade_of, rows)
            offset, piece = offset + piece, 100


def price_at(connection: Connection, trade: Trade, sequence: int) -> int:
    """Return the price of a trade as the ledger had it at an event; 0 where it was busted by then."""
    money = shares = 0
    for _, each in entries_of(connection, trade):
        if each.sequence <= sequence:
            stands = each.code == TransferCode.TRADE
            money = (each.amount if stands else 0) if each.leg == 1 else money
            shares = (each.amount if stands else 0) if each.leg == 3 else shares
    return money // shares if shares else 0


def _shown(price: int | None) -> str:
    return "none" if price is None else format_price(price)
