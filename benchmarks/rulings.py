"""How long a trade waits for its ruling at a steady rate: clearing with its durable store, surveillance beside it.

`python -m benchmarks.rulings [--rate 10000] [--seconds 20] [--no-surveillance] [--postgres | --store URL]`. An open
loop: trades are due at their own times, whatever clearing does; an event log hands out those that are due, as the
engine's does. The latency of a trade is from when it was due to when the transaction with its ruling is on disk. Then
all at once: the rate of clearing until its last ruling, with surveillance beside it in a process of its own, and how
long that takes to see the last event. Needs no engine.
"""

from __future__ import annotations

import argparse
import asyncio
import bisect
import itertools
import resource
import tempfile
from time import perf_counter, process_time
from typing import NamedTuple

from benchmarks.clearing import SEED, trade_batches
from benchmarks.run_info import describe
from benchmarks.stores import add_store_options, new_stores
from exchange.clearing.app import MIGRATIONS
from exchange.clearing.book_keeper import BookKeeper, Outcome
from exchange.clearing.consumer import Consumer
from exchange.clearing.surveillance.lookout import Lookout
from exchange.clearing.surveillance.office import MIGRATIONS as ALERTS
from exchange.infra.feed import Feed
from exchange.infra.store import open_store
from exchange.post_trade.rules import DEFAULT_RULES, parse_rules
from exchange.surveillance.settings import Settings
from exchange.wire.envelope import EventBatch
from exchange.wire.records import split

BAR_MS = 1_000
BAR_PER_S = 20_000
EVENTS_PER_FETCH = 5_000
POLL_S = 0.002


class Run(NamedTuple):
    """What was measured. commits: up to which event each went, and when.

    cpu_s: of this process until the last ruling; watched_s: when surveillance had seen the last event, 0 without;
    watched_cpu_s: of its process.
    """

    commits: list[tuple[int, float]]
    cpu_s: float
    watched_s: float
    watched_cpu_s: float


class DueSource:
    """An event log into which trades come at their times. due: seconds from `start`, rising, one for each event."""

    partition = 0

    def __init__(self, records: list[bytes], due: list[float]) -> None:
        self.records = records
        self.due = due
        self.start = perf_counter()

    async def fetch(self, after: int, wait_s: float = 0) -> EventBatch:
        """Return the events after a sequence that are due, or wait for one."""
        ends = perf_counter() + wait_s
        while True:
            there = bisect.bisect_right(self.due, perf_counter() - self.start)
            if there > after or perf_counter() >= ends:
                break
            await asyncio.sleep(POLL_S)
        high = min(there, after + EVENTS_PER_FETCH)
        found = self.records[after:high]
        return EventBatch(0, 1, after + 1, len(found), b"".join(found))


async def measure(url: str, alerts_url: str, source: DueSource, watched: bool) -> Run:
    """Run clearing until all is ruled on, and surveillance until it has seen all of it."""
    store = open_store(url, MIGRATIONS, synchronous="FULL")
    keeper = BookKeeper(store, parse_rules(DEFAULT_RULES), 0)
    commits: list[tuple[int, float]] = []
    done = asyncio.Event()

    def told(outcome: Outcome) -> None:
        commits.append((outcome.sequence, perf_counter() - source.start))
        if outcome.sequence >= len(source.records):
            done.set()

    async def make_feed(after: int, epoch: int) -> Feed:
        return Feed(source, None, partition=0, after=after, epoch=epoch)

    feed = await make_feed(0, 0)
    consumer = Consumer(feed, keeper, told)
    alerts = open_store(alerts_url, ALERTS)
    lookout = Lookout(alerts, Settings(), 0, make_feed)
    watched_before_s = children_cpu_s()
    begun_cpu_s, source.start = process_time(), perf_counter()
    if watched:
        lookout.start()
    tasks = [asyncio.create_task(consumer.read()), asyncio.create_task(consumer.commit())]
    waiter = asyncio.create_task(done.wait())
    await asyncio.wait([waiter, *tasks], return_when=asyncio.FIRST_COMPLETED)
    cpu_s = process_time() - begun_cpu_s
    for task in tasks:
        task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    if not done.is_set():
        raise SystemExit(f"clearing ended early: {ended}")
    watched_s = await until_seen(lookout, source) if watched else 0.0
    await lookout.stop()
    await feed.close()
    store.dispose()
    alerts.dispose()
    return Run(commits, cpu_s, watched_s, children_cpu_s() - watched_before_s)


