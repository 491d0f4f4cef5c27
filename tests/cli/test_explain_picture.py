"""How an explanation is cut into lines and tables."""

from __future__ import annotations

from exchange.cli.explain_picture import Picture, Text, blocks
from tests.cli.test_explain import TOLD


def test_a_ladder_has_one_row_for_each_price_the_highest_first() -> None:
    *_, ladder = (block for block in blocks(TOLD) if isinstance(block, Picture))
    assert ladder.columns == [">buy before", ">sell before", ">price", ">buy after", ">sell after"]
    assert ladder.rows == [["", "100 ", "10.00", "", ""], ["", "", "9.50", "30*", ""]]


def test_the_row_that_counts_has_an_arrow() -> None:
    table, *_ = (block for block in blocks(TOLD) if isinstance(block, Picture))
    assert table.rows == [["", "9.00", "5"], ["=>", "10.00", "10"]]


def test_the_headline_comes_first_and_the_proof_last() -> None:
    first, *_, last = (block for block in blocks(TOLD) if isinstance(block, Text))
    assert first == Text(TOLD["headline"], "bold")
    assert "running hash 59efe10711572ac8, as in the journal" in last.text
