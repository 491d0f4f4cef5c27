"""`exchange doctor`: looks at what an exchange needs, and says of each thing whether it is well and what to do."""

from __future__ import annotations

import json
import os
import resource
import shutil
import socket
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from exchange.cli.configuration import check_rules
from exchange.cli.failures import REFUSED, CliError
from exchange.cli.options import Component, Options
from exchange.cli.output import colour, print_json
from exchange.cli.versions import versions

if TYPE_CHECKING:
    from exchange.infra.config import Config

SYNCS = 50
SYNC_BYTES = 4_096
SYNC_SLOW_US = 5_000
"""A disk that takes longer to store a page makes every answer of the engine that slow."""
FILES_WANTED = 1_024
FREE_BYTES_WANTED = 1 << 30
PYTHON_WANTED = (3, 11)
YEAR_WANTED = 2025
HEALTH_S = 2.0

Verdict = Literal["ok", "warning", "bad"]


class Finding(NamedTuple):
    """One thing that was looked at. message: what was seen and, unless it is well, what to do."""

    what: str
    verdict: Verdict
    message: str


DEFAULT = Options()


def doctor(*, options: Options = DEFAULT) -> int:
    """Look at ports, disk, clock, limits, versions and configuration: `exchange doctor`.

    Ends with 1 where something is bad, so that a script can ask.
    """
    findings = [finding for look in _checks(options) for finding in look()]
    if options.json:
        print_json([finding._asdict() for finding in findings])
    else:
        _print(findings)
    return REFUSED if any(finding.verdict == "bad" for finding in findings) else 0


def _checks(options: Options) -> Iterable[Callable[[], list[Finding]]]:
    yield look_at_versions
    try:
        config = options.load()
        check_rules(config, options.config)
    except CliError as error:
        message = str(error)
        yield lambda: [Finding("configuration", "bad", message)]
        return
    yield lambda: [Finding("configuration", "ok", _source_of(options))]
    yield lambda: look_at_folder(config.data_folder)
    yield lambda: look_at_disk(config.data_folder)
    yield look_at_clock
    yield look_at_limits
    components: tuple[Component, ...] = ("engine", "reporter", "clearing")
    for component in components:
        yield partial(look_at_component, component, config, options.address(component))


def look_at_versions() -> list[Finding]:
    """Look whether Python is new enough and the parts are there."""
    found = versions()
    new_enough = sys.version_info >= PYTHON_WANTED
    python = Finding(
        "python",
        "ok" if new_enough else "bad",
        found["python"] if new_enough else f"{found['python']} is too old; install 3.11 or newer",
    )
    missing = [name for name, version in found.items() if version == "not installed"]
    parts = Finding(
        "parts",
        "bad" if missing else "ok",
        f"missing: {', '.join(missing)}; run `make setup`" if missing else f"exchange {found['exchange']}",
    )
    slow = "the Python one; the native one is not installed"
    matcher = Finding("matcher", "ok", slow if found["matcher"] == "python" else "the native one")
    return [python, parts, matcher]


def look_at_folder(folder: Path) -> list[Finding]:
    """Look whether the data folder can be written, and has room."""
    present = nearest_present(folder)
    if not os.access(present, os.W_OK | os.X_OK):
        return [Finding("data folder", "bad", f"{present} cannot be written; choose another with --data")]
    state = "there" if present == folder else "not there yet, will be made"
    findings = [Finding("data folder", "ok", f"{folder} ({state})")]
    free = shutil.disk_usage(present).free
    enough = free >= FREE_BYTES_WANTED
    message = f"{free / 2**30:.1f} GiB free" + ("" if enough else "; the journal needs room, free some")
    return [*findings, Finding("disk space", "ok" if enough else "warning", message)]


def look_at_disk(folder: Path) -> list[Finding]:
    """Measure how long the disk takes to make a page durable: the floor of every answer's latency."""
    try:
        times = sync_times_us(nearest_present(folder))
    except OSError as error:
        return [Finding("disk", "bad", f"cannot make data durable in {folder}: {error.strerror}")]
    middle, worst = times[len(times) // 2], times[-1]
    figures = f"fdatasync of 4 KiB takes {middle} µs, at most {worst} µs of {len(times)}"
    if middle > SYNC_SLOW_US:
        advice = 'every answer waits that long; use a local SSD, or durability = "buffered" to play'
        return [Finding("disk", "warning", f"{figures}; {advice}")]
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
        return [Finding("clock", "bad", f"it says the year {year}; set the time, best by NTP")]
    before = time.time_ns() - time.monotonic_ns()
    time.sleep(0.05)
    moved_us = abs(time.time_ns() - time.monotonic_ns() - before) // 1_000
    if moved_us > 5_000:
        return [Finding("clock", "warning", f"it jumped by {moved_us} µs just now; is NTP correcting it?")]
    return [Finding("clock", "ok", time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()))]


def look_at_limits() -> list[Finding]:
    """Look how many files, and so connections, a process may open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < FILES_WANTED:
        return [Finding("open files", "warning", f"limit {soft}; raise it with `ulimit -n {FILES_WANTED}`")]
    return [Finding("open files", "ok", f"limit {soft}")]


def look_at_component(component: Component, config: Config, url: str) -> list[Finding]:
    """Look whether a component answers at its address, else whether its port is free."""
    address = {
        "engine": config.engine_address,
        "reporter": config.reporter_address,
        "clearing": config.clearing_address,
    }[component]()
    health = health_of(url)
    if health == "ok":
        return [Finding(component, "ok", f"answers at {url}")]
    if health:
        return [Finding(component, "warning", f"{url} answers, but is not ready: {health}")]
    if is_free(address.host, address.port):
        return [Finding(component, "ok", f"not running; port {address.port} is free")]
    message = f"port {address.port} is taken by something else; choose another with --port-base"
    return [Finding(component, "bad", message)]


def health_of(url: str) -> str:
    """Return ok, what is missing according to /readyz, or nothing where no component answers."""
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=HEALTH_S) as answer:
            return "ok" if answer.status == 200 else f"status {answer.status}"
    except urllib.error.HTTPError as error:
        try:
            body = json.loads(error.read(4_096))
        except ValueError:
            return f"status {error.code}"
        return str(body.get("message", body)) if isinstance(body, dict) else f"status {error.code}"
    except (OSError, ValueError):
        return ""


def is_free(host: str, port: int) -> bool:
    """Tell whether one could listen at an address; port 0 always is."""
    try:
        with socket.create_server((host, port)):
            return True
    except OSError:
        return False


def nearest_present(folder: Path) -> Path:
    """Return a folder, or where it is not there yet, the nearest one above it that is."""
    folder = folder.absolute()
    while not folder.exists():
        folder = folder.parent
    return folder


def _source_of(options: Options) -> str:
    file = options.config or os.environ.get("EXCHANGE_CONFIG") or "exchange.toml"
    return f"{file} is right" if Path(file).is_file() else "no file, everything has its default"


def _print(findings: list[Finding]) -> None:
    width = max(len(finding.what) for finding in findings)
    styles = {"ok": "green", "warning": "bold", "bad": "red"}
    for finding in findings:
        verdict = colour(finding.verdict.ljust(7), styles[finding.verdict])
        print(f"{finding.what.ljust(width)}  {verdict}  {finding.message}")
