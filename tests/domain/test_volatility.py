"""The widths of bands and collars, and the levels of the breaker, row by row."""

from __future__ import annotations

import pytest

from exchange.domain.volatility import band_widths, breaker_level, collar_width


@pytest.mark.parametrize(
    ("tier", "base", "is_late", "widths"),
    [
        (1, 1_000_000, False, (50_000, 50_000)),
        (2, 1_000_000, False, (100_000, 100_000)),
        (1, 1_000_000, True, (100_000, 100_000)),
        (2, 1_000_000, True, (100_000, 100_000)),
        (1, 30_001, False, (1_500, 1_500)),
        (1, 30_000, False, (6_000, 6_000)),
        (2, 30_000, True, (12_000, 12_000)),
        (2, 7_500, False, (1_500, 1_500)),
        (1, 7_499, False, (1_500, 1_500)),
        (1, 7_499, True, (1_500, 3_000)),
        (2, 1_000, False, (750, 750)),
        (2, 1_000, True, (750, 1_500)),
    ],
)
def test_the_row_of_the_table_gives_the_widths(
    tier: int, base: int, is_late: bool, widths: tuple[int, int]
) -> None:
    assert band_widths(tier, base, base, is_late=is_late) == widths


def test_a_collar_is_five_percent_wide_or_an_amount() -> None:
    assert [collar_width(price) for price in (100_000, 30_001, 30_000, 100)] == [5_000, 1_500, 1_500, 1_500]


def test_the_breaker_trips_at_the_level_and_not_before() -> None:
    levels = {10_000: 0, 9_301: 0, 9_300: 1, 8_701: 1, 8_700: 2, 8_001: 2, 8_000: 3, 1: 3}
    assert {level: breaker_level(10_000, level) for level in levels} == levels
