"""Every paragraph of the rulebook is linked to the scenarios that show it, and the files it links to are there."""

from __future__ import annotations

import re
from pathlib import Path

RULEBOOK = Path(__file__).parents[2] / "docs" / "rulebook.md"
IN_THE_BOOKS = {"9.9"}
"""What clearing does with it, which no scenario of the venue shows."""


def linked(text: str) -> tuple[set[str], set[str]]:
    """Return the numbers of all paragraphs, and of those with a scenario: in themselves, or by a link for a range."""
    numbers, shown = [], set()
    for paragraph in re.split(r"^(?=\*\*\d+\.\d+ )", text, flags=re.MULTILINE)[1:]:
        found = re.match(r"\*\*(\d+\.\d+) ", paragraph)
        assert found
        numbers.append(found[1])
        if "(../tests/scenarios/" in paragraph:
            shown.add(found[1])
    for first, last in re.findall(
        r"\[(\d+\.\d+) (?:to|and) (\d+\.\d+): [^]]*\]\(\.\./tests/scenarios/", text
    ):
        shown |= set(numbers[numbers.index(first) : numbers.index(last) + 1])
    return set(numbers), shown


def test_every_paragraph_is_linked_to_its_scenario() -> None:
    numbers, shown = linked(RULEBOOK.read_text())
    assert len(numbers) > 50
    assert numbers - shown - IN_THE_BOOKS == set()


def test_a_paragraph_without_a_link_is_found() -> None:
    assert linked("**1.1 A.** x\n\n**1.2 B.** ([b](../tests/scenarios/b.txt))\n") == ({"1.1", "1.2"}, {"1.2"})


def test_every_linked_scenario_file_is_there() -> None:
    links = re.findall(r"\(\.\./(tests/scenarios/[^)]+)\)", RULEBOOK.read_text())
    assert links
    assert [link for link in links if not (RULEBOOK.parents[1] / link).exists()] == []
