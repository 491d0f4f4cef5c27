"""The clocks: time that passes, and time that is set."""

from __future__ import annotations

import time

from exchange.infra.clock import ManualClock, SystemClock


def test_the_system_clock_tells_the_time_of_day_and_time_that_passes() -> None:
    clock = SystemClock()
    before = time.time_ns()
    assert before <= clock.now_ns() <= time.time_ns()
    assert clock.passed_ns() <= clock.passed_ns()


def test_a_manual_clock_moves_only_when_it_is_moved() -> None:
    clock = ManualClock(1_000)
    assert (clock.now_ns(), clock.passed_ns()) == (1_000, 0)
    clock.advance(50)
    assert (clock.now_ns(), clock.passed_ns()) == (1_050, 50)


def test_a_jump_of_a_manual_clock_lets_no_time_pass() -> None:
    clock = ManualClock(1_000)
    clock.jump(-600)
    assert (clock.now_ns(), clock.passed_ns()) == (400, 0)
