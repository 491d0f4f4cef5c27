"""The tables that the first version makes are those that the code names."""

from __future__ import annotations

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData

from exchange.infra import store as infra_store
from exchange.infra.store import open_store
from exchange.reporter import schema
from exchange.reporter.store import MIGRATIONS


def test_the_migrations_make_the_tables_of_the_schema(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/reporter.sqlite", MIGRATIONS)
    together = MetaData()
    for metadata in (schema.metadata, infra_store.metadata):
        for table in metadata.tables.values():
            table.to_metadata(together)
    with store.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, together) == []
    store.dispose()
