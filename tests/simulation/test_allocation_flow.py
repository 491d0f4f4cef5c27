"""The example flow for trials of allocation is the same for a seed, and says something."""

from __future__ import annotations

import pytest

from exchange.domain.allocation import Allocation, parse_step
from exchange.matching.allocation import StepList
from exchange.matching.trial import run
from exchange.simulation.allocation_flow import EARLY, LARGE, ROUNDS_MAX, SMALL, example_flow


def test_the_same_seed_gives_the_same_flow() -> None:
    assert example_flow(7, 20) == example_flow(7, 20)
    assert example_flow(7, 20) != example_flow(8, 20)


def test_pro_rata_gives_the_large_maker_more_and_the_small_one_less() -> None:
    flow = example_flow(7)
    by_time, by_size = run(flow), run(flow, StepList(Allocation((parse_step("pro_rata,min=2"),))))
    assert by_time.shares == by_size.shares
    assert by_size.makers[LARGE].shares > by_time.makers[LARGE].shares
    assert by_size.makers[EARLY].shares < by_time.makers[EARLY].shares
    assert by_size.makers[SMALL].shares < by_time.makers[SMALL].shares


@pytest.mark.parametrize("rounds", [0, ROUNDS_MAX + 1])
def test_a_flow_of_no_length_or_too_long_is_refused(rounds: int) -> None:
    with pytest.raises(ValueError, match="rounds must be 1 to"):
        example_flow(7, rounds)
