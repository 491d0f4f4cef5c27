"""The page of figures and what a running exchange shows are the same."""

from __future__ import annotations

import re
from pathlib import Path

from exchange.launch.metric_catalogue import GROUPS, renewed
from tests.launch.everything import TYPE, shown_figures

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \|", re.MULTILINE)


async def test_every_figure_that_is_shown_is_on_the_page_and_the_other_way_round(tmp_path: Path) -> None:
    texts = await shown_figures(tmp_path / "data")
    shown = {family for text in texts.values() for family in TYPE.findall(text)}
    assert shown == set(ROW.findall(PAGE.read_text(encoding="utf-8")))


def test_the_tables_of_the_page_are_as_declared() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == renewed(page), "run: python -m exchange.launch.metric_catalogue docs/metrics.md"


def test_a_name_means_one_thing_everywhere() -> None:
    meanings: dict[str, set[tuple[str, str, tuple[str, ...]]]] = {}
    for group in GROUPS:
        for family in group.families:
            meanings.setdefault(family.name, set()).add((family.kind, family.text, family.labels))
    assert {name: found for name, found in meanings.items() if len(found) > 1} == {}


def test_every_name_is_ours_and_every_meaning_a_sentence() -> None:
    for group in GROUPS:
        for family in group.families:
            assert re.fullmatch(r"exchange_[a-z_]+", family.name)
            assert family.text.endswith(".")
            assert "|" not in family.text
