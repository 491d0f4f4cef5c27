"""The splits that clearing has kept, read back for statements, and what symbols are worth after them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, func, select

from exchange.clearing import queries
from exchange.domain.corporate_action import Split
from exchange.domain.corporate_events import SymbolSplit
from exchange.domain.directory import Directory
from exchange.domain.events import Event
from exchange.domain.units import date_number, sequence_of
from exchange.infra.store import directory_events
from exchange.post_trade.statement import SplitFact
from exchange.wire.records import decode_event, number_of

TYPE_AT = 5
"""Where a record has its type, counted from 1 as SQL does."""


def read_splits(connection: Connection, partition: int) -> list[SplitFact]:
    """Read all splits, in their order."""
    columns = directory_events.c
    is_split = func.substr(columns.record, TYPE_AT, 1) == bytes((number_of(SymbolSplit),))
    query = select(columns.record).where(columns.partition == partition, is_split).order_by(columns.sequence)
    return [split_fact(decode_event(record)) for (record,) in connection.execute(query)]


def split_fact(event: Event) -> SplitFact:
    """Return what a split's event says."""
    assert isinstance(event, SymbolSplit), event
    split = Split(event.new_shares, event.old_shares)
    return SplitFact(event.symbol_id, event.sequence, date_number(event.time_ns), split, event.cash_price)


def after_splits(prices: Iterable[tuple[int, int]], splits: Sequence[SplitFact], until: int) -> list[int]:
    """Return a symbol's closing prices as they are after its splits since then, up to a day; none becomes less than 1.

    prices: with their days, `YYYYMMDD`. splits: of this symbol.
    """
    found = []
    for day, price in prices:
        for fact in splits:
            if day < fact.date <= until:
                price = max(1, fact.split.price(price))
        found.append(price)
    return found


def marks_of(
    connection: Connection,
    partition: int,
    directory: Directory,
    symbol_ids: Iterable[int],
    business_date: int,
) -> dict[int, int]:
    """Return what symbols are worth on a day: the last trade's price that stands, as it is after the splits since then;
    else the reference price.
    """
    splits = read_splits(connection, partition)
    marks = {}
    for symbol_id in sorted(symbol_ids):
        symbol = directory.symbols.get(symbol_id)
        match_id, last = queries.last_price(connection, partition, symbol_id, business_date)
        for fact in splits:
            is_since = sequence_of(match_id) < fact.sequence and fact.date <= business_date
            if fact.symbol_id == symbol_id and is_since:
                last = fact.split.price(last)
        marks[int(symbol_id)] = last or (int(symbol.reference_price) if symbol else 0)
    return marks
