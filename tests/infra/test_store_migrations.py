"""The migrations of both components: they run up and down, and their numbers have no gap."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, inspect

from exchange.infra.store import directory_events, feed_positions, newest_version, open_store
from exchange.infra.store_migrations import migrate

PACKAGES = ["exchange.reporter.migrations", "exchange.clearing.migrations"]


@pytest.mark.parametrize("package", PACKAGES)
def test_versions_count_from_one_without_a_gap_and_each_follows_the_last(package: str) -> None:
    names = sorted(
        entry.name for entry in (files(package) / "versions").iterdir() if entry.name[:1].isdecimal()
    )
    expected = [f"{number:04d}" for number in range(1, len(names) + 1)]
    assert [name[:4] for name in names] == expected
    before = "None"
    for name, number in zip(names, expected, strict=True):
        text = (files(package) / "versions" / name).read_text()
        assert re.search(rf'^revision\b.* = "{number}"$', text, re.MULTILINE)
        assert re.search(rf"^down_revision\b.* = {before}$", text, re.MULTILINE)
        before = f'"{number}"'


@pytest.mark.parametrize("package", PACKAGES)
def test_a_store_has_the_tables_of_every_component(package: str) -> None:
    inspector = inspect(open_store("sqlite://", package))
    for table in (feed_positions, directory_events):
        columns = {column["name"]: column for column in inspector.get_columns(table.name)}
        assert set(columns) == set(table.c.keys())
        keys = inspector.get_pk_constraint(table.name)["constrained_columns"]
        assert keys == [column.name for column in table.primary_key]


@pytest.mark.parametrize("package", PACKAGES)
def test_migrations_can_be_undone(package: str) -> None:
    store = create_engine("sqlite://")
    migrate(store, package)
    with store.connect() as connection:
        config = Config()
        config.set_main_option("script_location", str(files(package)))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    assert inspect(store).get_table_names() == ["alembic_version"]
    migrate(store, package, newest_version(package))
    assert len(inspect(store).get_table_names()) > 2
