"""One process at a time makes or changes the tables of a store; another one waits until that is done.

PostgreSQL: an advisory lock of the database, held by a transaction. SQLite: a lock on a file beside the database. Both
are released by the holder's death.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, func, select
from sqlalchemy.exc import OperationalError

from exchange.infra.errors import InfraError
from exchange.infra.store_postgres import lift_limits

WAIT_S_MAX = 300
"""How long another process may take to bring a store up to date."""
_LOOK_AGAIN_S = 0.05
_LOCK_NOT_AVAILABLE = "55P03"


class StoreLocked(InfraError):
    """Another process has been changing the tables of this store for too long."""


@contextmanager
def lock_tables(store: Engine, schema: str, file: Path | None, wait_s: float = WAIT_S_MAX) -> Iterator[None]:
    """Be the only one to change a store's tables meanwhile. Raise `StoreLocked` after a wait.

    file: of an SQLite database; None where it has none, which nobody else can open.
    """
    if store.dialect.name == "postgresql":
        with _advisory_lock(store, schema, wait_s):
            yield
    elif file is not None:
        with _file_lock(file.with_name(f"{file.name}.lock"), wait_s):
            yield
    else:
        yield


@contextmanager
def _advisory_lock(store: Engine, schema: str, wait_s: float) -> Iterator[None]:
    with store.connect() as connection, connection.begin():
        lift_limits(connection)
        connection.execute(select(func.set_config("lock_timeout", f"{int(wait_s * 1_000)}ms", True)))
        try:
            key = func.hashtextextended(f"exchange tables of {schema}", 0)
            connection.execute(select(func.pg_advisory_xact_lock(key)))
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", "") != _LOCK_NOT_AVAILABLE:
                raise
            raise StoreLocked(_too_long(f"schema {schema}", wait_s)) from error
        yield


@contextmanager
def _file_lock(path: Path, wait_s: float) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        ends_s = time.monotonic() + wait_s
        while not _is_taken(descriptor):
            if time.monotonic() >= ends_s:
                raise StoreLocked(_too_long(str(path), wait_s))
            time.sleep(_LOOK_AGAIN_S)
        yield
    finally:
        os.close(descriptor)


def _is_taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _too_long(what: str, wait_s: float) -> str:
    return (
        f"another process has been changing the tables of this store for more than {wait_s:g} s ({what} is locked); "
        "nothing was changed here. Wait for it or stop it, then start again"
    )
