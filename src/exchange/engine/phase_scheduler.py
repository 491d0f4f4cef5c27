"""Keeps the venue's schedule filled by the trading calendar: commands at the start, and as each day comes near.

The venue itself knows no calendar and no time zone: it begins phases at the times it was told, whether or not this
still runs. What was told stays so until a start with another schedule.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from secrets import randbits

import structlog

from exchange.domain import commands as c
from exchange.domain.phase import Phase
from exchange.domain.units import SymbolId
from exchange.engine.trading_day import Beginning, beginnings_of, day_of, phase_at
from exchange.infra.clock import Clock
from exchange.infra.schedule_config import ScheduleConfig
from exchange.matching.venue import Venue

log = structlog.get_logger(component="engine")

DAYS_AHEAD = 2
"""Days that are scheduled beside the present one."""
LOOK_EVERY_S = 600.0
MARKET = SymbolId(0)
Submit = Callable[[Sequence[c.Command]], Awaitable[None]]


class PhaseScheduler:
    """Submits what the schedule asks for. submit: carries out commands, and raises where one is refused."""

    def __init__(self, schedule: ScheduleConfig, venue: Venue, clock: Clock, submit: Submit) -> None:
        self._schedule = schedule
        self._venue = venue
        self._clock = clock
        self._submit = submit
        self._told_until_ns = 0
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Bring the venue to the schedule, and keep it there; where none is wanted, do nothing."""
        if not self._schedule.enabled:
            return
        await self._submit(self.first_commands(self._clock.now_ns()))
        self._task = asyncio.create_task(self._run(), name="phase scheduler")

    async def stop(self) -> None:
        """Stop; what is scheduled stays."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def first_commands(self, now_ns: int) -> list[c.Command]:
        """Return what a start asks for: nothing that the venue knows already."""
        rows = [row for row in self._venue.schedule() if row.symbol_id == MARKET and row.at_ns > now_ns]
        known = {(row.at_ns, row.phase) for row in rows}
        coming = self._coming(now_ns)
        self._told_until_ns = coming[-1].at_ns if coming else now_ns
        if known and self._is_as_told(known, now_ns):
            last_ns = max(at_ns for at_ns, _ in known)
            return self._commands([one for one in coming if one.at_ns > last_ns])
        commands: list[c.Command] = [c.ClearSchedule(symbol_id=MARKET)] if known else []
        phase = phase_at(self._schedule, now_ns)
        if phase is not self._venue.market_phase and not known:
            commands.append(c.SetPhase(symbol_id=MARKET, phase=phase, reason="schedule"))
        return commands + self._commands(coming)

    def more_commands(self, now_ns: int) -> list[c.Command]:
        """Return what has come near since the last look."""
        coming = [one for one in self._coming(now_ns) if one.at_ns > self._told_until_ns]
        if coming:
            self._told_until_ns = coming[-1].at_ns
        return self._commands(coming)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            commands = self.more_commands(self._clock.now_ns())
            if commands:
                await self._submit(commands)
                log.info("phases_scheduled", count=len(commands))

    def _is_as_told(self, known: set[tuple[int, Phase]], now_ns: int) -> bool:
        """Tell whether what the venue knows is what this schedule would have told it."""
        wanted, last_ns = self._all(now_ns), max(at_ns for at_ns, _ in known)
        missing = [one for one in wanted if now_ns < one.at_ns <= last_ns and not _is_known(one, known)]
        return not missing and all(any(_is_known(one, {row}) for one in wanted) for row in known)

    def _coming(self, now_ns: int) -> list[Beginning]:
        return [one for one in self._all(now_ns) if one.at_ns > now_ns]

    def _all(self, now_ns: int) -> list[Beginning]:
        today = day_of(self._schedule, now_ns)
        days = (today + timedelta(days=ahead) for ahead in range(DAYS_AHEAD + 1))
        return [one for day in days for one in beginnings_of(self._schedule, day)]

    def _commands(self, coming: Sequence[Beginning]) -> list[c.Command]:
        return [
            c.SchedulePhase(
                symbol_id=MARKET, phase=one.phase, at_ns=one.at_ns, random_ns_max=one.random_ns_max,
                seed=randbits(64) if one.random_ns_max else 0,
            )
            for one in coming
        ]  # fmt: skip


def _is_known(beginning: Beginning, known: set[tuple[int, Phase]]) -> bool:
    """Tell whether the venue has a beginning; the chance of its end is drawn already."""
    at_ns, phase, random_ns_max = beginning
    return any(name == phase and at_ns <= at <= at_ns + random_ns_max for at, name in known)
