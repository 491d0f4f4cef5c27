"""A store of version 0003 is brought to 0004 without losing anything, and goes back."""

from __future__ import annotations

from importlib.resources import as_file, files

from alembic import command
from alembic.config import Config
from sqlalchemy import inspect

from exchange.clearing.app import MIGRATIONS
from exchange.clearing.review_store import list_audit, write_audit
from exchange.infra.store import begin_write, open_store
from exchange.post_trade.review import Actor

NEW = {"cycles", "obligations", "netted"}


def test_the_audit_trail_stays_as_it_was(store_url: str) -> None:
    store = open_store(store_url, MIGRATIONS)
    with begin_write(store) as connection:
        write_audit(connection, 0, Actor(7, "otto"), "bust", "trade 1", "off", 5)
    with as_file(files(MIGRATIONS)) as folder, store.connect() as connection:
        config = Config()
        config.set_main_option("script_location", str(folder))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.downgrade(config, "0003")
        assert not NEW & set(inspect(connection).get_table_names())
    store.dispose()
    store = open_store(store_url, MIGRATIONS)
    with store.connect() as connection:
        assert [row.why for row in list_audit(connection, 0, 0, 9)] == ["off"]
        assert set(inspect(connection).get_table_names()) >= NEW
    store.dispose()
