"""What the scheduler tells a venue, at a first start, a later one, and as days come near."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

from exchange.domain import commands as c
from exchange.domain.phase import Phase
from exchange.domain.units import parse_time
from exchange.engine.phase_scheduler import PhaseScheduler
from exchange.infra.clock import Clock
from exchange.infra.schedule_config import WEEKDAYS, ScheduleConfig
from exchange.matching.venue import Venue
from tests.engine.running_engine import RunningEngine, config_for
from tests.matching.desk import START_NS, Desk

SCHEDULE = ScheduleConfig(enabled=True, time_zone="UTC", phases=("08:00 continuous +9 s", "17:00 closed"))
DAY_NS = 86_400_000_000_000
WHOLE_WEEK = ScheduleConfig(
    enabled=True, time_zone="UTC", weekdays=WEEKDAYS, phases=("00:00 closed", "12:00 pre_open")
)


async def submit_nothing(commands: Sequence[c.Command]) -> None:
    raise AssertionError(f"{len(commands)} commands came")


def scheduler(venue: Venue, schedule: ScheduleConfig = SCHEDULE) -> PhaseScheduler:
    return PhaseScheduler(schedule, venue, cast(Clock, None), submit_nothing)


async def test_a_disabled_schedule_tells_nothing() -> None:
    idle = scheduler(Desk().venue, ScheduleConfig())
    await idle.start()
    await idle.stop()


def test_a_first_start_sets_the_phase_and_schedules_three_days() -> None:
    desk = Desk()
    commands = scheduler(desk.venue).first_commands(START_NS)
    assert {type(command) for command in commands} == {c.SchedulePhase}, "it is continuous already"
    assert [cast(c.SchedulePhase, each).phase for each in commands] == [
        Phase.CLOSED, Phase.CONTINUOUS, Phase.CLOSED, Phase.CONTINUOUS, Phase.CLOSED,
    ]  # fmt: skip
    night = scheduler(desk.venue).first_commands(parse_time("2026-11-23T18:00:00Z"))
    assert night[0] == c.SetPhase(symbol_id=0, phase=Phase.CLOSED, reason="schedule")  # type: ignore[arg-type]


def test_a_later_start_tells_only_what_is_new() -> None:
    desk = Desk()
    desk.send(*scheduler(desk.venue).first_commands(START_NS))
    assert scheduler(desk.venue).first_commands(START_NS + 1) == []
    tomorrow = scheduler(desk.venue).first_commands(START_NS + DAY_NS)
    assert {type(command) for command in tomorrow} == {c.SchedulePhase}


def test_another_schedule_replaces_what_was_told() -> None:
    desk = Desk()
    desk.send(*scheduler(desk.venue).first_commands(START_NS))
    other = ScheduleConfig(enabled=True, time_zone="UTC", phases=("08:00 continuous", "18:00 closed"))
    commands = scheduler(desk.venue, other).first_commands(START_NS)
    assert commands[0] == c.ClearSchedule(symbol_id=0)  # type: ignore[arg-type]
    desk.send(*commands)
    assert len(desk.venue.schedule()) == 5


def test_each_day_is_told_once_as_it_comes_near() -> None:
    desk = Desk()
    running = scheduler(desk.venue)
    running.first_commands(START_NS)
    assert running.more_commands(START_NS) == []
    assert len(running.more_commands(START_NS + DAY_NS)) == 2
    assert running.more_commands(START_NS + DAY_NS) == []


async def test_an_engine_keeps_its_schedule_over_a_restart(tmp_path: Path) -> None:
    async with RunningEngine(tmp_path, config_for(tmp_path, schedule=WHOLE_WEEK)) as engine:
        shown = (await engine.get("/api/v1/market/schedule")).items
        assert {row["phase"] for row in shown} == {"pre_open", "closed"}
        phase = (await engine.get("/api/v1/symbols/AAPL")).body["phase"]
        assert phase in ("pre_open", "closed")
        commands = engine.app.venue.command_sequence
        await engine.restart()
        later = (await engine.get("/api/v1/market/schedule")).items
        assert all(row in later for row in shown[2:]), "noon and midnight may pass meanwhile"
        assert engine.app.venue.command_sequence <= commands + 5, "the start, and what time brought"
