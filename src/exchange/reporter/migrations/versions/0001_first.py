"""The first version of the reporter's store."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from exchange.infra.store_migrations import create_feed_tables, drop_feed_tables

revision = "0001"
down_revision = None

PRICE = QUANTITY = SEQUENCE = TIME = sa.BigInteger


def upgrade() -> None:
    """Make all tables."""
    create_feed_tables()
    op.create_table(
        "trades",
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("sequence", SEQUENCE, primary_key=True, autoincrement=False),
        sa.Column("symbol_id", sa.Integer, nullable=False),
        sa.Column("business_date", sa.Integer, nullable=False),
        sa.Column("executed_ns", TIME, nullable=False),
        sa.Column("price", PRICE, nullable=False),
        sa.Column("quantity", QUANTITY, nullable=False),
        sa.Column("executed_price", PRICE, nullable=False),
        sa.Column("executed_quantity", QUANTITY, nullable=False),
        sa.Column("maker_sequence", SEQUENCE, nullable=False),
        sa.Column("taker_sequence", SEQUENCE, nullable=False),
        sa.Column("taker_side", sa.Integer, nullable=False),
        sa.Column("reference_price", PRICE, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("changed_sequence", SEQUENCE, nullable=False),
        sa.Column("changed_ns", TIME, nullable=False),
        sa.Column("reason", sa.Integer, nullable=False),
        sa.Column("ruling_id", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("trades_by_symbol", "trades", ["partition", "symbol_id", "sequence"])
    op.create_index(
        "trades_changed",
        "trades",
        ["partition", "business_date", "symbol_id"],
        sqlite_where=sa.text("status > 1"),
        postgresql_where=sa.text("status > 1"),
    )
    _create_candles()
    _create_announcements()
    _create_what_a_start_needs()


def _create_candles() -> None:
    op.create_table(
        "candles",
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("symbol_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("interval_s", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("start_ns", TIME, primary_key=True, autoincrement=False),
        sa.Column("business_date", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("first_sequence", SEQUENCE, nullable=False),
        sa.Column("last_sequence", SEQUENCE, nullable=False),
        sa.Column("open", PRICE, nullable=False),
        sa.Column("high", PRICE, nullable=False),
        sa.Column("low", PRICE, nullable=False),
        sa.Column("last", PRICE, nullable=False),
        sa.Column("volume", QUANTITY, nullable=False),
        sa.Column("notional", sa.String(32), nullable=False),
        sa.Column("trades", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "candle_intervals",
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("interval_s", sa.Integer, primary_key=True, autoincrement=False),
    )


def _create_announcements() -> None:
    op.create_table(
        "announcements",
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("channel", sa.String(16), primary_key=True),
        sa.Column("sequence", SEQUENCE, primary_key=True, autoincrement=False),
        sa.Column("symbol_id", sa.Integer, nullable=False),
        sa.Column("message", sa.LargeBinary, nullable=False),
    )
    columns = ["partition", "channel", "symbol_id", "sequence"]
    op.create_index("announcements_by_symbol", "announcements", columns)


def _create_what_a_start_needs() -> None:
    op.create_table(
        "business_dates",
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("sequence", SEQUENCE, primary_key=True, autoincrement=False),
        sa.Column("date", sa.Integer, nullable=False),
        sa.Column("began_ns", TIME, nullable=False),
    )
    op.create_table(
        "event_batches",
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("last_sequence", SEQUENCE, primary_key=True, autoincrement=False),
        sa.Column("events", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "book_snapshots",
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("sequence", SEQUENCE, nullable=False),
        sa.Column("state", sa.LargeBinary, nullable=False),
    )


def downgrade() -> None:
    """Remove all tables."""
    for table in (
        "book_snapshots",
        "event_batches",
        "business_dates",
        "announcements",
        "candle_intervals",
        "candles",
        "trades",
    ):
        op.drop_table(table)
    drop_feed_tables()
