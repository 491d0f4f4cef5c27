"""Mutation testing of `matching/` and `risk/`: how many small faults the fast tests notice, and which they do not.

`make mutation`, or `python -m tests.integration.mutation [--seed 1] [--tenths 1] [--jobs 1]`. mutmut changes one
expression of one function at a time and runs the tests that come through it: scenario tables, unit tests of the
matcher and of risk, and the matcher against the naive model from seeds; the native matcher takes no part. The seed
draws which tenths of the mutants are tried: those whose number ends in one of so many digits. Prints what
`docs/testing.md` says; the mutants and their results stay in `build/mutation`, where `mutmut show NAME` shows one.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from benchmarks.run_info import describe

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "build" / "mutation"
COPIED = ("src", "tests", "benchmarks", "docs", "pyproject.toml", "README.md", "Makefile")
LEFT_OUT = " and not ".join(
    (
        "not native",
        "test_equality",
        "properties",
        "AgainstNaive",
        "naive_model",
        "workload",
        "test_random_commands",
        "test_the_seeds_reach",
    )
)
"""Tests of the native matcher, and long ones."""
CONFIGURATION = f"""
[tool.mutmut]
source_paths = ["src"]
only_mutate = ["src/exchange/matching/*", "src/exchange/risk/*"]
do_not_mutate = ["src/exchange/matching/native.py"]
also_copy = ["tests", "benchmarks", "docs", "README.md", "Makefile"]
pytest_add_cli_args_test_selection = ["tests/scenarios", "tests/risk", "tests/matching"]
pytest_add_cli_args = ["-k", "{LEFT_OUT}", "-p", "no:cacheprovider", "-x", "--timeout=600"]
"""
SURVIVED, UNTRIED = 0, (None, 2)
NOT_REACHED = (5, 33)
"""Exit codes of mutmut: the tests passed; it was not run; no test comes through the function. All others noticed it."""


def main() -> int:
    """Try a part of the mutants; print the score of each module and the names of those that live."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tenths", type=int, default=1, choices=range(1, 11), help="of all mutants")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--report", action="store_true", help="run nothing; of a run that was stopped too")
    arguments = parser.parse_args()
    digits = sorted(random.Random(arguments.seed).sample(range(10), arguments.tenths))
    started = time.monotonic()
    if not arguments.report:
        _prepare()
        names = [f"exchange.*__mutmut_*{digit}" for digit in digits]
        command = [sys.executable, "-m", "mutmut", "run", "--max-children", str(arguments.jobs), *names]
        subprocess.run(command, cwd=FOLDER, check=False, preexec_fn=lambda: os.nice(15))
    results = _results()
    if not any(results.values()):
        print(f"mutation: mutmut tried nothing; its files are in {FOLDER.relative_to(ROOT)}")
        return 1
    print(f"\nseed {arguments.seed}, {arguments.tenths} of 10 parts (mutants ending in {digits})")
    for what, value in describe():
        print(f"{what:10} {value}")
    _report(results)
    print(f"{time.monotonic() - started:,.0f} s")
    return 0


def _prepare() -> None:
    """Copy what the tests need to a folder of its own, so that nothing here is changed."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(
                ROOT / name, FOLDER / name, ignore=shutil.ignore_patterns("__pycache__", "static")
            )
        else:
            shutil.copy(ROOT / name, FOLDER / name)
    with (FOLDER / "pyproject.toml").open("a") as configuration:
        configuration.write(CONFIGURATION)


def _results() -> dict[str, dict[str, int]]:
    """Read the exit code of each mutant that was tried, by module and name."""
    source = FOLDER / "mutants" / "src" / "exchange"
    found = {}
    for path in sorted(source.glob("*/*.py.meta")):
        codes = json.loads(path.read_text())["exit_code_by_key"]
        module = str(path.relative_to(source)).removesuffix(".meta")
        found[module] = {name: code for name, code in codes.items() if code not in UNTRIED}
    return {module: codes for module, codes in found.items() if codes}


def _report(results: dict[str, dict[str, int]]) -> None:
    """Print a row for each module, and for all; then what lives."""
    print("\n| module | tried | noticed | lives | no test | score |\n|---|---|---|---|---|---|")
    total = Counter[str]()
    for module, codes in results.items():
        counts = Counter(map(_word, codes.values()))
        total += counts
        print(_row(module, counts))
    print(_row("all", total))
    for codes in results.values():
        for name, code in codes.items():
            if _word(code) != "noticed":
                print(f"{_word(code):8} {name}")


def _word(code: int) -> str:
    if code == SURVIVED:
        return "lives"
    return "no test" if code in NOT_REACHED else "noticed"


def _row(name: str, counts: Counter[str]) -> str:
    tried = counts.total()
    score = 100 * counts["noticed"] / tried
    return f"| {name} | {tried} | {counts['noticed']} | {counts['lives']} | {counts['no test']} | {score:.0f} % |"


if __name__ == "__main__":
    sys.exit(main())
