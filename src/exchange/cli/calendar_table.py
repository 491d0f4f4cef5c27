"""`[engine.schedule]` made from the sessions of a real exchange, and merged into the text of a configuration: pure."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from itertools import groupby, pairwise
from typing import Any, NamedTuple

from exchange.cli.failures import InputError
from exchange.infra.config_text import toml_value
from exchange.infra.schedule_config import WEEKDAYS

HEAD = "[engine.schedule]"
DATES = ("holidays", "half_days")
DATES_PER_LINE = 7
OTHER_DAYS_MAX = 20
"""More days with hours of their own than this are no exceptions: the market changed its hours."""


class Hours(NamedTuple):
    """When a session begins and ends, and its pause at noon if it has one; local time."""

    begins: time
    pause: time | None
    goes_on: time | None
    ends: time


class Session(NamedTuple):
    """A day with trading."""

    day: date
    hours: Hours


class Calendar(NamedTuple):
    """The sessions of a market, soonest first. zone: a name of the IANA database."""

    name: str
    zone: str
    sessions: tuple[Session, ...]


class Table(NamedTuple):
    """Keys of `[engine.schedule]`. other_days: those it cannot express, on which it has no trading."""

    values: dict[str, Any]
    other_days: tuple[str, ...]


def table_of(
    calendar: Calendar, years: Sequence[int], opening: timedelta, closing: timedelta, *, dates_only: bool
) -> Table:
    """Return the table of these years. opening, closing: how long the calls of the two auctions are.

    The hours that most days have are the regular ones, the next the half days'. Raise `InputError` where the market
    cannot be expressed so.
    """
    if not calendar.sessions:
        raise InputError(f"{calendar.name} has no session in {_spoken(years)}")
    days = [day for year in sorted(years) for day in _days_of(year)]
    regular, half = _usual_hours(calendar)
    weekdays = _weekdays(calendar, days)
    trading = {
        one.day for one in calendar.sessions if one.hours in (regular, half) and _name(one.day) in weekdays
    }
    others = [one for one in calendar.sessions if one.day not in trading]
    if len(others) > OTHER_DAYS_MAX:
        raise InputError(
            f"{len(others)} sessions of {calendar.name} in {_spoken(years)} are neither regular nor half days: it "
            "changed its hours or weekdays meanwhile; take fewer years"
        )
    half_days = [one.day for one in calendar.sessions if one.hours == half and one.day in trading]
    values: dict[str, Any] = {"enabled": True, "time_zone": calendar.zone, "weekdays": weekdays}
    if not dates_only:
        values["phases"] = phases_of(regular, opening, closing)
        if half:
            values["half_day_phases"] = phases_of(half, opening, closing)
    values["holidays"] = [str(day) for day in days if _name(day) in weekdays and day not in trading]
    values["half_days"] = list(map(str, half_days))
    return Table(values, tuple(f"{one.day} {_name(one.day)} {hours_text(one.hours)}" for one in others))


def phases_of(hours: Hours, opening: timedelta, closing: timedelta) -> list[str]:
    """Return the phases of a day; in the pause at noon orders gather, and an auction ends it.

    Raise `InputError` where a call would begin on the day before, or before what it ends has begun.
    """
    rows = [(_moved(hours.begins, -opening), "opening_auction")] if opening else []
    rows.append((hours.begins, "continuous"))
    if hours.pause is not None and hours.goes_on is not None:
        rows += [(hours.pause, "pre_open"), (hours.goes_on, "continuous")]
    rows += [(_moved(hours.ends, -closing), "closing_auction")] if closing else []
    rows.append((hours.ends, "closed"))
    if any(later <= earlier for (earlier, _), (later, _) in pairwise(rows)):
        raise InputError(
            f"calls of {opening} and {closing} do not fit a session {hours_text(hours)}: make them shorter "
            "(--opening-call, --closing-call)"
        )
    return [
        f"{begins.isoformat('seconds' if begins.second else 'minutes')} {phase}" for begins, phase in rows
    ]


def hours_text(hours: Hours) -> str:
    """Write hours such as `09:30-12:00 13:00-16:00`."""
    pause = f"{hours.pause:%H:%M} {hours.goes_on:%H:%M}-" if hours.pause and hours.goes_on else ""
    return f"{hours.begins:%H:%M}-{pause}{hours.ends:%H:%M}"


def with_other_years(
    values: Mapping[str, Any], before: Mapping[str, Any], years: Sequence[int]
) -> dict[str, Any]:
    """Add to a table the dates of other years that a schedule has already."""
    kept = {
        key: [text for text in before.get(key, ()) if text[:4] not in {f"{year:04}" for year in years}]
        for key in DATES
    }
    return {**values, **{key: sorted(kept[key] + values[key]) for key in DATES}}


# --- as text -----------------------------------------------------------------------------------------------------


def table_text(table: Table, title: str) -> str:
    """Write a table as TOML."""
    lines = [f"# {title}", *(f"# No trading here, though the market has: {day}" for day in table.other_days)]
    return "\n".join([*lines, HEAD, *_lines(table.values)]) + "\n"


def merged(text: str, values: Mapping[str, Any]) -> str:
    """Return the text of a configuration with these keys in its `[engine.schedule]`; all else stays as it is written.

    Raise `InputError` where it cannot be read, or has the section written in another way.
    """
    wanted = _read(text)
    schedule = wanted.setdefault("engine", {}).setdefault("schedule", {})
    schedule |= values
    lines = text.splitlines()
    heads = [number for number, line in enumerate(lines) if line.split("#")[0].strip() == HEAD]
    if not heads:
        lines += [*([""] if lines else []), HEAD, *_lines(values)]
    else:
        _replace(lines, heads[0] + 1, values)
    new = "\n".join(lines) + "\n"
    try:
        if tomllib.loads(new) == wanted:
            return new
    except tomllib.TOMLDecodeError:
        pass
    raise InputError(
        f"its schedule is not written as a table {HEAD}: print this one, without --write, and edit it"
    )


def schedule_in(text: str) -> dict[str, Any]:
    """Return what a configuration says of the schedule. Raise `InputError` where it cannot be read."""
    engine = _read(text).get("engine", {})
    schedule = engine.get("schedule", {}) if isinstance(engine, dict) else {}
    for key in DATES:
        dates = schedule.get(key, []) if isinstance(schedule, dict) else None
        if not isinstance(dates, list) or not all(isinstance(each, str) for each in dates):
            raise InputError(
                f'{HEAD} {key}: must be dates such as "2026-12-25"; `exchange config check` says more'
            )
    return dict(schedule)


def _read(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"is no TOML: {error}") from error


def _replace(lines: list[str], start: int, values: Mapping[str, Any]) -> None:
    """Put keys in the place of those of the section that begins at a line; what is new comes first."""
    new: list[str] = []
    for key, value in values.items():
        section = range(start, _section_end(lines, start))
        found = next((at for at in section if lines[at].split("=")[0].strip() == key), None)
        if found is None:
            new += _key_lines(key, value)
        else:
            lines[found : _value_end(lines, found)] = _key_lines(key, value)
    lines[start:start] = new


def _section_end(lines: Sequence[str], start: int) -> int:
    return next((at for at in range(start, len(lines)) if lines[at].startswith("[")), len(lines))


def _value_end(lines: Sequence[str], start: int) -> int:
    """Return the line behind a key's value, which may be an array on many."""
    for end in range(start + 1, len(lines) + 1):
        try:
            tomllib.loads("\n".join(lines[start:end]))
        except tomllib.TOMLDecodeError:
            continue
        return end
    return start + 1


