"""The histogram of write times."""

from __future__ import annotations

from exchange.engine.sequencer_stats import WriteTimes


def test_percentiles_are_read_to_within_a_quarter() -> None:
    times = WriteTimes()
    assert times.percentile_ns(50) == 0
    for micros in range(1, 101):
        times.observe(micros * 1_024)
    assert 50 * 1_024 <= times.percentile_ns(50) <= 64 * 1_024
    assert times.percentile_ns(100) == times.max_ns == 100 * 1_024
    assert (times.count, times.sum_ns) == (100, 5_050 * 1_024)
