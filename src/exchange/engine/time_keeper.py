"""The time that commands are stamped with: it never goes back, and a clock that jumps is not believed."""

from __future__ import annotations

from exchange.infra.clock import Clock
from exchange.infra.errors import InfraError

SECOND_NS = 1_000_000_000


class ClockJumped(InfraError):
    """The time of day was set by more than the limit."""


class TimeKeeper:
    """Stamps. last_ns: the last time in the journal; jump_limit_ns: how far the clock may be off what has passed."""

    def __init__(self, clock: Clock, last_ns: int, jump_limit_ns: int) -> None:
        self._clock = clock
        self._last_ns = last_ns
        self._jump_limit_ns = jump_limit_ns
        self._seen_ns: int | None = None
        self._passed_ns = 0

    def stamp(self) -> int:
        """Return the time for the next commands. Raise `ClockJumped`."""
        now, passed = self._clock.now_ns(), self._clock.passed_ns()
        if self._seen_ns is None:
            self._check(now, self._last_ns, max(now, self._last_ns), "the last time in the journal")
        else:
            expected = self._seen_ns + passed - self._passed_ns
            self._check(now, expected, expected, "what has passed since it was read last")
        self._seen_ns, self._passed_ns = now, passed
        self._last_ns = max(self._last_ns, now)
        return self._last_ns

    def _check(self, now: int, least: int, most: int, what: str) -> None:
        off_ns = min(now - least, 0) or max(now - most, 0)
        if abs(off_ns) > self._jump_limit_ns:
            raise ClockJumped(
                f"the clock of this machine is {abs(off_ns) / SECOND_NS:.3f} s"
                f" {'ahead of' if off_ns > 0 else 'behind'} {what}, allowed are {self._jump_limit_ns / SECOND_NS:g} s;"
                " set the clock right, then start the engine again ([engine] clock_jump_limit_s is the limit)"
            )
