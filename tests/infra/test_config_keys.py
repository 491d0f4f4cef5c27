"""The machinery of the configuration on a small section of its own: reading, checking, and words for mistakes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

import pytest
from msgspec import Meta

from exchange.domain.units import parse_price
from exchange.infra.config_keys import (
    ConfigError,
    Problem,
    Section,
    TableReader,
    Text,
    allowed,
    field_at,
    key_text,
    shown,
    value_from_text,
)

PriceText = Annotated[int, Text(parse_price, str, "189.20")]


class Inner(Section, frozen=True, kw_only=True):
    """A table in a table."""

    depth: Annotated[int, Meta(ge=1, le=9)] = 3


class Item(Section, frozen=True, kw_only=True):
    """One of several."""

    name: str
    price: PriceText = 1

    def mistakes(self) -> Iterable[tuple[str, str]]:
        if self.name == "bad":
            yield "name", "must not be bad"


class Outer(Section, frozen=True, kw_only=True):
    """A table."""

    port: Annotated[int, Meta(ge=0, le=65_535)] = 0
    speed: Literal["slow", "fast"] = "slow"
    on: bool = False
    words: tuple[str, ...] = ()
    code: Annotated[str, Meta(pattern="^[A-Z]{3}$", title="three capital letters")] = "USD"
    inner: Inner = Inner()
    items: tuple[Item, ...] = ()
    rules: tuple[dict[str, Any], ...] = ()


def mistakes_in(table: dict[str, Any]) -> list[str]:
    reader = TableReader("file", {})
    made = reader.read(Outer, table)
    assert (made is None) == bool(reader.problems)
    return [f"{problem.key}: {problem.message}" for problem in reader.problems]


def test_an_empty_table_has_all_defaults() -> None:
    assert TableReader("file", {}).read(Outer, {}) == Outer()


def test_values_become_what_their_key_is() -> None:
    table = {
        "port": 80,
        "speed": "fast",
        "on": True,
        "words": ["a", "b"],
        "inner": {"depth": 4},
        "items": [{"name": "x", "price": "1.5"}],
        "rules": [{"id": "R", "limit": "5"}],
    }
    assert TableReader("file", {}).read(Outer, table) == Outer(
        port=80,
        speed="fast",
        on=True,
        words=("a", "b"),
        inner=Inner(depth=4),
        items=(Item(name="x", price=15_000),),
        rules=({"id": "R", "limit": "5"},),
    )


@pytest.mark.parametrize(
    ("table", "mistake"),
    [
        ({"prot": 1}, '[prot]: no such key; did you mean "port"?'),
        ({"zzz": 1}, "[zzz]: no such key; there are: code, inner, items, on, port, rules, speed, words"),
        ({"port": "80"}, '[port]: must be a whole number from 0 to 65535, got the text "80"'),
        ({"port": 70_000}, "[port]: must be a whole number from 0 to 65535, got the number 70000"),
        ({"port": 1.5}, "[port]: must be a whole number from 0 to 65535, got the number 1.5"),
        ({"port": True}, "[port]: must be a whole number from 0 to 65535, got the boolean true"),
        ({"speed": "fats"}, '[speed]: must be one of "slow", "fast", got the text "fats"'),
        ({"on": 1}, "[on]: must be true or false, got the number 1"),
        ({"words": "a"}, '[words]: must be a list, each text in quotes, got the text "a"'),
        ({"code": "usd"}, '[code]: must be text in quotes, three capital letters, got the text "usd"'),
        ({"inner": 3}, "[inner]: must be a table, got the number 3"),
        ({"inner": {"dept": 3}}, '[inner] dept: no such key; did you mean "depth"?'),
        ({"items": {"name": "x"}}, '[items]: must be a list of tables, got the table {"name": "x"}'),
        ({"items": ["x"]}, '[[items]] 1: must be a table, got the text "x"'),
        ({"items": [{}]}, "[[items]] 1 name: is missing; it must be text in quotes"),
        ({"items": [{"name": "x"}, {"name": "bad"}]}, "[[items]] 2 name: must not be bad"),
        (
            {"items": [{"name": "x", "price": 1.5}]},
            '[[items]] 1 price: must be text in quotes such as "189.20", got the number 1.5',
        ),
        (
            {"items": [{"name": "x", "price": "cheap"}]},
            "[[items]] 1 price: price must be a plain decimal such as 189.20, got 'cheap'",
        ),
        ({"rules": [1]}, "[rules]: must be a list of tables, got the list [1]"),
    ],
)
def test_a_mistake_is_told_with_key_what_was_seen_and_what_is_allowed(
    table: dict[str, Any], mistake: str
) -> None:
    assert mistakes_in(table) == [mistake]


def test_all_mistakes_are_told_at_once() -> None:
    table = {"prot": 1, "port": "x", "inner": {"depth": 10}, "items": [{"nam": "x"}]}
    assert len(mistakes_in(table)) == 5


def test_an_error_counts_its_mistakes_and_names_where_each_came_from() -> None:
    problems = [Problem("a.toml", "[engine] port", "is odd"), Problem("environment X", "", "is unknown")]
    assert str(ConfigError(problems[:1])) == "configuration: 1 mistake\n  a.toml: [engine] port: is odd"
    assert str(ConfigError(problems)).splitlines() == [
        "configuration: 2 mistakes",
        "  a.toml: [engine] port: is odd",
        "  environment X: is unknown",
    ]


def test_a_mistake_in_an_overridden_key_names_its_origin() -> None:
    reader = TableReader("file", {"inner.depth": "environment DEPTH"})
    reader.read(Outer, {"inner": {"depth": 0}, "port": -1})
    assert [problem.origin for problem in reader.problems] == ["file", "environment DEPTH"]


@pytest.mark.parametrize(
    ("path", "value", "read"),
    [
        (["port"], "80", 80),
        (["port"], "eight", "eight"),
        (["on"], "true", True),
        (["speed"], "fast", "fast"),
        (["code"], "123", "123"),
        (["words"], '["a", "b"]', ["a", "b"]),
        (["inner", "depth"], "4", 4),
        (["items"], '[{name = "x"}]', [{"name": "x"}]),
    ],
)
def test_text_from_outside_is_typed_by_its_key(path: list[str], value: str, read: object) -> None:
    field = field_at(Outer, path)
    assert not isinstance(field, str)
    assert value_from_text(field.type, value) == read


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (["prot"], 'no such key; did you mean "port"?'),
        (["iner", "depth"], 'no such section; did you mean "inner"?'),
        (["inner", "dept"], 'no such key; did you mean "depth"?'),
        (["port", "x"], "'port' is a key, not a section"),
    ],
)
def test_a_path_to_no_key_says_why(path: list[str], message: str) -> None:
    assert field_at(Outer, path) == message


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("", ""),
        ("engine", "[engine]"),
        ("engine.port", "[engine] port"),
        ("clearing.rules.version", "[clearing.rules] version"),
        ("symbols.2", "[[symbols]] 2"),
        ("symbols.2.name", "[[symbols]] 2 name"),
        ("symbols.2.ticks.1.from", "[[symbols]] 2 ticks 1 from"),
    ],
)
def test_key_paths_read_like_the_file(path: str, text: str) -> None:
    assert key_text(path) == text


def test_what_is_allowed_is_said_in_words() -> None:
    assert allowed(int) == "a whole number"
    assert allowed(Annotated[int, Meta(ge=3)]) == "a whole number, at least 3"
    assert allowed(tuple[Literal["a", "b"], ...]) == 'a list, each one of "a", "b"'
    assert allowed(tuple[dict[str, int], ...]) == "a list of tables"
    assert allowed(PriceText) == 'text such as "189.20"'


def test_a_long_value_is_shown_short() -> None:
    assert shown("x" * 100) == 'the text "' + "x" * 58 + "…"
