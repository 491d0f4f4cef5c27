"""Failures of a store that pass: which they are, how a write is tried again whole, how a reader is told to.

A transaction whose answer was lost may have been committed; who tries again must look at the stored position first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from exchange.infra.errors import StoreUnavailable
from exchange.infra.store import StoreError, reason_of, shown

OUTAGE_S_MAX = 600.0
"""How long failures that pass are waited out: a server that restarts or fails over. Then a person must look."""
OTHER_TRIES_MAX = 5
"""How often a transaction is tried whose failure may need a person, such as a full disk."""
BACK_OFF_FIRST_S = 0.1
BACK_OFF_LAST_S = 5.0
STOP_WAIT_S = 10.0
"""How long a stop waits for what is being stored; what was not is read again from the feed."""
PASSING_STATES = frozenset(
    {
        "40001",  # serialization failure
        "40P01",  # deadlock
        "55P03",  # a lock is held
        "53300",  # too many connections
        "57014",  # a statement took too long
        "57P01", "57P02", "57P03",  # the server shuts down, crashed, starts
    }
)  # fmt: skip
"""Error codes of PostgreSQL after which the same transaction can succeed."""
_CONNECTION_CLASS = "08"
_RESOURCE_CLASSES = ("53", "58")
"""Insufficient resources, system errors such as of the disk."""
_SQLITE_RESOURCES = (
    "SQLITE_FULL",
    "SQLITE_IOERR",
    "SQLITE_BUSY",
    "SQLITE_READONLY",
    "SQLITE_CANTOPEN",
    "SQLITE_NOMEM",
)

T = TypeVar("T")


def passes(error: BaseException) -> bool:
    """Tell whether a store's failure goes by itself: connection lost, collision, server busy or restarting."""
    if isinstance(error, PoolTimeoutError):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    state = getattr(error.orig, "sqlstate", "")
    if state is None:  # psycopg knows no code: it never reached the server, or lost it.
        return isinstance(error, OperationalError)
    return state in PASSING_STATES or state.startswith(_CONNECTION_CLASS)


@contextmanager
def begin_read(store: Engine) -> Iterator[Connection]:
    """Begin a transaction that sees one state of the store. Raise `StoreUnavailable` where trying again can help."""
    with asking_again_later(store), store.connect() as connection, connection.begin():
        yield connection


@contextmanager
def asking_again_later(store: Engine) -> Iterator[None]:
    """Turn failures that pass, or that a person can end, into `StoreUnavailable`: for who answers somebody."""
    try:
        yield
    except SQLAlchemyError as error:
        if passes(error) or is_out_of_resources(error):
            raise StoreUnavailable(f"{shown(store.url)}: {reason_of(error)}") from error
        raise


def is_out_of_resources(error: BaseException) -> bool:
    """Tell whether a store lacks what a person can give it: room on the disk, the right to write, memory, a lock."""
    if not isinstance(error, DBAPIError):
        return False
    state = getattr(error.orig, "sqlstate", None) or ""
    name = getattr(error.orig, "sqlite_errorname", "")
    return state.startswith(_RESOURCE_CLASSES) or name.startswith(_SQLITE_RESOURCES)


async def with_retries(commit: Callable[[], T], failed: Callable[[str, int], None]) -> T:
    """Run a transaction in a thread, again where it fails, with a growing pause; raise its last failure.

    commit: raises `SQLAlchemyError`, or `StoreError` from one; what it raises else is raised at once. failed: told
    the reason and how many tries it has been, before each pause.
    """
    started_s, tries, other_tries = asyncio.get_running_loop().time(), 0, 0
    while True:
        try:
            return await asyncio.to_thread(commit)
        except (SQLAlchemyError, StoreError) as error:
            cause = error.__cause__ if isinstance(error, StoreError) else error
            waited_s = asyncio.get_running_loop().time() - started_s
            tries += 1
            other_tries += cause is None or not passes(cause)
            if not _may_try_again(cause) or other_tries >= OTHER_TRIES_MAX or waited_s > OUTAGE_S_MAX:
                raise
            failed(reason_of(error), tries)
        await asyncio.sleep(back_off_s(tries))


def back_off_s(tries: int) -> float:
    """Return the pause after so many tries: doubled each time, up to a limit."""
    return min(BACK_OFF_FIRST_S * 2.0 ** min(tries - 1, 30), BACK_OFF_LAST_S)


def _may_try_again(cause: BaseException | None) -> bool:
    """Tell whether trying again is of any use at all; what is in a store already stays in it."""
    return isinstance(cause, (OperationalError, PoolTimeoutError)) or (
        isinstance(cause, DBAPIError) and not isinstance(cause, IntegrityError) and passes(cause)
    )
