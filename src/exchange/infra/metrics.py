"""Figures for Prometheus: families are declared once, in tables, and read when asked for, never on the hot path.

A family says its kind, its name, its meaning and how to read it from its source. `launch/metric_catalogue.py` gathers
all of them, so that `docs/metrics.md` can be made of them and held to them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

from exchange.infra.latency import LatencyHistogram, upper_edge_ns

MetricFamilies = Iterable[Metric]
METRICS_MEDIA = "text/plain; version=0.0.4; charset=utf-8"
Kind = Literal["counter", "gauge", "histogram"]
LabelValues = str | tuple[str, ...]
S = TypeVar("S")
_NS_PER_S = 1_000_000_000
_LAST_BUCKET = 103
"""Prometheus gets edges up to two minutes; longer times are counted above all of them."""
_BUCKETS_PER_EDGE, _BUCKETS_PER_EDGE_WITH_LABELS = 4, 8
"""Edges are a factor of two apart, or of four where a family has many histograms."""


@dataclass(frozen=True)
class Family(Generic[S]):
    """One family of figures. name: as Prometheus shows it; read: a number, or with labels one per label values;
    of a histogram a `LatencyHistogram`, or with labels one per label values.
    """

    kind: Kind
    name: str
    text: str
    read: Callable[[S], Any]
    labels: tuple[str, ...] = ()

    def of(self, source: S) -> Metric:
        """Read the family from its source."""
        value = self.read(source)
        values: Mapping[LabelValues, Any] = value if self.labels else {(): value}
        make = {
            "counter": CounterMetricFamily,
            "gauge": GaugeMetricFamily,
            "histogram": HistogramMetricFamily,
        }
        family: Any = make[self.kind](self.name.removesuffix("_total"), self.text, labels=self.labels)
        for names, figure in values.items():
            label_values = [names] if isinstance(names, str) else list(names)
            if isinstance(figure, LatencyHistogram):
                step = _BUCKETS_PER_EDGE_WITH_LABELS if self.labels else _BUCKETS_PER_EDGE
                family.add_metric(label_values, cumulative(figure, step), figure.sum_ns / _NS_PER_S)
            else:
                family.add_metric(label_values, figure)
        made: Metric = family
        return made


def counter(
    name: str, text: str, read: Callable[[S], float | Mapping[Any, float]], *labels: str
) -> Family[S]:
    """Declare a count that only grows while the process lives. name: ends in `_total`."""
    assert name.endswith("_total")
    return Family("counter", name, text, read, labels)


def gauge(name: str, text: str, read: Callable[[S], float | Mapping[Any, float]], *labels: str) -> Family[S]:
    """Declare a figure that goes up and down."""
    return Family("gauge", name, text, read, labels)


def histogram(
    name: str, text: str, read: Callable[[S], LatencyHistogram | Mapping[Any, LatencyHistogram]], *labels: str
) -> Family[S]:
    """Declare times, by how many were no longer than each edge. name: ends in `_seconds`."""
    assert name.endswith("_seconds")
    return Family("histogram", name, text, read, labels)


def read_all(declared: Iterable[Family[S]], source: S) -> Iterator[Metric]:
    """Read families from their source."""
    return (family.of(source) for family in declared)


def cumulative(times: LatencyHistogram, step: int) -> list[tuple[str, float]]:
    """Turn times into what a histogram family takes: upper edge in seconds and count up to it, lowest first.

    step: how many of our buckets make one of theirs.
    """
    rows: list[tuple[str, float]] = []
    seen = 0
    for bucket in range(_LAST_BUCKET + 1):
        seen += times.buckets[bucket]
        if bucket % step == step - 1:
            rows.append((repr(upper_edge_ns(bucket) / _NS_PER_S), seen))
    return [*rows, ("+Inf", times.count)]


def exposition(collect: Callable[[], MetricFamilies]) -> bytes:
    """Write families as Prometheus reads them."""
    return "".join(map(family_text, collect())).encode()


def family_text(family: Metric) -> str:
    """Write one family as Prometheus reads it, much faster than the library does: an engine waits for it."""
    name = f"{family.name}_total" if family.type == "counter" else family.name
    lines = [f"# HELP {name} {_escaped(family.documentation)}\n# TYPE {name} {family.type}\n"]
    written: dict[str, str] = {}
    for sample in family.samples:
        text = sample.name
        if sample.labels:
            pairs = []
            for label, value in sample.labels.items():
                if value not in written:
                    written[value] = _escaped(value).replace('"', r"\"")
                pairs.append(f'{label}="{written[value]}"')
            text += "{" + ",".join(pairs) + "}"
        lines.append(f"{text} {float(sample.value)!r}\n")
    return "".join(lines)


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")
