"""Cycles of netting: which days are closed, what each owes, and what all of them owe together."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

NARROW = ("partition", "business_date", "symbol_id")


def key(*names: str) -> list[sa.Column[int]]:
    """Make the columns of a primary key."""
    return [
        sa.Column(
            name, sa.Integer if name in NARROW else sa.BigInteger, primary_key=True, autoincrement=False
        )
        for name in names
    ]


def amounts() -> list[sa.Column[object]]:
    """Make the columns of shares and money, which may outgrow 64 bits."""
    return [sa.Column(name, sa.String(60), nullable=False) for name in ("quantity", "cash")]


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "cycles",
        *key("partition", "business_date"),
        *(
            sa.Column(name, sa.BigInteger, nullable=False)
            for name in ("closed_ns", "sequence", "obligations")
        ),
        sa.Column("left_out", sa.BigInteger, nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("hash", sa.LargeBinary(16), nullable=False),
    )
    op.create_table("obligations", *key("partition", "business_date", "account_id", "symbol_id"), *amounts())
    op.create_index("obligations_by_account", "obligations", ["account_id", "business_date"])
    op.create_table("netted", *key("partition", "account_id", "symbol_id"), *amounts())


def downgrade() -> None:
    """Remove the tables, and which days were closed."""
    for table in ("netted", "obligations", "cycles"):
        op.drop_table(table)
