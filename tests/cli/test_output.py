"""Tables and facts are laid out for people, and what comes from outside cannot play with the terminal."""

from __future__ import annotations

import pytest

from exchange.cli.output import print_facts, print_json, print_table, show, table_lines


def test_columns_are_as_wide_as_they_must_be_and_figures_stand_right() -> None:
    assert table_lines(("name", ">qty"), [["AAPL", "5"], ["X", "1000"]]) == [
        "name   qty",
        "AAPL     5",
        "X     1000",
    ]


def test_an_empty_table_says_what_there_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("name",), [], "no symbols")
    assert capsys.readouterr().out == "no symbols\n"


def test_facts_are_aligned_and_plain(capsys: pytest.CaptureFixture[str]) -> None:
    print_facts([("id", 7), ("post only", True), ("price", None)])
    assert capsys.readouterr().out == "id         7\npost only  yes\nprice      \n"


def test_control_characters_do_not_reach_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_facts([("name", "x\x1b[2Jy\n")])
    assert capsys.readouterr().out == "name  x?[2Jy?\n"


def test_json_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"name": "é", "items": [1]})
    assert capsys.readouterr().out == '{"name": "é", "items": [1]}\n'


def test_an_answer_is_shown_as_it_was_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    show({"a": 1}, True, print)
    show({"a": 1}, False, lambda value: print("a is", value["a"]))
    assert capsys.readouterr().out == '{"a": 1}\na is 1\n'
