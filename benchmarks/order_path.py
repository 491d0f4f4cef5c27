"""Where the time of an order goes: CPU of each step from the bytes of a request to the bytes of its answer.

`python -m benchmarks.order_path [--requests 600] [--runs 3]`. In one thread, without network, disk and event loop: each
request is an array of 100 limit orders, one in ten of which trades. The last step runs in a thread of its own in the
engine. What `benchmarks.rest` shows beyond the sum of these is HTTP, the system's calls, and threads that take turns.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import TypeVar

import msgspec

from benchmarks.rest import SEED, orders_of
from benchmarks.run_info import describe
from exchange.domain import commands as c
from exchange.domain.participant import Role
from exchange.domain.units import ParticipantId, Price
from exchange.engine import order_results
from exchange.engine.order_entry import OrderEntry
from exchange.engine.order_store import OrderStore
from exchange.engine.submission import check_framing, number
from exchange.infra.auth import Principal
from exchange.infra.json_body import JsonBody
from exchange.matching.venue import Venue
from exchange.wire.envelope import EventBatch
from exchange.wire.records import encode_command, split
from exchange.wire.rest.orders import NewOrder, Order, OrderResult, OrderResults

ORDERS = 100
TIME_NS = 1_795_435_200_000_000_000
MEMBER = Principal(1, 1, Role.TRADER, "benchmark")
SETTING = (
    c.StartEngine(epoch=1),
    c.AddSymbol(symbol="AAPL", name="Apple Inc.", reference_price=Price(1_892_000)),
    c.CreateParticipant(name="benchmark"),
    c.CreateAccount(participant_id=ParticipantId(1), name="main"),
)
HISTORY_REQUESTS = 17
"""Requests whose events are stored together: about as many as the engine takes at once when it is busy."""
Result = TypeVar("Result")


class Steps:
    """The CPU time of each step, by its name."""

    def __init__(self) -> None:
        self.spent_ns: dict[str, int] = {}

    def take(self, name: str, step: Callable[..., Result], *arguments: object) -> Result:
        """Do a step and add up its time."""
        started = time.process_time_ns()
        result = step(*arguments)
        self.spent_ns[name] = self.spent_ns.get(name, 0) + time.process_time_ns() - started
        return result


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=600)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    for what, value in describe():
        print(f"{what:10} {value}")
    print(f"{'seed':10} {SEED}\n")
    bodies = [json.dumps(orders).encode() for orders in islice(orders_of(ORDERS), arguments.requests)]
    runs = [_run(bodies) for _ in range(arguments.runs)]
    least = {name: min(run[name] for run in runs) for name in runs[0]}
    for name, spent_ns in least.items():
        print(f"{name:32} {spent_ns / len(bodies) / ORDERS / 1000:6.2f} µs of CPU per order")
    print(
        f"{'together':32} {sum(least.values()) / len(bodies) / ORDERS / 1000:6.2f} µs (least of {len(runs)} runs)"
    )


def _run(bodies: list[bytes]) -> dict[str, int]:
    steps, venue = Steps(), Venue()
    for sequence, command in enumerate(SETTING, 1):
        venue.apply(encode_command(command, sequence), TIME_NS)
    read, encode = JsonBody(list[NewOrder]).read, msgspec.json.Encoder().encode
    entry, symbols = OrderEntry(venue.directory), venue.directory.symbols
    runs: list[bytes] = []
    for at, body in enumerate(bodies):
        orders = steps.take("JSON into orders", read, body)
        commands = steps.take("orders into records", _records, entry, orders)
        steps.take("framing is checked", check_framing, commands, ORDERS, len(commands))
        numbered = steps.take("records are numbered", number, commands, venue.command_sequence + 1, 0)
        events = steps.take("the venue matches", venue.apply, numbered, TIME_NS + at)
        results = steps.take("events into results", _results, events, symbols)
        steps.take("results into JSON", encode, OrderResults(results))
        runs.append(events)
    _store(steps, runs, len(SETTING) + 1)
    return steps.spent_ns


def _records(entry: OrderEntry, orders: list[NewOrder]) -> bytes:
    return b"".join(entry.enter(order, MEMBER) for order in orders)


def _results(events: bytes, symbols: order_results.Symbols) -> list[OrderResult]:
    results, offset = [], 0
    for _ in range(ORDERS):
        outcome, offset = order_results.entered(events, offset, symbols)
        assert isinstance(outcome, Order)
        results.append(OrderResult(status=201, order=outcome))
    return results


def _store(steps: Steps, runs: list[bytes], first: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = OrderStore(Path(folder) / "orders.sqlite", 0)
        store.skip_to(first - 1)
        for start in range(0, len(runs), HISTORY_REQUESTS):
            events = b"".join(runs[start : start + HISTORY_REQUESTS])
            batch = EventBatch(0, 1, first, sum(1 for _ in split(events)), events)
            steps.take("events into the order history", store.commit, batch)
            first += batch.count
        store.close()


if __name__ == "__main__":
    main()
