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


FAULTS: dict[str, Fault] = {
    "its processes are killed": PostgresServer.kill_sessions,
    "its sessions are ended": _end_sessions,
    "the server restarts": lambda server, _: _restart(server, signal.SIGINT),
    "the server crashes": lambda server, _: _restart(server, signal.SIGQUIT),
}


def lose_an_answer(store: Engine) -> None:
    """Let the next commit of a store take place, and its answer be lost with the connection."""
    dialect = store.dialect
    do_commit = dialect.do_commit

    def commit(connection: Any) -> None:
        do_commit(connection)
        dialect.do_commit = do_commit  # type: ignore[method-assign]
        raise dialect.loaded_dbapi.OperationalError("the answer was lost")

    dialect.do_commit = commit  # type: ignore[method-assign]
