"""The stamp of time: never back, and a clock that jumps stops the engine."""

from __future__ import annotations

import pytest

from exchange.engine.time_keeper import SECOND_NS, ClockJumped, TimeKeeper
from exchange.infra.clock import ManualClock

NOON_NS = 1_795_000_000 * SECOND_NS


def test_stamps_follow_the_clock() -> None:
    clock = ManualClock(NOON_NS)
    keeper = TimeKeeper(clock, 0, SECOND_NS)
    assert keeper.stamp() == NOON_NS
    clock.advance(7)
    assert keeper.stamp() == NOON_NS + 7


def test_a_clock_that_is_set_back_a_little_makes_time_stand_still() -> None:
    clock = ManualClock(NOON_NS)
    keeper = TimeKeeper(clock, NOON_NS - 5, SECOND_NS)
    assert keeper.stamp() == NOON_NS
    clock.jump(-SECOND_NS // 2)
    assert keeper.stamp() == NOON_NS
    clock.advance(SECOND_NS)
    assert keeper.stamp() == NOON_NS + SECOND_NS // 2


def test_a_long_time_without_commands_is_no_jump() -> None:
    clock = ManualClock(NOON_NS)
    keeper = TimeKeeper(clock, 0, SECOND_NS)
    keeper.stamp()
    clock.advance(86_400 * SECOND_NS)
    assert keeper.stamp() == NOON_NS + 86_400 * SECOND_NS


@pytest.mark.parametrize(("jump_s", "said"), [(3, "3.000 s ahead of"), (-3, "3.000 s behind")])
def test_a_jump_beyond_the_limit_is_not_believed(jump_s: int, said: str) -> None:
    clock = ManualClock(NOON_NS)
    keeper = TimeKeeper(clock, 0, SECOND_NS)
    keeper.stamp()
    clock.jump(jump_s * SECOND_NS)
    with pytest.raises(ClockJumped, match=f"{said} what has passed since it was read last, allowed are 1 s"):
        keeper.stamp()


def test_a_start_long_after_the_last_command_is_fine_but_not_long_before_it() -> None:
    assert TimeKeeper(ManualClock(NOON_NS), NOON_NS - 10**18, SECOND_NS).stamp() == NOON_NS
    keeper = TimeKeeper(ManualClock(NOON_NS), NOON_NS + 60 * SECOND_NS, SECOND_NS)
    with pytest.raises(ClockJumped, match=r"60\.000 s behind the last time in the journal"):
        keeper.stamp()
