"""Which database a benchmark runs on: SQLite in a temporary folder, a PostgreSQL of its own, or one that is there."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

from sqlalchemy.schema import DropSchema

from exchange.infra.store import open_store, schema_of
from tests.infra.postgres_server import WHY_NOT, PostgresServer


def add_store_options(parser: argparse.ArgumentParser) -> None:
    """Let a benchmark be told its database."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--postgres", action="store_true", help="start a PostgreSQL for the run")
    which.add_argument(
        "--store", metavar="URL", help="a PostgreSQL database; the component's schema is emptied"
    )


@contextmanager
def new_stores(options: argparse.Namespace, migrations: str) -> Iterator[tuple[str, Callable[[], str]]]:
    """Give the kind of database, and a function that gives the address of an empty one."""
    if options.store:
        yield "PostgreSQL", lambda: _emptied(options.store, migrations)
    elif options.postgres:
        if WHY_NOT:
            raise SystemExit(WHY_NOT)
        with PostgresServer(durable=True) as server:
            yield "PostgreSQL", server.new_database
    else:
        numbers = count(1)
        with tempfile.TemporaryDirectory() as folder:
            yield "SQLite", lambda: f"sqlite:///{folder}/{next(numbers)}.sqlite"


def _emptied(url: str, migrations: str) -> str:
    store = open_store(url, migrations)
    if store.dialect.name != "postgresql":
        raise SystemExit("--store takes a PostgreSQL database; without it SQLite is measured")
    with store.begin() as connection:
        connection.execute(DropSchema(schema_of(migrations), cascade=True))
    store.dispose()
    return url
