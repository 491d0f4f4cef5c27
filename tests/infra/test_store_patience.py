"""A PostgreSQL behind a path that has fallen silent is noticed, told of, and used again when it is back."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from exchange.infra import store_patience
from exchange.infra.errors import StoreUnavailable
from exchange.infra.store import Position, begin_write, open_store, read_position, write_position
from exchange.infra.store_retry import begin_read
from tests.infra.postgres_server import PostgresServer
from tests.infra.silent_proxy import SilentProxy

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]
REPORTER = "exchange.reporter.migrations"


@pytest.fixture
def proxy(postgres: PostgresServer) -> Iterator[SilentProxy]:
    with SilentProxy(postgres.port) as proxy:
        yield proxy


def through(proxy: SilentProxy, postgres: PostgresServer) -> str:
    return postgres.new_database().replace(f":{postgres.port}/", f":{proxy.port}/")


def test_a_statement_without_an_answer_ends(postgres: PostgresServer, proxy: SilentProxy) -> None:
    store = open_store(through(proxy, postgres), REPORTER)

    def read_while_it_falls_silent() -> None:
        with store_patience.patience(0.3), begin_read(store) as connection:
            proxy.silence()
            read_position(connection, 0)

    with pytest.raises(StoreUnavailable, match=r"the server has not answered for 0\.3 s"):
        read_while_it_falls_silent()
    assert proxy.swallowed > 0
    proxy.heal()
    with begin_read(store) as connection:
        assert read_position(connection, 0) == Position(0, 0)
    store.dispose()


def test_a_silent_connection_of_the_pool_is_tried_for_a_moment_and_replaced(
    postgres: PostgresServer, proxy: SilentProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_patience, "PING_S_MAX", 0.3)
    store = open_store(through(proxy, postgres), REPORTER)
    silent = threading.Event()

    def heal_when_tried() -> None:
        while not proxy.swallowed:
            silent.wait(0.01)
        proxy.heal()

    with begin_read(store):
        pass
    proxy.silence()
    healing = threading.Thread(target=heal_when_tried)
    healing.start()
    with begin_read(store) as connection:
        assert read_position(connection, 0) == Position(0, 0)
    healing.join(30)
    store.dispose()


def test_what_takes_longer_than_the_patience_is_ended_and_without_hurry_it_is_not(
    postgres: PostgresServer,
) -> None:
    store = open_store(postgres.new_database(), REPORTER)
    slow = text("SELECT pg_sleep(0.5)")

    def read(limit_s: float | None) -> None:
        with store_patience.patience(limit_s), begin_read(store) as connection:
            connection.execute(slow)

    with pytest.raises(StoreUnavailable, match="has not answered"):
        read(0.1)
    read(None)
    store.dispose()


def test_the_locks_of_a_session_that_was_given_up_do_not_stay(
    postgres: PostgresServer, proxy: SilentProxy
) -> None:
    store = open_store(through(proxy, postgres), REPORTER)

    def fall_silent_in_a_copy() -> None:
        with store_patience.patience(0.5), begin_write(store) as connection:
            write_position(connection, 0, 1, 5)
            session = connection.connection.driver_connection
            assert session is not None
            with session.cursor().copy("COPY directory_events FROM STDIN") as copy:
                proxy.silence()
                copy.write("0\t1\tx\n")

    with pytest.raises(Exception, match=r"has not answered|connection is closed"):
        fall_silent_in_a_copy()
    proxy.heal()
    with begin_write(store) as connection:
        write_position(connection, 0, 1, 7)
    with begin_read(store) as connection:
        assert read_position(connection, 0) == Position(1, 7)
    store.dispose()
