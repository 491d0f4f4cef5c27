"""The table of wire-to-wire latency: from few orders to the limit, then twice the limit, then without a sync.

`python -m benchmarks.wire_to_wire --table [--seconds 60] [--rates 50000,...]` writes it as it stands in
`docs/performance.md`. The limit is the highest rate of which 98 % was answered in time; at twice the limit, the same
engine is asked for few orders right afterwards, as ever. A bar says whether its row kept it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

RATES = (50_000, 100_000, 200_000, 300_000, 400_000, 500_000, 700_000, 1_000_000)
BUFFERED_RATES = (20_000, 50_000, 100_000, 300_000)
IN_TIME = 0.98
AFTERWARDS = 50_000
_BARS = {300_000: (1_500, 3), 500_000: (2_000, 4)}
"""By rate: p50 at most the larger of so many microseconds and so many times what an fdatasync takes."""
_BUFFERED_BAR_US = 250
HEAD = (
    "| journal | offered/s | answered/s | lost | gaps | unsent | p50 | p99 | p99.9 | `fdatasync` | p50 in `fdatasync` |"
    " jitter p50, p99 | CPU per command | MB | bar |\n"
    "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|"
)


class Row(NamedTuple):
    """What one rate gave; times in microseconds. jitter: how late a sleeper woke just before, p50 and p99."""

    durability: str
    rate: int
    answered_per_s: float
    lost: int
    gaps: int
    unsent: int
    p50_us: float
    p99_us: float
    p999_us: float
    max_us: float
    fdatasync_us: float
    jitter_us: tuple[float, float]
    cpu_us: float
    commands_per_batch: float
    memory_mb: float

    @property
    def is_in_time(self) -> bool:
        """Tell whether nearly all was answered within the run, and nothing got lost."""
        return self.answered_per_s >= IN_TIME * self.rate and not self.lost and not self.gaps


Measure = Callable[[str, list[int]], Iterable[Row]]
"""Starts an engine with a durability and gives a row for each rate, one after the other."""


def write_table(measure: Measure, rates: Iterable[int] = RATES) -> None:
    """Measure and print all rows."""
    print(HEAD)
    limit = 0
    for rate in rates:
        for row in measure("fsync", [rate]):
            print(line(row), flush=True)
            limit = max(limit, rate if row.is_in_time else 0)
        if limit < rate:
            break
    if limit:
        for row in measure("fsync", [2 * limit, AFTERWARDS]):
            print(line(row), flush=True)
    for rate in BUFFERED_RATES:
        for row in measure("buffered", [rate]):
            print(line(row), flush=True)


def line(row: Row) -> str:
    """Write a row of the table."""
    times = " | ".join(milliseconds(us) for us in (row.p50_us, row.p99_us, row.p999_us))
    return (
        f"| {row.durability} | {row.rate:,} | {row.answered_per_s:,.0f} | {row.lost} | {row.gaps} | {row.unsent:,} |"
        f" {times} | {row.fdatasync_us:.0f} µs | {row.p50_us / row.fdatasync_us:.1f} × |"
        f" {row.jitter_us[0]:.0f}, {row.jitter_us[1]:.0f} µs | {row.cpu_us:.2f} µs | {row.memory_mb:.0f} | {bar(row)} |"
    )


def milliseconds(microseconds: float) -> str:
    """Write a time with two or three figures."""
    return f"{microseconds:.0f} µs" if microseconds < 1_000 else f"{microseconds / 1_000:.1f} ms"


def bar(row: Row) -> str:
    """Say which bar a row has, and whether it kept it."""
    if row.durability == "buffered":
        most_us = float(_BUFFERED_BAR_US)
    elif row.rate in _BARS:
        least_us, times = _BARS[row.rate]
        most_us = max(least_us, times * row.fdatasync_us)
    else:
        return ""
    kept = row.is_in_time and row.p50_us <= most_us
    return f"p50 ≤ {milliseconds(most_us)}: {'kept' if kept else 'missed'}"
