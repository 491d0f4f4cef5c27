"""A demo day goes through all its moments in seconds, and leaves the market open as it was."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from exchange.domain.phase import Phase
from exchange.infra.errors import InfraError
from exchange.launch.up import Embedded
from exchange.simulation.day_moments import begin
from exchange.simulation.demo_day import DAY, run_day
from exchange.simulation.market_day import Day, Moment
from tests.simulation.running import config_for


@pytest.mark.integration
async def test_a_day_has_auctions_a_halt_a_pause_a_breaker_a_split_and_a_bust_and_says_so(
    tmp_path: Path,
) -> None:
    config = config_for(tmp_path, **{"simulation.seed": 7, "simulation.orders_per_second": 1_000})
    said: list[str] = []
    seen: list[Embedded] = []
    phases: list[Phase] = []

    def over(day: Day) -> None:
        phases.append(day.venue.market_phase)
        assert day.log.busted == 1
        assert {kind for _, kind, _ in day.log.auctions} == {"opening", "reopening", "volatility", "closing"}
        os.kill(os.getpid(), signal.SIGTERM)

    await run_day(config, seen.append, speed=0, say=said.append, over=over)
    assert phases == [Phase.CLOSED]
    assert seen[0].engine.venue.market_phase is Phase.CONTINUOUS
    text = "\n".join(said)
    for moment in DAY:
        assert moment.what in text
    wanted = [
        "market opening auction",
        "halted: news pending",
        "reopening auction: news is out",
        "left over",
        "outside the corridor",
        "two shares for one",
        "2 new shares for 1: its reference price went from 248.70 to 124.35",
        "a band is reached",
        "volatility auction: price limit",
        "the pause is over",
        "below its last close",
        "breaker tripped at level 1",
    ]
    for told in [*wanted, "busted: erroneous", "market closing no cancel", "market closed"]:
        assert told in text
    assert text.index("halted: news pending") < text.index("busted: erroneous") < text.index("market closed")


@pytest.mark.integration
async def test_the_same_seed_gives_the_same_opening(tmp_path: Path) -> None:
    openings: list[list[tuple[str, str, int]]] = []
    told: list[list[str]] = []

    def over(day: Day) -> None:
        openings.append(list(day.log.auctions))
        os.kill(os.getpid(), signal.SIGTERM)

    until_the_open = [moment for moment in DAY if moment.at <= "09:30"]
    for folder in ("one", "two"):
        config = config_for(tmp_path / folder, **{"simulation.seed": 7})
        said: list[str] = []
        await run_day(config, lambda _: None, speed=0, say=said.append, moments=until_the_open, over=over)
        told.append([line for line in said if line[:5] < "09:30"])
    assert openings[0] == openings[1]
    assert len(openings[0]) == len([symbol for symbol in config.symbols if symbol.symbol != "XYZ"])
    assert told[0] == told[1]


async def test_a_schedule_of_its_own_is_no_day_for_a_demo(tmp_path: Path) -> None:
    config = config_for(tmp_path, **{"engine.schedule.enabled": True})
    with pytest.raises(InfraError, match=r"\[engine.schedule\] is enabled"):
        await run_day(config, lambda _: None, speed=0, say=print)


def test_the_moments_of_the_day_stand_in_their_order() -> None:
    minutes = [moment.minute for moment in DAY]
    assert minutes == sorted(set(minutes))
    assert Moment("09:05", "", begin(Phase.CLOSED)).minute == 545
