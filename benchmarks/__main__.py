"""Run every benchmark, one after the other: `make bench`."""

from __future__ import annotations

import subprocess
import sys

BENCHMARKS = (
    *(
        "matching",
        "native_venue",
        "growth",
        "sequencer",
        "replay",
        "rest",
        "order_path",
        "ouch_path",
        "wire_to_wire",
    ),
    *("market_data", "itch", "fan_out", "clearing", "netting", "startup", "terminal"),
)


def main() -> int:
    """Run each benchmark in a process of its own and return how many failed."""
    failed = 0
    for name in BENCHMARKS:
        print(f"\n=== benchmarks.{name}\n", flush=True)
        failed += bool(subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode)
    return failed


if __name__ == "__main__":
    raise SystemExit(main())
