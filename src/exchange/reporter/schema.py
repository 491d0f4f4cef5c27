"""The tables of the reporter's store, beside those that every component has (`infra/store.py`)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    text,
)

metadata = MetaData()


class WideInteger(TypeDecorator[int]):
    """A whole number that may need more than 64 bits: a day's sum of price × quantity. Kept as text."""

    impl = String(32)
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Any) -> str | None:
        """Write the number."""
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Any) -> int | None:
        """Read the number."""
        return None if value is None else int(value)


def _partition() -> Column[int]:
    return Column("partition", Integer, primary_key=True, autoincrement=False)


def _sequence(name: str = "sequence") -> Column[int]:
    return Column(name, BigInteger, primary_key=True, autoincrement=False)


trades = Table(
    "trades",
    metadata,
    _partition(),
    _sequence(),
    Column("symbol_id", Integer, nullable=False),
    Column("business_date", Integer, nullable=False),
    Column("executed_ns", BigInteger, nullable=False),
    Column("price", BigInteger, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("executed_price", BigInteger, nullable=False),
    Column("executed_quantity", BigInteger, nullable=False),
    Column("maker_sequence", BigInteger, nullable=False),
    Column("taker_sequence", BigInteger, nullable=False),
    Column("taker_side", Integer, nullable=False),
    Column("reference_price", BigInteger, nullable=False),
    Column("status", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("changed_sequence", BigInteger, nullable=False),
    Column("changed_ns", BigInteger, nullable=False),
    Column("reason", Integer, nullable=False),
    Column("ruling_id", BigInteger, nullable=False),
    Index("trades_by_symbol", "partition", "symbol_id", "sequence"),
    Index(
        "trades_changed",
        "partition",
        "business_date",
        "symbol_id",
        sqlite_where=text("status > 1"),
        postgresql_where=text("status > 1"),
    ),
    sqlite_with_rowid=False,
)

candles = Table(
    "candles",
    metadata,
    _partition(),
    Column("symbol_id", Integer, primary_key=True, autoincrement=False),
    Column("interval_s", Integer, primary_key=True, autoincrement=False),
    Column("start_ns", BigInteger, primary_key=True, autoincrement=False),
    Column("business_date", Integer, primary_key=True, autoincrement=False),
    Column("first_sequence", BigInteger, nullable=False),
    Column("last_sequence", BigInteger, nullable=False),
    Column("open", BigInteger, nullable=False),
    Column("high", BigInteger, nullable=False),
    Column("low", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("volume", BigInteger, nullable=False),
    Column("notional", WideInteger, nullable=False),
    Column("trades", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

announcements = Table(
    "announcements",
    metadata,
    _partition(),
    Column("channel", String(16), primary_key=True),
    _sequence(),
    Column("symbol_id", Integer, nullable=False),
    Column("message", LargeBinary, nullable=False),
    Index("announcements_by_symbol", "partition", "channel", "symbol_id", "sequence"),
)
"""Stream messages that are not made from another table, as they were sent."""

drop_copies = Table(
    "drop_copies",
    metadata,
    _partition(),
    Column("account_id", BigInteger, primary_key=True, autoincrement=False),
    _sequence(),
    Column("events", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
"""Records of the events that concern an account's orders and trades, several in a row. sequence: of the last one."""

webhooks = Table(
    "webhooks",
    metadata,
    _partition(),
    Column("webhook_id", BigInteger, primary_key=True, autoincrement=False),
    Column("participant_id", BigInteger, nullable=False),
    Column("url", String(500), nullable=False),
    Column("channel", String(16), nullable=False),
    Column("symbol_ids", Text, nullable=False),
    Column("secret", String(100), nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("sent_sequence", BigInteger, nullable=False),
    Column("delivered", BigInteger, nullable=False),
    Column("problem", Text, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
)
"""Where participants want to be told. symbol_ids: with a blank between, empty for all; the secret as it is."""

dead_letters = Table(
    "dead_letters",
    metadata,
    _partition(),
    Column("webhook_id", BigInteger, primary_key=True, autoincrement=False),
    _sequence("last_sequence"),
    Column("first_sequence", BigInteger, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("problem", Text, nullable=False),
    Column("died_ns", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
"""Deliveries that nobody took, as they were posted."""

business_dates = Table(
    "business_dates",
    metadata,
    _partition(),
    _sequence(),
    Column("date", Integer, nullable=False),
    Column("began_ns", BigInteger, nullable=False),
)

event_batches = Table(
    "event_batches",
    metadata,
    _partition(),
    _sequence("last_sequence"),
    Column("events", LargeBinary, nullable=False),
)
"""The events since the book snapshot."""

book_snapshots = Table(
    "book_snapshots",
    metadata,
    _partition(),
    Column("sequence", BigInteger, nullable=False),
    Column("state", LargeBinary, nullable=False),
)

candle_intervals = Table(
    "candle_intervals",
    metadata,
    _partition(),
    Column("interval_s", Integer, primary_key=True, autoincrement=False),
)
"""The intervals of which there are candles."""
