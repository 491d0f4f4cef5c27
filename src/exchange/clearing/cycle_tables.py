"""The tables of netting cycles in clearing's store."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Table, Text

from exchange.clearing.tables import PublicId, WideInteger, metadata, partition_column

cycles = Table(
    "cycles",
    metadata,
    partition_column(),
    Column("business_date", Integer, primary_key=True, autoincrement=False),
    Column("closed_ns", BigInteger, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("obligations", BigInteger, nullable=False),
    Column("left_out", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("hash", LargeBinary(16), nullable=False),
)
"""The closed days. sequence: of the event at which the books stood; left_out: trades that waited for a ruling."""

obligations = Table(
    "obligations",
    metadata,
    partition_column(),
    Column("business_date", Integer, primary_key=True, autoincrement=False),
    Column("account_id", BigInteger, primary_key=True, autoincrement=False),
    Column("symbol_id", Integer, primary_key=True, autoincrement=False),
    Column("quantity", WideInteger, nullable=False),
    Column("cash", WideInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""What each cycle owes, by account and symbol."""

cycle_waiting = Table(
    "cycle_waiting",
    metadata,
    partition_column(),
    Column("business_date", Integer, primary_key=True, autoincrement=False),
    Column("match_id", PublicId, primary_key=True, autoincrement=False),
)
"""The trades that each cycle left out, for they waited for a ruling."""

netted = Table(
    "netted",
    metadata,
    partition_column(),
    Column("account_id", BigInteger, primary_key=True, autoincrement=False),
    Column("symbol_id", Integer, primary_key=True, autoincrement=False),
    Column("quantity", WideInteger, nullable=False),
    Column("cash", WideInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""What all cycles together owe."""
