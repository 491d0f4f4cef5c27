"""The tables of surveillance's store."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table

metadata = MetaData()

alerts = Table(
    "alerts",
    metadata,
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("alert_id", String(32), primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("raised_sequence", BigInteger, nullable=False),
    Column("detector", String(16), nullable=False),
    Column("level", String(8), nullable=False),
    Column("symbol_id", Integer, nullable=False),
    Column("score", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("case_file", LargeBinary, nullable=False),
    Index("alerts_by_number", "partition", "number", unique=True),
    Index("alerts_by_state", "partition", "state", "number"),
)
"""Alerts in the order in which they came; body: the alert, case_file: its case, both JSON."""

watcher_states = Table(
    "watcher_states",
    metadata,
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("epoch", BigInteger, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("began_at", BigInteger, nullable=False),
    Column("state", LargeBinary, nullable=False),
)
"""What the watcher remembered at an event; began_at: the first event it ever saw."""
