"""The tables of the house: its acts and their entries, what is to be settled, prices, margin, defaults and fees."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text, text

from exchange.clearing.tables import WideInteger, metadata, partition_column

_IS_OPEN = text("settled_on = 0")


def _key(name: str, kind: type[Integer] = BigInteger) -> Column[int]:
    return Column(name, kind, primary_key=True, autoincrement=False)


def _number(name: str, kind: type[Integer] = BigInteger) -> Column[int]:
    return Column(name, kind, nullable=False)


def _wide(name: str) -> Column[int]:
    return Column(name, WideInteger, nullable=False)


house_acts = Table(
    "house_acts",
    metadata,
    partition_column(),
    _key("number"),
    Column("source", String(200), nullable=False),
    Column("kind", String(16), nullable=False),
    _number("business_date", Integer),
    _number("time_ns"),
    _number("key_id"),
    Column("who", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    _number("entries"),
    Column("hash", LargeBinary(16), nullable=False),
    Index("house_acts_by_source", "partition", "source", unique=True),
    Index("house_acts_by_kind", "partition", "kind", "number"),
)
"""What the house did, in order, only ever appended to. source: what it follows from, unique, so that a repetition is
found; body: JSON; hash: over the one before, the act and its entries."""

house_entries = Table(
    "house_entries",
    metadata,
    partition_column(),
    _key("act"),
    _key("place"),
    _number("debit"),
    _number("credit"),
    _number("account_id"),
    _wide("amount"),
    _number("code", Integer),
    _number("phase", Integer),
    Column("resolves", LargeBinary(16), nullable=False),
    Index("house_entries_by_account", "account_id", "act"),
    sqlite_with_rowid=False,
)
"""The house's ledger, only ever appended to. account_id: the exchange account on one of the sides, 0 for none."""

house_pending = Table(
    "house_pending",
    metadata,
    partition_column(),
    Column("entry_id", LargeBinary(16), primary_key=True),
    _number("act"),
    _number("place"),
    _number("debit"),
    _number("credit"),
    _wide("amount"),
    _number("code", Integer),
)
"""The pending entries that nobody has resolved yet."""

house_balances = Table(
    "house_balances",
    metadata,
    partition_column(),
    _key("account_number"),
    _number("account_id"),
    _number("asset", Integer),
    _number("holder", Integer),
    *[_wide(name) for name in ("debits", "credits", "debits_pending", "credits_pending")],
    Index("house_balances_by_account", "account_id", "asset"),
)
"""What the house's entries sum to, per account."""

instructions = Table(
    "instructions",
    metadata,
    partition_column(),
    _key("cycle", Integer),
    _key("account_id"),
    _key("symbol_id", Integer),
    _number("due", Integer),
    *[_wide(name) for name in ("quantity", "cash", "moved", "compensated")],
    _number("settled_on", Integer),
    Index("instructions_open", "partition", "due", sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN),
    Index("instructions_by_account", "account_id", "cycle"),
    sqlite_with_rowid=False,
)
"""What is to be settled. quantity, cash: what is open of it; moved: shares taken over from other accounts; compensated:
shares that money took the place of; settled_on: 0 while anything is open."""

settlement_lines = Table(
    "settlement_lines",
    metadata,
    partition_column(),
    _key("act"),
    _key("cycle", Integer),
    _key("account_id"),
    _key("symbol_id", Integer),
    _number("due", Integer),
    *[_wide(name) for name in ("moved", "mark", "failed")],
    _number("price"),
    Index("settlement_lines_by_account", "account_id", "act"),
)
"""What a run does to each instruction. moved: shares, signed; mark: money, signed; failed: shares that stay open."""

closing_prices = Table(
    "closing_prices",
    metadata,
    partition_column(),
    _key("symbol_id", Integer),
    _key("business_date", Integer),
    _number("price"),
)
"""The price of each symbol at the end of each trading day, for settlement and value at risk."""

margin_accounts = Table(
    "margin_accounts",
    metadata,
    partition_column(),
    _key("account_id"),
    _number("act"),
    _number("time_ns"),
    *[_wide(name) for name in ("variation", "value_at_risk", "floor", "haircut", "called")],
    _number("due_ns"),
)
"""What the last run required of each account. called: what was missing then; due_ns: until when, 0 for no call."""

house_defaults = Table(
    "house_defaults",
    metadata,
    partition_column(),
    _key("participant_id"),
    _number("act"),
    _number("declared_ns"),
    _number("blocked_ns"),
    _number("attempts"),
    Column("answer", Text, nullable=False),
)
"""Participants in default. blocked_ns: when the engine stopped them, 0 until then; answer: what it said last."""

fee_charges = Table(
    "fee_charges",
    metadata,
    partition_column(),
    _key("business_date", Integer),
    _key("account_id"),
    Column("name", String(32), primary_key=True),
    _wide("amount"),
)
"""What was charged for the trades of each day, by account and name of the fee."""
