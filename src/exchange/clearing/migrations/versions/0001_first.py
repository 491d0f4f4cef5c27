"""The first version: trades and their steps, rulings, outbox, ledger, balances, positions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from exchange.infra.store_migrations import create_feed_tables, drop_feed_tables

revision = "0001"
down_revision = None


def big(name: str) -> sa.Column[int]:
    """Make a 64-bit column that is never empty."""
    return sa.Column(name, sa.BigInteger, nullable=False)


def small(name: str) -> sa.Column[int]:
    """Make an integer column that is never empty."""
    return sa.Column(name, sa.Integer, nullable=False)


def words(name: str, length: int = 0) -> sa.Column[str]:
    """Make a text column that is never empty. length: 0 for any."""
    return sa.Column(name, sa.String(length) if length else sa.Text(), nullable=False)


def key(*names: str) -> list[sa.Column[int]]:
    """Make the columns of a primary key."""
    narrow = ("partition", "symbol_id")
    return [
        sa.Column(
            name, sa.Integer if name in narrow else sa.BigInteger, primary_key=True, autoincrement=False
        )
        for name in names
    ]


def upgrade() -> None:
    """Make every table."""
    create_feed_tables()
    op.create_table(
        "trades", *key("match_id"), small("partition"), big("epoch"), big("sequence"), small("symbol_id"),
        big("price"), big("quantity"), big("buy_account_id"), big("sell_account_id"), big("buy_order_id"),
        big("sell_order_id"), small("taker_side"), big("reference_price"), small("symbol_state"),
        big("executed_ns"), small("business_date"), words("state", 16), small("version"),
    )  # fmt: skip
    op.create_index("trades_by_date", "trades", ["business_date", "match_id"])
    op.create_index("trades_by_state", "trades", ["state", "match_id"])
    op.create_index("trades_by_symbol", "trades", ["symbol_id", "match_id"])
    op.create_index("trades_by_buyer", "trades", ["buy_account_id", "match_id"])
    op.create_index("trades_by_seller", "trades", ["sell_account_id", "match_id"])
    op.create_table(
        "trade_steps",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        big("match_id"), big("time_ns"), sa.Column("occurrence", sa.String(24)), words("state", 16),
        small("version"), words("who"), words("why"), big("ruling_id"),
    )  # fmt: skip
    op.create_index("trade_steps_by_trade", "trade_steps", ["match_id", "number"])
    op.create_table(
        "rulings", *key("partition", "ruling_id"), big("match_id"), big("time_ns"), words("verdict", 16),
        small("code"), words("who"), words("why"), sa.Column("hits", sa.LargeBinary, nullable=False),
    )  # fmt: skip
    op.create_index("rulings_by_trade", "rulings", ["match_id"])
    op.create_table(
        "outbox", *key("partition", "ruling_id"), big("match_id"), words("kind", 8), small("code"),
        big("new_price"), big("new_quantity"), big("created_ns"), words("state", 8), small("attempts"),
        big("tried_ns"), words("answer"),
    )  # fmt: skip
    op.create_index("outbox_by_state", "outbox", ["partition", "state", "ruling_id"])
    op.create_index("outbox_by_trade", "outbox", ["match_id"])
    _ledger_tables()


def _ledger_tables() -> None:
    op.create_table(
        "transfers", *key("partition", "number"), sa.Column("transfer_id", sa.LargeBinary(16), nullable=False),
        big("debit"), big("credit"), big("account_id"), big("amount"), small("code"), big("subject"),
        big("sequence"), big("time_ns"), small("version"),
    )  # fmt: skip
    op.create_index("transfers_by_id", "transfers", ["transfer_id"], unique=True)
    op.create_index("transfers_by_account", "transfers", ["account_id", "number"])
    op.create_index("transfers_by_subject", "transfers", ["subject"])
    op.create_table(
        "balances", *key("partition", "account_number"), big("account_id"), small("asset"), small("holder"),
        words("debits", 60), words("credits", 60),
    )  # fmt: skip
    op.create_index("balances_by_account", "balances", ["account_id", "asset"])
    op.create_table(
        "positions", *key("partition", "account_id", "symbol_id"), big("deposited"), big("bought"), big("sold"),
        words("bought_notional", 60), words("sold_notional", 60),
    )  # fmt: skip
    op.create_table(
        "books", *key("partition"), big("trades"), big("transfers"),
        sa.Column("ledger_hash", sa.LargeBinary(16), nullable=False),
        big("next_ruling_id"), small("business_date"),
    )  # fmt: skip


def downgrade() -> None:
    """Remove every table."""
    for table in (
        "books", "positions", "balances", "transfers", "outbox", "rulings", "trade_steps", "trades",
    ):  # fmt: skip
        op.drop_table(table)
    drop_feed_tables()
