"""The days on which is settled, and which of them is n after a trading day."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from exchange.domain.units import format_date, next_date

DAYS_AFTER_MAX = 30
_SEARCH_DAYS_MAX = 400
"""Days in a row without settlement that a calendar may have."""


class NoSettlementDay(ValueError):
    """The calendar has no day for it; the message says where it was looked for."""


class SettlementCalendar:
    """Weekdays, 0 for Monday to 6, less holidays, YYYYMMDD."""

    def __init__(self, weekdays: Collection[int], holidays: Collection[int] = ()) -> None:
        self._weekdays = frozenset(weekdays)
        self._holidays = frozenset(holidays)

    def is_open(self, day: int) -> bool:
        """Tell whether is settled on a day."""
        return day not in self._holidays and weekday_of(day) in self._weekdays

    def after(self, day: int, days: int) -> int:
        """Return the day that is so many settlement days later; 0 gives the day itself, or the next that is open.

        Raise `NoSettlementDay`.
        """
        found = self._open_from(day)
        for _ in range(days):
            found = self._open_from(next_date(found))
        return found

    def between(self, first: int, last: int) -> int:
        """Count the settlement days after a first one up to a last one."""
        count, day = 0, first
        while day < last:
            day = next_date(day)
            count += self.is_open(day)
        return count

    def _open_from(self, day: int) -> int:
        found = day
        for _ in range(_SEARCH_DAYS_MAX):
            if self.is_open(found):
                return found
            found = next_date(found)
        raise NoSettlementDay(
            f"the calendar has no settlement day within {_SEARCH_DAYS_MAX} days of {format_date(day)}"
        )


def weekday_of(day: int) -> int:
    """Return the weekday of a date, 0 for Monday."""
    return date(day // 10_000, day // 100 % 100, day % 100).weekday()
