"""Durable orders per second over REST: single orders and arrays of 100, with latency from when each was due.

`python -m benchmarks.rest [--matcher auto] [--seconds 5] [--rates 1000,3000] [--array-rates 20000,40000]`. The engine
runs alone in its own process with fdatasync; the client is open-loop in this process, its requests made beforehand.
Every order is a limit order; one in ten meets a resting one. CPU is that of the engine's process, all its threads.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import tempfile
from collections.abc import Iterator
from itertools import islice
from math import ceil
from pathlib import Path

from benchmarks import http_load
from benchmarks.engine_process import started_engine
from benchmarks.run_info import cpu_s_of, describe, fdatasync_us, percentile
from exchange.engine.replay import choose_matcher

SEED = 20261123
CONNECTIONS = 64
PORT_BASE = 18_400


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--matcher", default="auto", choices=("auto", "python", "native"))
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rates", default="1000,3000,4000,5000", help="single orders per second")
    parser.add_argument(
        "--array-rates", default="20000,40000,50000", help="orders per second in arrays of 100"
    )
    arguments = parser.parse_args()
    for what, value in describe():
        print(f"{what:10} {value}")
    matcher = os.environ["EXCHANGE__ENGINE__MATCHER"] = choose_matcher(arguments.matcher).name
    print(f"{'seed':10} {SEED}\n{'matcher':10} {matcher}")
    with tempfile.TemporaryDirectory() as folder:
        print(f"{'fdatasync':10} {fdatasync_us(Path(folder)):.0f} µs (median of 4 KiB writes)")
        print(
            f"\n{'offered/s':>10} {'answered/s':>11} {'p50 ms':>8} {'p99 ms':>8} {'max ms':>8} {'CPU µs/order':>13}"
            "  statuses"
        )
        for rate in _numbers(arguments.rates):
            _measure(Path(folder) / f"single-{rate}", rate, 1, arguments.seconds)
        print("in arrays of 100:")
        for rate in _numbers(arguments.array_rates):
            _measure(Path(folder) / f"array-{rate}", rate, 100, arguments.seconds)


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",") if part]


def _measure(data: Path, rate: int, per_request: int, seconds: float) -> None:
    with started_engine(data, PORT_BASE) as engine:
        key = json.loads((data / "keys.json").read_text())["participants"]["alice"]["key"]
        requests = list(islice(_requests(key, per_request), ceil(rate * seconds / per_request) + 1))
        cpu_s = cpu_s_of(engine.pid)
        load = http_load.run(
            "127.0.0.1", PORT_BASE + 1, iter(requests),
            rate=rate / per_request, seconds=seconds, connections=CONNECTIONS,
        )  # fmt: skip
        cpu_s = cpu_s_of(engine.pid) - cpu_s
    times = load.latencies_ms
    print(
        f"{rate:>10,} {load.answered * per_request / load.seconds:>11,.0f} {percentile(times, 0.5):>8.2f} "
        f"{percentile(times, 0.99):>8.2f} {max(times, default=0):>8.2f}"
        f" {cpu_s / (load.answered * per_request) * 1e6:>13.1f}  {load.statuses}"
    )


def orders_of(per_request: int) -> Iterator[list[dict[str, str]]]:
    """Give seeded limit orders, so many at a time: buys and sells in turn around one price, one in ten trades."""
    chance = random.Random(SEED)
    number = 0
    while True:
        orders = []
        for _ in range(per_request):
            number += 1
            side = "buy" if number % 2 else "sell"
            away = -1 if number % 10 == 0 else chance.randint(1, 50)
            cents = 18_920 - away if side == "buy" else 18_920 + away
            orders.append(
                {
                    "symbol": "AAPL", "side": side, "type": "limit", "qty": str(chance.randint(1, 10) * 100),
                    "price": f"{cents // 100}.{cents % 100:02d}", "client_order_id": f"bench-{number}",
                }
            )  # fmt: skip
        yield orders


def _requests(key: str, per_request: int) -> Iterator[bytes]:
    path = "/api/v1/order" if per_request == 1 else "/api/v1/orders"
    for orders in orders_of(per_request):
        body = json.dumps(orders[0] if per_request == 1 else orders).encode()
        yield http_load.request("127.0.0.1", PORT_BASE + 1, path, key, body)


if __name__ == "__main__":
    main()
