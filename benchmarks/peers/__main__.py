"""Messages per second of this exchange and of other order books: same streams, same run, in turns, fills compared.

`python -m benchmarks.peers [--rounds 3] [--only TEXT]`. In each round every engine runs once, in a process of its own;
the first passes of a process warm it up, the rest count. A speed counts only with the right fills.
"""

from __future__ import annotations

import argparse
import lzma
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.peers.engines import ENGINES, Engine, build, command_of
from benchmarks.run_info import describe
from benchmarks.workload import CHECK_POINTS, FOLDER, Fills, is_present

ENDS_AFTER_S = 600
"""A process that takes longer is ended, and its engine is said to be too slow."""


class Result(NamedTuple):
    """What an engine's runs over one stream gave. rates: messages per second of each pass that counts."""

    rates: list[float]
    disagreements: set[str]

    @property
    def rate(self) -> float:
        """The median, in messages per second."""
        return median(self.rates)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="engines whose name has this text, and our own")
    arguments = parser.parse_args()
    streams = [name for name in "AB" if is_present(name)]
    if not streams:
        print(f"skipped: no streams in {FOLDER}")
        return 0
    for what, value in describe():
        print(f"{what:10} {value}")
    missing = build()
    chosen = [one for one in ENGINES if arguments.only in one.name or one.is_own]
    for engine in chosen:
        if missing[engine.needs]:
            print(f"left out: {engine.name}: {missing[engine.needs]}")
    chosen = [engine for engine in chosen if not missing[engine.needs]]
    with tempfile.TemporaryDirectory() as folder:
        files = {name: _unpacked(name, Path(folder)) for name in streams}
        results = _rounds(chosen, files, arguments.rounds)
    return _report(chosen, results)


def _unpacked(name: str, folder: Path) -> Path:
    path = folder / f"{name}.bin"
    with lzma.open(FOLDER / f"{name}.bin.xz") as packed:
        path.write_bytes(packed.read())
    return path


def _rounds(engines: list[Engine], files: dict[str, Path], rounds: int) -> dict[tuple[str, str], Result]:
    """Run all engines in turns, so many times; return the results by engine and stream."""
    results: dict[tuple[str, str], Result] = {}
    for number in range(rounds):
        for name, file in files.items():
            for engine in engines:
                if name in engine.records:
                    result = results.setdefault((engine.name, name), Result([], set()))
                    _run(engine, name, file, result)
                    last = f"{result.rates[-1]:,.0f} msg/s" if result.rates else "nothing"
                    print(f"round {number + 1} stream {name}: {engine.name}: {last}", flush=True)
    return results


def _run(engine: Engine, name: str, file: Path, result: Result) -> None:
    records = engine.records[name]
    command = command_of(engine, name, file, engine.passes)
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=ENDS_AFTER_S, check=False)
    except subprocess.TimeoutExpired:
        result.disagreements.add(f"took longer than {ENDS_AFTER_S} s")
        return
    passes = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith("pass ")]
    if len(passes) != engine.passes:
        result.disagreements.add(f"ended after {len(passes)} passes: {done.stderr.strip()[-200:]}")
    for seconds, *counts in passes[-engine.kept :]:
        result.rates.append(records / float(seconds))
        seen, wanted = Fills(*map(int, counts[:4]), rejects=int(counts[4])), CHECK_POINTS[name][records]
        if seen != wanted._replace(live=0):
            result.disagreements.add(f"{seen} instead of {wanted}")


def _report(engines: list[Engine], results: dict[tuple[str, str], Result]) -> int:
    """Print the table for the documentation; return 1 where our own fills are wrong."""
    print("\n| engine | language | A msg/s | we are | B msg/s | we are | fills | what it is |")
    print("|---|---|---|---|---|---|---|---|")
    for engine in engines:
        cells = [cell for name in "AB" for cell in _cells(engine, name, results)]
        told = {text for name in "AB" for text in results.get((engine.name, name), Result([], set()))[1]}
        verdict = "; ".join(sorted(told)) or "all, hash"
        print(f"| {engine.name} | {engine.language} | {' | '.join(cells)} | {verdict} | {engine.lacks} |")
    return int(any(results[key].disagreements for key in results if key[0].startswith("stock-exchange")))


def _cells(engine: Engine, name: str, results: dict[tuple[str, str], Result]) -> tuple[str, str]:
    """Return the speed and how many times ours, driven from Python, is faster; both empty where not measured."""
    result, own = results.get((engine.name, name)), results.get((ENGINES[0].name, name))
    if result is None or not result.rates:
        return "not run", ""
    records = engine.records[name]
    part = "" if records == 1_000_000 else f" (first {records:,})"
    ratio = f"{own.rate / result.rate:,.1f} ×" if own and own.rates and not engine.is_own else ""
    return f"{result.rate:,.0f}{part}", ratio


if __name__ == "__main__":
    sys.exit(main())
