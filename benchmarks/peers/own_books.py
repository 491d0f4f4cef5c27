"""Drives this exchange from Python over an order stream: arguments MATCHER STREAM RECORDS PASSES.

Command records in, event records out, in batches of 4,096; all checks and the running hash are timed. The fills are
read from the events afterwards.
"""

from __future__ import annotations

import sys
import time

from benchmarks.workload import batches, fills_of, read_stream
from exchange.engine.replay import choose_matcher

BATCH = 4_096


def main() -> int:
    matcher, name, records, passes = sys.argv[1:]
    kind, stream = choose_matcher(matcher), read_stream(name, int(records))
    before, timed = batches(stream.before, BATCH), batches(stream.timed, BATCH)
    for _ in range(int(passes)):
        venue = kind.new(0)
        for batch in before:
            venue.apply(batch, 1)
        started = time.perf_counter()
        events = [venue.apply(batch, 2) for batch in timed]
        elapsed_s = time.perf_counter() - started
        fills = fills_of(events, stream.stream_ids, venue.live_orders)
        print(
            f"pass {elapsed_s:.6f} {fills.trades} {fills.volume} {fills.notional} {fills.fill_hash} {fills.rejects}",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
