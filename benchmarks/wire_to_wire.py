"""Orders over TCP, from the wire to the wire: OUCH in, matched, durable, OUCH out; latency from when each was due.

`python -m benchmarks.wire_to_wire [--rates 50000,100000,...] [--seconds 20] [--durability fsync|buffered]`. The engine
runs alone in its own process as `exchange engine` does by default: event log, order history and follower are on. The
client (`native/load`) is an open loop in Rust over 4 connections: 45 % new orders, 45 % cancels, 5 % replacements and
5 % immediate-or-cancel orders that cross, on a book of 5,000 live orders. Latency counts from the moment a request was
due by the clock to the read that brought its answer, so a server that stalls cannot hide. Beside each row stand what a
`fdatasync` of 4 KiB took and how late a sleeping thread woke, both measured just before it. Unsent are requests that
were due and still waited in the client at the end, because the exchange held its connections back; CPU and MB are the
engine's. `--same-engine --rates 1000000,50000` shows that an engine recovers from too much.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from benchmarks.engine_process import started_engine
from benchmarks.run_info import ROOT, cpu_s_of, describe, fdatasync_us, percentile

SEED = 20261123
CONNECTIONS = 4
PORT_BASE = 18_500
LIVE_ORDERS = 5_000
SYMBOLS = "AAPL,MSFT,NVDA,TSLA"
CLIENT = ROOT / "native" / "target" / "release" / "exchange-load"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rates", default="50000,100000,200000,300000,400000,500000")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--warm-up", type=float, default=3)
    parser.add_argument("--durability", default="fsync", choices=("fsync", "buffered"))
    parser.add_argument("--matcher", default="auto", choices=("auto", "python", "native"))
    parser.add_argument("--event-log-mib", type=int, default=8_192, help="the engine's own default is 1024")
    parser.add_argument("--gap-us", type=int, default=50, help="least time between two writes of the client")
    parser.add_argument(
        "--same-engine", action="store_true", help="let one engine take all rates, one after the other"
    )
    parser.add_argument("--json", action="store_true", help="print the client's whole report of each row too")
    parser.add_argument(
        "--data", type=Path, help="where the engine keeps its data; default: a temporary folder"
    )
    arguments = parser.parse_args()
    _build_client()
    for what, value in describe():
        print(f"{what:10} {value}")
    os.environ["EXCHANGE__ENGINE__MATCHER"] = arguments.matcher
    os.environ["EXCHANGE__ENGINE__DURABILITY"] = arguments.durability
    os.environ["EXCHANGE__ENGINE__EVENT_LOG_MIB"] = str(arguments.event_log_mib)
    print(
        f"{'seed':10} {SEED}\n{'durability':10} {arguments.durability}\n{'event log':10} {arguments.event_log_mib} MiB,"
        " which the table of orders may fall behind before the engine brakes\n"
    )
    print(
        f"{'offered/s':>10} {'answered/s':>11} {'p50 µs':>8} {'p99':>8} {'p99.9':>8} {'max':>9} {'lost':>5} {'gaps':>5}"
        f" {'unsent':>9} {'fdatasync':>10} {'p50/fds':>8} {'jitter p50':>11} {'p99':>6} {'CPU µs':>7} {'batch':>6}"
        f" {'MB':>5}"
    )
    rates = [int(part) for part in arguments.rates.split(",") if part]
    runs = [rates] if arguments.same_engine else [[rate] for rate in rates]
    with tempfile.TemporaryDirectory(dir=arguments.data) as folder:
        for number, run in enumerate(runs):
            data = Path(folder) / f"run-{number}"
            with started_engine(data, PORT_BASE) as engine:
                logins = _logins(data)
                for rate in run:
                    _measure(data, engine.pid, rate, logins, arguments)


def _measure(data: Path, process_id: int, rate: int, logins: str, arguments: argparse.Namespace) -> None:
    fdatasync, jitter = fdatasync_us(data.parent), jitter_us()
    cpu_s, before = cpu_s_of(process_id), _stats(data)
    report = _load(rate, logins, arguments)
    cpu_s, after = cpu_s_of(process_id) - cpu_s, _stats(data)
    commands = after["queue"]["commands"] - before["queue"]["commands"]
    batches = after["queue"]["batches"] - before["queue"]["batches"]
    print(
        f"{rate:>10,} {report['answered_per_s']:>11,} {report['p50_us']:>8.0f} {report['p99_us']:>8.0f}"
        f" {report['p999_us']:>8.0f} {report['max_us']:>9.0f} {report['lost']:>5} {report['gaps']:>5}"
        f" {report['unsent']:>9,} {fdatasync:>10.0f} {report['p50_us'] / fdatasync:>8.1f} {jitter[0]:>11.0f}"
        f" {jitter[1]:>6.0f} {cpu_s / max(commands, 1) * 1e6:>7.2f} {commands / max(batches, 1):>6.0f}"
        f" {_memory_mb(process_id):>5.0f}",
        flush=True,
    )
    if arguments.json:
        print(json.dumps(report | {"order_history_behind": after["order_history"]["behind"]}), flush=True)


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


def _stats(data: Path) -> dict[str, Any]:
    return _call(data, "/api/v1/stats")


def _call(data: Path, path: str, body: object = None) -> dict[str, Any]:
    key = json.loads((data / "keys.json").read_text())["operator"]
    request = Request(
        f"http://127.0.0.1:{PORT_BASE + 1}{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
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
