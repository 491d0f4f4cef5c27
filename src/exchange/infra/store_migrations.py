"""Alembic, behind one door: runs a component's migrations, and makes the tables that every component has.

A migrations package has an `env.py` that calls `run_from_alembic()`, a `script.py.mako`, and
`versions/NNNN_what.py` with `revision = "NNNN"`, counted from 0001 without a gap. Each migration runs in a
transaction of its own.
"""

from __future__ import annotations

from importlib.resources import as_file, files

import sqlalchemy as sa
from alembic import command, context, op
from alembic.config import Config
from sqlalchemy import Engine

from exchange.infra import store_postgres


def migrate(store: Engine, migrations: str, to: str = "head") -> None:
    """Run the migrations that a database has not had, up to a version."""
    with as_file(files(migrations)) as folder, store.connect() as connection:
        if store.dialect.name == "postgresql":
            store_postgres.take_out_without_limits(connection)
        config = Config()
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.upgrade(config, to)


def run_from_alembic() -> None:
    """Do what `env.py` is for: run the chosen migrations on the connection that `migrate` brought."""
    connection = context.config.attributes["connection"]
    context.configure(connection=connection, transaction_per_migration=True, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


def create_feed_tables() -> None:
    """Make the tables `feed_positions` and `directory_events`; for the first migration of a component."""
    op.create_table(
        "feed_positions",
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "directory_events",
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("record", sa.LargeBinary, nullable=False),
    )


def drop_feed_tables() -> None:
    """Undo `create_feed_tables`."""
    op.drop_table("directory_events")
    op.drop_table("feed_positions")
