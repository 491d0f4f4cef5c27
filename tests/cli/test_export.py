"""`exchange export`: days of ITCH from a running engine, and what is said where that cannot be."""

from __future__ import annotations

from pathlib import Path

from exchange.wire import binary_file
from tests.cli.conftest import Run
from tests.cli.processes import ask, started


def test_the_days_of_a_running_exchange_become_files(tmp_path: Path) -> None:
    data, days = str(tmp_path / "data"), tmp_path / "days"
    with started("engine", "--data", data, "--port-base", "0") as (_, facts):
        found = ask("export", "itch", str(days), "--data", data, "--url", facts["url"], "--json")
    (day,) = found.json
    (file,) = days.iterdir()
    assert (day["file"], day["is_whole"]) == (str(file), False)
    letters = [chr(message[0]) for message in binary_file.split(file.read_bytes())]
    assert (letters[0], len(letters), letters.count("R")) == ("S", day["messages"], letters.count("H"))
    assert "R" in letters


def test_a_date_that_is_none_is_refused_before_anything_is_asked(run: Run) -> None:
    shown = run("export", "itch", "--date", "23.11.2026")
    assert shown.code == 2
    assert "--date must be such as 2026-11-23, got '23.11.2026'" in shown.err


def test_a_folder_that_cannot_be_made_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    shown = run("export", "itch", str(tmp_path / "taken"))
    assert shown.code == 2
    assert "taken cannot be written" in shown.err


def test_an_engine_that_is_not_there_is_told(run: Run, tmp_path: Path) -> None:
    shown = run("export", "itch", str(tmp_path / "days"), "--url", "http://127.0.0.1:1", "--key", "xk_none")
    assert shown.code != 0
    assert "http://127.0.0.1:1 cannot be reached" in shown.err


def test_tables_and_lobsters_files_come_from_a_running_exchange(tmp_path: Path) -> None:
    data, files = str(tmp_path / "data"), tmp_path / "files"
    with started("engine", "--data", data, "--port-base", "0") as (_, facts):
        where = ("--data", data, "--url", facts["url"], "--json")
        ask("order", "sell", "AAPL", "100", "@", "189.20", "--as", "alice", *where)
        ask("order", "buy", "AAPL", "40", "@", "189.20", "--as", "bob", *where)
        found = {
            table: ask("export", table, str(files), "--symbol", "AAPL", "--format", "csv", *where).json
            for table in ("trades", "orders", "book", "candles")
        }
        lobster = ask("export", "lobster", "AAPL", str(files), "--levels", "2", *where).json
        unknown = ask("export", "lobster", "NONE", str(files), *where)
    assert {table: each[0]["rows"] for table, each in found.items()} == {
        "trades": 1, "orders": 4, "book": 2, "candles": 1,
    }  # fmt: skip
    for (each,) in found.values():
        assert Path(each["file"]).read_text().count("\n") == each["rows"] + 1
    assert [each["rows"] for each in lobster] == [2, 2]
    assert (unknown.code, "was ever listed" in unknown.err) == (2, True)


def test_an_interval_or_number_of_levels_that_cannot_be_is_refused(run: Run) -> None:
    assert "--interval: an interval is a number of" in run("export", "candles", "--interval", "1y").err
    assert "--levels must be 1 to 100, got 0" in run("export", "lobster", "AAPL", "--levels", "0").err
