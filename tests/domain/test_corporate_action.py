"""The arithmetic of splits: nothing is made, what is left over is told, and it is the same for who is short."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from exchange.domain.corporate_action import SPLIT_SHARES_MAX, Split

shares_of_a_ratio = st.integers(1, SPLIT_SHARES_MAX)
splits = st.builds(Split, shares_of_a_ratio, shares_of_a_ratio)


def test_three_for_two_of_seven_shares_leaves_half_a_share() -> None:
    split = Split(3, 2)
    assert split.shares(7) == (10, 1)
    assert split.shares(-7) == (-10, -1)
    assert (split.cash(1, 66_600), split.cash(-1, 66_600)) == (33_300, -33_300)
    assert (split.price(100_000), split.price_up(100_000)) == (66_666, 66_667)
    assert split.lowers_prices
    assert not Split(1, 10).lowers_prices


@given(split=splits, old=st.integers(-(10**18), 10**18))
def test_whole_shares_and_what_is_left_over_are_all_that_there_was(split: Split, old: int) -> None:
    whole, rest = split.shares(old)
    assert whole * split.old_shares + rest == old * split.new_shares
    assert abs(rest) < split.old_shares
    assert split.shares(-old) == (-whole, -rest)


@given(split=splits, price=st.integers(1, 2 * 10**9))
def test_a_price_rounded_down_and_one_rounded_up_are_at_most_one_apart(split: Split, price: int) -> None:
    assert 0 <= split.price_up(price) - split.price(price) <= 1
    assert (
        split.price(price) * split.new_shares
        <= price * split.old_shares
        <= split.price_up(price) * split.new_shares
    )
