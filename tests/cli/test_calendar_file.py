"""A schedule in a file: the file changes whole, without a mistake in it, or stays as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange.cli.calendar_file import write_table
from exchange.cli.calendar_table import Table
from exchange.cli.failures import InputError
from exchange.infra.config import load_config
from exchange.infra.config_text import example_text

VALUES = {"enabled": True, "time_zone": "Europe/Berlin", "holidays": ["2027-01-01"], "half_days": []}
TABLE = Table(VALUES, ())


def test_a_file_is_made_where_there_is_none(tmp_path: Path) -> None:
    file = tmp_path / "exchange.toml"
    assert write_table(file, TABLE, [2027]) == VALUES
    schedule = load_config(file, {}).engine.schedule
    assert (schedule.enabled, schedule.holidays) == (True, ("2027-01-01",))
    assert list(tmp_path.iterdir()) == [file]


def test_the_commented_example_keeps_its_comments_and_its_mode(tmp_path: Path) -> None:
    file = tmp_path / "exchange.toml"
    file.write_text(example_text(), encoding="utf-8")
    file.chmod(0o600)
    write_table(file, TABLE, [2027])
    comments = [line for line in example_text().splitlines() if line.startswith("#")]
    assert [
        line for line in file.read_text(encoding="utf-8").splitlines() if line.startswith("#")
    ] == comments
    assert file.stat().st_mode & 0o777 == 0o600
    assert load_config(file, {}).engine.schedule.time_zone == "Europe/Berlin"


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    file, link = tmp_path / "real.toml", tmp_path / "exchange.toml"
    file.write_text("", encoding="utf-8")
    link.symlink_to(file)
    write_table(link, TABLE, [2027])
    assert link.is_symlink()
    assert "Europe/Berlin" in file.read_text(encoding="utf-8")


def test_years_add_up(tmp_path: Path) -> None:
    file = tmp_path / "exchange.toml"
    write_table(file, TABLE, [2027])
    write_table(file, Table({**VALUES, "holidays": ["2028-01-03"]}, ()), [2028])
    assert load_config(file, {}).engine.schedule.holidays == ("2027-01-01", "2028-01-03")


def refusal(file: Path) -> str:
    before = file.read_bytes()
    with pytest.raises(InputError) as caught:
        write_table(file, TABLE, [2027])
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]
    return str(caught.value)


def test_the_dates_of_two_markets_do_not_mix(tmp_path: Path) -> None:
    file = tmp_path / "exchange.toml"
    file.write_text(
        '[engine.schedule]\ntime_zone = "Asia/Tokyo"\nholidays = ["2026-01-01"]\n', encoding="utf-8"
    )
    assert "stays as it is: it has dates of other years in Asia/Tokyo, and these are in Europe" in refusal(
        file
    )
    file.write_text(
        '[engine.schedule]\ntime_zone = "Asia/Tokyo"\nholidays = ["2027-01-01"]\n', encoding="utf-8"
    )
    write_table(file, TABLE, [2027])


def test_a_file_with_a_mistake_stays_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "exchange.toml"
    file.write_text("[engine]\nport = 99999999\n", encoding="utf-8")
    text = refusal(file)
    assert f"{file} stays as it is: it would have mistakes: {file}" in text
    assert ".new" not in text
    file.write_bytes(b"\xff")
    assert "is no UTF-8 text" in refusal(file)


def test_a_file_in_no_folder_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        write_table(tmp_path / "none" / "exchange.toml", TABLE, [2027])
