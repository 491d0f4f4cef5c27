"""How a service's routes fare: counts, errors, rates and latencies, kept in plain integers.

A histogram has four buckets per power of two, from one microsecond to over a day, so a percentile is read to
within a quarter of its value.
"""

from __future__ import annotations

from collections import deque

import msgspec

RATE_WINDOW_S = 60
BUCKETS = 144
_SMALLEST_SHIFT = 10


class LatencyStats(msgspec.Struct, frozen=True):
    """Latencies of a route in microseconds; 0 where nothing was measured."""

    p50_us: int
    p90_us: int
    p99_us: int
    max_us: int


class RouteStats(msgspec.Struct, frozen=True):
    """How one route fares since the start. rate: requests per second over the last minute."""

    method: str
    path: str
    count: int
    errors: int
    failures: int
    rate: float
    latency: LatencyStats


class RouteMeter:
    """The counters of one route. errors: replies from 400 on; failures: those from 500 on."""

    __slots__ = ("_samples", "buckets", "count", "errors", "failures", "max_ns", "method", "path", "sum_ns")

    def __init__(self, method: str, path: str) -> None:
        self.method = method
        self.path = path
        self.count = 0
        self.errors = 0
        self.failures = 0
        self.sum_ns = 0
        self.max_ns = 0
        self.buckets = [0] * BUCKETS
        self._samples: deque[int] = deque([0], maxlen=RATE_WINDOW_S + 1)

    def observe(self, status: int, elapsed_ns: int) -> None:
        """Count one reply."""
        self.count += 1
        if status >= 400:
            self.errors += 1
            if status >= 500:
                self.failures += 1
        self.sum_ns += elapsed_ns
        if elapsed_ns > self.max_ns:
            self.max_ns = elapsed_ns
        self.buckets[bucket_of(elapsed_ns)] += 1

    def sample(self) -> None:
        """Remember the count; called once a second, so that `rate` can look back a minute."""
        self._samples.append(self.count)

    @property
    def rate(self) -> float:
        """Return requests per second over the last minute, or over the time since the start."""
        seconds = max(1, len(self._samples) - 1)
        return round((self.count - self._samples[0]) / seconds, 2)

    def percentile_ns(self, percent: int) -> int:
        """Return the upper edge of the bucket in which this share of the replies is reached."""
        wanted = -(-self.count * percent // 100)
        seen = 0
        for bucket, count in enumerate(self.buckets):
            seen += count
            if count and seen >= wanted:
                return min(upper_edge_ns(bucket), self.max_ns)
        return 0

    def stats(self) -> RouteStats:
        """Return the counters as a value."""
        p50, p90, p99 = (self.percentile_ns(percent) // 1000 for percent in (50, 90, 99))
        latency = LatencyStats(p50, p90, p99, self.max_ns // 1000)
        return RouteStats(self.method, self.path, self.count, self.errors, self.failures, self.rate, latency)


def bucket_of(elapsed_ns: int) -> int:
    """Return the number of the bucket of a time."""
    units = elapsed_ns >> _SMALLEST_SHIFT
    if units < 4:
        return units if units > 0 else 0
    bits = units.bit_length()
    bucket = (bits - 2) * 4 + (units >> (bits - 3)) - 4
    return bucket if bucket < BUCKETS else BUCKETS - 1


def upper_edge_ns(bucket: int) -> int:
    """Return the first time that is above a bucket."""
    if bucket < 4:
        return (bucket + 1) << _SMALLEST_SHIFT
    octave, quarter = divmod(bucket, 4)
    return (quarter + 5) << (octave - 1) << _SMALLEST_SHIFT
