"""The splits that clearing has kept, read back for statements."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from exchange.domain.corporate_action import Split
from exchange.domain.corporate_events import SymbolSplit
from exchange.domain.events import Event
from exchange.domain.units import date_number
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
