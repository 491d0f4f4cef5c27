"""The service's own figures."""

from __future__ import annotations

from exchange.infra.http_metrics import HTTP_FAMILIES, HttpFigures
from exchange.infra.http_stats import RouteMeter
from exchange.infra.metrics import exposition, read_all


def test_counts_errors_and_latency_appear_per_route() -> None:
    meter = RouteMeter("POST", "/api/v1/order")
    meter.observe(201, 1_000_000)
    meter.observe(422, 2_000_000_000)
    meter.observe(503, 10**14)
    figures = HttpFigures([meter], 5, 2, 1, ["starting"], ["Redis is away"])
    lines = exposition(lambda: read_all(HTTP_FAMILIES, figures)).decode().splitlines()
    labels = 'method="POST",route="/api/v1/order"'
    assert f"exchange_http_requests_total{{{labels}}} 3.0" in lines
    assert f"exchange_http_errors_total{{{labels}}} 2.0" in lines
    assert f"exchange_http_failures_total{{{labels}}} 1.0" in lines
    assert f"exchange_http_latency_seconds_count{{{labels}}} 3.0" in lines
    assert "exchange_http_connections 5.0" in lines
    assert "exchange_ready 0.0" in lines
    assert "exchange_notes 1.0" in lines
    buckets = [line for line in lines if line.startswith("exchange_http_latency_seconds_bucket")]
    counts = [int(float(line.rpartition(" ")[2])) for line in buckets]
    assert counts == sorted(counts)
    assert counts[-2:] == [2, 3]
