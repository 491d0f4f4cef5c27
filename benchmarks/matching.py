"""Messages per second of a matcher on the fixed streams A and B, with the fills checked.

`python -m benchmarks.matching [--matcher auto] [--streams AB] [--records 1000000] [--batch 4096] [--runs 3]`. Set-up
and prefill are not timed. Each message is a command record in; events, all checks and the running hash are included.
"""

from __future__ import annotations

import argparse
import sys
import time
from statistics import median
from typing import NamedTuple

from benchmarks.run_info import describe
from benchmarks.workload import (
    CHECK_POINTS,
    FOLDER,
    Stream,
    batches,
    fills_of,
    is_present,
    read_stream,
)
from exchange.engine.replay import ReplayableVenue, VenueKind, choose_matcher

SEEDS = {"A": 20240601, "B": 20240602}
"""Of the generator that made the streams."""
BARS = {"python": {"A": 100_000, "B": 100_000}, "native": {"A": 15_000_000, "B": 7_000_000}}
"""Messages per second that are wanted, by matcher and stream."""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--streams", default="AB", help="which: A, B or AB")
    parser.add_argument("--records", type=int, default=1_000_000, choices=sorted(CHECK_POINTS["A"]))
    parser.add_argument("--batch", type=int, default=4_096, help="messages per batch")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--matcher", default="auto", choices=("auto", "python", "native"))
    arguments = parser.parse_args()
    kind = choose_matcher(arguments.matcher)
    for what, value in describe():
        print(f"{what:10} {value}")
    print(f"{'matcher':10} {kind.name}")
    print(f"{'batch':10} {arguments.batch} messages")
    right = True
    for name in arguments.streams:
        if not is_present(name):
            print(f"stream {name} skipped: no {FOLDER}")
            continue
        right &= _measure(name, kind, read_stream(name, arguments.records), arguments)
    return 0 if right else 1


class Run(NamedTuple):
    """One run of a stream: messages per second by the clock and by processor time, and the hash afterwards."""

    rate: float
    rate_of_processor: float
    running_hash: int


def _measure(name: str, kind: VenueKind, stream: Stream, arguments: argparse.Namespace) -> bool:
    """Run one stream several times; print the medians and whether the fills are right."""
    timed = batches(stream.timed, arguments.batch)
    venue = _prefilled(kind, stream)
    fills = fills_of([venue.apply(batch, 2) for batch in timed], stream.stream_ids, venue.live_orders)
    runs = [_timed(_prefilled(kind, stream), timed, len(stream.timed)) for _ in range(arguments.runs)]
    right = fills == CHECK_POINTS[name][arguments.records]
    right &= all(run.running_hash == venue.running_hash for run in runs)
    each = ", ".join(f"{run.rate:,.0f}" for run in runs)
    rate = median(run.rate for run in runs)
    print(
        f"\nstream {name}, seed {SEEDS[name]}, {arguments.records:,} messages: {rate:,.0f} msg/s"
        f" (median of {arguments.runs}: {each}; bar {BARS[kind.name][name]:,})"
    )
    print(f"  per second of processor time: {median(run.rate_of_processor for run in runs):,.0f}")
    print(
        f"  trades {fills.trades:,}, volume {fills.volume:,}, notional {fills.notional:,}, hash {fills.fill_hash},"
        f" live {fills.live:,}, rejects {fills.rejects}: {'as expected' if right else 'WRONG'}"
    )
    return right


def _prefilled(kind: VenueKind, stream: Stream) -> ReplayableVenue:
    venue = kind.new(0)
    for batch in batches(stream.before, 4_096):
        venue.apply(batch, 1)
    return venue


def _timed(venue: ReplayableVenue, timed: list[bytes], messages: int) -> Run:
    """Take the time of a run. Its events are dropped; the hash over them proves that they were the same."""
    started, processor_started = time.perf_counter(), time.process_time()
    for batch in timed:
        venue.apply(batch, 2)
    elapsed, processor = time.perf_counter() - started, time.process_time() - processor_started
    return Run(messages / elapsed, messages / processor, venue.running_hash)


if __name__ == "__main__":
    sys.exit(main())
