"""Reviews of trades, rulings that wait for a second officer, and the audit trail."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def big(name: str) -> sa.Column[int]:
    """Make a 64-bit column that is never empty."""
    return sa.Column(name, sa.BigInteger, nullable=False)


def key(*names: str) -> list[sa.Column[int]]:
    """Make the columns of a primary key."""
    return [
        sa.Column(
            name, sa.Integer if name == "partition" else sa.BigInteger, primary_key=True, autoincrement=False
        )
        for name in names
    ]


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "reviews",
        *key("partition", "review_id"),
        big("match_id"),
        sa.Column("state", sa.String(16), nullable=False),
        big("applicant"),
        big("counterparty"),
        big("due_ns"),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index("reviews_by_state", "reviews", ["partition", "state", "due_ns"])
    op.create_index("reviews_by_trade", "reviews", ["match_id"])
    op.create_table(
        "proposals",
        *key("partition", "match_id"),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("code", sa.Integer, nullable=False),
        *(big(name) for name in ("price", "quantity", "key_id", "time_ns")),
    )
    op.create_table(
        "audit_trail",
        *key("partition", "number"),
        big("time_ns"),
        big("key_id"),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("who", "what", "subject", "why", "detail")),
        sa.Column("hash", sa.LargeBinary(16), nullable=False),
    )


def downgrade() -> None:
    """Remove the tables, and what people did with them."""
    for table in ("audit_trail", "proposals", "reviews"):
        op.drop_table(table)