def _lines(values: Mapping[str, Any]) -> list[str]:
    return [line for key, value in values.items() for line in _key_lines(key, value)]


def _key_lines(key: str, value: Any) -> list[str]:
    """Write a key; dates on lines of their own, each year beginning another."""
    if key not in DATES or not value:
        return [f"{key} = {toml_value(value)}"]
    years = [list(map(toml_value, group)) for _, group in groupby(value, lambda text: text[:4])]
    rows = [dates[at : at + DATES_PER_LINE] for dates in years for at in range(0, len(dates), DATES_PER_LINE)]
    return [f"{key} = [", *(f"    {', '.join(row)}," for row in rows), "]"]


# --- parts -------------------------------------------------------------------------------------------------------


def _usual_hours(calendar: Calendar) -> tuple[Hours, Hours | None]:
    """Return the hours of most sessions, and those of the next most that end sooner."""
    ranked = [hours for hours, _ in Counter(one.hours for one in calendar.sessions).most_common()]
    regular = ranked[0]
    shorter = (hours for hours in ranked[1:] if hours.begins == regular.begins and hours.ends < regular.ends)
    return regular, next(shorter, None)


def _weekdays(calendar: Calendar, days: Sequence[date]) -> list[str]:
    """Return the weekdays of which more than half are sessions."""
    all_days, trading = Counter(map(_name, days)), Counter(_name(one.day) for one in calendar.sessions)
    return [name for name in WEEKDAYS if trading[name] * 2 > all_days[name]]


def _days_of(year: int) -> Iterator[date]:
    day = date(year, 1, 1)
    while day.year == year:
        yield day
        day += timedelta(days=1)


def _name(day: date) -> str:
    return WEEKDAYS[day.weekday()]


def _moved(moment: time, by: timedelta) -> time:
    """Return a time so much sooner; the day's first moment where it would be on the day before."""
    at = datetime.combine(date(2000, 1, 2), moment) + by
    return at.time() if at.day == 2 else moment


def _spoken(years: Sequence[int]) -> str:
    return ", ".join(map(str, sorted(years)))
