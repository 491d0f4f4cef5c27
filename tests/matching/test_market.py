"""A market has the terms of its symbol."""

from __future__ import annotations

import pytest

from exchange.domain.symbol import Symbol, SymbolState, TickRow, TickTable
from exchange.matching.market import Market

TICKS = TickTable((TickRow(0, 1), TickRow(10_000, 100), TickRow(500_000, 500)))
SYMBOL = Symbol(3, "XYZ", "Xyzzy", 100, 189_200, SymbolState.SUSPENDED, TICKS)


@pytest.mark.parametrize("price", [0, 1, 9_999, 10_000, 10_001, 499_999, 500_000, 1_999_999_900])
def test_ticks_are_those_of_the_symbol(price: int) -> None:
    assert Market(SYMBOL).tick_at(price) == TICKS.tick_at(price)


def test_a_new_market_is_empty_and_has_the_listed_reference_price() -> None:
    market = Market(SYMBOL)
    assert market.book.depth(5) == ([], [])
    assert (market.reference.price, market.round_lot, market.state) == (189_200, 100, SymbolState.SUSPENDED)
