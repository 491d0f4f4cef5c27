"""Figures of trades, added one by one, together, and in any order."""

from __future__ import annotations

from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from exchange.market_data.statistics import Figures, change_bps, combine, figures_of_trade

Row = tuple[int, int, int]
ROWS = st.lists(
    st.tuples(st.integers(1, 10**6), st.integers(1, 2_000), st.integers(1, 500)),
    min_size=1,
    unique_by=lambda row: row[0],
)


def brute_force(rows: list[Row]) -> Figures:
    rows = sorted(rows)
    prices = [price for _, price, _ in rows]
    return Figures(
        rows[0][0],
        rows[-1][0],
        prices[0],
        max(prices),
        min(prices),
        prices[-1],
        sum(quantity for _, _, quantity in rows),
        sum(price * quantity for _, price, quantity in rows),
        len(rows),
    )


@given(ROWS)
def test_trades_added_in_any_order_give_the_figures_of_all(rows: list[Row]) -> None:
    first, *others = rows
    assert reduce(
        lambda figures, row: figures.with_trade(*row), others, figures_of_trade(*first)
    ) == brute_force(rows)


@given(ROWS, st.integers(0, 5))
def test_parts_combined_in_any_order_give_the_figures_of_the_whole(rows: list[Row], cut: int) -> None:
    parts = [part for part in (rows[:cut], rows[cut:]) if part]
    assert combine(brute_force(part) for part in parts) == brute_force(rows)


def test_nothing_combined_gives_no_figures() -> None:
    assert combine([]) is None


def test_the_average_price_is_weighted_and_rounded_half_up() -> None:
    figures = figures_of_trade(1, 10, 1).with_trade(2, 11, 1)
    assert figures.vwap == 11
    assert figures.with_trade(3, 10, 2).vwap == 10


def test_a_change_is_told_in_hundredths_of_a_percent() -> None:
    assert change_bps(1_910_920, 1_892_000) == 100
    assert change_bps(1_892_000, 1_910_920) == -99
    assert change_bps(1_892_000, 1_892_000) == 0


@given(ROWS, st.integers(1, 30))
def test_two_runs_joined_are_as_the_trades_of_both_together(rows: list[Row], cut: int) -> None:
    runs = [combine(figures_of_trade(*row) for row in part) for part in (rows[:cut], rows[cut:])]
    one, other = runs
    if one is None or other is None:
        return
    assert one.joined(other) == other.joined(one) == brute_force(rows)
