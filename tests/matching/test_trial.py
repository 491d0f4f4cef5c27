"""A rule on trial gets the same flow, and what came of it is told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.domain import commands as c
from exchange.domain.allocation import PRICE_TIME, Allocation, parse_step
from exchange.domain.order import Side
from exchange.matching.allocation import AllocationError, Standing, StepList
from exchange.matching.trial import Fill, Maker, fills, run
from exchange.wire.records import encode_command
from tests.matching.desk import ANN, BOB, CAT, OPENING, START_NS, XYZ, order
from tests.matching.small_world import eight_bytes, enter, enter_iceberg, enter_special

SELLS = (order(Side.SELL, 10, 100_000, ANN), order(Side.SELL, 30, 100_000, BOB))


def flow(*commands: c.Command) -> list[tuple[bytes, int]]:
    return [
        (encode_command(command, sequence), START_NS)
        for sequence, command in enumerate((*OPENING, *commands), 1)
    ]


def steps(*texts: str) -> Allocation:
    return Allocation(tuple(map(parse_step, texts)))


class NewestFirst:
    def allocate(self, quantity: int, orders: Sequence[Standing], lot: int) -> list[int]:
        given = []
        for each in reversed(orders):
            given.insert(0, min(quantity, each.quantity))
            quantity -= given[0]
        return given


class TooMuch:
    def allocate(self, quantity: int, orders: Sequence[Standing], lot: int) -> list[int]:
        return [each.quantity for each in orders]


def test_a_rule_of_ones_own_shares_out_in_place_of_price_and_time() -> None:
    commands = flow(*SELLS, order(Side.BUY, 20, 100_000, CAT))
    assert [(fill.account_id, fill.quantity) for fill in fills(commands)] == [(ANN, 10), (BOB, 10)]
    assert fills(commands, NewestFirst()) == [Fill(11, BOB, 100_000, 20)]


def test_what_came_of_a_flow_is_counted() -> None:
    outcome = run(
        flow(*SELLS, order(Side.BUY, 20, 100_000, CAT), order(Side.BUY, 8, 100_000, CAT)), NewestFirst()
    )
    assert (outcome.trades, outcome.shares, outcome.shares_a_trade) == (2, 28, 14)
    assert (outcome.filled, outcome.live) == (2, 2)
    assert outcome.makers == {BOB: Maker(BOB, shares=28, trades=2, orders=1)}
    assert run(flow()).shares_a_trade == 0


def test_a_trial_of_steps_leads_where_the_command_leads() -> None:
    allocation = steps("top,min=20", "pro_rata,min=2", "fifo")
    more = [
        order(Side.SELL, 20, 99_900, ANN),
        order(Side.SELL, 60, 99_900, BOB),
        order(Side.BUY, 41, 99_900, CAT),
    ]
    on_trial = fills(flow(c.Tick(), *SELLS, *more), StepList(allocation))
    command = c.SetAllocation(symbol_id=XYZ, steps=allocation.steps)
    assert fills(flow(command, *SELLS, *more)) == on_trial
    assert [fill.quantity for fill in on_trial] == [20, 21]


def test_price_and_time_on_trial_are_price_and_time() -> None:
    commands = flow(*SELLS, order(Side.BUY, 20, 100_000, CAT))
    assert run(commands, StepList(PRICE_TIME)).running_hash == run(commands).running_hash


def test_what_cannot_be_given_ends_the_trial() -> None:
    with pytest.raises(AllocationError, match="gave 40 in all, 20 were to be given"):
        run(flow(*SELLS, order(Side.BUY, 20, 100_000, CAT)), TooMuch())


any_entry = st.sampled_from((enter, enter, enter_iceberg, lambda eight: enter_special(eight, START_NS)))


@given(st.lists(st.tuples(any_entry, eight_bytes), max_size=60))
@settings(max_examples=60, deadline=None)
def test_a_list_of_fifo_is_price_time_priority_event_by_event(drawn: list[Any]) -> None:
    commands = flow(*(make(eight) for make, eight in drawn))
    by_time = run(commands).running_hash
    assert run(commands, StepList(PRICE_TIME)).running_hash == by_time
    assert run(commands, StepList(steps("fifo"))).running_hash == by_time
