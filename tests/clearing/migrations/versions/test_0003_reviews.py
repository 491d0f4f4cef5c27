"""A store of version 0002 is brought to 0003 without losing anything, and goes back."""

from __future__ import annotations

from importlib.resources import as_file, files

from alembic import command
from alembic.config import Config
from sqlalchemy import inspect

from exchange.clearing.app import MIGRATIONS
from exchange.clearing.book_keeper import BookKeeper
from exchange.clearing.store import read_books_row
from exchange.infra.store import open_store
from exchange.post_trade.rules import DEFAULT_RULES, parse_rules
from tests.post_trade.stream import Stream

NEW = {"reviews", "proposals", "audit_trail"}


def go_to(url: str, version: str) -> None:
    store = open_store(url, MIGRATIONS)
    with as_file(files(MIGRATIONS)) as folder, store.connect() as connection:
        config = Config()
        config.set_main_option("script_location", str(folder))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.downgrade(config, version)
        assert not NEW & set(inspect(connection).get_table_names())
    store.dispose()


def test_the_books_stay_as_they_were(store_url: str) -> None:
    stream = Stream()
    stream.trade(1, 2, 100, price="195.00")
    store = open_store(store_url, MIGRATIONS)
    for batch in stream.batches([]):
        BookKeeper(store, parse_rules(DEFAULT_RULES), 0).commit(batch)
    with store.connect() as connection:
        before = read_books_row(connection, 0)
    store.dispose()
    go_to(store_url, "0002")
    store = open_store(store_url, MIGRATIONS)
    with store.connect() as connection:
        assert read_books_row(connection, 0) == before
        assert set(inspect(connection).get_table_names()) >= NEW
    store.dispose()
