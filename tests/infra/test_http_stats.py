"""The meters of routes."""

from __future__ import annotations

from exchange.infra.http_stats import RATE_WINDOW_S, RouteMeter


def test_replies_errors_and_failures_are_counted() -> None:
    meter = RouteMeter("GET", "/x")
    for status in (200, 201, 404, 500):
        meter.observe(status, 1_000_000)
    stats = meter.stats()
    assert (stats.count, stats.errors, stats.failures) == (4, 2, 1)
    assert meter.latency.sum_ns == 4_000_000


def test_percentiles_are_read_to_within_a_bucket() -> None:
    meter = RouteMeter("GET", "/x")
    for milliseconds in range(1, 101):
        meter.observe(200, milliseconds * 1_000_000)
    latency = meter.stats().latency
    assert 50_000 <= latency.p50_us <= 62_500
    assert 90_000 <= latency.p90_us <= 100_000
    assert 99_000 <= latency.p99_us <= 100_000
    assert latency.max_us == 100_000


def test_a_route_never_called_has_zeros() -> None:
    stats = RouteMeter("GET", "/x").stats()
    assert (stats.count, stats.rate, stats.latency.p99_us, stats.latency.max_us) == (0, 0, 0, 0)


def test_the_rate_looks_back_one_minute() -> None:
    meter = RouteMeter("GET", "/x")
    for _ in range(RATE_WINDOW_S * 2):
        for _ in range(10):
            meter.observe(200, 1)
        meter.sample()
    assert meter.rate == 10
    for _ in range(RATE_WINDOW_S):
        meter.sample()
    assert meter.rate == 0
