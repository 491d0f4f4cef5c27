"""The first version can be taken back, and made again."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import inspect

from exchange.clearing.surveillance.office import MIGRATIONS
from exchange.infra.store import open_store


def test_a_downgrade_leaves_nothing_and_a_new_start_makes_all_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'alerts.sqlite'}"
    store = open_store(url, MIGRATIONS)
    made = set(inspect(store).get_table_names())
    with as_file(files(MIGRATIONS)) as folder, store.connect() as connection:
        config = Config()
        config.set_main_option("script_location", str(folder))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    assert set(inspect(store).get_table_names()) == {"alembic_version"}
    again = open_store(f"sqlite:///{tmp_path / 'again.sqlite'}", MIGRATIONS)
    assert set(inspect(again).get_table_names()) == made
    again.dispose()
