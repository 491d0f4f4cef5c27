"""Connections to PostgreSQL that do not wait for ever: a server that is silent for too long counts as lost.

TCP notices a dead host, but not a half-open path on which something still acknowledges what nobody reads: a proxy, a
hung server. So every wait for an answer has an end here. The connection is closed then, and whoever waited is told
what a lost connection tells: the transaction is undone, and tried again whole.
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


class PatientConnection(psycopg.Connection[Any]):
    """A connection whose every wait for the server has an end."""

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for an answer. Raise `psycopg.OperationalError`, with the connection closed, after a silence."""
        limit_s = timeout if timeout is not None else _patience_s.get()
        try:
            return super().wait(gen, interval, limit_s)
        except errors._WaitTimeout as error:
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

    @event.listens_for(store, "do_connect")
    def connect(_: Any, __: Any, arguments: Any, options: Any) -> PatientConnection:
        return PatientConnection.connect(*arguments, **options)

    def ping(connection: Any) -> bool:
        with patience(PING_S_MAX):
            return do_ping(connection)

    dialect.do_ping = ping  # type: ignore[method-assign, assignment]
