"""An HTTP service's own figures for Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from exchange.infra.http_stats import RouteMeter
from exchange.infra.latency import LatencyHistogram
from exchange.infra.metrics import Family, counter, gauge, histogram


@dataclass(frozen=True)
class HttpFigures:
    """What a service shows of itself. reasons, notes: why it is not ready, and what works less well."""

    meters: Sequence[RouteMeter]
    connections: int
    sockets: int
    in_flight: int
    reasons: Sequence[str]
    notes: Sequence[str]


def _by_route(read: Callable[[RouteMeter], Any]) -> Callable[[HttpFigures], dict[tuple[str, str], Any]]:
    return lambda service: {(meter.method, meter.path): read(meter) for meter in service.meters}


def _latencies(service: HttpFigures) -> dict[tuple[str, str], LatencyHistogram]:
    """Read those of the routes that were called; the others would be many lines of zeroes."""
    return {(meter.method, meter.path): meter.latency for meter in service.meters if meter.count}


ROUTE = ("method", "route")
HTTP_FAMILIES: tuple[Family[HttpFigures], ...] = (
    gauge("exchange_ready", "1 where the component does its work, as /readyz says.", lambda s: not s.reasons),
    gauge(
        "exchange_notes",
        "Things that work less well and do not stop it; /readyz names them.",
        lambda s: len(s.notes),
    ),
    counter("exchange_http_requests_total", "Requests answered.", _by_route(lambda m: m.count), *ROUTE),
    counter(
        "exchange_http_errors_total", "Answers from status 400 on.", _by_route(lambda m: m.errors), *ROUTE
    ),
    counter(
        "exchange_http_failures_total", "Answers from status 500 on.", _by_route(lambda m: m.failures), *ROUTE
    ),
    histogram(
        "exchange_http_latency_seconds",
        "From request to answer, of routes that were called.",
        _latencies,
        *ROUTE,
    ),
    gauge("exchange_http_connections", "Open connections.", lambda s: s.connections),
    gauge("exchange_http_sockets", "Open WebSocket connections.", lambda s: s.sockets),
    gauge("exchange_http_in_flight", "Requests being answered.", lambda s: s.in_flight),
)
