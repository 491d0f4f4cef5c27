"""Tables of the clearing house, one scenario after the other: every step with every entry that it books.

`tables/*.txt` have the form of `tests/scenarios`: a step, `=>`, and what it leads to, all of it.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from exchange.post_trade.house_ledger import HouseCode, HouseHolder, Phase
from exchange.post_trade.waterfall import Layer
from tests.post_trade.house_stage import HouseStage

TABLES = Path(__file__).with_name("tables")


class Line(NamedTuple):
    """A step and what the table says of it."""

    number: int
    step: str
    expected: list[str]


def scenarios_of(path: Path) -> dict[str, list[Line]]:
    """Read the scenarios of a file by their names."""
    found: dict[str, list[Line]] = {}
    lines: list[Line] = []
    for number, text in enumerate(path.read_text().splitlines(), 1):
        plain = text.split("#")[0].strip()
        if plain.startswith("scenario: "):
            name = plain.removeprefix("scenario: ")
            assert name not in found, f"{path.name}:{number}: a second scenario is called {name!r}"
            lines = found[name] = []
        elif plain:
            step, _, said = (part.strip() for part in plain.partition("=>"))
            if step:
                lines.append(Line(number, step, []))
            if said:
                lines[-1].expected.append(said)
    return found


SCENARIOS = [
    pytest.param(path.name, lines, id=f"{path.stem}: {name}")
    for path in sorted(TABLES.glob("*.txt"))
    for name, lines in scenarios_of(path).items()
]


@pytest.mark.parametrize(("file", "lines"), SCENARIOS)
def test_a_step_books_what_the_table_says_and_nothing_else(file: str, lines: list[Line]) -> None:
    stage = HouseStage()
    for line in lines:
        assert stage.play(line.step) == line.expected, f"{file}:{line.number}: {line.step}"


@pytest.mark.parametrize(
    "words",
    [
        [layer.value for layer in Layer],
        [f", {code.name.lower()}" for code in (HouseCode.DELIVERY, HouseCode.FEE, HouseCode.MARGIN, HouseCode.FUND,
                                               HouseCode.CAPITAL, HouseCode.DEFAULT, HouseCode.CORRECTION)],
        [f", {phase.name.lower()}" for phase in (Phase.PENDING, Phase.VOID)],
        [holder.name.lower() for holder in HouseHolder],
        ["refused: ", "receives nothing: no money", "call 0.00", "nothing is to be charged", "uncovered "],
    ],
    ids=["waterfall", "codes", "phases", "accounts", "answers"],
)  # fmt: skip
def test_the_tables_show_every_kind(words: list[str]) -> None:
    shown = "\n".join(path.read_text() for path in sorted(TABLES.glob("*.txt")))
    assert [word for word in words if word not in shown] == []
