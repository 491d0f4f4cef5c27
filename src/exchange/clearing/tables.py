"""The tables of clearing's store. Every key has the partition in it, either as a column or in a public id."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Dialect,
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

_SIGN = 1 << 63
_WRAP = 1 << 64


class PublicId(TypeDecorator[int]):
    """An unsigned 64-bit id in a signed column, bit for bit; only ids of one partition are ever ordered."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | None:
        """Write an id."""
        return value - _WRAP if value is not None and value >= _SIGN else value

    def process_result_value(self, value: int | None, dialect: Dialect) -> int | None:
        """Read an id."""
        return value + _WRAP if value is not None and value < 0 else value

    def are_as_is(self, values: Iterable[int]) -> bool:
        """Tell whether these ids are below the sign, as those of the engine's partitions all are."""
        return max(values) < _SIGN


class WideInteger(TypeDecorator[int]):
    """An integer of any size as decimal text, for sums that may outgrow 64 bits."""

    impl = String(60)
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> str | None:
        """Write an integer."""
        return None if value is None else str(value)

    def are_as_is(self, values: Iterable[object]) -> bool:
        """Tell whether these were made texts already, by who writes millions of them."""
        return all(type(value) is str for value in values)

    def process_result_value(self, value: str | None, dialect: Dialect) -> int | None:
        """Read an integer."""
        return None if value is None else int(value)


def partition_column() -> Column[Any]:
    """Make the column that opens the key of a table of one partition's rows."""
    return Column("partition", Integer, primary_key=True, autoincrement=False)


metadata = MetaData()
IS_UNUSUAL = text("state <> 'accepted'")
"""Nearly all trades are accepted, and no index helps to find those. Who asks for others says so with these very words
too, for SQLite takes the index of them only then."""
_IS_LATER = text("version > 1 OR code IN (2, 3)")
"""What a bust or a correction booked; the first chain of a trade is found by the sequence of the trade."""

