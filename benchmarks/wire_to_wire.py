"""Orders over TCP, from the wire to the wire: OUCH in, matched, durable, OUCH out; latency from when each was due.

`python -m benchmarks.wire_to_wire [--rates 50000,100000,...] [--seconds 20] [--durability fsync|buffered]`. The engine
runs alone in its own process as `exchange engine` does by default: event log, order history and follower are on. The
client (`native/load`) is an open loop in Rust over 4 connections: 45 % new orders, 45 % cancels, 5 % replacements and
5 % immediate-or-cancel orders that cross, on a book of 5,000 live orders. Latency counts from the moment a request was
due by the clock to the read that brought its answer, so a server that stalls cannot hide. Beside each row stand what a
`fdatasync` of 4 KiB took and how late a sleeping thread woke, both measured just before it. Unsent are requests that
were due and still waited in the client at the end, because the exchange held its connections back; CPU and MB are the
engine's. `--same-engine --rates 1000000,50000` shows that an engine recovers from too much. `--table` measures all
of it in one go and writes it as a table (`wire_table`): 60 s a row, about a quarter of an hour.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from benchmarks.engine_process import started_engine
from benchmarks.run_info import ROOT, cpu_s_of, describe, fdatasync_us, percentile
from benchmarks.wire_table import RATES as TABLE_RATES
from benchmarks.wire_table import Measure, Row, write_table

SEED = 20261123
CONNECTIONS = 4
PORT_BASE = 18_500
LIVE_ORDERS = 5_000
RATES = (50_000, 100_000, 200_000, 300_000, 400_000, 500_000)
SYMBOLS = "AAPL,MSFT,NVDA,TSLA"
LIMITS = [
    ("max_quantity", "1000000", ""), ("max_notional", "99999999", ""), ("collar", "9000", ""),
    ("buying_power", "99999999999", ""), ("gross", "99999999999", ""), ("loss", "99999999999", ""),
    *(("position", "99999999", symbol) for symbol in SYMBOLS.split(",")),
    *(("short_sales", "1", symbol) for symbol in SYMBOLS.split(",")),
]  # fmt: skip
"""Limits of `--risk`: kind, value, symbol."""
CLIENT = ROOT / "native" / "target" / "release" / "exchange-load"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rates", help=f"default: {','.join(map(str, RATES))}")
    parser.add_argument("--seconds", type=float, help="of each rate; default: 20, for the table 60")
    parser.add_argument("--table", action="store_true", help="write the whole table of docs/performance.md")
    parser.add_argument("--warm-up", type=float, default=3)
    parser.add_argument("--durability", default="fsync", choices=("fsync", "buffered"))
    parser.add_argument("--matcher", default="auto", choices=("auto", "python", "native"))
    parser.add_argument("--event-log-mib", type=int, default=8_192, help="the engine's own default is 1024")
    parser.add_argument(
        "--risk", action="store_true", help="measure every order against limits of eight kinds"
    )
    parser.add_argument("--gap-us", type=int, default=50, help="least time between two writes of the client")
    parser.add_argument(
        "--same-engine", action="store_true", help="let one engine take all rates, one after the other"
    )
    parser.add_argument("--json", action="store_true", help="print the client's whole report of each row too")
    parser.add_argument(
        "--data", type=Path, help="where the engine keeps its data; default: a temporary folder"
    )
    arguments = parser.parse_args()
    arguments.seconds = arguments.seconds or (60 if arguments.table else 20)
    rates = [int(part) for part in (arguments.rates or "").split(",") if part]
    _build_client()
    for what, value in describe():
        print(f"{what:10} {value}")
    os.environ["EXCHANGE__ENGINE__MATCHER"] = arguments.matcher
    os.environ["EXCHANGE__ENGINE__EVENT_LOG_MIB"] = str(arguments.event_log_mib)
    print(f"{'seed':10} {SEED}")
    print(
        f"{'event log':10} {arguments.event_log_mib} MiB; with less kept for the table of orders the engine brakes"
    )
    print(f"{'each rate':10} {arguments.seconds:g} s after {arguments.warm_up:g} s of warm-up\n")
    with tempfile.TemporaryDirectory(dir=arguments.data) as folder:
        runs = count()

        def measure(durability: str, rates: list[int]) -> Iterator[Row]:
            os.environ["EXCHANGE__ENGINE__DURABILITY"] = durability
            data = Path(folder) / f"run-{next(runs)}"
            with started_engine(data, PORT_BASE) as engine:
                logins = _logins(data)
                if arguments.risk:
                    _set_limits(data)
                for rate in rates:
                    yield _measure(data, engine.pid, rate, logins, durability, arguments)
            shutil.rmtree(data)

        if arguments.table:
            write_table(measure, rates or TABLE_RATES)
        else:
            _print_rows(measure, arguments.durability, rates or list(RATES), arguments.same_engine)


def _print_rows(measure: Measure, durability: str, rates: list[int], is_same_engine: bool) -> None:
    print(f"{'durability':10} {durability}\n")
    print(
        f"{'offered/s':>10} {'answered/s':>11} {'p50 µs':>8} {'p99':>8} {'p99.9':>8} {'max':>9} {'lost':>5} {'gaps':>5}"
        f" {'unsent':>9} {'fdatasync':>10} {'p50/fds':>8} {'jitter p50':>11} {'p99':>6} {'CPU µs':>7} {'batch':>6}"
        f" {'MB':>5}"
    )
    for run in [rates] if is_same_engine else [[rate] for rate in rates]:
        for row in measure(durability, run):
            print(
                f"{row.rate:>10,} {row.answered_per_s:>11,} {row.p50_us:>8.0f} {row.p99_us:>8.0f} {row.p999_us:>8.0f}"
                f" {row.max_us:>9.0f} {row.lost:>5} {row.gaps:>5} {row.unsent:>9,} {row.fdatasync_us:>10.0f}"
                f" {row.p50_us / row.fdatasync_us:>8.1f} {row.jitter_us[0]:>11.0f} {row.jitter_us[1]:>6.0f}"
                f" {row.cpu_us:>7.2f} {row.commands_per_batch:>6.0f} {row.memory_mb:>5.0f}",
                flush=True,
            )


def _measure(
    data: Path, process_id: int, rate: int, logins: str, durability: str, arguments: argparse.Namespace
) -> Row:
    fdatasync, jitter = fdatasync_us(data.parent), jitter_us()
    cpu_s, before = cpu_s_of(process_id), _stats(data)
    report = _load(rate, logins, arguments)
    cpu_s, after = cpu_s_of(process_id) - cpu_s, _stats(data)
    commands = after["queue"]["commands"] - before["queue"]["commands"]
    batches = after["queue"]["batches"] - before["queue"]["batches"]
    if arguments.json:
        print(json.dumps(report | {"order_history_behind": after["order_history"]["behind"]}), flush=True)
    return Row(
        durability,
        rate,
        report["answered_per_s"],
        report["lost"],
        report["gaps"],
        report["unsent"],
        report["p50_us"],
        report["p99_us"],
        report["p999_us"],
        report["max_us"],
        fdatasync,
        jitter,
        cpu_s / max(commands, 1) * 1e6,
        commands / max(batches, 1),
        _memory_mb(process_id),
    )


def _memory_mb(process_id: int) -> float:
    """Return how much memory a process holds; from Linux's `/proc`."""
    pages = int(Path(f"/proc/{process_id}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def jitter_us(times: int = 500) -> tuple[float, float]:
    """Return by how much a thread that sleeps a millisecond wakes too late: (median, p99), in microseconds."""
    late = []
    for _ in range(times):
        started = time.perf_counter()
        time.sleep(0.001)
        late.append((time.perf_counter() - started - 0.001) * 1e6)
    return percentile(late, 0.5), percentile(late, 0.99)


def _logins(data: Path) -> str:
    """Make an OUCH user for each connection; return them as the client takes them."""
    made = [
        _call(data, "/api/v1/sessions", {"user": f"LOAD{number}", "account": str(number % 2 + 1)})
        for number in range(CONNECTIONS)
    ]
    return ",".join(f"{session['user']}:{session['password']}" for session in made)


def _set_limits(data: Path) -> None:
    """Set limits that no order of the flow reaches, so that all of them are measured with each order."""
    for account in ("1", "2"):
        for kind, value, symbol in LIMITS:
            limit = {"scope": "account", "subject": account, "kind": kind, "value": value, "symbol": symbol}
            _call(data, "/api/v1/risk/limits", limit, "risk", "PUT")


def _stats(data: Path) -> dict[str, Any]:
    return _call(data, "/api/v1/stats")


def _call(
    data: Path, path: str, body: object = None, who: str = "operator", method: str = ""
) -> dict[str, Any]:
    key = json.loads((data / "keys.json").read_text())[who]
    request = Request(
        f"http://127.0.0.1:{PORT_BASE + 1}{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
        method=method or None,
    )
    with urlopen(request, timeout=10) as answer:
        decoded: dict[str, Any] = json.load(answer)
    return decoded


def _load(rate: int, logins: str, arguments: argparse.Namespace) -> dict[str, Any]:
    command = [
        str(CLIENT), f"127.0.0.1:{PORT_BASE + 11}", "--logins", logins, "--symbols", SYMBOLS, "--rate", str(rate),
        "--seconds", str(arguments.seconds), "--warm-up", str(arguments.warm_up), "--live", str(LIVE_ORDERS),
        "--gap-us", str(arguments.gap_us), "--seed", str(SEED),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"the client ended with {done.returncode}: {done.stderr.strip()}")
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def _build_client() -> None:
    try:
        subprocess.run(
            ["cargo", "build", "--release", "--quiet", "--locked", "--package", "exchange-load"],
            cwd=ROOT / "native",
            check=True,
        )
    except FileNotFoundError:
        raise SystemExit("this benchmark needs cargo (Rust) for its client; install Rust") from None


if __name__ == "__main__":
    main()
