"""How a service's routes fare: counts, errors, rates and latencies, kept in plain integers."""

from __future__ import annotations

from collections import deque

from exchange.infra.latency import LatencyHistogram
from exchange.wire.rest.engine_stats import LatencyView, RouteView

RATE_WINDOW_S = 60


class RouteMeter:
    """The counters of one route. errors: replies from 400 on; failures: those from 500 on."""

    __slots__ = ("_samples", "errors", "failures", "latency", "method", "path")

    def __init__(self, method: str, path: str) -> None:
        self.method = method
        self.path = path
        self.errors = 0
        self.failures = 0
        self.latency = LatencyHistogram()
        self._samples: deque[int] = deque([0], maxlen=RATE_WINDOW_S + 1)

    @property
    def count(self) -> int:
        """Return the number of replies."""
        return self.latency.count

    def observe(self, status: int, elapsed_ns: int) -> None:
        """Count one reply."""
        if status >= 400:
            self.errors += 1
            if status >= 500:
                self.failures += 1
        self.latency.observe(elapsed_ns)

    def sample(self) -> None:
        """Remember the count; called once a second, so that `rate` can look back a minute."""
        self._samples.append(self.count)

    @property
    def rate(self) -> float:
        """Return requests per second over the last minute, or over the time since the start."""
        seconds = max(1, len(self._samples) - 1)
        return round((self.count - self._samples[0]) / seconds, 2)

    def stats(self) -> RouteView:
        """Return the counters as a value."""
        p50, p90, p99 = (self.latency.percentile_ns(percent) // 1000 for percent in (50, 90, 99))
        return RouteView(
            method=self.method,
            path=self.path,
            count=self.count,
            rate=self.rate,
            errors=self.errors,
            failures=self.failures,
            latency=LatencyView(p50_us=p50, p90_us=p90, p99_us=p99, max_us=self.latency.max_ns // 1000),
        )
