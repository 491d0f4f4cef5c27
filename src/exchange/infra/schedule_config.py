"""`[engine.schedule]`: the phases of a trading day in the market's own time, its holidays and half days."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, time
from typing import Annotated, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Meta

from exchange.domain.phase import SETTABLE, Phase
from exchange.infra.config_keys import Section

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
PHASES = {phase.name.lower(): phase for phase in SETTABLE}
_ROW = re.compile(r"(?P<time>\d\d:\d\d(:\d\d)?) (?P<phase>[a-z_]+)(?: \+(?P<random>\d{1,5}) s)?\Z", re.ASCII)

PhaseRows = Annotated[tuple[str, ...], Meta(max_length=100)]
Dates = Annotated[tuple[str, ...], Meta(max_length=2_000)]


class PhaseRow(NamedTuple):
    """A phase that begins at a time of the day, by chance up to so many seconds later."""

    begins: time
    phase: Phase
    random_s: int


class ScheduleConfig(Section, frozen=True, kw_only=True):
    """The trading day. Disabled, trading is continuous all day, and operators set phases by hand."""

    enabled: bool = False
    """Whether phases follow this schedule."""
    time_zone: str = "America/New_York"
    """Of all times here; a name of the IANA database."""
    weekdays: Annotated[tuple[str, ...], Meta(max_length=7)] = WEEKDAYS[:5]
    """Days of the week on which there is trading."""
    phases: PhaseRows = ("09:25 opening_auction", "09:30 continuous", "15:50 closing_auction", "16:00 closed")
    """When each phase begins; "+30 s" behind it: by chance up to so much later."""
    half_day_phases: PhaseRows = (
        "09:25 opening_auction", "09:30 continuous", "12:50 closing_auction", "13:00 closed",
    )  # fmt: skip
    """The same on half days."""
    holidays: Dates = ()
    """Dates without trading, such as "2026-12-25"."""
    half_days: Dates = ()
    """Dates with the phases of half days."""

    def mistakes(self) -> Iterable[tuple[str, str]]:
        """Check that times, phases, dates and the time zone can be read."""
        if self.enabled and not is_time_zone(self.time_zone):
            yield (
                "time_zone",
                f'must be a name of the IANA database such as "Europe/Berlin", got "{self.time_zone}"',
            )
        for day in self.weekdays:
            if day not in WEEKDAYS:
                yield "weekdays", f'must be of {", ".join(WEEKDAYS)}, got "{day}"'
        for key, rows in (("phases", self.phases), ("half_day_phases", self.half_day_phases)):
            yield from ((key, mistake) for mistake in mistakes_of(rows))
        for key, dates in (("holidays", self.holidays), ("half_days", self.half_days)):
            for text in dates:
                if not is_date(text):
                    yield key, f'must be dates such as "2026-12-25", got "{text}"'


def row_of(text: str) -> PhaseRow:
    """Read a row such as "09:30 continuous +30 s". Raise `ValueError` where it is none."""
    found = _ROW.match(text)
    if not found or found["phase"] not in PHASES:
        raise ValueError(f'must be like "09:30 continuous" or "16:00 post_close +30 s", got "{text}"')
    return PhaseRow(time.fromisoformat(found["time"]), PHASES[found["phase"]], int(found["random"] or 0))


def mistakes_of(rows: Iterable[str]) -> Iterable[str]:
    """Say what is wrong with the rows of a day."""
    before: time | None = None
    for text in rows:
        try:
            row = row_of(text)
        except ValueError as error:
            yield str(error)
            return
        if before is not None and row.begins <= before:
            yield f'must be in the order of their times, got "{text}" behind {before:%H:%M}'
        before = row.begins


def is_date(text: str) -> bool:
    """Tell whether a text is a date."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == len("2026-12-25")


def is_time_zone(name: str) -> bool:
    """Tell whether this machine knows a time zone."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
