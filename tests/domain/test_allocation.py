"""Allocations as values and as text: which steps there may be, and where."""

from __future__ import annotations

import pytest

from exchange.domain.allocation import (
    Allocation,
    AllocationStep,
    LeadMaker,
    Rounding,
    StepKind,
    first_bad_step,
    lead_makers_fit,
    parse_step,
    step_text,
)


def steps(text: str) -> tuple[AllocationStep, ...]:
    return tuple(parse_step(each) for each in text.split())


@pytest.mark.parametrize(
    ("text", "bad"),
    [
        ("", 0), ("fifo", 0), ("top lead split,share=1 pro_rata fifo leveling", 0), ("pro_rata pro_rata fifo fifo", 0),
        ("top top", 2), ("lead fifo lead", 3), ("split,share=10000 fifo pro_rata", 1), ("split fifo pro_rata", 1),
        ("fifo split,share=5000 pro_rata", 2), ("leveling pro_rata", 1), ("fifo,min=1", 1), ("pro_rata,share=1", 1),
        ("pro_rata,max=1", 1), ("lead,max=1", 1), ("top,share=0", 1), ("pro_rata leveling,min=1", 2),
        ("split,share=1 split,share=1 fifo pro_rata", 2), ("top,rounding=up", 1),
    ],
)  # fmt: skip
def test_the_first_step_that_cannot_be_is_found(text: str, bad: int) -> None:
    assert first_bad_step(steps(text)) == bad


def test_a_kind_or_rounding_that_there_is_not_is_found() -> None:
    assert first_bad_step((AllocationStep(0),)) == 1
    assert first_bad_step((AllocationStep(StepKind.PRO_RATA),)) == 1
    assert first_bad_step((AllocationStep(StepKind.PRO_RATA, 3),)) == 1
    assert first_bad_step((AllocationStep(StepKind.TOP, share_bps=10_001),)) == 1


def test_lead_market_makers_and_their_step_belong_together() -> None:
    lead, fifo = steps("lead"), steps("fifo")
    assert lead_makers_fit(Allocation(lead, (LeadMaker(1, 9_999), LeadMaker(2, 1))))
    assert lead_makers_fit(Allocation(fifo))
    for makers in ([], [(1, 0)], [(1, 1), (1, 1)], [(1, 9_999), (2, 2)]):
        assert not lead_makers_fit(Allocation(lead, tuple(LeadMaker(*maker) for maker in makers)))
    assert not lead_makers_fit(Allocation(fifo, (LeadMaker(1, 1),)))


@pytest.mark.parametrize(
    "text",
    ["fifo", "pro_rata", "pro_rata,min=2,rounding=up", "top,share=10000,min=1,max=9", "split,share=1"],
)
def test_a_step_is_read_as_it_was_written(text: str) -> None:
    assert step_text(parse_step(text)) == text


def test_what_is_not_said_of_a_step_is_the_usual() -> None:
    assert parse_step("Pro-Rata") == AllocationStep(StepKind.PRO_RATA, Rounding.DOWN)
    assert parse_step("top") == AllocationStep(StepKind.TOP, share_bps=10_000)
    assert parse_step("pro_rata,rounding=down").rounding == Rounding.DOWN


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "begins with one of fifo, pro_rata, top, lead, split, leveling; got ''"),
        ("lifo", "got 'lifo'"),
        ("top,most=3", "got 'most=3' in 'top,most=3'"),
        ("top,max=-1", "got 'max=-1'"),
        ("top,max=4294967296", "got 'max=4294967296'"),
        ("pro_rata,rounding=none", "got 'rounding=none'"),
        ("top,share=10001", "at most 10000 basis points; got 10001"),
    ],
)
def test_a_text_that_is_no_step_is_told(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_step(text)
