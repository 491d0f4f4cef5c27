"""The histogram of times."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from exchange.infra.latency import BUCKETS, LatencyHistogram, bucket_of, upper_edge_ns


def test_every_edge_lies_between_its_two_buckets() -> None:
    for bucket in range(BUCKETS - 1):
        edge = upper_edge_ns(bucket)
        assert (bucket_of(edge - 1), bucket_of(edge)) == (bucket, bucket + 1)


@given(st.integers(0, 10**20))
def test_every_time_has_a_bucket_not_far_above_it(elapsed_ns: int) -> None:
    bucket = bucket_of(elapsed_ns)
    assert 0 <= bucket < BUCKETS
    if bucket < BUCKETS - 1:
        assert elapsed_ns < upper_edge_ns(bucket) <= max(1024, elapsed_ns) + max(1024, elapsed_ns // 4 + 256)


def test_percentiles_are_read_to_within_a_quarter() -> None:
    times = LatencyHistogram()
    assert times.percentile_ns(50) == 0
    for micros in range(1, 101):
        times.observe(micros * 1_024)
    assert 50 * 1_024 <= times.percentile_ns(50) <= 64 * 1_024
    assert times.percentile_ns(100) == times.max_ns == 100 * 1_024
    assert (times.count, times.sum_ns) == (100, 5_050 * 1_024)
