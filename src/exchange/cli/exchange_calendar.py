"""The sessions of a real exchange as exchange-calendars has them: that library's one door, and never the engine's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from exchange.cli.calendar_table import Calendar, Hours, Session
from exchange.cli.failures import InputError

EXTRA = "a calendar needs exchange-calendars: pip install 'stock-exchange[calendars]'"


def need_calendars() -> None:
    """Refuse where the library of calendars is not installed. Raise `InputError`."""
    from importlib.util import find_spec

    if find_spec("exchange_calendars") is None:
        raise InputError(EXTRA)


def calendar_of(mic: str, years: Sequence[int]) -> Calendar:
    """Return the sessions of these years, in the market's own time. Raise `InputError` where there are none."""
    need_calendars()
    import exchange_calendars

    try:
        found = exchange_calendars.get_calendar(mic, start=f"{min(years)}-01-01", end=f"{max(years)}-12-31")
    except exchange_calendars.errors.InvalidCalendarName:
        message = (
            f'there is no calendar "{mic}"; they are named by market identifier codes such as XNYS or XLON'
        )
        raise InputError(message) from None
    except (exchange_calendars.errors.CalendarError, ValueError) as error:
        raise InputError(f"exchange-calendars has no {mic} of these years: {error}") from error
    zone = str(found.tz)
    sessions = [
        _session(day.date(), [row.open, row.break_start, row.break_end, row.close], zone)
        for day, row in found.schedule.iterrows()
    ]
    return Calendar(mic, zone, tuple(one for one in sessions if one.day.year in years))


def _session(day: date, moments: Sequence[Any], zone: str) -> Session:
    """Put moments, pandas timestamps in UTC, into local time. Raise `InputError` where midnight is between them."""
    there: list[Any] = [
        None if moment != moment else moment.tz_convert(zone) for moment in moments
    ]  # NaT is not itself
    for moment in there:
        if moment is not None and moment.date() != day:
            raise InputError(
                f"the session of {day} passes midnight in {zone}, and [engine.schedule] has days of their own: "
                "such a market is described by hand"
            )
    begins, pause, goes_on, ends = (None if moment is None else moment.time() for moment in there)
    if begins is None or ends is None:
        raise InputError(f"exchange-calendars does not say when the session of {day} begins and ends")
    return Session(day, Hours(begins, pause, goes_on, ends))
