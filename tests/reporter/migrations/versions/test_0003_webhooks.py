"""A store of version 2 gets the tables of webhooks and keeps what it has."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import inspect, text

from exchange.infra.store import open_store
from exchange.reporter.store import MIGRATIONS


def test_a_store_of_version_2_goes_up_and_down_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/reporter.sqlite"
    store = open_store(url, MIGRATIONS)
    with store.begin() as connection:
        connection.execute(text("INSERT INTO business_dates VALUES (0, 1, 20261123, 5)"))
        config = Config()
        config.set_main_option("script_location", MIGRATIONS.replace(".", ":", 1).replace(".", "/"))
        config.attributes["connection"] = connection
        command.downgrade(config, "0002")
        assert not inspect(connection).has_table("webhooks")
    store.dispose()
    store = open_store(url, MIGRATIONS)
    with store.connect() as connection:
        assert inspect(connection).has_table("webhooks")
        assert connection.execute(text("SELECT date FROM business_dates")).scalar() == 20261123
    store.dispose()
