"""When the phases of the coming days begin, in nanoseconds UTC: pure, from the schedule and a time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from exchange.domain.phase import Phase
from exchange.infra.schedule_config import WEEKDAYS, ScheduleConfig, row_of

SECOND_NS = 1_000_000_000
DAYS_BACK_MAX = 15
"""So far back the phase is looked for that holds now; a longer holiday begins closed."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


class Beginning(NamedTuple):
    """A phase that begins, by chance up to `random_ns_max` later."""

    at_ns: int
    phase: Phase
    random_ns_max: int


def beginnings_of(schedule: ScheduleConfig, day: date) -> list[Beginning]:
    """Return when the phases of a day begin, soonest first; none on days without trading."""
    text = day.isoformat()
    if text in schedule.holidays or WEEKDAYS[day.weekday()] not in schedule.weekdays:
        return []
    zone = ZoneInfo(schedule.time_zone)
    rows = schedule.half_day_phases if text in schedule.half_days else schedule.phases
    return [
        Beginning(_at_ns(datetime.combine(day, row.begins, zone)), row.phase, row.random_s * SECOND_NS)
        for row in map(row_of, rows)
    ]


def phase_at(schedule: ScheduleConfig, now_ns: int) -> Phase:
    """Return the phase that holds at a time: the one that began last."""
    day = day_of(schedule, now_ns)
    for back in range(DAYS_BACK_MAX):
        begun = [one for one in beginnings_of(schedule, day - timedelta(days=back)) if one.at_ns <= now_ns]
        if begun:
            return begun[-1].phase
    return Phase.CLOSED


def day_of(schedule: ScheduleConfig, now_ns: int) -> date:
    """Return the date that it is in the market's time zone."""
    return (_EPOCH + timedelta(microseconds=now_ns // 1_000)).astimezone(ZoneInfo(schedule.time_zone)).date()


def _at_ns(moment: datetime) -> int:
    return (moment - _EPOCH) // _SECOND * SECOND_NS
