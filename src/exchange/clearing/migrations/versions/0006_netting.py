"""What millions of rows are written to when a day is closed gets one tree less in SQLite, and an index less everywhere;
a ruling that waits for a second officer says who the first one is, and a closed day which trades it left out.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

KEYS = {
    "obligations": ("partition", "business_date", "account_id", "symbol_id"),
    "netted": ("partition", "account_id", "symbol_id"),
    "instructions": ("partition", "cycle", "account_id", "symbol_id"),
}
OTHERS = {
    "obligations": ("quantity", "cash"),
    "netted": ("quantity", "cash"),
    "instructions": ("due", "quantity", "cash", "moved", "compensated", "settled_on"),
}
NARROW = ("partition", "business_date", "symbol_id", "cycle", "due", "settled_on")
OPEN = sa.text("settled_on = 0")


def column(name: str, is_key: bool) -> sa.Column[object]:
    """Make a column as it was."""
    if is_key:
        kind = sa.Integer if name in NARROW else sa.BigInteger
        return sa.Column(name, kind, primary_key=True, autoincrement=False)
    return sa.Column(name, sa.Integer if name in NARROW else sa.String(60), nullable=False)


def upgrade() -> None:
    """Drop the index, in SQLite make the tables anew without row ids; add the column and the table."""
    op.add_column("proposals", sa.Column("who", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "cycle_waiting",
        *(column(name, True) for name in ("partition", "business_date", "match_id")),
    )
    op.drop_index("obligations_by_account", "obligations")
    if op.get_bind().dialect.name != "sqlite":
        return
    for name in ("instructions_open", "instructions_by_account"):
        op.drop_index(name, "instructions")
    for table, key in KEYS.items():
        names = ", ".join((*key, *OTHERS[table]))
        op.rename_table(table, f"old_{table}")
        columns = [*(column(name, True) for name in key), *(column(name, False) for name in OTHERS[table])]
        op.create_table(table, *columns, sqlite_with_rowid=False)
        op.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM old_{table}")
        op.drop_table(f"old_{table}")
    op.create_index("instructions_open", "instructions", ["partition", "due"], sqlite_where=OPEN)
    op.create_index("instructions_by_account", "instructions", ["account_id", "cycle"])


def downgrade() -> None:
    """Make the index again; the tables may stay as they are."""
    op.create_index("obligations_by_account", "obligations", ["account_id", "business_date"])
    op.drop_column("proposals", "who")
    op.drop_table("cycle_waiting")
