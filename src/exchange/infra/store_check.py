"""Looks at a store without changing it: whether it can be reached, and the version of its schema."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from exchange.infra.server_seen import ServerSeen
from exchange.infra.store import (
    VERSION_TABLE,
    StoreError,
    engine_for,
    newest_version,
    reason_of,
    schema_of,
    shown,
)


def check_store(component: str, url: str, migrations: str) -> ServerSeen:
    """Say what a component's store is, or why it cannot be used; one that is not there yet is made by the start."""
    what = f"store of {component}"
    try:
        store = engine_for(url, schema_of(migrations))
    except StoreError as error:
        return ServerSeen(what, problem=str(error))
    try:
        return _look(what, store, migrations)
    except SQLAlchemyError as error:
        return ServerSeen(what, problem=f"{shown(store.url)}: {reason_of(error)}")
    finally:
        store.dispose()


def _look(what: str, store: Engine, migrations: str) -> ServerSeen:
    is_sqlite = store.dialect.name == "sqlite"
    address, newest = shown(store.url), newest_version(migrations)
    if is_sqlite and store.url.database and not Path(str(store.url.database)).is_file():
        return ServerSeen(what, f"{address} is not there yet, the first start makes it")
    with store.connect() as connection:
        server = connection.execute(
            text("SELECT sqlite_version()" if is_sqlite else "SHOW server_version")
        ).scalar()
        has_tables = store.dialect.has_table(connection, VERSION_TABLE)
        found = (
            connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()
            if has_tables
            else None
        )
    name = f"{'SQLite' if is_sqlite else 'PostgreSQL'} {server} at {address}"
    if found is None:
        return ServerSeen(what, f"{name}, without tables yet: the first start makes them")
    if str(found) > newest:
        return ServerSeen(
            what, problem=f"{name} has schema version {found}, this program knows up to {newest}"
        )
    state = (
        f"schema version {found}"
        if found == newest
        else f"schema version {found}, the next start makes it {newest}"
    )
    return ServerSeen(what, f"{name}, {state}")
