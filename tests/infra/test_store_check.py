"""Looking at a store without changing it."""

from __future__ import annotations

from pathlib import Path

from exchange.infra.store import begin_write, open_store
from exchange.infra.store_check import check_store

MIGRATIONS = "exchange.clearing.migrations"
NEWEST = "0006"


def test_a_store_that_is_not_there_yet_is_not_made(tmp_path: Path) -> None:
    file = tmp_path / "x" / "clearing.sqlite"
    seen = check_store("clearing", f"sqlite:///{file}", MIGRATIONS)
    assert (seen.problem, seen.says.endswith("is not there yet, the first start makes it")) == ("", True)
    assert not file.parent.exists()


def test_a_store_says_its_schema_version(store_url: str) -> None:
    if not store_url.startswith("sqlite:///"):
        assert "without tables yet" in check_store("clearing", store_url, MIGRATIONS).says
    store = open_store(store_url, MIGRATIONS)
    seen = check_store("clearing", store_url, MIGRATIONS)
    assert (seen.what, seen.problem) == ("store of clearing", "")
    assert seen.says.endswith(f", schema version {NEWEST}")
    with begin_write(store) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")
    assert check_store("clearing", store_url, MIGRATIONS).says.endswith(
        f"0000, the next start makes it {NEWEST}"
    )
    with begin_write(store) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    assert (
        f"has schema version 9999, this program knows up to {NEWEST}"
        in check_store("clearing", store_url, MIGRATIONS).problem
    )
    store.dispose()


def test_a_wrong_address_and_a_damaged_file_are_problems(tmp_path: Path) -> None:
    assert "is no address of a database" in check_store("clearing", "nonsense", MIGRATIONS).problem
    file = tmp_path / "x.sqlite"
    file.write_bytes(b"this is no database, and long enough to be told apart from one" * 20)
    assert "file is not a database" in check_store("clearing", f"sqlite:///{file}", MIGRATIONS).problem
