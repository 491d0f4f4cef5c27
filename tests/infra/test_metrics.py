"""Figures for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from exchange.infra.latency import LatencyHistogram
from exchange.infra.metrics import Family, counter, exposition, family_text, gauge, histogram, read_all


def times(*elapsed_ns: int) -> LatencyHistogram:
    made = LatencyHistogram()
    for each in elapsed_ns:
        made.observe(each)
    return made


FAMILIES: tuple[Family[int], ...] = (
    counter("exchange_orders_total", "Orders.", lambda source: source),
    gauge("exchange_depth", "Depth.", lambda source: source / 2),
    gauge("exchange_up", "Up.", lambda source: source > 1),
    counter("exchange_rejects_total", "Rejects.", lambda source: {"price_not_on_tick": 4, 'odd "one"': 1}, "reason"),
    gauge("exchange_known", "Known.", lambda source: {("engine", "ready"): source}, "component", "state"),
    histogram("exchange_sync_seconds", "Syncs.", lambda source: times(1_000, 1_000_000, 10**12)),
    histogram("exchange_http_seconds", "Answers.", lambda source: {("GET", "/x"): times(1_000)}, "method", "route"),
)  # fmt: skip


def test_families_are_written_as_prometheus_reads_them() -> None:
    text = exposition(lambda: read_all(FAMILIES, 5)).decode()
    lines = text.splitlines()
    for line in (
        "exchange_orders_total 5.0",
        "exchange_depth 2.5",
        "exchange_up 1.0",
        'exchange_rejects_total{reason="price_not_on_tick"} 4.0',
        'exchange_rejects_total{reason="odd \\"one\\""} 1.0',
        'exchange_known{component="engine",state="ready"} 5.0',
        'exchange_sync_seconds_bucket{le="8.192e-06"} 1.0',
        'exchange_sync_seconds_bucket{le="+Inf"} 3.0',
        "exchange_sync_seconds_count 3.0",
        "exchange_sync_seconds_sum 1000.001001",
        'exchange_http_seconds_count{method="GET",route="/x"} 1.0',
    ):
        assert line in lines, line
    assert len([*text_string_to_metric_families(text)]) == len(FAMILIES)


def test_a_histogram_counts_up_and_ends_with_all() -> None:
    lines = exposition(lambda: read_all(FAMILIES, 1)).decode().splitlines()
    for name, edges in (("exchange_sync_seconds", 26), ("exchange_http_seconds", 13)):
        counts = [float(line.split()[-1]) for line in lines if line.startswith(f"{name}_bucket")]
        assert counts == sorted(counts)
        assert len(counts) == edges + 1


def test_a_counter_says_total_and_times_say_seconds() -> None:
    with pytest.raises(AssertionError):
        counter("exchange_orders", "Orders.", lambda source: 1)
    with pytest.raises(AssertionError):
        histogram("exchange_sync_ms", "Syncs.", lambda source: times())


def test_a_failure_while_collecting_reaches_the_caller() -> None:
    def broken() -> Iterator[Metric]:
        yield from read_all(FAMILIES, 1)
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        exposition(broken)


@given(st.dictionaries(st.text(), st.integers(0, 2**53), max_size=5))
def test_any_label_value_comes_back_as_it_was(values: dict[str, int]) -> None:
    family: Family[dict[str, int]] = gauge("exchange_x", 'Any "x"\\ there\nis.', lambda source: source, "x")
    (read,) = text_string_to_metric_families(family_text(family.of(values)))
    assert {sample.labels["x"]: sample.value for sample in read.samples} == values
    assert read.documentation == family.text
