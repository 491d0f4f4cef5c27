"""Read the scenario files: `scenario:` lines, steps, and what each step leads to. The README has the language."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent
_TITLE = re.compile(r"scenario(?: \(at most (?P<limit>\d+)\))?: (?P<title>.+)")


class Step(NamedTuple):
    """One line of a scenario. expected: what follows from it, in this order."""

    line: int
    text: str
    expected: list[str]


class Scenario(NamedTuple):
    """A rule of the market, shown. limit: how small every table of the venue is, 0 for as usual."""

    file: str
    title: str
    limit: int
    steps: list[Step]


class ScenarioError(ValueError):
    """A scenario file that breaks its language; the message names file and line."""


def read_scenarios() -> list[Scenario]:
    """Read all scenario files of this folder."""
    return [
        scenario for path in sorted(FOLDER.glob("*.txt")) for scenario in parse(path.name, path.read_text())
    ]


def parse(file: str, text: str) -> list[Scenario]:
    """Read the scenarios of one file. Raise `ScenarioError` at a line that is none of the language."""
    scenarios: list[Scenario] = []
    for number, line in enumerate(text.splitlines(), 1):
        line = line.split("#")[0].strip()
        if not line:
            continue
        if title := _TITLE.fullmatch(line):
            scenarios.append(Scenario(file, title["title"], int(title["limit"] or 0), []))
        elif not scenarios:
            raise ScenarioError(f"{file}:{number}: {line!r} before the first 'scenario: …' line")
        else:
            _add(scenarios[-1].steps, file, number, line)
    return scenarios


def _add(steps: list[Step], file: str, number: int, line: str) -> None:
    """Add a step, or a further line of what the step before leads to."""
    text, arrow, outcome = (part.strip() for part in line.partition("=>"))
    if text:
        steps.append(Step(number, text, []))
    elif not steps:
        raise ScenarioError(f"{file}:{number}: '=>' before the scenario's first step")
    if arrow and not outcome:
        raise ScenarioError(f"{file}:{number}: nothing after '=>'; write 'nothing' where nothing follows")
    if arrow and outcome != "nothing":
        steps[-1].expected.append(outcome)
