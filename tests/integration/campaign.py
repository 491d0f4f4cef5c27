"""The nightly equality campaign: millions of random commands through the definition and the native venue.

`make campaign`, or `python -m tests.integration.campaign [--commands 10000000] [--first-seed 1000] [--jobs 2]`. Each
seed is a venue of its own, every fourth one with tiny limits; the others are restored from each other on the way.
A divergence prints its seed and the shortest list of commands found that still shows it, and ends the campaign with 1.
So does a type of event that never came: then `random_commands.py` does not know a rule.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import islice
from typing import NamedTuple

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from benchmarks.run_info import describe
from exchange.matching.venue_state import LIMITS
from exchange.wire.records import BY_NUMBER
from tests.matching.equality import SMALL_LIMITS, Comparison

COMMANDS_PER_SEED = 100_000
SMALL_EVERY = 4
"""One in so many seeds has tiny limits."""
SNAPSHOT_EVERY = 40
"""Batches between two comparisons of the snapshots."""
CROSS_EVERY = 5
"""Of these comparisons, one in so many is followed by restoring each from the other's snapshot."""


class Outcome(NamedTuple):
    """What one seed showed. divergence: empty where there was none."""

    seed: int
    commands: int
    events: Counter[int]
    divergence: str


def compare(seed: int) -> Outcome:
    """Drive both venues with the commands of one seed."""
    limits = SMALL_LIMITS if seed % SMALL_EVERY == 0 else LIMITS
    both, batches = Comparison(seed, limits), 0
    while len(both.told) < COMMANDS_PER_SEED:
        same = both.step()
        batches += 1
        if same and batches % SNAPSHOT_EVERY == 0:
            same = both.has_same_snapshot()
            if limits is LIMITS and batches % (SNAPSHOT_EVERY * CROSS_EVERY) == 0:
                both.cross()
        if not same:
            return Outcome(seed, len(both.told), both.events, both.shrunk())
    same = both.has_same_snapshot() and both.fast.digest() == both.definition.digest()
    return Outcome(seed, len(both.told), both.events, "" if same else both.shrunk())


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--commands", type=int, default=10_000_000, help="at least so many in all")
    parser.add_argument("--first-seed", type=int, default=1_000)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    seeds = range(arguments.first_seed, arguments.first_seed - (-arguments.commands // COMMANDS_PER_SEED))
    for what, value in describe():
        print(f"{what:10} {value}")
    print(
        f"{'seeds':10} {seeds[0]} to {seeds[-1]}, {COMMANDS_PER_SEED:,} commands each, {arguments.jobs} at once"
    )
    started, commands, events = time.monotonic(), 0, Counter[int]()
    for outcome in _outcomes(seeds, arguments.jobs):
        if outcome.divergence:
            print(f"DIVERGENCE with seed {outcome.seed}:\n{outcome.divergence}")
            return 1
        commands += outcome.commands
        events += outcome.events
    print(
        f"equal: {commands:,} commands and {events.total():,} events of {len(seeds)} seeds"
        f" in {time.monotonic() - started:,.0f} s: same events, hash and snapshots"
    )
    return report(events)


def _outcomes(seeds: range, jobs: int) -> Iterator[Outcome]:
    """Compare seeds in several processes and show how far they are; no more are begun once one diverges."""
    columns = (TextColumn("seeds"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with ProcessPoolExecutor(jobs) as pool, Progress(*columns) as progress:
        bar = progress.add_task("seeds", total=len(seeds))
        waiting = iter(seeds)
        running: set[Future[Outcome]] = {pool.submit(compare, seed) for seed in islice(waiting, jobs)}
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
                progress.advance(bar)
                running |= {pool.submit(compare, seed) for seed in islice(waiting, 1)}


def report(events: Counter[int]) -> int:
    """Print how often each event came; return 1 where one never did."""
    names = {number: layout.value_type.__name__ for number, layout in BY_NUMBER.items() if layout.is_event}
    for number in sorted(names):
        print(f"{names[number]:24} {events[number]:>12,}")
    missing = sorted(names[number] for number in names if not events[number])
    if missing:
        print(f"never seen: {', '.join(missing)}: teach tests/matching/random_commands.py what leads to them")
    return int(bool(missing))


if __name__ == "__main__":
    sys.exit(main())
