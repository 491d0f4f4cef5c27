"""Symbols and their tick tables."""

from __future__ import annotations

import pytest

from exchange.domain.symbol import DEFAULT_TICKS, SYMBOL_PATTERN, TICK_ROWS_MAX, TickRow, TickTable

THREE = TickTable((TickRow(0, 1), TickRow(10_000, 100), TickRow(500_000, 500)))


@pytest.mark.parametrize(
    ("price", "tick"),
    [(0, 1), (1, 1), (9_999, 1), (10_000, 100), (499_999, 100), (500_000, 500), (1_999_999_900, 500)],
)
def test_the_tick_is_that_of_the_row_the_price_has_reached(price: int, tick: int) -> None:
    assert THREE.tick_at(price) == tick


def test_ticks_are_a_cent_from_one_unit_on_by_default() -> None:
    assert TickTable().rows == DEFAULT_TICKS
    assert (TickTable().tick_at(9_999), TickTable().tick_at(10_000)) == (1, 100)


@pytest.mark.parametrize(
    ("rows", "valid"),
    [
        (((0, 1),), True),
        (((0, 1), (10, 5)), True),
        (tuple((n, 1) for n in range(TICK_ROWS_MAX)), True),
        (tuple((n, 1) for n in range(TICK_ROWS_MAX + 1)), False),
        ((), False),
        (((1, 1),), False),
        (((0, 0),), False),
        (((0, 1), (10, 0)), False),
        (((0, 1), (10, 5), (10, 6)), False),
        (((0, 1), (10, 5), (9, 6)), False),
    ],
)
def test_a_tick_table_starts_at_zero_and_rises(rows: tuple[tuple[int, int], ...], valid: bool) -> None:
    assert TickTable(tuple(TickRow(*row) for row in rows)).is_valid() is valid


@pytest.mark.parametrize("text", ["A", "AAPL", "BRK.B", "X-1", "12345678"])
def test_a_symbol_is_one_to_eight_capitals_digits_points_and_hyphens(text: str) -> None:
    assert SYMBOL_PATTERN.match(text)


@pytest.mark.parametrize("text", ["", "aapl", "A B", "ABCDEFGHI", "Ä", "A\n", "A\0", "A/B"])
def test_a_text_with_anything_else_is_no_symbol(text: str) -> None:
    assert not SYMBOL_PATTERN.match(text)
