"""Whether memory stays flat: the native venue under a steady flow of orders for an hour.

`make soak`, or `python -m benchmarks.soak [--seconds 3600] [--rate 50000] [--orders 100000]`. Half of the messages
enter an order that rests, half cancel any live one; memory is read every ten seconds. It fails where the last reading
is more than 5 %, and more than 8 MiB, above the one after a tenth of the time.
"""

from __future__ import annotations

import argparse
import sys
import time

from benchmarks.native_venue import resident_bytes
from benchmarks.resting_orders import SEED, Flow, filled
from benchmarks.run_info import describe
from exchange.engine.replay import native_matcher

PER_BATCH = 500
READ_EVERY_S = 10.0
SHARE_MAX, BYTES_MAX = 0.05, 8 << 20


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=3_600)
    parser.add_argument("--rate", type=int, default=50_000, help="messages per second")
    parser.add_argument("--orders", type=int, default=100_000, help="that rest")
    arguments = parser.parse_args()
    for what, value in describe():
        print(f"{what:10} {value}")
    print(f"{'seed':10} {SEED}")
    readings, messages, elapsed_s = _run(arguments.seconds, arguments.rate, arguments.orders)
    settled, last = readings[len(readings) // 10], readings[-1]
    flat = last - settled <= max(SHARE_MAX * settled, BYTES_MAX)
    print(
        f"{messages:,} messages in {elapsed_s:,.0f} s ({messages / elapsed_s:,.0f} per second): memory"
        f" {settled / 2**20:,.1f} MiB after a tenth, {max(readings) / 2**20:,.1f} MiB at most,"
        f" {last / 2**20:,.1f} MiB at the end: {'flat' if flat else 'NOT FLAT'}"
    )
    return 0 if flat else 1


def _run(seconds: float, rate: int, orders: int) -> tuple[list[int], int, float]:
    """Send messages by the clock; return the readings of memory in bytes, the messages and the seconds they took."""
    flow, readings, messages = Flow(symbols=10), [], 0
    venue = filled(native_matcher(), orders, 10, flow)
    started = time.monotonic()
    next_reading_s = 0.0
    while (elapsed_s := time.monotonic() - started) < seconds:
        if elapsed_s >= next_reading_s:
            readings.append(resident_bytes())
            next_reading_s += READ_EVERY_S
        venue.apply(flow.steady(PER_BATCH), 1 + int(elapsed_s * 1e9))
        messages += PER_BATCH
        ahead_s = messages / rate - (time.monotonic() - started)
        if ahead_s > 0:
            time.sleep(ahead_s)
    readings.append(resident_bytes())
    assert venue.live_orders == orders, f"{orders} orders were to rest, {venue.live_orders} do"
    return readings, messages, time.monotonic() - started


if __name__ == "__main__":
    sys.exit(main())
