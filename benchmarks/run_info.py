"""What every figure needs beside it: machine, versions, commit and date; and the statistics of repeated runs."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]


def describe() -> list[tuple[str, str]]:
    """Return (what, value) rows about this machine, this checkout and now."""
    return [
        ("date", f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"),
        ("commit", _commit()),
        ("processor", f"{_processor()}, {os.cpu_count()} cores"),
        ("system", f"{platform.system()} {platform.release()}"),
        ("python", f"{platform.python_implementation()} {platform.python_version()}"),
        ("load", f"{os.getloadavg()[0]:.2f} (1 minute, before the run)"),
    ]


class Watch:
    """Takes the time of a run: of the clock on the wall, and of the processor on behalf of this process."""

    def __init__(self) -> None:
        self.wall_s = -time.perf_counter()
        self.cpu_s = -time.process_time()

    def stop(self) -> Watch:
        """End the run; return itself."""
        self.wall_s += time.perf_counter()
        self.cpu_s += time.process_time()
        return self


def rates(what: str, unit: str, count: int, runs: list[Watch]) -> str:
    """Write a line on runs that each did so many of a unit: median speed, and least use of the processor."""
    per_s = percentile([count / run.wall_s for run in runs], 0.5)
    cpu_us = min(run.cpu_s for run in runs) / count * 1e6
    return f"{what:22} {per_s:>10,.0f} {unit}s/s (median of {len(runs)}), {cpu_us:,.1f} µs of CPU per {unit} (least)"


def percentile(values: list[float], share: float) -> float:
    """Return the value below which this share of the values lies; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def cpu_s_of(process_id: int) -> float:
    """Return the seconds of CPU that a process has used so far, in all its threads; from Linux's `/proc`."""
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def fdatasync_us(folder: Path, times: int = 200) -> float:
    """Return the median time of writing 4 KiB into a zero-filled file and syncing it, in microseconds."""
    path = folder / "fdatasync.probe"
    path.write_bytes(bytes(4096 * times))
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
        taken = []
        for n in range(times):
            started = time.perf_counter()
            os.pwrite(handle, b"x" * 4096, n * 4096)
            os.fdatasync(handle)
            taken.append((time.perf_counter() - started) * 1e6)
    finally:
        os.close(handle)
        path.unlink()
    return percentile(taken, 0.5)


def _commit() -> str:
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return found.stdout.strip()


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()
