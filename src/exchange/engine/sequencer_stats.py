"""What the sequencer says of itself: counters and how long the disk takes."""

from __future__ import annotations

import msgspec

from exchange.infra.http_stats import BUCKETS, bucket_of, upper_edge_ns
from exchange.infra.journal import JournalStats


class SequencerStats(msgspec.Struct, frozen=True):
    """One reading. pending_commands: received and not yet answered; write_…_ns: of journal batches, disk sync included.

    braked: why commands are refused for now, or empty; durable_sequence, durable_event_sequence: the last command and
    event on disk; halted: the reason, or empty.
    """

    epoch: int
    batches: int
    commands: int
    events: int
    batch_commands_max: int
    pending_commands: int
    pending_commands_max: int
    braked: str
    command_sequence: int
    durable_sequence: int
    durable_event_sequence: int
    write_p50_ns: int
    write_p99_ns: int
    write_max_ns: int
    journal: JournalStats
    halted: str


class WriteTimes:
    """A histogram of how long journal batches took; four buckets per power of two."""

    def __init__(self) -> None:
        self.buckets = [0] * BUCKETS
        self.count = 0
        self.sum_ns = 0
        self.max_ns = 0

    def observe(self, elapsed_ns: int) -> None:
        """Count one write."""
        self.buckets[bucket_of(elapsed_ns)] += 1
        self.count += 1
        self.sum_ns += elapsed_ns
        self.max_ns = max(self.max_ns, elapsed_ns)

    def percentile_ns(self, percent: int) -> int:
        """Return the upper edge of the bucket in which this share of the writes is reached; 0 without any."""
        wanted = -(-self.count * percent // 100)
        seen = 0
        for bucket, count in enumerate(self.buckets):
            seen += count
            if count and seen >= wanted:
                return min(upper_edge_ns(bucket), self.max_ns)
        return 0
