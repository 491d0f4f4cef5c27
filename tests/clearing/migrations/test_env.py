"""The migrations make exactly the tables that the code works with."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, MetaData

from exchange.clearing import cycle_tables, tables
from exchange.infra import store as infra_store


def test_the_migrated_tables_are_those_of_the_code(store: Engine) -> None:
    wanted = MetaData()
    assert cycle_tables.cycles.metadata is tables.metadata
    for metadata in (tables.metadata, infra_store.metadata):
        for table in metadata.sorted_tables:
            table.to_metadata(wanted)
    with store.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, wanted) == []
