"""What `exchange doctor` looks at on this machine: parts, folder, keys, disk, clock, limits."""

from __future__ import annotations

import ctypes
import os
import resource
import shutil
import stat
import struct
import sys
import tempfile
import time
from pathlib import Path

from exchange.cli.findings import Finding
from exchange.cli.versions import versions

SYNCS = 50
SYNC_BYTES = 4_096
SYNC_SLOW_US = 5_000
"""A disk that takes longer to store a page makes every answer of the engine that slow."""
FILES_WANTED = 1_024
FREE_BYTES_WANTED = 1 << 30
PYTHON_WANTED = (3, 11)
YEAR_WANTED = 2025
JUMP_US_MAX = 5_000
_TIMEX = struct.Struct("@I4xqqqqi")
"""The begin of the kernel's `struct timex` on 64 bits: modes, offset, frequency, greatest error, error, status."""
_TIMEX_BYTES = 256
_UNSYNCHRONISED = 0x40


def look_at_versions() -> list[Finding]:
    """Look whether Python is new enough and the parts are there."""
    found = versions()
    new_enough = sys.version_info >= PYTHON_WANTED
    python = Finding(
        "python",
        "ok" if new_enough else "bad",
        found["python"],
        "" if new_enough else "install 3.11 or newer",
    )
    missing = [name for name, version in found.items() if version == "not installed"]
    if missing:
        return [python, Finding("parts", "bad", f"missing: {', '.join(missing)}", "run `make setup`")]
    return [python, Finding("parts", "ok", f"exchange {found['exchange']}")]


def look_at_matcher(wanted: str) -> list[Finding]:
    """Look whether the matcher that the configuration wants is there."""
    is_native = versions()["matcher"] == "native"
    if wanted == "native" and not is_native:
        do = 'install it: `make setup` with a Rust toolchain; or set [engine] matcher = "auto"'
        return [Finding("matcher", "bad", "the native one is configured and not installed", do)]
    if wanted == "python":
        return [Finding("matcher", "ok", "the Python one, as configured")]
    slow = "the Python one, for the native one is not installed; it is slower and otherwise the same"
    return [Finding("matcher", "ok", "the native one" if is_native else slow)]


def look_at_folder(folder: Path) -> list[Finding]:
    """Look whether the data folder can be written, and has room."""
    present = nearest_present(folder)
    if not os.access(present, os.W_OK | os.X_OK):
        return [Finding("data folder", "bad", f"{present} cannot be written", "choose another with --data")]
    state = "there" if present == folder else "not there yet, will be made"
    free = shutil.disk_usage(present).free
    enough = free >= FREE_BYTES_WANTED
    return [
        Finding("data folder", "ok", f"{folder} ({state})"),
        Finding(
            "disk space", "ok" if enough else "warning", f"{free / 2**30:.1f} GiB free",
            "" if enough else "free some: with a full disk the engine halts",
        ),
    ]  # fmt: skip


def look_at_keys(file: Path) -> list[Finding]:
    """Look whether only the owner can read the file of the keys."""
    try:
        mode = stat.S_IMODE(file.stat().st_mode)
    except FileNotFoundError:
        return [Finding("keys", "ok", f"{file} is not there yet, the engine's first start makes it")]
    except OSError as error:
        return [
            Finding("keys", "bad", f"{file} cannot be looked at: {error.strerror}", "give its folder back")
        ]
    if mode & 0o077:
        do = f"`chmod 600 {file}`, and revoke the keys if others may have read them: `exchange keys`"
        return [Finding("keys", "bad", f"{file} can be read by others (mode {mode:03o})", do)]
    if not os.access(file, os.R_OK):
        return [
            Finding("keys", "warning", f"{file} cannot be read", "run as the user who started the exchange")
        ]
    return [Finding("keys", "ok", f"{file}, for its owner only (mode {mode:03o})")]


def look_at_disk(folder: Path) -> list[Finding]:
    """Measure how long the disk takes to make a page durable: the floor of every answer's latency."""
    try:
        times = sync_times_us(nearest_present(folder))
    except OSError as error:
        seen = f"cannot make data durable in {folder}: {error.strerror}"
        return [Finding("disk", "bad", seen, "repair it, or choose another folder with --data")]
    middle, worst = times[len(times) // 2], times[-1]
    figures = f"fdatasync of 4 KiB takes {middle} µs, at most {worst} µs of {len(times)}"
    if middle > SYNC_SLOW_US:
        do = 'every answer waits that long: use a local SSD, or durability = "buffered" to play'
        return [Finding("disk", "warning", figures, do)]
    return [Finding("disk", "ok", figures)]


def sync_times_us(folder: Path) -> list[int]:
    """Return the times of some fdatasync calls in a folder, shortest first."""
    times = []
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(bytes(SYNC_BYTES * SYNCS))
        file.flush()
        os.fsync(file.fileno())
        for number in range(SYNCS):
            os.pwrite(file.fileno(), b"\x01" * SYNC_BYTES, number * SYNC_BYTES)
            started_ns = time.perf_counter_ns()
            os.fdatasync(file.fileno())
            times.append((time.perf_counter_ns() - started_ns) // 1_000)
    return sorted(times)


def look_at_clock() -> list[Finding]:
    """Look whether the wall clock is plausible and keeps step with the steady one."""
    year = time.gmtime().tm_year
    if year < YEAR_WANTED:
        return [Finding("clock", "bad", f"it says the year {year}", "set the time, best by NTP")]
    before = time.time_ns() - time.monotonic_ns()
    time.sleep(0.05)
    moved_us = abs(time.time_ns() - time.monotonic_ns() - before) // 1_000
    if moved_us > JUMP_US_MAX:
        do = "is NTP correcting it? Wait until it has; the engine halts at jumps beyond clock_jump_limit_s"
        return [Finding("clock", "warning", f"it jumped by {moved_us} µs just now", do)]
    return [Finding("clock", "ok", time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()))]


def look_at_time_keeping() -> list[Finding]:
    """Look whether the kernel says that the clock is kept right by NTP; other systems do not tell."""
    answer = kernel_clock()
    if answer is None:
        return []
    greatest_error_us, is_synchronised = answer
    if is_synchronised:
        return [Finding("time keeping", "ok", f"synchronised, off by at most {greatest_error_us} µs")]
    do = "run an NTP client (chrony, systemd-timesyncd): business days, latencies between machines and keys need it"
    return [Finding("time keeping", "warning", "nothing keeps the clock right", do)]


def kernel_clock() -> tuple[int, bool] | None:
    """Return the greatest error in microseconds and whether the clock is synchronised; None where nobody knows."""
    if not sys.platform.startswith("linux"):
        return None
    buffer = ctypes.create_string_buffer(_TIMEX_BYTES)
    if ctypes.CDLL(None, use_errno=True).adjtimex(buffer) < 0:
        return None
    _, _, _, greatest_error_us, _, status = _TIMEX.unpack_from(buffer.raw)
    return greatest_error_us, not status & _UNSYNCHRONISED


def look_at_limits() -> list[Finding]:
    """Look how many files, and so connections, a process may open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < FILES_WANTED:
        return [
            Finding("open files", "warning", f"limit {soft}", f"raise it with `ulimit -n {FILES_WANTED}`")
        ]
    return [Finding("open files", "ok", f"limit {soft}")]


def nearest_present(folder: Path) -> Path:
    """Return a folder, or where it is not there yet, the nearest one above it that is."""
    folder = folder.absolute()
    while not folder.exists():
        folder = folder.parent
    return folder
