"""What is known of a type before the first message."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta

from exchange.infra.type_tree import (
    DEPTH_UNKNOWN,
    choices_of,
    depth_of,
    field_names,
    has_open_numbers,
    step,
    tree_of,
)
from tests.infra.http_server import Echo, Leave, Leg, NewOrder


class Tree(msgspec.Struct, forbid_unknown_fields=True):
    left: Tree | None = None


class Loose(msgspec.Struct):
    name: str


class Wide(msgspec.Struct, forbid_unknown_fields=True):
    anything: Any


@pytest.mark.parametrize(
    ("kind", "depth"),
    [
        (int, 0),
        (str | None, 0),
        (list[int], 1),
        (list[list[str]], 2),
        (dict[str, list[int]], 2),
        (tuple[int, str], 1),
        (Leg, 1),
        (NewOrder, 3),
        (list[NewOrder], 4),
        (Tree, DEPTH_UNKNOWN),
        (Loose, DEPTH_UNKNOWN),
        (Wide, DEPTH_UNKNOWN),
        (Any, DEPTH_UNKNOWN),
    ],
)
def test_the_depth_of_a_type_is_counted(kind: Any, depth: int) -> None:
    assert depth_of(tree_of(kind)) == depth


@pytest.mark.parametrize(
    ("kind", "is_open"),
    [
        (str, False),
        (int, True),
        (str | int, True),
        (Annotated[int, Meta(ge=0, le=100)], False),
        (Annotated[int, Meta(gt=0, lt=2**62)], True),
        (list[Annotated[int, Meta(ge=0, le=100)]], False),
        (Leave, False),
        (Leg, True),
        (Tree, False),
        (Any, True),
    ],
)
def test_numbers_without_a_limit_are_found(kind: Any, is_open: bool) -> None:
    assert has_open_numbers(tree_of(kind)) is is_open


def test_a_path_leads_to_the_field_inside() -> None:
    legs = step(tree_of(NewOrder), "legs")
    assert legs is not None
    assert field_names(step(legs, "[0]")) == ["symbol", "ratio"]
    assert step(tree_of(NewOrder), "nothing") is None


def test_choices_are_those_of_enumerations_literals_and_tags() -> None:
    side = step(tree_of(NewOrder), "side")
    assert choices_of(side) == ["buy", "sell"]
    assert choices_of(tree_of(Literal["a", "b"] | None)) == ["a", "b"]
    assert choices_of(step(tree_of(Echo | Leave), "op")) == ["echo", "leave"]
