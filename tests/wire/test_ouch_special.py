"""Sessions with hidden orders, minimums, icebergs and prevented matches: what is asked for, and what is told."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.domain import commands as c
from exchange.domain.order import SelfTradeMode
from exchange.domain.units import ParticipantId
from exchange.wire import ouch_messages as m
from exchange.wire.ouch_codes import RejectReason, Tag
from tests.wire.ouch_market import ALICE, BOB, PRICE, Market, order


def floor(quantity: int) -> m.Appendage:
    return ((Tag.MAX_FLOOR, quantity.to_bytes(4)),)


def minimum(quantity: int) -> m.Appendage:
    return ((Tag.MIN_QUANTITY, quantity.to_bytes(4)),)


def prevented(market: Market, mode: SelfTradeMode) -> None:
    for member in (ALICE, BOB):
        market.carry_out(c.SetSelfTradePrevention(participant_id=ParticipantId(member), group=7, mode=mode))


def aiq(market: Market, number: int, decrement: int, quantity: int, liquidity: str) -> m.AiqCanceled:
    return m.AiqCanceled(
        timestamp=market.time_ns, user_ref_num=number, decrement=decrement, reason="Q",
        quantity_prevented=quantity, price=PRICE, liquidity=liquidity,
    )  # fmt: skip


def test_a_hidden_order_is_in_no_book_and_adds_liquidity_that_is_not_displayed() -> None:
    market = Market()
    (accepted,) = market.answers(ALICE, order(1, display="N"))
    assert (accepted.display, accepted.appendage) == ("N", ())
    assert market.venue.depth(1, 5)[0] == []
    market.send(BOB, order(1, "S"))
    assert [each.liquidity for each in market.said(ALICE)] == ["J"]


def test_an_order_that_waits_for_its_minimum_is_told_to_be_hidden() -> None:
    market = Market()
    (accepted,) = market.answers(ALICE, order(1, appendage=minimum(60)))
    assert (accepted.display, accepted.appendage) == ("N", minimum(60))
    market.send(BOB, order(1, "S", 50))
    assert market.said(ALICE) == []
    market.send(BOB, order(2, "S", 60, PRICE - 100))
    assert [(each.quantity, each.price, each.liquidity) for each in market.said(ALICE)] == [(60, PRICE, "J")]


def test_a_minimum_that_is_not_there_cancels_an_order_that_may_not_wait() -> None:
    market = Market()
    market.send(BOB, order(1, "S", 50))
    answers = market.answers(ALICE, order(1, time_in_force="3", appendage=minimum(60)))
    assert [type(each) for each in answers] == [m.Accepted, m.Canceled]
    assert (answers[0].display, answers[1].reason, answers[1].decrement) == ("Y", "I", 100)


def test_each_part_of_an_iceberg_that_is_shown_is_restated() -> None:
    market = Market()
    (accepted,) = market.answers(ALICE, order(1, quantity=100, appendage=floor(40)))
    assert accepted.appendage == floor(40)
    assert [level.quantity for level in market.venue.depth(1, 5)[0]] == [40]
    market.send(BOB, order(1, "S", 90))
    told = market.said(ALICE)
    assert [type(each) for each in told] == [m.Executed, m.Restated, m.Executed, m.Restated, m.Executed]
    shown = [dict(each.appendage) for each in told if isinstance(each, m.Restated)]
    assert [int.from_bytes(each[Tag.DISPLAY_QUANTITY]) for each in shown] == [40, 20]
    assert {int.from_bytes(each[Tag.DISPLAY_PRICE]) for each in shown} == {PRICE}
    assert {each.reason for each in told if isinstance(each, m.Restated)} == {"R"}


@pytest.mark.parametrize(
    ("mode", "alice", "bob"),
    [
        (SelfTradeMode.CANCEL_NEWEST, [], [(1, 60, 60, "R")]),
        (SelfTradeMode.CANCEL_OLDEST, [(1, 100, 60, "A")], []),
        (SelfTradeMode.CANCEL_BOTH, [(1, 100, 60, "A")], [(1, 60, 60, "R")]),
        (SelfTradeMode.DECREMENT, [(1, 60, 60, "A")], [(1, 60, 60, "R")]),
    ],
)
def test_what_a_prevented_match_takes_is_told_with_the_match(
    mode: SelfTradeMode, alice: list[Any], bob: list[Any]
) -> None:
    market = Market()
    prevented(market, mode)
    market.answers(ALICE, order(1))
    accepted, *told = market.answers(BOB, order(1, "S", 60))
    assert isinstance(accepted, m.Accepted)
    assert told == [aiq(market, *each) for each in bob]
    assert market.said(ALICE) == [aiq(market, *each) for each in alice]


def test_a_replacement_keeps_what_is_hidden_hidden() -> None:
    market = Market()
    market.answers(ALICE, order(1, display="N"), order(2))
    for number, original, display in ((3, 1, "Y"), (4, 2, "N")):
        (refused,) = market.answers(
            ALICE,
            m.ReplaceOrder(
                orig_user_ref_num=original, user_ref_num=number, quantity=50, price=PRICE, display=display
            ),
        )
        assert refused.reason == RejectReason.REPLACE_NOT_ALLOWED
    (replaced,) = market.answers(
        ALICE, m.ReplaceOrder(orig_user_ref_num=1, user_ref_num=5, quantity=50, price=PRICE, display="N")
    )
    assert (replaced.quantity, replaced.display) == (50, "N")
    assert [level.quantity for level in market.venue.depth(1, 5)[0]] == [100]


def test_a_replacement_cannot_ask_for_another_minimum_or_floor() -> None:
    market = Market()
    market.answers(ALICE, order(1))
    for number, appendage in ((2, floor(50)), (3, minimum(50))):
        (refused,) = market.answers(
            ALICE,
            m.ReplaceOrder(
                orig_user_ref_num=1, user_ref_num=number, quantity=50, price=PRICE, appendage=appendage
            ),
        )
        assert refused.reason == RejectReason.REPLACE_NOT_ALLOWED
