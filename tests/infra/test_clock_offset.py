"""The kernel's estimate is read as it is meant, and where there is none nothing is claimed."""

from __future__ import annotations

import math

from exchange.infra.clock_offset import UNKNOWN, estimate_of, read_clock


def test_an_offset_is_in_nanoseconds_or_microseconds_as_the_status_says() -> None:
    assert estimate_of(0, 0x2001, 1_500, 250_000) == (True, 1.5e-6, 0.25)
    assert estimate_of(0, 0x0001, -1_500, 250_000) == (True, -1.5e-3, 0.25)


def test_a_clock_that_nobody_disciplines_is_unknown() -> None:
    for state, status in ((5, 0), (0, 0x0040), (-1, 0)):
        assert estimate_of(state, status, 7, 7) is UNKNOWN


def test_this_machine_answers_or_is_unknown() -> None:
    clock = read_clock()
    assert clock.is_synchronized or math.isnan(clock.offset_s)
