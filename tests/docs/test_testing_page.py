"""The tests that docs/testing.md names are there, and no property is missing from it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PAGE = (TESTS.parent / "docs" / "testing.md").read_text()
NAMED = re.findall(r"`([a-z_/]+\.py)::(test_\w+)`", PAGE)


def named_in(name: str) -> set[str]:
    """Return the names of a file's tests, and of what it assigns as one."""
    body = ast.parse((TESTS / name).read_text()).body
    functions = {node.name for node in body if isinstance(node, ast.FunctionDef)}
    assigned = {
        target.id
        for node in body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    return {test for test in functions | assigned if test.startswith("test_")}


@pytest.mark.parametrize(("file", "test"), NAMED, ids=[test for _, test in NAMED])
def test_a_test_that_the_page_names_is_there(file: str, test: str) -> None:
    assert test in named_in(file)


def test_every_property_of_the_market_is_on_the_page() -> None:
    named = {test for _, test in NAMED}
    assert len(NAMED) > 20
    for file in ("matching/test_market_properties.py", "matching/test_properties.py"):
        assert named_in(file) - named == set(), f"write these of {file} into docs/testing.md"
