"""Perform every scenario on every matcher that is there."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import cast

import pytest

from exchange.domain.reasons import Reason
from exchange.matching.venue import Venue
from exchange.matching.venue_state import LIMITS, VenueLimits
from tests.scenarios.language import Scenario, ScenarioError, parse, read_scenarios
from tests.scenarios.stage import Stage

SCENARIOS = read_scenarios()
Matcher = Callable[[VenueLimits], Venue]


def python_venue(limits: VenueLimits) -> Venue:
    return Venue(limits=limits)


def native_venue(limits: VenueLimits) -> Venue:
    native = pytest.importorskip(
        "exchange.matching.native",
        reason="the wheel exchange-native is not installed: install Rust and run `make setup`",
        exc_type=ImportError,
    )
    return cast(Venue, native.NativeVenue(limits=limits))


@pytest.fixture(params=[python_venue, native_venue], ids=["python", "native"])
def matcher(request: pytest.FixtureRequest) -> Matcher:
    return cast(Matcher, request.param)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: f"{s.file[:-4]}: {s.title}")
def test_the_scenario_comes_out(matcher: Matcher, scenario: Scenario) -> None:
    limits = VenueLimits(*[scenario.limit] * len(LIMITS.__struct_fields__)) if scenario.limit else LIMITS
    stage = Stage(matcher(limits))
    for step in scenario.steps:
        followed = stage.perform(step.text)
        assert said_as(followed, step.expected) == step.expected, f"{scenario.file}:{step.line}: {step.text}"
    venue = stage.desk.venue
    assert type(venue).restore(venue.snapshot()).digest() == venue.digest()


def said_as(followed: list[str], expected: list[str]) -> list[str]:
    """Leave out the parts in brackets that the expected line at the same place leaves out."""
    wanted = [*expected, *[""] * len(followed)]
    return [
        re.sub(r" \[(\w+)[^]]*\]", lambda part, w=want: part[0] if f"[{part[1]} " in w else "", line)
        for line, want in zip(followed, wanted, strict=False)
    ]


def test_every_reason_is_seen_in_some_scenario() -> None:
    said = " ".join(line for scenario in SCENARIOS for step in scenario.steps for line in step.expected)
    unseen = [reason.name for reason in Reason if reason and not re.search(rf"\b{reason.name}\b", said)]
    assert unseen == []


def test_titles_are_not_used_twice() -> None:
    titles = [(scenario.file, scenario.title) for scenario in SCENARIOS]
    assert len(titles) == len(set(titles))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("buy 1 @ 1.00 by ann as b1", "before the first 'scenario"),
        ("scenario: a\n=> accepted b1", "before the scenario's first step"),
        ("scenario: a\nbook =>", "nothing after '=>'"),
    ],
)
def test_a_line_that_breaks_the_language_is_named(text: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        parse("x.txt", text)
