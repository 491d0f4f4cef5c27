"""The native venue by itself: time per message, single messages from Python, snapshots and memory of a million orders.

`python -m benchmarks.native_venue [--runs 5] [--orders 1000000]`. The time per message is taken in Rust, where the
clock costs least (`native/matching/examples/stream.rs`, built by cargo): one call per message, less the median of what
two readings of the clock take with nothing between them.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.resting_orders import filled
from benchmarks.run_info import ROOT, Watch, describe
from benchmarks.workload import FOLDER, Stream, batches, is_present, read_stream
from exchange.engine.replay import VenueKind, native_matcher

RECORDS = 1_000_000
BARS = {"p99 ns": 500, "single msg/s": 2_000_000, "snapshot s": 1.0, "bytes per order": 200}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--orders", type=int, default=1_000_000, help="that rest, for snapshots and memory")
    arguments = parser.parse_args()
    kind = native_matcher()
    for what, value in describe():
        print(f"{what:10} {value}")
    for name in "AB":
        if is_present(name):
            stream = read_stream(name, RECORDS)
            _latency(name, stream, arguments.runs)
            _singles(name, stream, kind, arguments.runs)
        else:
            print(f"stream {name} skipped: no {FOLDER}")
    _snapshots(kind, arguments.orders, arguments.runs)
    return 0


def _latency(name: str, stream: Stream, runs: int) -> None:
    """Print the distribution of the time of one message, as the program in Rust reports it."""
    if not shutil.which("cargo"):
        print("time per message skipped: no cargo")
        return
    cargo = [
        "cargo",
        "run",
        "--release",
        "--quiet",
        "--locked",
        "-p",
        "exchange-matching",
        "--example",
        "stream",
    ]
    with tempfile.TemporaryDirectory() as folder:
        before, timed = Path(folder) / "before", Path(folder) / "timed"
        before.write_bytes(b"".join(stream.before))
        timed.write_bytes(b"".join(stream.timed))
        done = subprocess.run(
            [*cargo, "--", str(before), str(timed), "1", str(runs)],
            cwd=ROOT / "native", capture_output=True, text=True, check=True,
        )  # fmt: skip
    rows = [line.split() for line in done.stdout.splitlines() if line.startswith("clock")]
    fields = [dict(zip(row[::2], map(int, row[1::2]), strict=True)) for row in rows]
    said = ", ".join(f"{what} {median(row[what] for row in fields):,.0f}" for what in fields[0])
    print(f"stream {name}, ns per message: {said} (medians of {runs}; bar for A: p99 {BARS['p99 ns']})")


def _singles(name: str, stream: Stream, kind: VenueKind, runs: int) -> None:
    """Print messages per second from Python, one record a call."""
    rates, rates_of_processor = [], []
    for _ in range(runs):
        venue = kind.new(0)
        for batch in batches(stream.before, 4_096):
            venue.apply(batch, 1)
        apply = venue.apply
        watch = Watch()
        for record in stream.timed:
            apply(record, 2)
        rates.append(len(stream.timed) / watch.stop().wall_s)
        rates_of_processor.append(len(stream.timed) / watch.cpu_s)
    bar = f"{BARS['single msg/s']:,}"
    print(
        f"stream {name}, one message a call from Python: {median(rates):,.0f} msg/s (bar {bar}),"
        f" {median(rates_of_processor):,.0f} per second of processor time"
    )


def _snapshots(kind: VenueKind, orders: int, runs: int) -> None:
    """Print how long a snapshot takes each way, and how much memory an order needs."""
    before = resident_bytes()
    venue = filled(kind, orders, symbols=1)
    each = (resident_bytes() - before) / orders
    print(f"{orders:,} resting orders: {each:,.0f} bytes each (bar {BARS['bytes per order']})")
    written, restored = [], []
    for _ in range(runs):
        watch = Watch()
        data = venue.snapshot()
        written.append(watch.stop())
        watch = Watch()
        again = kind.restore(data)
        restored.append(watch.stop())
        assert again.running_hash == venue.running_hash, "a snapshot lost something"
    print(f"  snapshot of {len(data) / 2**20:,.0f} MiB, medians of {runs}, bar {BARS['snapshot s']} s each:")
    for what, watches in (("written", written), ("restored", restored)):
        wall_s, cpu_s = median(one.wall_s for one in watches), median(one.cpu_s for one in watches)
        print(f"    {what} in {wall_s:.2f} s, {cpu_s:.2f} s of processor time")


def resident_bytes() -> int:
    """Return the memory of this process that is in RAM; from Linux's `/proc`."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) << 10
    raise AssertionError("no VmRSS in /proc/self/status: measure on Linux")


if __name__ == "__main__":
    sys.exit(main())
