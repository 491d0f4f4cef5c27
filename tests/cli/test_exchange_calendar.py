"""`exchange phases calendar`: days as exchange-calendars knows them, and as the engine then keeps them."""

from __future__ import annotations

import importlib.util
import tomllib
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from exchange.engine.trading_day import beginnings_of
from exchange.infra.config import load_config
from tests.cli.conftest import Run

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the library's, of pandas

CALENDAR = ("phases", "calendar")


def utc(day: date) -> list[str]:
    """Return when the phases of a day begin, as the engine of this folder reckons them."""
    schedule = load_config(Path("exchange.toml"), {}).engine.schedule
    moments = [datetime.fromtimestamp(each.at_ns // 10**9, UTC) for each in beginnings_of(schedule, day)]
    return [f"{moment:%H:%M}" for moment in moments]


def test_new_york_of_2026_is_as_the_exchange_published_it(run: Run) -> None:
    schedule = tomllib.loads(run(*CALENDAR, "xnys", "--year", "2026").out)["engine"]["schedule"]
    assert schedule["holidays"] == [
        "2026-01-01", "2026-01-19", "2026-02-16", "2026-04-03", "2026-05-25", "2026-06-19", "2026-07-03", "2026-09-07",
        "2026-11-26", "2026-12-25",
    ]  # fmt: skip
    assert schedule["half_days"] == ["2026-11-27", "2026-12-24"]
    assert schedule["time_zone"] == "America/New_York"


def test_the_engine_keeps_half_days_holidays_and_summer_time(run: Run) -> None:
    ran = run(*CALENDAR, "XNYS", "--year", "2026", "--years", "2", "--write", "exchange.toml")
    assert ran.out == (
        "exchange.toml has the days of XNYS 2026 to 2027 (20 days without trading, 3 half days); the engine takes them "
        "at its next start\n"
    )
    assert utc(date(2026, 11, 25)) == ["14:25", "14:30", "20:50", "21:00"]
    assert utc(date(2026, 11, 26)) == []
    assert utc(date(2026, 11, 27)) == ["14:25", "14:30", "17:50", "18:00"]
    assert utc(date(2026, 7, 6)) == ["13:25", "13:30", "19:50", "20:00"]
    assert utc(date(2027, 12, 24)) == []


def test_a_market_with_a_pause_at_noon(run: Run) -> None:
    found = run(*CALENDAR, "XHKG", "--year", "2026", "--json", "--opening-call", "0").json
    assert (found["market"], found["years"], found["other_days"]) == ("XHKG", [2026], [])
    assert found["schedule"]["phases"] == [
        "09:30 continuous", "12:00 pre_open", "13:00 continuous", "15:50 closing_auction", "16:00 closed",
    ]  # fmt: skip
    assert found["schedule"]["half_days"] == ["2026-02-16", "2026-12-24", "2026-12-31"]


@pytest.mark.parametrize(
    ("market", "year", "said"),
    [
        ("NOPE", "2027", 'there is no calendar "NOPE"'),
        ("CMES", "2027", "passes midnight in America/Chicago"),
        ("XKRX", "2060", "has no XKRX of these years"),
        ("XNYS", "1027", "Must be >= 2000"),
    ],
)
def test_what_cannot_be_is_said_on_one_line(run: Run, market: str, year: str, said: str) -> None:
    ran = run(*CALENDAR, market, "--year", year)
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (2, "", 1)
    assert said in ran.err


def test_without_the_library_the_extra_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    ran = run(*CALENDAR, "XNYS", "--year", "2027")
    assert (ran.code, ran.err) == (
        2, "exchange: a calendar needs exchange-calendars: pip install 'stock-exchange[calendars]'\n",
    )  # fmt: skip
