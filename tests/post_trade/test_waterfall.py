"""The waterfall: each step bears what the ones before it left, and nobody bears more than he has."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.post_trade.house_ledger import HouseHolder, holder_of
from exchange.post_trade.waterfall import Layer, Means, entries_of, in_proportion, run

MEANS = Means(
    own_cash={1: 10}, own_margin={1: 100}, own_fund={1: 50}, capital=400, skin_bps=2_500,
    others_fund={2: 60, 3: 30}, others_cash={2: 1_000, 3: 5},
)  # fmt: skip


@pytest.mark.parametrize(
    ("loss", "borne", "uncovered"),
    [
        (0, {}, 0),
        (10, {Layer.OWN_CASH: 10}, 0),
        (110, {Layer.OWN_CASH: 10, Layer.OWN_MARGIN: 100}, 0),
        (260, {Layer.OWN_CASH: 10, Layer.OWN_MARGIN: 100, Layer.OWN_FUND: 50, Layer.HOUSE: 100}, 0),
        (290, {Layer.HOUSE: 100, Layer.FUND: 30}, 0),
        (400, {Layer.FUND: 90, Layer.ASSESSMENT: 50}, 0),
        (700, {Layer.FUND: 90, Layer.ASSESSMENT: 65, Layer.REST_OF_HOUSE: 285}, 0),
        (800, {Layer.ASSESSMENT: 65, Layer.REST_OF_HOUSE: 300}, 85),
    ],
)
def test_a_loss_runs_down_step_by_step(loss: int, borne: dict[Layer, int], uncovered: int) -> None:
    found = run(loss, MEANS)
    assert {layer: found.sum_of(layer) for layer in borne} == borne
    assert found.uncovered == uncovered
    assert sum(share.amount for share in found.shares) + uncovered == loss


def test_the_others_bear_in_proportion_and_the_odd_unit_goes_by_account() -> None:
    assert in_proportion(50, {3: 30, 2: 60}) == {2: 34, 3: 16}
    assert in_proportion(500, {2: 60, 3: 30, 4: 0}) == {2: 60, 3: 30}
    assert in_proportion(0, {2: 60}) == in_proportion(5, {}) == {}


def test_what_is_collected_goes_to_the_house() -> None:
    entries = entries_of(run(290, MEANS).shares)
    assert {holder_of(entry.credit) for entry in entries} == {HouseHolder.HOUSE}
    assert sum(entry.amount for entry in entries) == 290


@given(st.integers(0, 2_000), st.dictionaries(st.integers(1, 9), st.integers(0, 300), max_size=6))
def test_nobody_gives_more_than_he_has(amount: int, has: dict[int, int]) -> None:
    found = in_proportion(amount, has)
    assert sum(found.values()) == min(amount, sum(has.values()))
    assert all(0 < part <= has[account_id] for account_id, part in found.items())
