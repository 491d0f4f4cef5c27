"""Alembic migrates the reporter's store, there and back."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, inspect

from exchange.infra.store_migrations import migrate
from exchange.reporter.store import MIGRATIONS

FOLDER = Path(__file__).parents[3] / "src" / "exchange" / "reporter" / "migrations"


def test_the_migrations_run_by_way_of_the_environment_and_can_be_undone(tmp_path: Path) -> None:
    store = create_engine(f"sqlite:///{tmp_path}/reporter.sqlite")
    migrate(store, MIGRATIONS)
    assert "trades" in inspect(store).get_table_names()
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("path_separator", "os")
    with store.connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    assert inspect(store).get_table_names() == ["alembic_version"]
    store.dispose()
