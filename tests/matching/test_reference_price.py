"""The reference price follows eligible trades, and goes back when they are busted."""

from __future__ import annotations

import pytest

from exchange.domain.trade import guideline_bps, is_outlier
from exchange.matching.reference_price import REFERENCE_TRADES_MAX, ReferencePrice


@pytest.mark.parametrize(
    ("reference", "bps"), [(1, 1_000), (250_000, 1_000), (250_001, 500), (500_000, 500), (500_001, 300)]
)
def test_the_guideline_depends_on_the_price(reference: int, bps: int) -> None:
    assert guideline_bps(reference) == bps


@pytest.mark.parametrize(
    ("price", "reference", "outlier"),
    [
        (109_999, 100_000, False), (110_000, 100_000, True), (90_000, 100_000, True), (90_001, 100_000, False),
        (419_999, 400_000, False), (420_000, 400_000, True), (1_030_000, 1_000_000, True), (1, 1, False),
    ],
)  # fmt: skip
def test_an_outlier_equals_or_exceeds_the_guideline(price: int, reference: int, outlier: bool) -> None:
    assert is_outlier(price, reference) is outlier


def test_only_the_last_so_many_trades_are_kept() -> None:
    reference = ReferencePrice(100_000)
    for match_id in range(1, REFERENCE_TRADES_MAX + 11):
        reference.trade(match_id, 100_000 + match_id, 100_000)
    assert len(reference.trades) == REFERENCE_TRADES_MAX
    for match_id in range(REFERENCE_TRADES_MAX + 10, 10, -1):
        assert reference.price == 100_000 + match_id
        reference.bust(match_id)
    assert reference.price == 100_000


def test_a_bust_of_a_trade_that_does_not_count_changes_nothing() -> None:
    reference = ReferencePrice(100_000)
    reference.trade(1, 100_100, 100_000)
    reference.trade(2, 200_000, 100_000)
    reference.bust(2)
    reference.bust(99)
    reference.correct(2, 150_000)
    assert (reference.price, list(reference.trades)) == (100_100, [(1, 100_100)])


def test_a_correction_of_an_older_trade_counts_once_the_later_ones_are_busted() -> None:
    reference = ReferencePrice(100_000)
    reference.trade(1, 100_100, 100_000)
    reference.trade(2, 100_200, 100_000)
    reference.correct(1, 100_050)
    assert reference.price == 100_200
    reference.bust(2)
    assert reference.price == 100_050
