"""An HTTP service's own figures for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

from exchange.infra.http_stats import BUCKETS, RouteMeter, upper_edge_ns
from exchange.infra.metrics import cumulative, gauge

_NS_PER_S = 1_000_000_000
_EDGES_PER_OCTAVE = 8
"""Prometheus gets every eighth bucket of ours, a factor of four apart, from 2 µs to a minute and more."""
_LAST_EDGE = 111


def http_families(
    meters: Sequence[RouteMeter], connections: int, sockets: int, in_flight: int
) -> Iterator[Metric]:
    """Yield requests, errors and latency per route, and what is open now."""
    labels = ["method", "route"]
    requests = CounterMetricFamily("exchange_http_requests", "Requests answered.", labels=labels)
    errors = CounterMetricFamily("exchange_http_errors", "Replies from status 400 on.", labels=labels)
    failures = CounterMetricFamily("exchange_http_failures", "Replies from status 500 on.", labels=labels)
    latency = HistogramMetricFamily("exchange_http_latency_seconds", "From request to answer.", labels=labels)
    for meter in meters:
        values = [meter.method, meter.path]
        requests.add_metric(values, meter.count)
        errors.add_metric(values, meter.errors)
        failures.add_metric(values, meter.failures)
        latency.add_metric(values, cumulative(_edges(meter), meter.count), meter.sum_ns / _NS_PER_S)
    yield from (requests, errors, failures, latency)
    yield gauge("exchange_http_connections", "Open connections.", connections)
    yield gauge("exchange_http_sockets", "Open WebSocket connections.", sockets)
    yield gauge("exchange_http_in_flight", "Requests being answered.", in_flight)


def _edges(meter: RouteMeter) -> Iterator[tuple[float, int]]:
    inside = 0
    for bucket in range(min(BUCKETS, _LAST_EDGE + 1)):
        inside += meter.buckets[bucket]
        if bucket % _EDGES_PER_OCTAVE == _EDGES_PER_OCTAVE - 1:
            yield upper_edge_ns(bucket) / _NS_PER_S, inside
            inside = 0
