"""The nightly equality campaign: millions of random commands through the definition and the native venue.

`make campaign`, or `python -m tests.integration.campaign [--commands 10000000] [--first-seed 1000] [--jobs 2]`. Each
seed is a venue of its own: of five seeds one has tiny limits, one is mostly of auctions, one mostly of risk, one of
price limits, and one of everything; all but the first are restored from each other on the way. A divergence prints its
seed and the shortest list of commands found that still shows it, and ends the campaign with 1. So does a command, an
event or a reason that never came: then `random_commands.py` does not know a rule.
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
from exchange.domain.reasons import Reason
from exchange.matching.venue_state import LIMITS
from exchange.wire.records import BY_NUMBER
from tests.matching.equality import SMALL_LIMITS, Comparison

COMMANDS_PER_SEED = 100_000
MODES = 5
"""Tiny limits, auctions, risk, price limits, and everything, seed after seed."""
SNAPSHOT_EVERY = 40
"""Batches between two comparisons of the snapshots."""
CROSS_EVERY = 5
"""Of these comparisons, one in so many is followed by restoring each from the other's snapshot."""


class Outcome(NamedTuple):
    """What one seed showed. divergence: empty where there was none."""

    seed: int
    commands: Counter[int]
    events: Counter[int]
    reasons: Counter[int]
    divergence: str


def compare(seed: int) -> Outcome:
    """Drive both venues with the commands of one seed."""
    mode = seed % MODES
    limits = LIMITS if mode else SMALL_LIMITS
    both = Comparison(seed, limits, auctions=mode == 1, risk=mode == 2, price_limits=mode == 3)
    batches, same = 0, True
    while same and len(both.told) < COMMANDS_PER_SEED:
        same = both.step()
        batches += 1
        if same and batches % SNAPSHOT_EVERY == 0:
            same = both.has_same_snapshot()
            if limits is LIMITS and batches % (SNAPSHOT_EVERY * CROSS_EVERY) == 0:
                both.cross()
    same = same and both.has_same_snapshot() and both.fast.digest() == both.definition.digest()
    return Outcome(seed, both.commands, both.events, both.reasons, "" if same else both.shrunk())


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
    started, commands, events, reasons = time.monotonic(), Counter[int](), Counter[int](), Counter[int]()
    for outcome in _outcomes(seeds, arguments.jobs):
        if outcome.divergence:
            print(f"DIVERGENCE with seed {outcome.seed}:\n{outcome.divergence}")
            return 1
        commands += outcome.commands
        events += outcome.events
        reasons += outcome.reasons
    print(
        f"equal: {commands.total():,} commands and {events.total():,} events of {len(seeds)} seeds"
        f" in {time.monotonic() - started:,.0f} s: same events, hash and snapshots"
    )
    return report(commands, events, reasons)


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


def report(commands: Counter[int], events: Counter[int], reasons: Counter[int]) -> int:
    """Print how often each command, event and reason came; return 1 where one never did."""
    layouts = BY_NUMBER.items()
    tables = {
        "command": ({n: each.value_type.__name__ for n, each in layouts if not each.is_event}, commands),
        "event": ({n: each.value_type.__name__ for n, each in layouts if each.is_event}, events),
        "reason": ({reason.value: reason.name for reason in Reason if reason}, reasons),
    }
    missing = []
    for kind, (names, counts) in tables.items():
        for number, name in sorted(names.items()):
            print(f"{kind:8} {name:28} {counts[number]:>12,}{'' if counts[number] else '   not reached'}")
        reached = [name for number, name in names.items() if counts[number]]
        print(f"{len(reached)} of {len(names)} {kind}s reached")
        missing += sorted(set(names.values()) - set(reached))
    if missing:
        print(f"never seen: {', '.join(missing)}: teach tests/matching/random_commands.py what leads to them")
    return int(bool(missing))


if __name__ == "__main__":
    sys.exit(main())
