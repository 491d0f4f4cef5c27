"""Figures for Prometheus: families built from plain integers when asked for, never on the hot path."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

MetricFamilies = Iterable[Metric]
METRICS_MEDIA = "text/plain; version=0.0.4; charset=utf-8"


def counter(name: str, text: str, value: float) -> Metric:
    """Make a counter without labels. name: without `_total`."""
    return CounterMetricFamily(name, text, value=value)


def gauge(name: str, text: str, value: float) -> Metric:
    """Make a gauge without labels."""
    return GaugeMetricFamily(name, text, value=value)


def counters(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    """Make a counter with one label, from label value to count."""
    family = CounterMetricFamily(name, text, labels=[label])
    for label_value, value in values.items():
        family.add_metric([label_value], value)
    return family


def gauges(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    """Make a gauge with one label, from label value to value."""
    family = GaugeMetricFamily(name, text, labels=[label])
    for label_value, value in values.items():
        family.add_metric([label_value], value)
    return family


def cumulative(edges: Iterable[tuple[float, int]], total: int) -> list[tuple[str, float]]:
    """Turn (upper edge, count inside) rows, lowest first, into what a histogram family takes."""
    rows: list[tuple[str, float]] = []
    seen = 0
    for edge, count in edges:
        seen += count
        rows.append((repr(edge), seen))
    return [*rows, ("+Inf", total)]


def histogram(
    name: str, text: str, edges: Iterable[tuple[float, int]], total: int, sum_value: float
) -> Metric:
    """Make a histogram without labels. edges: (upper edge, count inside), lowest first."""
    return HistogramMetricFamily(name, text, buckets=cumulative(edges, total), sum_value=sum_value)


class _Collected(Collector):
    def __init__(self, collect: Callable[[], MetricFamilies]) -> None:
        self._collect = collect

    def collect(self) -> MetricFamilies:
        return self._collect()

    def describe(self) -> MetricFamilies:
        return ()


def exposition(collect: Callable[[], MetricFamilies]) -> bytes:
    """Write the families as Prometheus reads them."""
    registry = CollectorRegistry()
    registry.register(_Collected(collect))
    return generate_latest(registry)
