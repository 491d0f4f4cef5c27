"""The two clocks an engine reads: the time of day, and time that only passes, by which jumps of the first are seen."""

from __future__ import annotations

import time
from typing import Protocol

# Counts the sleep of the machine too, so that waking up is no jump. Linux has it.
_PASSING = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Clock(Protocol):
    """A source of time."""

    def now_ns(self) -> int:
        """Return the time of day: nanoseconds since the Unix epoch, UTC."""
        ...

    def passed_ns(self) -> int:
        """Return nanoseconds since some moment; never set by anyone, never going back."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now_ns(self) -> int:
        """Return the machine's time of day."""
        return time.time_ns()

    def passed_ns(self) -> int:
        """Return the time since the machine's start, its sleep included."""
        return time.clock_gettime_ns(_PASSING)


class ManualClock:
    """A clock that stands still until it is moved: for simulations and tests."""

    def __init__(self, now_ns: int) -> None:
        self._now_ns = now_ns
        self._passed_ns = 0

    def now_ns(self) -> int:
        """Return the time it was moved to."""
        return self._now_ns

    def passed_ns(self) -> int:
        """Return the sum of all advances."""
        return self._passed_ns

    def advance(self, by_ns: int) -> None:
        """Let time pass."""
        self._now_ns += by_ns
        self._passed_ns += by_ns

    def jump(self, by_ns: int) -> None:
        """Set the time of day without time passing, as an operator or a broken time server does."""
        self._now_ns += by_ns
