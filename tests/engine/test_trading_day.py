"""Times of phases in the market's own time zone: summer and winter, holidays, half days."""

from __future__ import annotations

from datetime import date

from exchange.domain.phase import Phase
from exchange.domain.units import format_time, parse_time
from exchange.engine.trading_day import SECOND_NS, beginnings_of, day_of, phase_at
from exchange.infra.schedule_config import ScheduleConfig

NEW_YORK = ScheduleConfig(
    enabled=True,
    phases=("09:30 continuous +5 s", "16:00 closed"),
    half_day_phases=("09:30 continuous", "13:00 closed"),
    holidays=("2026-12-25",),
    half_days=("2026-12-24",),
)


def times(day: date) -> list[str]:
    return [format_time(one.at_ns)[11:16] for one in beginnings_of(NEW_YORK, day)]


def test_the_same_time_of_day_is_another_time_utc_in_summer() -> None:
    assert times(date(2026, 11, 23)) == ["14:30", "21:00"]
    assert times(date(2026, 7, 6)) == ["13:30", "20:00"]
    assert beginnings_of(NEW_YORK, date(2026, 7, 6))[0].random_ns_max == 5 * SECOND_NS


def test_there_are_half_days_holidays_and_weekends() -> None:
    assert times(date(2026, 12, 24)) == ["14:30", "18:00"]
    assert times(date(2026, 12, 25)) == times(date(2026, 12, 26)) == []


def test_the_phase_that_holds_is_the_one_that_began_last() -> None:
    assert phase_at(NEW_YORK, parse_time("2026-11-23T14:29:59Z")) is Phase.CLOSED
    assert phase_at(NEW_YORK, parse_time("2026-11-23T14:30:00Z")) is Phase.CONTINUOUS
    assert phase_at(NEW_YORK, parse_time("2026-12-27T12:00:00Z")) is Phase.CLOSED
    never = ScheduleConfig(enabled=True, weekdays=())
    assert phase_at(never, parse_time("2026-11-23T14:30:00Z")) is Phase.CLOSED


def test_the_day_is_that_of_the_market() -> None:
    assert day_of(NEW_YORK, parse_time("2026-11-24T03:00:00Z")) == date(2026, 11, 23)
