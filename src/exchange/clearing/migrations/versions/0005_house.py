"""The house: its acts and ledger, instructions, closing prices, margin, defaults and fees.

What cycles that are closed already owe becomes instructions, due on the day of their cycle.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

NARROW = (
    "partition",
    "business_date",
    "symbol_id",
    "cycle",
    "due",
    "settled_on",
    "asset",
    "holder",
    "code",
    "phase",
)
OPEN = sa.text("settled_on = 0")


def key(*names: str) -> list[sa.Column[int]]:
    """Make the columns of a primary key."""
    return [
        sa.Column(
            name, sa.Integer if name in NARROW else sa.BigInteger, primary_key=True, autoincrement=False
        )
        for name in ("partition", *names)
    ]


def numbers(*names: str) -> list[sa.Column[int]]:
    """Make columns of integers."""
    return [
        sa.Column(name, sa.Integer if name in NARROW else sa.BigInteger, nullable=False) for name in names
    ]


def wide(*names: str) -> list[sa.Column[str]]:
    """Make columns of integers that may outgrow 64 bits."""
    return [sa.Column(name, sa.String(60), nullable=False) for name in names]


def texts(*names: str) -> list[sa.Column[str]]:
    """Make columns of text."""
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def upgrade() -> None:
    """Make the tables."""
    _acts()
    _settlement()
    _margin()
    op.execute(
        "INSERT INTO instructions (partition, cycle, account_id, symbol_id, due, quantity, cash, moved, compensated, "
        "settled_on) SELECT partition, business_date, account_id, symbol_id, business_date, quantity, cash, '0', "
        "'0', 0 FROM obligations"
    )


def _acts() -> None:
    op.create_table(
        "house_acts",
        *key("number"),
        sa.Column("source", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        *numbers("business_date", "time_ns", "key_id"),
        *texts("who", "why"),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        *numbers("entries"),
        sa.Column("hash", sa.LargeBinary(16), nullable=False),
    )
    op.create_index("house_acts_by_source", "house_acts", ["partition", "source"], unique=True)
    op.create_index("house_acts_by_kind", "house_acts", ["partition", "kind", "number"])
    op.create_table(
        "house_entries",
        *key("act", "place"),
        *numbers("debit", "credit", "account_id"),
        *wide("amount"),
        *numbers("code", "phase"),
        sa.Column("resolves", sa.LargeBinary(16), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("house_entries_by_account", "house_entries", ["account_id", "act"])
    op.create_table(
        "house_pending",
        *key(),
        sa.Column("entry_id", sa.LargeBinary(16), primary_key=True),
        *numbers("act", "place", "debit", "credit"),
        *wide("amount"),
        *numbers("code"),
    )
    op.create_table(
        "house_balances",
        *key("account_number"),
        *numbers("account_id", "asset", "holder"),
        *wide("debits", "credits", "debits_pending", "credits_pending"),
    )
    op.create_index("house_balances_by_account", "house_balances", ["account_id", "asset"])


def _settlement() -> None:
    op.create_table(
        "instructions",
        *key("cycle", "account_id", "symbol_id"),
        *numbers("due"),
        *wide("quantity", "cash", "moved", "compensated"),
        *numbers("settled_on"),
    )
    op.create_index(
        "instructions_open", "instructions", ["partition", "due"], sqlite_where=OPEN, postgresql_where=OPEN
    )
    op.create_index("instructions_by_account", "instructions", ["account_id", "cycle"])
    op.create_table(
        "settlement_lines",
        *key("act", "cycle", "account_id", "symbol_id"),
        *numbers("due"),
        *wide("moved", "mark", "failed"),
        *numbers("price"),
    )
    op.create_index("settlement_lines_by_account", "settlement_lines", ["account_id", "act"])
    op.create_table("closing_prices", *key("symbol_id", "business_date"), *numbers("price"))


def _margin() -> None:
    op.create_table(
        "margin_accounts",
        *key("account_id"),
        *numbers("act", "time_ns"),
        *wide("variation", "value_at_risk", "floor", "haircut", "called"),
        *numbers("due_ns"),
    )
    op.create_table(
        "house_defaults",
        *key("participant_id"),
        *numbers("act", "declared_ns", "blocked_ns", "attempts"),
        *texts("answer"),
    )
    op.create_table(
        "fee_charges",
        *key("business_date", "account_id"),
        sa.Column("name", sa.String(32), primary_key=True),
        *wide("amount"),
    )


def downgrade() -> None:
    """Remove the tables, and everything that the house did."""
    for table in ("fee_charges", "house_defaults", "margin_accounts", "closing_prices", "settlement_lines",
                  "instructions", "house_balances", "house_pending", "house_entries", "house_acts"):  # fmt: skip
        op.drop_table(table)
