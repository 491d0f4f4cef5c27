"""The bounds of an HTTP service, and the token bucket that limits a key's rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

KEYS_REMEMBERED_MAX = 100_000
"""Buckets kept; past this the one that was used longest ago is forgotten, which can only help its owner."""


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """Every bound of one service; what happens at each is in its comment."""

    header_timeout_s: float = 10.0
    """A request whose headers have not arrived by then: 408 and close."""
    body_timeout_s: float = 10.0
    """A body that has not arrived by then: 408 and close."""
    keep_alive_s: float = 75.0
    """An idle connection is closed by then."""
    drain_s: float = 5.0
    """Requests still running this long after a stop are cut off."""
    header_line_bytes: int = 8_190
    headers_max: int = 64
    """Longer or more headers: 400 and close."""
    connections_max: int = 10_000
    connections_per_address_max: int = 0
    """One more: closed at once. 0 = as many as `connections_max`; for a service that faces the internet."""
    sockets_max: int = 2_000
    """WebSocket connections; one more: 503."""
    rate_per_s: int = 0
    """Requests per second and key, or address where no key is sent; more: 429. 0 = no limit. Not for health."""
    rate_burst: int = 0
    """Requests at once; 0 = as many as `rate_per_s`."""


class RateConfig(Protocol):
    """The section of the configuration that says how many requests are taken."""

    @property
    def rate_per_s(self) -> int:
        """Requests per second of each key."""

    @property
    def rate_burst(self) -> int:
        """Requests at once."""


def limits_of(rates: RateConfig, **more: Any) -> HttpLimits:
    """Make the limits of a service with the configured rate."""
    return HttpLimits(rate_per_s=rates.rate_per_s, rate_burst=rates.rate_burst, **more)


class Grant:
    """What a token bucket answers. reset_s: seconds until the bucket is full again."""

    __slots__ = ("limit", "remaining", "reset_s", "retry_after_s", "taken")

    def __init__(self, taken: bool, limit: int, remaining: int, reset_s: float, retry_after_s: float) -> None:
        self.taken = taken
        self.limit = limit
        self.remaining = remaining
        self.reset_s = reset_s
        self.retry_after_s = retry_after_s


class SharedRates(Protocol):
    """Buckets that other processes take from too."""

    async def take(self, owner: str, local: Grant) -> Grant:
        """Take one token of an owner who has one of the local bucket; return its grant, or the local one."""


class TokenBuckets:
    """A token bucket per key: `rate_per_s` flow in, `burst` fit in. The generic cell rate algorithm."""

    def __init__(self, rate_per_s: int, burst: int = 0) -> None:
        self.rate_per_s = rate_per_s
        self.burst = burst or rate_per_s
        self._step_s = 1 / rate_per_s
        self._window_s = self.burst / rate_per_s
        self._full_at: dict[object, float] = {}

    def take(self, key: object, now_s: float) -> Grant:
        """Take one token of a key, if there is one."""
        full_at = max(self._full_at.pop(key, 0.0), now_s) + self._step_s
        ahead = full_at - now_s
        taken = ahead <= self._window_s + 1e-9
        if not taken:
            full_at -= self._step_s
        if len(self._full_at) >= KEYS_REMEMBERED_MAX:
            del self._full_at[next(iter(self._full_at))]
        self._full_at[key] = full_at
        remaining = int((self._window_s - (full_at - now_s)) * self.rate_per_s + 1e-9)
        return Grant(taken, self.burst, remaining, full_at - now_s, 0.0 if taken else ahead - self._window_s)
