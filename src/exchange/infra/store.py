"""The database of a component, and the two tables every component has in it: its feed position and the
directory.

SQLite by default: write-ahead log, foreign keys on, transactions that begin when they say so; or PostgreSQL
(`store_postgres.py`), by the URL. A component writes its position in the same transaction as what the events
caused, so a batch that comes twice does nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    create_engine,
    delete,
    event,
    insert,
    make_url,
    select,
    text,
    update,
)
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from exchange.domain.directory import Directory
from exchange.domain.events import Event
from exchange.infra import store_postgres
from exchange.infra.errors import InfraError
from exchange.infra.store_lock import StoreLocked, lock_tables
from exchange.wire.records import decode_event, encode_event

BUSY_TIMEOUT_MS = 10_000
"""How long a statement waits for another one's lock."""
CHECKED_BYTES_MAX = 32 << 20
"""Up to this size SQLite's own check runs at every start; `exchange doctor` checks larger ones."""
VERSION_TABLE = "alembic_version"
VERSION_DIGITS = 4
_WRITES = "exchange_writes"

metadata = MetaData()
feed_positions = Table(
    "feed_positions",
    metadata,
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("epoch", BigInteger, nullable=False),
    Column("sequence", BigInteger, nullable=False),
)
directory_events = Table(
    "directory_events",
    metadata,
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("record", LargeBinary, nullable=False),
)


class StoreError(InfraError):
    """A store cannot be used; the message says which, why, and how to look at it."""


class Position(NamedTuple):
    """How far a component has come in a partition: the epoch of the last event it took in, and its
    sequence.
    """

    epoch: int
    sequence: int


def open_store(
    url: str, migrations: str, *, synchronous: Literal["OFF", "NORMAL", "FULL"] = "NORMAL"
) -> Engine:
    """Open a database and bring it to the newest version. Raise `StoreError` where it is damaged or too new.

    migrations: a package such as `exchange.reporter.migrations`; see `store_migrations.py`. synchronous:
    NORMAL may lose the last transactions at power loss, never the database; the feed repeats them. PostgreSQL
    has its own setting, `synchronous_commit`, and each component's tables in a schema of its own.
    """
    schema = schema_of(migrations)
    store = engine_for(url, schema)
    address, file = store.url, _sqlite_file(store.url)
    if store.dialect.name == "sqlite":
        _set_up_sqlite(store, synchronous)
    with ExitStack() as undo:
        undo.callback(store.dispose)
        try:
            if file is not None:
                _check_sqlite(store, file)
            if _version_of(store) != newest_version(migrations):
                with _long_waits(store), lock_tables(store, schema, file):
                    _bring_up_to_date(store, schema, migrations)
        except (SQLAlchemyError, StoreLocked) as error:
            raise StoreError(_refusal(address, file, reason_of(error))) from error
        undo.pop_all()
    return store


@contextmanager
def begin_write(store: Engine) -> Iterator[Connection]:
    """Begin a transaction that will write, and commit it at the end; a failure inside undoes all of it.

    On SQLite it takes the write lock at once, so that it never fails halfway for another writer.
    """
    with store.connect().execution_options(**{_WRITES: True}) as connection, connection.begin():
        yield connection


def read_position(connection: Connection, partition: int) -> Position:
    """Return how far this component has come in a partition; (0, 0) before its first event."""
    table = feed_positions
    row = connection.execute(
        select(table.c.epoch, table.c.sequence).where(table.c.partition == partition)
    ).first()
    return Position(row.epoch, row.sequence) if row else Position(0, 0)


def write_position(connection: Connection, partition: int, epoch: int, sequence: int) -> None:
    """Store how far this component has come, in the caller's transaction. Raise `StoreError` on a step
    back.
    """
    table = feed_positions
    before = read_position(connection, partition)
    if epoch < before.epoch or sequence < before.sequence:
        raise StoreError(
            f"position of partition {partition}: event {sequence} of epoch {epoch} would overwrite event "
            f"{before.sequence} of epoch {before.epoch}; is another process writing this store?"
        )
    if before == Position(0, 0):
        connection.execute(delete(table).where(table.c.partition == partition))
        connection.execute(insert(table).values(partition=partition, epoch=epoch, sequence=sequence))
    else:
        changed = update(table).where(table.c.partition == partition)
        connection.execute(changed.values(epoch=epoch, sequence=sequence))


def read_held_event(connection: Connection, partition: int) -> tuple[int, bytes] | None:
    """Return the newest event that is kept as it came, and its record; by it the engine is recognised."""
    table = directory_events
    newest = select(table.c.sequence, table.c.record).where(table.c.partition == partition)
    row = connection.execute(newest.order_by(table.c.sequence.desc()).limit(1)).first()
    return (row.sequence, bytes(row.record)) if row else None


def write_directory_events(connection: Connection, events: Iterable[Event]) -> None:
    """Store events that concern the directory, in the caller's transaction."""
    rows = [
        {"partition": event.partition, "sequence": event.sequence, "record": encode_event(event)}
        for event in events
    ]
    if rows:
        connection.execute(insert(directory_events), rows)


def read_directory(connection: Connection) -> Directory:
    """Rebuild the directory from the stored events, in their order."""
    table = directory_events
    directory = Directory()
    for (record,) in connection.execute(select(table.c.record).order_by(table.c.partition, table.c.sequence)):
        directory.apply(decode_event(record))
    return directory


@contextmanager
def as_long_as_it_takes(connection: Connection) -> Iterator[None]:
    """Let the open transaction do work on millions of rows, which may take longer than a server or a store is waited
    for otherwise.
    """
    if connection.dialect.name != "postgresql":
        yield
        return
    store_postgres.lift_limits(connection)
    with store_postgres.without_hurry():
        yield


