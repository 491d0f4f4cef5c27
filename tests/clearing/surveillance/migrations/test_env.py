"""The migrations make exactly the tables that the code works with."""

from __future__ import annotations

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import MetaData

from exchange.clearing.surveillance import tables
from exchange.clearing.surveillance.office import MIGRATIONS
from exchange.infra import store as infra_store


def test_the_migrated_tables_are_those_of_the_code(tmp_path: Path) -> None:
    wanted = MetaData()
    for metadata in (tables.metadata, infra_store.metadata):
        for table in metadata.sorted_tables:
            table.to_metadata(wanted)
    store = infra_store.open_store(f"sqlite:///{tmp_path / 'alerts.sqlite'}", MIGRATIONS)
    with store.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, wanted) == []
