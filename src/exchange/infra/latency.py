"""How long things take: a histogram of plain integers, cheap enough for every request.

It has four buckets per power of two, from one microsecond to over a day, so a percentile is read to within a quarter of
its value.
"""

from __future__ import annotations

BUCKETS = 144
_SMALLEST_SHIFT = 10


class LatencyHistogram:
    """Counts times by bucket. Times are in nanoseconds."""

    __slots__ = ("buckets", "count", "max_ns", "sum_ns")

    def __init__(self) -> None:
        self.buckets = [0] * BUCKETS
        self.count = 0
        self.sum_ns = 0
        self.max_ns = 0

    def observe(self, elapsed_ns: int) -> None:
        """Count one time."""
        self.count += 1
        self.sum_ns += elapsed_ns
        if elapsed_ns > self.max_ns:
            self.max_ns = elapsed_ns
        self.buckets[bucket_of(elapsed_ns)] += 1

    def percentile_ns(self, percent: int) -> int:
        """Return the upper edge of the bucket in which this share of the times is reached; 0 without any."""
        wanted = -(-self.count * percent // 100)
        seen = 0
        for bucket, count in enumerate(self.buckets):
            seen += count
            if count and seen >= wanted:
                return min(upper_edge_ns(bucket), self.max_ns)
        return 0


def bucket_of(elapsed_ns: int) -> int:
    """Return the number of the bucket of a time."""
    units = elapsed_ns >> _SMALLEST_SHIFT
    if units < 4:
        return units if units > 0 else 0
    bits = units.bit_length()
    bucket = (bits - 2) * 4 + (units >> (bits - 3)) - 4
    return bucket if bucket < BUCKETS else BUCKETS - 1


def upper_edge_ns(bucket: int) -> int:
    """Return the first time that is above a bucket."""
    if bucket < 4:
        return (bucket + 1) << _SMALLEST_SHIFT
    octave, quarter = divmod(bucket, 4)
    return (quarter + 5) << (octave - 1) << _SMALLEST_SHIFT