def reason_of(error: BaseException) -> str:
    """Return on one line what the database said, without the statement."""
    said = error.orig if isinstance(error, DBAPIError) else error
    return " ".join(str(said).partition("\nLINE ")[0].split())


def schema_of(migrations: str) -> str:
    """Return the schema that a component's tables have in PostgreSQL: the name of its package."""
    return migrations.removesuffix(".migrations").rpartition(".")[2]


def shown(address: URL) -> str:
    """Return a database address that may be shown: without passwords."""
    query = {name: "***" if "pass" in name else value for name, value in address.query.items()}
    return address.set(query=query).render_as_string()


def engine_for(url: str, schema: str) -> Engine:
    """Make sense of a database address; it is not shown where that fails, for it may hold a password."""
    try:
        address = make_url(url)
        if address.get_backend_name() != "postgresql":
            return create_engine(address)
        if address.drivername == "postgresql":
            address = address.set(drivername=store_postgres.DRIVER)
        if address.drivername != store_postgres.DRIVER:
            raise StoreError(
                f"store_url: PostgreSQL is spoken through psycopg: write {store_postgres.DRIVER}://, "
                f"not {address.drivername}://"
            )
        return store_postgres.connect(address, schema)
    except NoSuchModuleError as error:
        raise StoreError(f"store_url: this kind of database is unknown: {error}") from None
    except ArgumentError:
        raise StoreError(
            'store_url is no address of a database such as "sqlite:////srv/x.sqlite" or '
            '"postgresql+psycopg://user:password@host/name"'
        ) from None
    except ImportError as error:
        hint = "; install it with: pip install 'stock-exchange[postgres]'" if error.name == "psycopg" else ""
        raise StoreError(
            f"store_url needs the Python package {error.name!r}, which is not installed{hint}"
        ) from error


def _sqlite_file(address: URL) -> Path | None:
    """Return the file of an SQLite database, its folder made; None for memory and other databases."""
    if address.get_backend_name() != "sqlite" or address.database in (None, "", ":memory:"):
        return None
    file = Path(str(address.database))
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{file.parent}: the store's folder cannot be made: {error.strerror}") from error
    return file


def _set_up_sqlite(store: Engine, synchronous: str) -> None:
    """Set what holds for each connection, and let transactions begin when SQLAlchemy says so (its own
    recipe).
    """

    @event.listens_for(store, "connect")
    def configure(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout = {BUSY_TIMEOUT_MS}",
            "journal_mode = WAL",
            f"synchronous = {synchronous}",
            "foreign_keys = ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(store, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _check_sqlite(store: Engine, file: Path) -> None:
    """Let SQLite look through a small database that is there."""
    if file.exists() and 0 < file.stat().st_size <= CHECKED_BYTES_MAX:
        with store.connect() as connection:
            found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
        if found != "ok":
            raise StoreError(_refusal(store.url, file, str(found)))


def _long_waits(store: Engine) -> AbstractContextManager[None]:
    """Let making or changing tables take as long as it takes."""
    return store_postgres.without_hurry() if store.dialect.name == "postgresql" else nullcontext()


def _version_of(store: Engine) -> str | None:
    """Return the version of a database; None where it has none."""
    with store.connect() as connection:
        if not store.dialect.has_table(connection, VERSION_TABLE):
            return None
        found: str | None = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()
        return found


def _bring_up_to_date(store: Engine, schema: str, migrations: str) -> None:
    """Run the migrations that the database has not had, with its lock held: another process may just have run them.

    Alembic is slow to import, so only where there are any.
    """
    if store.dialect.name == "postgresql":
        store_postgres.make_schema(store, schema)
    newest, found = newest_version(migrations), _version_of(store)
    if found == newest:
        return
    with store.connect() as connection:
        has_data = found is None and store.dialect.has_table(connection, feed_positions.name)
    if has_data or (found is not None and not _is_version(found)):
        raise StoreError(
            f"{shown(store.url)} has tables, but its version in {VERSION_TABLE} is {found or 'missing'}: the store "
            "is damaged. Nothing was changed. Restore a backup; or empty it and start again, and it is filled "
            "from the engine's events"
        )
    if found is not None and found > newest:
        raise StoreError(
            f"{shown(store.url)} is of version {found}, this program knows up to {newest}: "
            "a newer program wrote it; run that one, or restore an older backup"
        )
    from exchange.infra.store_migrations import migrate

    migrate(store, migrations)


def _is_version(found: str) -> bool:
    return len(found) == VERSION_DIGITS and found.isdecimal()


def newest_version(migrations: str) -> str:
    """Return the newest version of a migrations package: the number that opens its last file's name."""
    names = sorted(
        entry.name
        for entry in (files(migrations) / "versions").iterdir()
        if _is_version(entry.name[:VERSION_DIGITS])
    )
    assert names, f"{migrations} has no versions/0001_*.py"
    return names[-1][:VERSION_DIGITS]


def _refusal(address: URL, file: Path | None, reason: str) -> str:
    """Say which store failed and how to look at it."""
    if file is None:
        return (
            f"{shown(address)}: the store cannot be used: {reason}. Check user, password, host, port and database in "
            "store_url, and that the server runs; nothing was changed"
        )
    return (
        f"{file}: the store cannot be used: {reason}. Nothing was changed. Look at it with "
        f'`sqlite3 {file} "PRAGMA integrity_check"` and `exchange doctor`. To rebuild it, move it away with its '
        "-wal and -shm files and start again, and it is filled from the engine's events"
    )
