"""What can happen to a store in mid-stream, by name; each fault ends with a server that runs again."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine

from tests.infra.postgres_server import PostgresServer

Fault = Callable[[PostgresServer, str], None]


def _end_sessions(server: PostgresServer, application: str) -> None:
    server.run_sql(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{application}'"
    )


def _restart(server: PostgresServer, how: signal.Signals) -> None:
    server.stop(how)
    server.start()


def _deadlock(server: PostgresServer, application: str) -> None:
    """Lock the position, and then want what a component has written before that; or the other way round, in turns: one
    writes the position last, another first.

    Only the component looks for a deadlock, so it is the one that is thrown out.
    """
    schema = application.removeprefix("exchange ")
    before = server.deadlocks()
    database = server.database_of(application)
    tables = [f"{schema}.feed_positions", f"{schema}.trades, {schema}.directory_events"]
    for _ in range(DEADLOCK_TRIES_MAX):
        first, second = tables
        server.run_sql(
            f"SET deadlock_timeout = '1h'; SET lock_timeout = '10s'; BEGIN; "
            f"LOCK TABLE {first} IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(0.3); "
            f"LOCK TABLE {second} IN ACCESS EXCLUSIVE MODE; COMMIT",
            database,
        )
        tables.reverse()
        if server.deadlocks() > before:
            return
    raise AssertionError("no deadlock came about")


DEADLOCK_TRIES_MAX = 40
FAULTS: dict[str, Fault] = {
    "its processes are killed": PostgresServer.kill_sessions,
    "its sessions are ended": _end_sessions,
    "another session deadlocks it": _deadlock,
    "the server restarts": lambda server, _: _restart(server, signal.SIGINT),
    "the server crashes": lambda server, _: _restart(server, signal.SIGQUIT),
}


def lose_a_commit(store: Engine) -> None:
    """Let the connection be lost before the next commit of a store reaches it."""
    dialect = store.dialect
    do_commit = dialect.do_commit

    def commit(_: Any) -> None:
        dialect.do_commit = do_commit  # type: ignore[method-assign]
        raise dialect.loaded_dbapi.OperationalError("the commit was lost")

    dialect.do_commit = commit  # type: ignore[method-assign]


def lose_an_answer(store: Engine) -> None:
    """Let the next commit of a store take place, and its answer be lost with the connection."""
    dialect = store.dialect
    do_commit = dialect.do_commit

    def commit(connection: Any) -> None:
        do_commit(connection)
        dialect.do_commit = do_commit  # type: ignore[method-assign]
        raise dialect.loaded_dbapi.OperationalError("the answer was lost")

    dialect.do_commit = commit  # type: ignore[method-assign]
