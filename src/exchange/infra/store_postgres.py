"""PostgreSQL as a store: how it is connected to, the schema of each component, and many rows at once by COPY.

Every transaction sees one state of the store (REPEATABLE READ), so two processes that write one store at the same time
collide instead of mixing. psycopg is only imported where a store's URL asks for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Column, Connection, Engine, Table, create_engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateSchema

DRIVER = "postgresql+psycopg"
POOL_CONNECTIONS_MAX = 8
"""Connections of one component: one writes, the others read. Who needs one more waits."""
POOL_WAIT_S = 10
"""How long a reader waits for a connection before it is told to try again."""
CONNECT_WAIT_S = 5
"""How long a server may take to answer a new connection."""
SILENCE_MS_MAX = 15_000
"""How long a server may leave what was sent unacknowledged; then the connection counts as lost."""
COPY_ROWS_MIN = 8
"""Fewer rows go by an insert, which is one round trip less."""


def connect(address: URL, schema: str) -> Engine:
    """Return an engine for a server: bounded, each connection tried before it is used again.

    schema: where a component's tables are. Nothing is connected yet. Raise `ImportError` without psycopg.
    """
    own = address.query.get("options", "")
    options = own if isinstance(own, str) else " ".join(own)
    return create_engine(
        address,
        isolation_level="REPEATABLE READ",
        pool_size=POOL_CONNECTIONS_MAX,
        max_overflow=0,
        pool_timeout=POOL_WAIT_S,
        pool_pre_ping=True,
        connect_args={
            "options": f"{options} -c search_path={schema}".strip(),
            "connect_timeout": CONNECT_WAIT_S,
            "tcp_user_timeout": SILENCE_MS_MAX,
            "application_name": f"exchange {schema}",
            # A server that was made without a locale answers bytes otherwise.
            "client_encoding": "utf8",
        },
    )


def make_schema(store: Engine, schema: str) -> None:
    """Make the schema of a component where it is not there yet."""
    with store.begin() as connection:
        if not store.dialect.has_schema(connection, schema):
            connection.execute(CreateSchema(schema, if_not_exists=True))


def copy_rows(
    connection: Connection, table: Table, names: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Append rows by COPY, in the caller's transaction.

    rows: values as the driver takes them, in the order of names. Raise `DBAPIError`, as an insert does.
    """
    import psycopg

    quote = connection.dialect.identifier_preparer.quote
    columns = ", ".join(quote(name) for name in names)
    statement = f"COPY {quote(table.name)} ({columns}) FROM STDIN (FORMAT BINARY)"
    session: Any = connection.connection.driver_connection
    try:
        with session.cursor() as cursor, cursor.copy(statement) as copy:
            copy.set_types([_type_name(table.c[name], connection) for name in names])
            write = copy.write_row
            for row in rows:
                write(row)
    except psycopg.Error as error:
        raise DBAPIError.instance(
            statement,
            None,
            error,
            psycopg.Error,
            connection_invalidated=session.closed,
            dialect=connection.dialect,
        ) from error


def _type_name(column: Column[Any], connection: Connection) -> str:
    """Return the name of a column's type in the words of the database, without a length."""
    words: str = column.type.compile(dialect=connection.dialect)
    return words.partition("(")[0].lower()
