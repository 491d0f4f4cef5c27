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
