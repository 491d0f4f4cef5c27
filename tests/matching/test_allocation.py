"""Who gets what at one price: tables worked by hand, and what holds whatever the steps are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.domain.allocation import PRICE_TIME, Allocation, LeadMaker, parse_step
from exchange.matching.allocation import AllocationError, Standing, StepList, allocate, checked

LONG = 60


def steps(text: str, *makers: LeadMaker) -> Allocation:
    return Allocation(tuple(parse_step(each) for each in text.split()), makers)


def level(*quantities: int, top: int = -1) -> list[Standing]:
    """Orders of accounts 1, 2, 3, …; the one at place `top` bettered the price."""
    return [
        Standing(quantity, place + 101, place + 1, place, place == top)
        for place, quantity in enumerate(quantities)
    ]


@pytest.mark.parametrize(
    ("text", "quantity", "standing", "given_out"),
    [
        # CME Globex Advisory Notice 020705-1: 50 by size over 150, below two is nothing, three over for the oldest.
        ("top pro_rata,min=2 fifo", 60, level(10, 5, 20, 50, 75, top=0), [10, 3, 6, 16, 25]),
        # 30 over 100: 3, 9 and 18.
        ("pro_rata", 30, level(10, 30, 60), [3, 9, 18]),
        # 1.8, 5.4 and 10.8, dropped to 16; two over: the first has room for them.
        ("pro_rata", 18, level(10, 30, 60), [3, 5, 10]),
        # The same rounded up, the largest first: 11, 6, and one is left.
        ("pro_rata,rounding=up", 18, level(10, 30, 60), [1, 6, 11]),
        # Rounded up and equal in size: the oldest first.
        ("pro_rata,rounding=up", 4, level(10, 10, 10), [2, 2, 0]),
        # Nobody reaches the minimum: all to the oldest.
        ("pro_rata,min=50 fifo", 40, level(30, 60), [30, 10]),
        # FIFO before anything else leaves nothing.
        ("fifo pro_rata", 40, level(30, 60), [30, 10]),
        # A top order that is not here gets nothing.
        ("top pro_rata", 30, level(10, 20, 30), [5, 10, 15]),
        # 25 % of 40 is 10, at most 8; of 32, by size over 22 and 50: 9.78 and 22.22, one over for the top order.
        ("top,share=2500,max=8 pro_rata", 40, level(30, 50, top=0), [18, 22]),
        # Leveling: 5 over 100: 0.05 nothing, 0.45 nothing, 4.5; one over goes to the first that got nothing.
        ("pro_rata leveling", 5, level(1, 9, 90), [1, 0, 4]),
        # Split half and half: 10 for the oldest, 10 by size over 20 and 30: 4 and 6.
        ("split,share=5000 fifo pro_rata", 20, level(30, 30), [14, 6]),
        # Split, the other way round: 10 by size over 30 and 30, then what is set aside for FIFO.
        ("split,share=5000 pro_rata fifo", 20, level(30, 30), [15, 5]),
    ],
)
def test_what_each_order_gets(
    text: str, quantity: int, standing: list[Standing], given_out: list[int]
) -> None:
    assert allocate(quantity, standing, steps(text)) == given_out


def test_lead_market_makers_are_served_from_what_there_was_when_their_step_began() -> None:
    allocation = steps("lead fifo", LeadMaker(3, 4_000), LeadMaker(2, 6_000))
    assert allocate(10, level(50, 50, 50), allocation) == [0, 6, 4]


def test_a_lead_market_maker_that_has_less_leaves_its_share_to_the_steps_behind() -> None:
    allocation = steps("lead pro_rata", LeadMaker(2, 5_000))
    assert allocate(40, level(50, 5, 50), allocation) == [18, 5, 17]


def test_shares_are_whole_lots_and_fifo_gives_what_there_is() -> None:
    assert allocate(70, level(100, 205), steps("pro_rata"), lot=10) == [30, 40]
    assert allocate(75, level(100, 205), steps("pro_rata"), lot=10) == [25, 50]
    assert allocate(30, level(100, 200), steps("pro_rata,rounding=up"), lot=10) == [10, 20]


any_step = st.sampled_from(
    [
        "fifo", "pro_rata", "pro_rata,min=3", "pro_rata,rounding=up", "pro_rata,min=2,rounding=up", "leveling",
        "top", "top,share=3000", "top,max=4", "lead", "split,share=2500",
    ]
)  # fmt: skip
any_level = st.lists(
    st.builds(Standing, st.integers(1, LONG), st.integers(1, 5), st.integers(1, 4)), min_size=1, max_size=9
)
any_makers = st.lists(st.builds(LeadMaker, st.integers(1, 4), st.integers(1, 2_500)), max_size=4)


@given(st.integers(1, LONG * 9), any_level, st.lists(any_step, max_size=8), any_makers, st.integers(1, 12))
def test_every_share_is_given_and_nobody_gets_more_than_it_has(
    quantity: int, orders: list[Standing], texts: list[str], makers: list[LeadMaker], lot: int
) -> None:
    orders = [order._replace(is_top=place == 1) for place, order in enumerate(orders)]
    given_out = allocate(quantity, orders, steps(" ".join(texts), *makers), lot)
    assert sum(given_out) == min(quantity, sum(order.quantity for order in orders))
    assert all(0 <= got <= order.quantity for got, order in zip(given_out, orders, strict=True))


@given(st.integers(1, LONG * 9), any_level, st.sampled_from(["", "fifo", "fifo pro_rata", "fifo fifo"]))
def test_a_list_that_begins_with_fifo_is_price_time_priority(
    quantity: int, orders: list[Standing], text: str
) -> None:
    left = quantity
    oldest_first = []
    for order in orders:
        oldest_first.append(min(left, order.quantity))
        left -= oldest_first[-1]
    assert allocate(quantity, orders, steps(text)) == oldest_first


@given(st.integers(1, LONG * 9), any_level)
def test_pro_rata_gives_nobody_a_lot_less_than_its_part(quantity: int, orders: list[Standing]) -> None:
    total = sum(order.quantity for order in orders)
    given_out = allocate(quantity, orders, steps("pro_rata"))
    for order, got in zip(orders, given_out, strict=True):
        assert got * total > (min(quantity, total) * order.quantity) - total


def test_nothing_is_decided_where_no_step_is() -> None:
    assert StepList(PRICE_TIME).allocate(15, level(10, 10), 1) == [10, 5]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ([5], "was asked about 2 orders and answered for 1"),
        ([11, 0], "gave 11 to order 101; it must be a whole number from 0 to the 10"),
        ([-1, 10], "gave -1 to order 101"),
        ([5.0, 5], "gave 5.0 to order 101"),
        ([5, 5], "gave 10 in all, 15 were to be given"),
    ],
)
def test_an_answer_that_cannot_be_is_told_with_its_order(answer: list[int], message: str) -> None:
    with pytest.raises(AllocationError, match=message):
        checked(15, level(10, 10), answer)


def test_an_answer_that_can_be_is_taken_as_it_is() -> None:
    assert checked(15, level(10, 10), [6, 9]) == [6, 9]
    assert checked(50, level(10, 10), [10, 10]) == [10, 10]