async def until_seen(lookout: Lookout, source: DueSource) -> float:
    """Wait until surveillance has seen every event; return when that was."""
    while lookout.stats.sequence < len(source.records):
        if lookout.stats.problem:
            raise SystemExit(lookout.stats.problem)
        await asyncio.sleep(POLL_S)
    return perf_counter() - source.start


def children_cpu_s() -> float:
    """Return the processor time of processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def latencies_ms(due: list[float], commits: list[tuple[int, float]]) -> list[float]:
    """Return how long each event waited until the commit that took it in, sorted, in milliseconds."""
    found: list[float] = []
    before = 0
    for sequence, at in commits:
        found += [(at - each) * 1_000 for each in due[before:sequence] if each > 0]
        before = max(before, sequence)
    return sorted(found)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rate", type=int, default=10_000, help="trades a second")
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument(
        "--burst", type=int, default=100_000, help="trades that are all there, for the rate; 0: none"
    )
    parser.add_argument("--no-surveillance", action="store_true")
    add_store_options(parser)
    arguments = parser.parse_args()
    for what, value in describe():
        print(f"{what:10} {value}")
    watched = not arguments.no_surveillance
    print(
        f"{'seed':10} {SEED}\n{'watched':10} {'with surveillance' if watched else 'without surveillance'}\n"
    )
    with new_stores(arguments, MIGRATIONS) as (kind, new_url), tempfile.TemporaryDirectory() as folder:
        numbers = itertools.count()
        beside = lambda: f"sqlite:///{folder}/alerts{next(numbers)}.sqlite"  # noqa: E731
        steady(arguments, kind, new_url(), beside(), watched)
        if arguments.burst:
            burst(arguments, kind, new_url(), beside(), watched)


def steady(arguments: argparse.Namespace, kind: str, url: str, alerts_url: str, watched: bool) -> None:
    """Print how long trades waited at a steady rate."""
    trades = arguments.rate * arguments.seconds
    records = events_of(trades)
    ahead = len(records) - trades
    due = [0.0] * ahead + [(number + 1) / arguments.rate for number in range(trades)]
    run = asyncio.run(measure(url, alerts_url, DueSource(records, due), watched))
    waited = latencies_ms(due, run.commits)
    p50, p99, worst = waited[len(waited) // 2], waited[len(waited) * 99 // 100], waited[-1]
    print(
        f"executed to ruling on {kind}, {arguments.rate:,} trades/s for {arguments.seconds} s: "
        f"p50 {p50:.0f} ms, p99 {p99:.0f} ms, most {worst:.0f} ms; bar: p99 {BAR_MS:,} ms, "
        f"{'held' if p99 <= BAR_MS else 'MISSED'}"
    )
    print(f"  {cpu_of(run, trades)}{behind(run, due[-1])}")


def burst(arguments: argparse.Namespace, kind: str, url: str, alerts_url: str, watched: bool) -> None:
    """Print how fast clearing is when all trades are there at once."""
    records = events_of(arguments.burst)
    source = DueSource(records, [0.0] * len(records))
    run = asyncio.run(measure(url, alerts_url, source, watched))
    rate = arguments.burst / run.commits[-1][1]
    print(
        f"all at once on {kind}: {rate:,.0f} trades/s judged and booked; bar: {BAR_PER_S:,}, "
        f"{'held' if rate >= BAR_PER_S else 'MISSED'}"
    )
    print(f"  {cpu_of(run, arguments.burst)}{behind(run, run.commits[-1][1])}")


def cpu_of(run: Run, trades: int) -> str:
    """Say what a trade cost."""
    return (
        f"{run.cpu_s / trades * 1e6:.0f} µs of CPU per trade in clearing's process, "
        f"{run.watched_cpu_s / trades * 1e6:.0f} in surveillance's"
    )


def behind(run: Run, last_s: float) -> str:
    """Say when surveillance had seen everything."""
    return (
        f"; it had seen all of it {max(0, run.watched_s - last_s):.1f} s after the last"
        if run.watched_s
        else ""
    )


def events_of(trades: int) -> list[bytes]:
    """Return the event records of so many trades, and of the accounts before them."""
    return [
        batch.events[offset : offset + length]
        for batch in trade_batches(trades, EVENTS_PER_FETCH)
        for offset, length in split(batch.events)
    ]


if __name__ == "__main__":
    main()
