"""The ledger is numbered by event and place, without ids that follow from the rest; plain steps are not kept.

The hash of the ledger is made anew, for it goes over other fields. A busted trade has a version of its own.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from hashlib import blake2b
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ROWS_MAX = 10_000
CHAIN = struct.Struct("<BQQQI")
LEG = struct.Struct("<BQQQ")
LEGS_MAX = 4
UNUSUAL = sa.text("state <> 'accepted'")
LATER = sa.text("version > 1 OR code IN (2, 3)")
PLAIN = "occurrence IS NULL OR (occurrence = 'judged_accept' AND ruling_id = 0)"


def ledger_table(name: str, *own: sa.Column[Any], **options: Any) -> sa.Table:
    """Make a ledger with the columns that both versions have, after the number, and some of its own."""
    return op.create_table(
        name,
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        *own,
        *[
            sa.Column(each, kind, nullable=False)
            for each, kind in (
                ("debit", sa.BigInteger), ("credit", sa.BigInteger), ("account_id", sa.BigInteger),
                ("amount", sa.BigInteger), ("code", sa.Integer), ("subject", sa.BigInteger),
                ("time_ns", sa.BigInteger), ("version", sa.Integer),
            )
        ],
        **options,
    )  # fmt: skip


def upgrade() -> None:
    """Rewrite the ledger and its hash, and drop what follows from the trades."""
    op.add_column("trades", sa.Column("rules_version", sa.Text, nullable=False, server_default=""))
    op.execute(
        "UPDATE trades SET rules_version = coalesce((SELECT min(substr(who, 7)) FROM trade_steps WHERE "
        "trade_steps.match_id = trades.match_id AND occurrence LIKE 'judged%'), '')"
    )
    op.execute("UPDATE trades SET version = version + 1 WHERE state = 'busted'")
    op.execute("UPDATE trade_steps SET version = version + 1 WHERE state = 'busted'")
    op.execute(f"DELETE FROM trade_steps WHERE {PLAIN}")
    op.drop_index("trades_by_date", "trades")
    op.create_index("trades_by_date", "trades", ["business_date", "match_id"], postgresql_using="brin")
    op.drop_index("trades_by_state", "trades")
    op.create_index(
        "trades_by_state", "trades", ["state", "match_id"], sqlite_where=UNUSUAL, postgresql_where=UNUSUAL
    )
    for name in ("transfers_by_id", "transfers_by_account", "transfers_by_subject"):
        op.drop_index(name, "transfers")
    op.rename_table("transfers", "old_transfers")
    rewrite(ledger_table("transfers", sqlite_with_rowid=False))
    op.drop_table("old_transfers")
    op.create_index("transfers_by_account", "transfers", ["account_id", "number"])
    op.create_index(
        "transfers_by_subject", "transfers", ["subject"], sqlite_where=LATER, postgresql_where=LATER
    )


def rewrite(ledger: sa.Table) -> None:
    """Copy the old ledger with new numbers, and store the hash over it."""
    connection = op.get_bind()
    for (partition,) in connection.execute(sa.text('SELECT "partition" FROM books')).all():
        running_hash, chain = bytes(16), list[dict[str, Any]]()
        for row in old_rows(connection, partition):
            place = place_after(chain, row)
            if place % LEGS_MAX == 0:
                running_hash = store(connection, ledger, running_hash, chain)
                chain = []
            chain.append({**row, "number": row["sequence"] * 8 + place})
        running_hash = store(connection, ledger, running_hash, chain)
        connection.execute(
            sa.text('UPDATE books SET ledger_hash = :hash WHERE "partition" = :partition'),
            {"hash": running_hash, "partition": partition},
        )


def old_rows(connection: sa.Connection, partition: int) -> Iterator[dict[str, Any]]:
    """Read the old ledger in its order, in pieces."""
    piece = sa.text(
        'SELECT * FROM old_transfers WHERE "partition" = :partition AND number > :last '
        f"ORDER BY number LIMIT {ROWS_MAX}"
    )
    last = 0
    while rows := connection.execute(piece, {"partition": partition, "last": last}).mappings().all():
        last = rows[-1]["number"]
        yield from map(dict, rows)


def place_after(chain: list[dict[str, Any]], row: dict[str, Any]) -> int:
    """Return a transfer's place within what its event booked, after the last ones of the ledger."""
    if chain and chain[-1]["sequence"] == row["sequence"]:
        return int(chain[-1]["number"]) % 8 + 1
    return 0


def store(
    connection: sa.Connection, ledger: sa.Table, running_hash: bytes, chain: list[dict[str, Any]]
) -> bytes:
    """Write a chain into the new ledger; return the hash after it."""
    if not chain:
        return running_hash
    columns = ledger.c.keys()
    connection.execute(sa.insert(ledger), [{name: row[name] for name in columns} for row in chain])
    first = chain[0]
    head = CHAIN.pack(
        first["code"], first["subject"] % 2**64, first["sequence"], first["time_ns"], first["version"]
    )
    legs = [
        LEG.pack(row["number"] % LEGS_MAX + 1, row["debit"], row["credit"], row["amount"]) for row in chain
    ]
    return blake2b(b"".join([running_hash, head, *legs]), digest_size=16).digest()


def downgrade() -> None:
    """Refuse where there are trades, for what follows from them is not kept any more; else go back."""
    if op.get_bind().execute(sa.text("SELECT count(*) FROM trades")).scalar():
        raise RuntimeError("clearing's store cannot go back from version 0002; restore a backup of 0001")
    op.drop_table("transfers")
    ledger_table(
        "transfers",
        sa.Column("transfer_id", sa.LargeBinary(16), nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
    )
    op.create_index("transfers_by_id", "transfers", ["transfer_id"], unique=True)
    op.create_index("transfers_by_account", "transfers", ["account_id", "number"])
    op.create_index("transfers_by_subject", "transfers", ["subject"])
    for name, columns in (("trades_by_date", "business_date"), ("trades_by_state", "state")):
        op.drop_index(name, "trades")
        op.create_index(name, "trades", [columns, "match_id"])
    op.drop_column("trades", "rules_version")
