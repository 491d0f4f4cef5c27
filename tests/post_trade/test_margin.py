"""Margin: variation, value at risk by historical simulation, floor and haircut; all in whole numbers."""

from __future__ import annotations

import pytest

from exchange.post_trade.margin import BASE, Exposure, MarginRules, changes, require, value_at_risk

RULES = MarginRules(horizon_days=1, observations_min=100, floor_bps=200)
FALL = [-BASE // 100 * n for n in range(1, 101)]
"""Hundred days of which the n-th lost n percent."""


def test_without_history_the_haircut_goes_by_price() -> None:
    marks = {1: 1_000_000, 2: 49_999, 3: 9_999, 4: 50_000}
    exposure = Exposure({1: 10, 2: -10, 3: 1, 4: 0}, -10_000_000)
    found = require(exposure, marks, {}, RULES)
    assert found.haircut == 1_000_000 + 99_998 + 9_999
    assert (found.value_at_risk, found.floor, found.initial) == (0, 0, found.haircut)


@pytest.mark.parametrize(
    ("quantity", "cash", "variation"),
    [(10, -1_100, 100), (10, -900, 0), (-10, 900, 100), (-10, 1_100, 0), (0, -70, 70)],
)
def test_variation_is_what_closing_at_the_mark_would_lose(quantity: int, cash: int, variation: int) -> None:
    assert require(Exposure({1: quantity}, cash), {1: 100}, {}, RULES).variation == variation


def test_value_at_risk_is_the_loss_that_99_percent_do_not_exceed() -> None:
    found = require(Exposure({1: 100}, -10_000), {1: 100}, {1: FALL}, RULES)
    assert (found.value_at_risk, found.floor, found.total) == (9_900, 200, 9_900)
    short = require(Exposure({1: -100}, 10_000), {1: 100}, {1: FALL}, RULES)
    assert (short.value_at_risk, short.initial) == (0, 200)
    hedged = require(Exposure({1: 100, 2: -50}, 0), {1: 100, 2: 200}, {1: FALL, 2: FALL}, RULES)
    assert (hedged.value_at_risk, hedged.floor) == (0, 400)


def test_too_few_days_take_the_haircut() -> None:
    found = require(Exposure({1: 100}, -10_000), {1: 100}, {1: FALL[1:]}, RULES)
    assert (found.value_at_risk, found.haircut) == (0, 10_000)


@pytest.mark.parametrize(
    ("observations", "rank"), [(253, 251), (100, 99), (101, 100), (1, 1), (500, 495), (1_000, 990)]
)
def test_the_rank_of_the_loss(observations: int, rank: int) -> None:
    assert value_at_risk(range(1, observations + 1), 99) == rank


def test_gains_and_nothing_need_no_margin() -> None:
    assert value_at_risk([-5, -9], 99) == value_at_risk([], 99) == 0
    assert require(Exposure(), {}, {}, RULES).total == 0


def test_changes_are_over_the_horizon_and_rounded_half_away_from_zero() -> None:
    assert changes([100, 110, 99, 3], 1) == [BASE // 10, -BASE // 10, -969_696_970]
    assert changes([100, 110, 121], 2) == [BASE * 21 // 100]
    assert changes([100], 3) == []