trades = Table(
    "trades",
    metadata,
    Column("match_id", PublicId, primary_key=True, autoincrement=False),
    Column("partition", Integer, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("symbol_id", Integer, nullable=False),
    Column("price", BigInteger, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("buy_account_id", BigInteger, nullable=False),
    Column("sell_account_id", BigInteger, nullable=False),
    Column("buy_order_id", PublicId, nullable=False),
    Column("sell_order_id", PublicId, nullable=False),
    Column("taker_side", Integer, nullable=False),
    Column("reference_price", BigInteger, nullable=False),
    Column("symbol_state", Integer, nullable=False),
    Column("executed_ns", BigInteger, nullable=False),
    Column("business_date", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("version", Integer, nullable=False),
    Column("rules_version", Text, nullable=False, server_default=""),
    Index("trades_by_date", "business_date", "match_id", postgresql_using="brin"),
    Index("trades_by_state", "state", "match_id", sqlite_where=IS_UNUSUAL, postgresql_where=IS_UNUSUAL),
    Index("trades_by_symbol", "symbol_id", "match_id"),
    Index("trades_by_buyer", "buy_account_id", "match_id"),
    Index("trades_by_seller", "sell_account_id", "match_id"),
)
"""One row per trade, as it stands now."""

trade_steps = Table(
    "trade_steps",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("match_id", PublicId, nullable=False),
    Column("time_ns", BigInteger, nullable=False),
    Column("occurrence", String(24)),
    Column("state", String(16), nullable=False),
    Column("version", Integer, nullable=False),
    Column("who", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("ruling_id", BigInteger, nullable=False),
    Index("trade_steps_by_trade", "match_id", "number"),
)
"""What happened to trades, in order, but for what follows from the trade itself (`post_trade/trade.py`)."""

rulings = Table(
    "rulings",
    metadata,
    partition_column(),
    Column("ruling_id", BigInteger, primary_key=True, autoincrement=False),
    Column("match_id", PublicId, nullable=False),
    Column("time_ns", BigInteger, nullable=False),
    Column("verdict", String(16), nullable=False),
    Column("code", Integer, nullable=False),
    Column("who", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("hits", LargeBinary, nullable=False),
    Index("rulings_by_trade", "match_id"),
)
"""Decisions by rules that were hit, and by people. hits: JSON."""

outbox = Table(
    "outbox",
    metadata,
    partition_column(),
    Column("ruling_id", BigInteger, primary_key=True, autoincrement=False),
    Column("match_id", PublicId, nullable=False),
    Column("kind", String(8), nullable=False),
    Column("code", Integer, nullable=False),
    Column("new_price", BigInteger, nullable=False),
    Column("new_quantity", BigInteger, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("state", String(8), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("tried_ns", BigInteger, nullable=False),
    Column("answer", Text, nullable=False),
    Index("outbox_by_state", "partition", "state", "ruling_id"),
    Index("outbox_by_trade", "match_id"),
)
"""What the engine is asked to do: waiting → taken → done, or refused."""

transfers = Table(
    "transfers",
    metadata,
    partition_column(),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("debit", BigInteger, nullable=False),
    Column("credit", BigInteger, nullable=False),
    Column("account_id", BigInteger, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("code", Integer, nullable=False),
    Column("subject", PublicId, nullable=False),
    Column("time_ns", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Index("transfers_by_account", "account_id", "number"),
    Index("transfers_by_subject", "subject", sqlite_where=_IS_LATER, postgresql_where=_IS_LATER),
    sqlite_with_rowid=False,
)
"""The ledger: only ever appended to. number: event sequence and place, so that no event can be booked twice;
account_id: the exchange account on one of the sides."""

balances = Table(
    "balances",
    metadata,
    partition_column(),
    Column("account_number", BigInteger, primary_key=True, autoincrement=False),
    Column("account_id", BigInteger, nullable=False),
    Column("asset", Integer, nullable=False),
    Column("holder", Integer, nullable=False),
    Column("debits", WideInteger, nullable=False),
    Column("credits", WideInteger, nullable=False),
    Index("balances_by_account", "account_id", "asset"),
)
"""What the transfers sum to, per ledger account."""

positions = Table(
    "positions",
    metadata,
    partition_column(),
    Column("account_id", BigInteger, primary_key=True, autoincrement=False),
    Column("symbol_id", Integer, primary_key=True, autoincrement=False),
    Column("deposited", BigInteger, nullable=False),
    Column("bought", BigInteger, nullable=False),
    Column("sold", BigInteger, nullable=False),
    Column("bought_notional", WideInteger, nullable=False),
    Column("sold_notional", WideInteger, nullable=False),
)
"""What the trades and share movements sum to, per account and symbol."""

books = Table(
    "books",
    metadata,
    partition_column(),
    Column("trades", BigInteger, nullable=False),
    Column("transfers", BigInteger, nullable=False),
    Column("ledger_hash", LargeBinary(16), nullable=False),
    Column("next_ruling_id", BigInteger, nullable=False),
    Column("business_date", Integer, nullable=False),
)
"""One row per partition: how many trades and transfers there are, the hash over them, the next ruling, the date."""

reviews = Table(
    "reviews",
    metadata,
    partition_column(),
    Column("review_id", BigInteger, primary_key=True, autoincrement=False),
    Column("match_id", PublicId, nullable=False),
    Column("state", String(16), nullable=False),
    Column("applicant", BigInteger, nullable=False),
    Column("counterparty", BigInteger, nullable=False),
    Column("due_ns", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("reviews_by_state", "partition", "state", "due_ns"),
    Index("reviews_by_trade", "match_id"),
)
"""Reviews of trades that somebody calls clearly erroneous. body: all of it, as JSON."""

proposals = Table(
    "proposals",
    metadata,
    partition_column(),
    Column("match_id", PublicId, primary_key=True, autoincrement=False),
    Column("kind", String(8), nullable=False),
    Column("code", Integer, nullable=False),
    Column("price", BigInteger, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("key_id", BigInteger, nullable=False),
    Column("who", Text, nullable=False, server_default=""),
    Column("time_ns", BigInteger, nullable=False),
)
"""Rulings that wait for a second officer who says the same; at most one for a trade."""

audit_trail = Table(
    "audit_trail",
    metadata,
    partition_column(),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("time_ns", BigInteger, nullable=False),
    Column("key_id", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("hash", LargeBinary(16), nullable=False),
)
"""What people did, only ever appended to; each row's hash goes over the one before (`post_trade/audit.py`)."""
