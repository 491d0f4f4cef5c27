"""How long things take to start: the whole exchange until it is ready, and the CPU time of light commands.

`python -m benchmarks.startup [--runs 7]`.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.run_info import describe, percentile

PORT_BASE = 18_500
EXCHANGE = [sys.executable, "-m", "exchange"]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    for what, value in describe():
        print(f"{what:10} {value}")
    with tempfile.TemporaryDirectory() as folder:
        print(f"\n{'exchange up, first start':34} {_up_seconds(Path(folder) / 'first'):.2f} s until ready")
        again = [_up_seconds(Path(folder) / "first") for _ in range(3)]
        print(f"{'exchange up, second start':34} {percentile(again, 0.5):.2f} s until ready (median of 3)")
        _light_commands(Path(folder) / "light", runs)


def _start(data: Path) -> tuple[subprocess.Popen[str], float]:
    started = time.perf_counter()
    process = subprocess.Popen(
        [*EXCHANGE, "up", "--data", str(data), "--port-base", str(PORT_BASE), "--json"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    json.loads(process.stdout.readline())
    return process, time.perf_counter() - started


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    process.wait(timeout=30)


def _up_seconds(data: Path) -> float:
    process, seconds = _start(data)
    _stop(process)
    return seconds


def _light_commands(data: Path, runs: int) -> None:
    process, _ = _start(data)
    try:
        where = ["--data", str(data), "--port-base", str(PORT_BASE)]
        for command in (
            ["version"],
            ["order", "buy", "AAPL", "100", "@", "189.20", *where],
            ["book", "AAPL", *where],
            ["stats", *where],
        ):
            taken = [_cpu_seconds([*EXCHANGE, *command]) for _ in range(runs)]
            shown = "exchange " + " ".join(command[:6] if command[0] == "order" else command[:2])
            print(f"{shown:34} {percentile(taken, 0.5):.2f} s of CPU (median of {runs})")
    finally:
        _stop(process)


def _cpu_seconds(command: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={**os.environ}, check=False
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{command} ended with {done.returncode}: {done.stderr.decode()[-400:]}")
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


if __name__ == "__main__":
    main()
