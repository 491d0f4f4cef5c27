"""The long comparison of the matcher with the naive model: rulebook written twice, from as many seeds as one likes.

`make naive`, or `python -m tests.integration.naive_campaign [--seeds 200] [--first-seed 1000] [--steps 400]
[--jobs 2]`.
A difference prints its seed and the shortest list of commands found that still shows it, and ends the campaign with 1.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat

from benchmarks.run_info import describe
from tests.matching.naive_drive import run


def main() -> int:
    """Drive all seeds; print how often each fact came."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--first-seed", type=int, default=1_000)
    parser.add_argument("--steps", type=int, default=400, help="rules carried out from each seed")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    for what, value in describe():
        print(f"{what:10} {value}")
    seeds = range(arguments.first_seed, arguments.first_seed + arguments.seeds)
    started, commands, facts = time.monotonic(), 0, Counter[str]()
    with ProcessPoolExecutor(arguments.jobs) as pool:
        for each in pool.map(run, seeds, repeat(arguments.steps)):
            if each.difference:
                print(f"DIFFERENCE from {each.difference}")
                pool.shutdown(cancel_futures=True)
                return 1
            commands += each.commands
            facts += each.facts
    for fact, count in sorted(facts.items()):
        print(f"{fact:40} {count:>10,}")
    print(
        f"the same: {commands:,} commands, {facts.total():,} facts of seeds {seeds[0]} to {seeds[-1]},"
        f" {arguments.steps} steps each, in {time.monotonic() - started:,.0f} s"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
