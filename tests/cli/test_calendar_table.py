"""A schedule from sessions: regular and half days, pauses, days it cannot express, and the text it is merged into."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from datetime import date, time, timedelta

import pytest

from exchange.cli.calendar_table import (
    Calendar,
    Hours,
    Session,
    Table,
    hours_text,
    merged,
    phases_of,
    schedule_in,
    table_of,
    table_text,
    with_other_years,
)
from exchange.cli.failures import InputError

CALLS = timedelta(minutes=5), timedelta(minutes=10)
FULL = Hours(time(9), None, None, time(17))
HALF = Hours(time(9), None, None, time(12))
NOON = Hours(time(9), time(11, 30), time(12, 30), time(15))
EVENING = Hours(time(18), None, None, time(19))
DAYS = [date(2027, 1, 1) + timedelta(days=number) for number in range(365)]


def calendar(
    but: dict[str, Hours | None], regular: Hours = FULL, weekdays: Sequence[int] = range(5)
) -> Calendar:
    """Return a year of a market. but: the days that are otherwise, None without a session."""
    usual = {str(day): regular for day in DAYS if day.weekday() in weekdays}
    sessions = sorted({**usual, **but}.items())
    kept = tuple(Session(date.fromisoformat(day), hours) for day, hours in sessions if hours)
    return Calendar("XTST", "Europe/Berlin", kept)


def table(one: Calendar, *, dates_only: bool = False) -> Table:
    return table_of(one, [2027], *CALLS, dates_only=dates_only)


def test_days_without_sessions_are_holidays_and_shorter_ones_half_days() -> None:
    made = table(calendar({"2027-01-01": None, "2027-12-24": HALF, "2027-12-31": HALF}))
    assert made == Table(
        {
            "enabled": True,
            "time_zone": "Europe/Berlin",
            "weekdays": ["mon", "tue", "wed", "thu", "fri"],
            "phases": ["08:55 opening_auction", "09:00 continuous", "16:50 closing_auction", "17:00 closed"],
            "half_day_phases": [
                "08:55 opening_auction", "09:00 continuous", "11:50 closing_auction", "12:00 closed",
            ],
            "holidays": ["2027-01-01"],
            "half_days": ["2027-12-24", "2027-12-31"],
        },
        (),
    )  # fmt: skip


def test_the_dates_alone_leave_the_phases_as_they_are() -> None:
    made = table(calendar({"2027-12-24": HALF}), dates_only=True)
    assert list(made.values) == ["enabled", "time_zone", "weekdays", "holidays", "half_days"]


def test_the_week_is_that_of_the_market() -> None:
    assert table(calendar({}, weekdays=(6, 0, 1, 2, 3))).values["weekdays"] == [
        "mon",
        "tue",
        "wed",
        "thu",
        "sun",
    ]


def test_a_session_that_the_schedule_cannot_express_is_a_day_without_trading_and_said() -> None:
    made = table(calendar({"2027-12-24": HALF, "2027-10-29": EVENING, "2027-10-30": FULL}))
    assert made.values["holidays"] == ["2027-10-29"]
    assert made.other_days == ("2027-10-29 fri 18:00-19:00", "2027-10-30 sat 09:00-17:00")
    assert "# No trading here, though the market has: 2027-10-30 sat 09:00-17:00" in table_text(
        made, "XTST 2027"
    )


def test_a_market_that_changed_its_hours_is_refused() -> None:
    changed = {str(day): NOON for day in DAYS[:60] if day.weekday() < 5}
    with pytest.raises(InputError, match=r"neither regular nor half days: .* take fewer years"):
        table(calendar(changed | {"2027-12-24": HALF, "2027-12-31": HALF}, regular=EVENING))


def test_a_year_without_sessions_is_refused() -> None:
    with pytest.raises(InputError, match="XTST has no session in 2027"):
        table(Calendar("XTST", "UTC", ()))


def test_in_the_pause_at_noon_orders_gather() -> None:
    assert phases_of(NOON, *CALLS) == [
        "08:55 opening_auction", "09:00 continuous", "11:30 pre_open", "12:30 continuous", "14:50 closing_auction",
        "15:00 closed",
    ]  # fmt: skip
    assert hours_text(NOON) == "09:00-11:30 12:30-15:00"


def test_calls_may_be_left_out_and_must_fit() -> None:
    none = timedelta()
    assert phases_of(FULL, none, none) == ["09:00 continuous", "17:00 closed"]
    for opening, closing in (
        (timedelta(hours=10), none),
        (none, timedelta(hours=8)),
        (none, timedelta(hours=18)),
    ):
        with pytest.raises(InputError, match="do not fit a session 09:00-17:00: make them shorter"):
            phases_of(FULL, opening, closing)


def test_the_text_is_the_table() -> None:
    made = table(calendar({"2027-01-01": None, "2027-12-24": HALF}))
    text = table_text(made, "XTST 2027")
    assert text.startswith("# XTST 2027\n[engine.schedule]\n")
    assert tomllib.loads(text) == {"engine": {"schedule": made.values}}


def test_dates_of_other_years_stay_and_those_of_the_same_are_replaced() -> None:
    before = {"holidays": ["2026-12-25", "2027-05-05", "2028-01-03"], "half_days": ["2026-12-24"]}
    values = {"holidays": ["2027-01-01"], "half_days": [], "enabled": True}
    assert with_other_years(values, before, [2027]) == {
        "holidays": ["2026-12-25", "2027-01-01", "2028-01-03"], "half_days": ["2026-12-24"], "enabled": True,
    }  # fmt: skip


WRITTEN = """\
# Mine.
[exchange]
port_base = 9000  # mine too

[engine.schedule]
# When.
time_zone = "America/New_York"
holidays = [
    "2026-12-25", # Christmas
]
weekdays = ["mon"]

[redis]
url = ""
"""


def test_a_merge_changes_its_keys_and_no_other_line() -> None:
    text = merged(WRITTEN, {"time_zone": "UTC", "holidays": ["2026-12-25", "2027-01-01"], "half_days": []})
    assert text == WRITTEN.replace("America/New_York", "UTC").replace(
        '    "2026-12-25", # Christmas\n', '    "2026-12-25",\n    "2027-01-01",\n'
    ).replace("[engine.schedule]\n", "[engine.schedule]\nhalf_days = []\n")
    assert merged(text, schedule_in(text)) == text


def test_a_file_without_the_table_gets_it_at_its_end() -> None:
    assert merged("", {"enabled": True}) == "[engine.schedule]\nenabled = true\n"
    text = merged("[engine]\nport = 9001\n", {"enabled": True})
    assert text == "[engine]\nport = 9001\n\n[engine.schedule]\nenabled = true\n"


@pytest.mark.parametrize(
    "text", ["engine.schedule.enabled = false\n", "[engine]\nschedule = { enabled = false }\n"]
)
def test_a_table_that_is_written_another_way_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="is not written as a table"):
        merged(text, {"enabled": True})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[engine", "is no TOML"),
        ("[engine.schedule]\nholidays = 5\n", "holidays: must be dates"),
        ("[engine.schedule]\nhalf_days = [2027-01-01]\n", "half_days: must be dates"),
        ("[engine]\nschedule = 5\n", "must be dates"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        schedule_in(text)
