"""Many processes that start at once on one empty database: one makes its tables, all can use it."""

from __future__ import annotations

import multiprocessing
import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, make_url

from exchange.infra import store as opening
from exchange.infra.store import StoreError, newest_version, open_store
from exchange.infra.store_lock import StoreLocked, lock_tables

MIGRATIONS = ("exchange.reporter.migrations", "exchange.clearing.migrations")
PROCESSES = 3


def opened(url: str, migrations: str, begin: threading.Event, answers: multiprocessing.Queue[str]) -> None:
    """Open a store when told to, and answer with its version or the error."""
    begin.wait()
    try:
        store = open_store(url, migrations)
        answers.put(opening._version_of(store) or "none")
        store.dispose()
    except Exception as error:
        answers.put(f"{type(error).__name__}: {error}")


@pytest.mark.integration
@pytest.mark.parametrize("migrations", MIGRATIONS)
def test_processes_that_start_at_once_all_find_a_whole_store(store_url: str, migrations: str) -> None:
    spawning = multiprocessing.get_context("spawn")
    begin, answers = spawning.Event(), spawning.Queue()
    processes = [
        spawning.Process(target=opened, args=(store_url, migrations, begin, answers))
        for _ in range(PROCESSES)
    ]
    for process in processes:
        process.start()
    begin.set()
    found = [answers.get(timeout=120) for _ in processes]
    for process in processes:
        process.join(60)
    assert found == [newest_version(migrations)] * PROCESSES


def file_of(store_url: str) -> Path | None:
    address = make_url(store_url)
    return Path(str(address.database)) if address.get_backend_name() == "sqlite" else None


@pytest.fixture
def store(store_url: str) -> Engine:
    return open_store(store_url, MIGRATIONS[0])


def test_who_waits_too_long_is_told_what_to_do(store: Engine, store_url: str) -> None:
    file = file_of(store_url)
    with (
        lock_tables(store, "reporter", file),
        pytest.raises(StoreLocked, match=r"for more than 0\.2 s .* Wait for it or stop it"),
        lock_tables(store, "reporter", file, wait_s=0.2),
    ):
        pass
    with lock_tables(store, "reporter", file, wait_s=0.2):
        pass


def test_the_refusal_of_a_start_names_the_store(store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise StoreLocked("another process")

    monkeypatch.setattr(opening, "lock_tables", refuse)
    with pytest.raises(StoreError, match="the store cannot be used: another process"):
        open_store(store_url, MIGRATIONS[0])


def test_a_store_in_memory_needs_no_lock() -> None:
    with lock_tables(create_engine("sqlite://"), "reporter", None):
        pass
