"""PostgreSQL as a store: how it is connected to, the schema of each component, and many rows at once by COPY.

Every transaction sees one state of the store (REPEATABLE READ), so two processes that write one store at the same time
collide instead of mixing. psycopg is only imported where a store's URL asks for it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Integer,
    Table,
    TypeDecorator,
    create_engine,
    func,
    select,
)
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
SESSION_MS_MAX = 30_000
"""How long the server lets one statement take, or waits inside a transaction for the component's next word. A session
whose component is gone would otherwise keep its locks, and the next one wait for them. See `store_patience.py`."""
_LIMITS = ("statement_timeout", "idle_in_transaction_session_timeout")
KEEPALIVE_S = 5
"""After so long without a word the server's host is asked whether it is still there, three times."""
COPY_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
COPY_END = b"\xff\xff"
COPY_PIECE_ROWS = 500
COPY_ROWS_MIN = 8
"""Fewer rows go by an insert, which is one round trip less."""


def connect(address: URL, schema: str) -> Engine:
    """Return an engine for a server: bounded, each connection tried before it is used again.

    schema: where a component's tables are. Nothing is connected yet. Raise `ImportError` without psycopg.
    """
    own = address.query.get("options", "")
    options = own if isinstance(own, str) else " ".join(own)
    from exchange.infra.store_patience import make_patient

    limits = " ".join(f"-c {limit}={SESSION_MS_MAX}" for limit in _LIMITS)
    store = create_engine(
        address,
        isolation_level="REPEATABLE READ",
        pool_size=POOL_CONNECTIONS_MAX,
        max_overflow=0,
        pool_timeout=POOL_WAIT_S,
        pool_pre_ping=True,
        connect_args={
            "options": f"{limits} {options} -c search_path={schema}",
            "connect_timeout": CONNECT_WAIT_S,
            "tcp_user_timeout": SILENCE_MS_MAX,
            "keepalives_idle": KEEPALIVE_S,
            "keepalives_interval": KEEPALIVE_S,
            "keepalives_count": 3,
            "application_name": f"exchange {schema}",
            # A server that was made without a locale answers bytes otherwise.
            "client_encoding": "utf8",
        },
    )
    make_patient(store)
    return store


@contextmanager
def without_hurry() -> Iterator[None]:
    """Wait for the server as long as it takes, in this thread: another process may hold a lock, tables may be large."""
    from exchange.infra.store_patience import patience

    with patience(None):
        yield


def lift_limits(connection: Connection) -> None:
    """Let the open transaction of a connection take as long as it takes."""
    for limit in _LIMITS:
        connection.execute(select(func.set_config(limit, "0", True)))


def take_out_without_limits(connection: Connection) -> None:
    """Take a connection out of the pool for good and let it take as long as it takes; it ends when it is closed."""
    connection.detach()
    for limit in _LIMITS:
        connection.execute(select(func.set_config(limit, "0", False)))
    connection.commit()


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
            columns_wanted = [table.c[name] for name in names]
            pack = packer_of(columns_wanted)
            if pack is not None:
                _write_packed(copy.write, pack, rows)
            else:
                copy.set_types([_type_name(column, connection) for column in columns_wanted])
                write = copy.write_row
                for row in rows:
                    write(row)
    except struct.error as error:
        reason = psycopg.DataError(f"a number is too large for its column: {error}")
        raise DBAPIError.instance(
            statement, None, reason, psycopg.Error, dialect=connection.dialect
        ) from error
    except psycopg.Error as error:
        raise DBAPIError.instance(
            statement,
            None,
            error,
            psycopg.Error,
            connection_invalidated=session.closed,
            dialect=connection.dialect,
        ) from error


def packer_of(columns: Sequence[Column[Any]]) -> Callable[[Sequence[int]], bytes] | None:
    """Return what writes a row as COPY takes it, where every column is a whole number and never empty.

    Such rows are most of what is stored, and one `pack` costs a third of the driver's work per value.
    """
    codes = [_code_of(column) for column in columns]
    if None in codes:
        return None
    pack = struct.Struct(">h" + "".join(f"i{code}" for code in codes)).pack
    sizes = [struct.calcsize(f">{code}") for code in codes]
    template = [len(codes), *[part for size in sizes for part in (size, 0)]]

    def pack_row(row: Sequence[int]) -> bytes:
        template[2::2] = row
        return pack(*template)

    return pack_row


def _code_of(column: Column[Any]) -> str | None:
    kind = column.type.impl_instance if isinstance(column.type, TypeDecorator) else column.type
    if column.nullable or not isinstance(kind, Integer):
        return None
    return "q" if isinstance(kind, BigInteger) else "i"


def _write_packed(
    write: Callable[[bytes], None], pack: Callable[[Sequence[int]], bytes], rows: Iterable[Sequence[int]]
) -> None:
    """Write rows in pieces, so that the server works on one while the next is made."""
    write(COPY_HEAD)
    for piece in _pieces(rows, COPY_PIECE_ROWS):
        write(b"".join(map(pack, piece)))
    write(COPY_END)


def _pieces(rows: Iterable[Sequence[int]], size: int) -> Iterator[list[Sequence[int]]]:
    left = iter(rows)
    while piece := list(islice(left, size)):
        yield piece


def _type_name(column: Column[Any], connection: Connection) -> str:
    """Return the name of a column's type in the words of the database, without a length."""
    words: str = column.type.compile(dialect=connection.dialect)
    return words.partition("(")[0].lower()
