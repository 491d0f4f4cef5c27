"""PostgreSQL as a store: its schemas, what is refused and how that is said, and readers beside a writer."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import DBAPIError

from exchange.infra import store_postgres
from exchange.infra.errors import StoreUnavailable
from exchange.infra.store import (
    Position,
    StoreError,
    begin_write,
    feed_positions,
    open_store,
    read_position,
    write_position,
)
from exchange.infra.store_retry import begin_read, passes
from tests.infra.postgres_server import PASSWORD, PostgresServer

pytestmark = pytest.mark.integration
REPORTER, CLEARING = "exchange.reporter.migrations", "exchange.clearing.migrations"


@pytest.fixture
def url(postgres: PostgresServer) -> str:
    return postgres.new_database()


# --- schemas ----------------------------------------------------------------------------------------


def test_both_components_live_in_one_database_each_in_its_schema(url: str) -> None:
    reporter, clearing = open_store(url, REPORTER), open_store(url, CLEARING)
    with begin_write(reporter) as connection:
        write_position(connection, 0, epoch=1, sequence=7)
    with clearing.connect() as connection:
        assert read_position(connection, 0) == Position(0, 0)
        schemas = connection.scalars(
            text(
                "SELECT schemaname FROM pg_tables WHERE tablename IN ('trades', 'alembic_version') ORDER BY 1"
            )
        )
        assert list(schemas) == ["clearing", "clearing", "reporter", "reporter"]


def test_a_store_opened_again_is_as_it_was(url: str) -> None:
    for sequence in (1, 2):
        store = open_store(url, REPORTER)
        with begin_write(store) as connection:
            assert read_position(connection, 0).sequence == sequence - 1
            write_position(connection, 0, epoch=1, sequence=sequence)
        store.dispose()


def test_an_address_without_a_driver_means_psycopg(url: str) -> None:
    store = open_store(url.replace("+psycopg", ""), REPORTER)
    assert store.dialect.driver == "psycopg"


def test_a_database_without_an_encoding_of_its_own_holds_what_one_with_it_holds(
    postgres: PostgresServer,
) -> None:
    url = postgres.new_database()
    name = url.rpartition("/")[2]
    postgres.run_sql(f"DROP DATABASE {name}")
    postgres.run_sql(f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
    store = open_store(url, CLEARING)
    with store.connect() as connection:
        assert connection.scalar(text("SELECT 'Zürich' || :more"), {"more": " – Genève"}) == "Zürich – Genève"
    store.dispose()


# --- refusals ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "other", "said"),
    [
        (f":{PASSWORD}@", ":wrong-secret@", "password authentication failed"),
        ("@127.0.0.1", "@nowhere.invalid", "nowhere.invalid"),
        ("/exchange_", "/no_such_", "does not exist"),
        ("//exchange:", "//nobody:", "password authentication failed"),
    ],
)
def test_an_address_that_does_not_work_is_told_without_its_password(
    url: str, part: str, other: str, said: str
) -> None:
    assert part in url
    with pytest.raises(StoreError, match=said) as caught:
        open_store(url.replace(part, other), REPORTER)
    assert "postgresql+psycopg://" in str(caught.value)
    assert ":***@" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_password_among_the_options_is_not_told_either(postgres: PostgresServer) -> None:
    url = f"postgresql+psycopg://exchange@127.0.0.1:{postgres.port}/postgres?password=wrong-secret"
    with pytest.raises(StoreError, match=r"password=\*\*\*|password=%2A%2A%2A") as caught:
        open_store(url, REPORTER)
    assert "secret" not in str(caught.value)


def test_another_driver_is_refused(url: str) -> None:
    with pytest.raises(StoreError, match=r"write postgresql\+psycopg://, not postgresql\+asyncpg://"):
        open_store(url.replace("+psycopg", "+asyncpg"), REPORTER)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("DELETE FROM alembic_version", "its version in alembic_version is missing: the store is damaged"),
        ("DROP TABLE alembic_version", "its version in alembic_version is missing: the store is damaged"),
        ("UPDATE alembic_version SET version_num = 'rubbish'", "is rubbish: the store is damaged"),
        ("UPDATE alembic_version SET version_num = '0099'", "is of version 0099, this program knows up to 0"),
    ],
)
def test_a_version_that_is_damaged_or_too_new_is_told(url: str, damage: str, said: str) -> None:
    store = open_store(url, REPORTER)
    with store.begin() as connection:
        connection.execute(text(damage))
    store.dispose()
    with pytest.raises(StoreError, match=said) as caught:
        open_store(url, REPORTER)
    assert PASSWORD not in str(caught.value)


# --- transactions -----------------------------------------------------------------------------------


def test_a_reader_sees_one_state_while_a_writer_goes_on(url: str) -> None:
    store = open_store(url, REPORTER)
    with store.connect() as reader, reader.begin():
        assert read_position(reader, 0) == Position(0, 0)
        with begin_write(store) as writer:
            write_position(writer, 0, epoch=1, sequence=7)
        assert read_position(reader, 0) == Position(0, 0)
    with store.connect() as reader:
        assert read_position(reader, 0) == Position(1, 7)


def test_two_writers_of_one_position_collide_and_the_failure_passes(url: str) -> None:
    store, other = open_store(url, REPORTER), open_store(url, REPORTER)
    with begin_write(store) as connection:
        write_position(connection, 0, epoch=1, sequence=1)

    def write_slowly() -> None:
        with begin_write(store) as connection:
            read_position(connection, 0)
            with begin_write(other) as faster:
                write_position(faster, 0, epoch=1, sequence=9)
            write_position(connection, 0, epoch=1, sequence=2)

    with pytest.raises(DBAPIError, match="could not serialize") as caught:
        write_slowly()
    assert passes(caught.value)
    with pytest.raises(StoreError, match="would overwrite event 9"), begin_write(store) as connection:
        write_position(connection, 0, epoch=1, sequence=2)


def test_a_deadlock_passes(url: str) -> None:
    store = open_store(url, REPORTER)
    for partition in (1, 2):
        with begin_write(store) as connection:
            write_position(connection, partition, epoch=1, sequence=1)
    failures, both_hold_one = [], threading.Barrier(2)

    def lock(first: int, second: int) -> None:
        try:
            with begin_write(store) as connection:
                for partition in (first, second):
                    row = select(feed_positions).where(feed_positions.c.partition == partition)
                    connection.execute(row.with_for_update()).all()
                    if partition == first:
                        both_hold_one.wait(10)
        except DBAPIError as error:
            failures.append(error)

    threads = [threading.Thread(target=lock, args=pair) for pair in ((1, 2), (2, 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [passes(error) for error in failures] == [True]


def test_connections_are_bounded_and_who_waits_too_long_is_told(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_postgres, "POOL_CONNECTIONS_MAX", 2)
    monkeypatch.setattr(store_postgres, "POOL_WAIT_S", 0.05)
    store = open_store(url, REPORTER)
    with store.connect(), store.connect(), pytest.raises(Exception, match="QueuePool limit") as caught:
        store.connect()
    assert passes(caught.value)


def test_a_read_while_the_server_is_away_asks_to_try_again() -> None:
    with PostgresServer() as server:
        store = open_store(server.new_database(), REPORTER)
        server.stop()
        with (
            pytest.raises(StoreUnavailable, match=r"postgresql\+psycopg://exchange:\*\*\*@"),
            begin_read(store),
        ):
            pass
        server.start()
        with begin_read(store) as connection:
            assert read_position(connection, 0) == Position(0, 0)


def test_a_connection_lost_while_idle_is_made_anew(url: str, postgres: PostgresServer) -> None:
    store: Engine = open_store(url, REPORTER)
    database = url.rpartition("/")[2]
    postgres.run_sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'")
    with store.connect() as connection:
        assert read_position(connection, 0) == Position(0, 0)
