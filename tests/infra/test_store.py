"""The store of a component: opened, migrated, refused when damaged, and the two tables that each has."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from exchange.domain import events as e
from exchange.domain.directory import Directory
from exchange.domain.symbol import DEFAULT_TICKS, SymbolState
from exchange.infra.store import (
    Position,
    StoreError,
    begin_write,
    newest_version,
    open_store,
    read_directory,
    read_held_event,
    read_position,
    write_directory_events,
    write_position,
)
from exchange.wire.records import encode_event
from tests.infra.event_streams import make_event

FIRST = """
from exchange.infra.store_migrations import create_feed_tables, drop_feed_tables
revision = "0001"
down_revision = None
def upgrade(): create_feed_tables()
def downgrade(): drop_feed_tables()
"""
SECOND = """
import sqlalchemy as sa
from alembic import op
revision = "0002"
down_revision = "0001"
def upgrade():
    op.create_table("notes", sa.Column("id", sa.Integer, primary_key=True))
    {more}
def downgrade(): op.drop_table("notes")
"""


class Migrations:
    """A migrations package of a test, to which versions can be added."""

    def __init__(self, folder: Path, package: str) -> None:
        self.package = package
        self.versions = folder / package / "versions"
        self.versions.mkdir(parents=True)
        (self.versions / "__init__.py").write_text("")
        (folder / package / "__init__.py").write_text("")
        entry = "from exchange.infra.store_migrations import run_from_alembic\nrun_from_alembic()\n"
        (folder / package / "env.py").write_text(entry)
        self.add("0001_first", FIRST)

    def add(self, name: str, text: str) -> None:
        (self.versions / f"{name}.py").write_text(text)


@pytest.fixture
def migrations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Migrations:
    monkeypatch.syspath_prepend(str(tmp_path / "packages"))
    return Migrations(tmp_path / "packages", f"store_of_{tmp_path.name}")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "store.sqlite"


@pytest.fixture
def store(file: Path, migrations: Migrations) -> Engine:
    return open_store(f"sqlite:///{file}", migrations.package)


def tables_of(store: Engine) -> set[str]:
    with store.connect() as connection:
        return set(connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'table'")))


# --- opening ----------------------------------------------------------------------------------------


def test_a_new_store_is_made_with_its_folder_and_the_newest_version(store: Engine, file: Path) -> None:
    assert file.exists()
    assert {"feed_positions", "directory_events", "alembic_version"} <= tables_of(store)


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("foreign_keys", 1), ("synchronous", 1), ("busy_timeout", 10_000)],
)
def test_each_connection_is_set_up(store: Engine, pragma: str, value: object) -> None:
    with store.connect() as first, store.connect() as second:
        assert [each.exec_driver_sql(f"PRAGMA {pragma}").scalar() for each in (first, second)] == [value] * 2


def test_how_far_the_disk_is_waited_for_can_be_chosen(file: Path, migrations: Migrations) -> None:
    with open_store(f"sqlite:///{file}", migrations.package, synchronous="FULL").connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2


def test_a_store_of_an_older_version_is_brought_up_to_date(
    store: Engine, file: Path, migrations: Migrations
) -> None:
    store.dispose()
    migrations.add("0002_notes", SECOND.format(more=""))
    assert newest_version(migrations.package) == "0002"
    assert "notes" in tables_of(open_store(f"sqlite:///{file}", migrations.package))


def test_a_migration_that_fails_leaves_the_older_version_whole(
    store: Engine, file: Path, migrations: Migrations
) -> None:
    store.dispose()
    migrations.add("0002_notes", SECOND.format(more='op.execute("INSERT INTO nowhere VALUES (1)")'))
    with pytest.raises(StoreError, match="nowhere"):
        open_store(f"sqlite:///{file}", migrations.package)
    with sqlite3.connect(file) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("0001",)
        assert not connection.execute("SELECT name FROM sqlite_master WHERE name = 'notes'").fetchall()


def test_a_store_of_a_newer_version_is_refused(store: Engine, file: Path, migrations: Migrations) -> None:
    with begin_write(store) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0009'"))
    with pytest.raises(StoreError, match="is of version 0009, this program knows up to 0001"):
        open_store(f"sqlite:///{file}", migrations.package)


def test_a_store_in_memory_can_be_opened_too(migrations: Migrations) -> None:
    assert "feed_positions" in tables_of(open_store("sqlite://", migrations.package))


def test_alembic_is_not_imported_for_a_store_that_is_up_to_date(
    store: Engine, file: Path, migrations: Migrations
) -> None:
    store.dispose()
    program = (
        f"import sys; sys.path.insert(0, {str(migrations.versions.parents[1])!r})\n"
        f"from exchange.infra.store import open_store; open_store('sqlite:///{file}', {migrations.package!r})\n"
        "print('alembic' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"


# --- damage -----------------------------------------------------------------------------------------


def test_a_file_that_is_no_database_is_refused_and_left_alone(file: Path, migrations: Migrations) -> None:
    file.parent.mkdir()
    file.write_bytes(b"this is no database, but a letter" * 100)
    before = file.read_bytes()
    with pytest.raises(StoreError, match=r"store\.sqlite: the store cannot be used.*integrity_check.*doctor"):
        open_store(f"sqlite:///{file}", migrations.package)
    assert file.read_bytes() == before


def test_a_database_with_a_page_of_rubbish_is_refused(
    store: Engine, file: Path, migrations: Migrations
) -> None:
    with begin_write(store) as connection:
        write_directory_events(connection, [make_event(n, n, last=True) for n in range(1, 2_000)])
    store.dispose()
    content = bytearray(file.read_bytes())
    content[8_192:12_288] = bytes(range(256)) * 16
    file.write_bytes(content)
    with pytest.raises(StoreError, match="the store cannot be used"):
        open_store(f"sqlite:///{file}", migrations.package)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path, migrations: Migrations) -> None:
    (tmp_path / "deep").write_text("a file")
    with pytest.raises(StoreError, match="folder cannot be made"):
        open_store(f"sqlite:///{tmp_path}/deep/er/store.sqlite", migrations.package)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nodatabase://me:secret@nowhere/x", "kind of database is unknown: .*nodatabase"),
        ("me:secret", "is no address of a database such as"),
        ("mysql+asyncmy://me:secret@nowhere/x", "needs the Python package 'asyncmy'"),
    ],
)
def test_an_address_of_no_database_is_refused_and_its_password_not_told(
    migrations: Migrations, url: str, message: str
) -> None:
    with pytest.raises(StoreError, match=message) as caught:
        open_store(url, migrations.package)
    assert "secret" not in str(caught.value)


# --- transactions -----------------------------------------------------------------------------------


def test_a_failure_inside_a_transaction_undoes_all_of_it(store: Engine) -> None:
    def write_twice() -> None:
        with begin_write(store) as connection:
            write_position(connection, 0, epoch=1, sequence=5)
            write_directory_events(connection, [make_event(1, 1, last=True)])
            write_directory_events(connection, [make_event(1, 1, last=True)])

    with pytest.raises(IntegrityError):
        write_twice()
    with store.connect() as connection:
        assert read_position(connection, 0) == Position(0, 0)


def test_writers_wait_for_each_other_and_readers_for_nobody(store: Engine) -> None:
    def write(partition: int) -> None:
        for sequence in range(1, 20):
            with begin_write(store) as connection:
                write_position(connection, partition, epoch=1, sequence=sequence)

    writers = [threading.Thread(target=write, args=(partition,)) for partition in range(3)]
    with store.connect() as reader:
        assert read_position(reader, 0) == (0, 0)
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        assert read_position(reader, 0) == (0, 0)
    with store.connect() as reader:
        assert [read_position(reader, partition) for partition in range(3)] == [(1, 19)] * 3


# --- positions and directory ------------------------------------------------------------------------


def test_a_position_moves_forward_and_stands_for_its_partition_alone(store: Engine) -> None:
    for epoch, sequence in ((1, 0), (1, 7), (1, 7), (2, 9)):
        with begin_write(store) as connection:
            write_position(connection, 3, epoch=epoch, sequence=sequence)
    with store.connect() as connection:
        assert read_position(connection, 3) == Position(2, 9)
        assert read_position(connection, 0) == Position(0, 0)


@pytest.mark.parametrize(("epoch", "sequence"), [(2, 8), (1, 10)])
def test_a_position_never_moves_back(store: Engine, epoch: int, sequence: int) -> None:
    with begin_write(store) as connection:
        write_position(connection, 0, epoch=2, sequence=9)
    with (
        pytest.raises(StoreError, match="would overwrite event 9 of epoch 2"),
        begin_write(store) as connection,
    ):
        write_position(connection, 0, epoch=epoch, sequence=sequence)


def test_the_newest_event_that_is_kept_is_found_again(store: Engine) -> None:
    events = [make_event(2, 2, last=True), make_event(5, 5, last=True)]
    with begin_write(store) as connection:
        assert read_held_event(connection, 0) is None
        write_directory_events(connection, events)
        assert read_held_event(connection, 0) == (5, encode_event(events[1]))
        assert read_held_event(connection, 1) is None


def test_the_directory_comes_back_as_it_was(store: Engine) -> None:
    shared = {"command_sequence": 1, "time_ns": 1, "epoch": 1}
    events: list[e.Event] = [
        e.SymbolAdded(
            sequence=1, symbol_id=1, symbol="XYZ", name="X", reference_price=10_000, round_lot=1,
            state=SymbolState.ACTIVE, ticks=DEFAULT_TICKS, **shared,
        ),
        make_event(2, 2, last=True),
        e.SymbolStateChanged(sequence=300, symbol_id=1, state=SymbolState.SUSPENDED, reason="news", **shared),
    ]  # fmt: skip
    expected = Directory()
    with begin_write(store) as connection:
        write_directory_events(connection, [event for event in events if expected.apply(event)])
        write_directory_events(connection, [])
    with store.connect() as connection:
        directory = read_directory(connection)
    assert directory.symbols == expected.symbols
    assert directory.symbols[1].state is SymbolState.SUSPENDED
    assert directory.participants == expected.participants
