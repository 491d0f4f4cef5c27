"""Connections to PostgreSQL that do not wait for ever: a server that is silent for too long counts as lost.

TCP notices a dead host, but not a half-open path on which something still acknowledges what nobody reads: a proxy, a
hung server. So every wait for an answer has an end here. The connection is closed then, and whoever waited is told
what a lost connection tells: the transaction is undone, and tried again whole.

The server may not have noticed anything: it keeps the session and its locks, and would let the next one wait for them.
So the next connection first ends the sessions that were given up.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import psycopg
from psycopg import errors
from sqlalchemy import Engine, event

ANSWER_S_MAX = 30.0
"""How long one statement, one COPY or one commit may take; what takes longer is not for a component that runs."""
PING_S_MAX = 1.0
"""How long a connection of the pool may take to show that it still works."""
_patience_s: ContextVar[float | None] = ContextVar("patience_s", default=ANSWER_S_MAX)


_END_SESSIONS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE pid = ANY(%s) AND pid <> pg_backend_pid() AND usename = current_user
    AND application_name = current_setting('application_name')
"""


class PatientConnection(psycopg.Connection[Any]):
    """A connection whose every wait for the server has an end. given_up: process ids of sessions, shared by all."""

    given_up: set[int]

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for an answer. Raise `psycopg.OperationalError`, with the connection closed, after a silence."""
        limit_s = timeout if timeout is not None else _patience_s.get()
        try:
            return super().wait(gen, interval, limit_s)
        except errors._WaitTimeout as error:
            self.given_up.add(self.pgconn.backend_pid)
            self.pgconn.finish()
            raise psycopg.OperationalError(f"the server has not answered for {limit_s:g} s") from error


@contextmanager
def patience(limit_s: float | None) -> Iterator[None]:
    """Wait longer or shorter for answers meanwhile, in this thread; None: for ever, as migrations of much data need."""
    before = _patience_s.set(limit_s)
    try:
        yield
    finally:
        _patience_s.reset(before)


def make_patient(store: Engine) -> None:
    """Have an engine make such connections, and try those of its pool for a moment only."""
    dialect = store.dialect
    do_ping = dialect.do_ping
    given_up: set[int] = set()

    @event.listens_for(store, "do_connect")
    def connect(_: Any, __: Any, arguments: Any, options: Any) -> PatientConnection:
        connection = PatientConnection.connect(*arguments, **options)
        connection.given_up = given_up
        if given_up:
            connection.execute(_END_SESSIONS, [list(given_up)])
            connection.commit()
            given_up.clear()
        return connection

    def ping(connection: Any) -> bool:
        with patience(PING_S_MAX):
            return do_ping(connection)

    dialect.do_ping = ping  # type: ignore[method-assign, assignment]
