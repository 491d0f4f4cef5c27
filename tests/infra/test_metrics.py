"""Figures for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from prometheus_client.metrics_core import Metric

from exchange.infra.metrics import counter, counters, exposition, gauge, gauges, histogram


def families() -> Iterator[Metric]:
    yield counter("exchange_orders", "Orders.", 3)
    yield gauge("exchange_depth", "Depth.", 2.5)
    yield counters("exchange_rejects", "Rejects.", "reason", {"price_not_on_tick": 4, 'odd "one"': 1})
    yield gauges("exchange_position", "Position.", "symbol", {"AAPL": -7})
    yield histogram("exchange_fsync_seconds", "Syncs.", [(0.001, 2), (0.01, 3)], total=6, sum_value=0.5)


def test_families_are_written_as_prometheus_reads_them() -> None:
    lines = exposition(families).decode().splitlines()
    for line in (
        "exchange_orders_total 3.0",
        "exchange_depth 2.5",
        'exchange_rejects_total{reason="price_not_on_tick"} 4.0',
        'exchange_rejects_total{reason="odd \\"one\\""} 1.0',
        'exchange_position{symbol="AAPL"} -7.0',
        'exchange_fsync_seconds_bucket{le="0.001"} 2.0',
        'exchange_fsync_seconds_bucket{le="0.01"} 5.0',
        'exchange_fsync_seconds_bucket{le="+Inf"} 6.0',
        "exchange_fsync_seconds_count 6.0",
    ):
        assert line in lines, line


def test_a_failure_while_collecting_reaches_the_caller() -> None:
    def broken() -> Iterator[Metric]:
        yield from families()
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        exposition(broken)
