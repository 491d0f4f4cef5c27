"""Alerts with their cases, and what the watcher remembers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from exchange.infra.store_migrations import create_feed_tables, drop_feed_tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    create_feed_tables()
    op.create_table(
        "alerts",
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("alert_id", sa.String(32), primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("raised_sequence", sa.BigInteger, nullable=False),
        sa.Column("detector", sa.String(16), nullable=False),
        sa.Column("level", sa.String(8), nullable=False),
        sa.Column("symbol_id", sa.Integer, nullable=False),
        sa.Column("score", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("case_file", sa.LargeBinary, nullable=False),
    )
    op.create_index("alerts_by_number", "alerts", ["partition", "number"], unique=True)
    op.create_index("alerts_by_state", "alerts", ["partition", "state", "number"])
    op.create_table(
        "watcher_states",
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("began_at", sa.BigInteger, nullable=False),
        sa.Column("state", sa.LargeBinary, nullable=False),
    )


def downgrade() -> None:
    """Remove the tables, and what people did with the alerts."""
    op.drop_table("watcher_states")
    op.drop_table("alerts")
    drop_feed_tables()
