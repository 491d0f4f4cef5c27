"""A market has the terms of its symbol."""

from __future__ import annotations

import pytest

from exchange.domain.allocation import PRICE_TIME, Allocation, parse_step
from exchange.domain.order import OrderType, Side, TimeInForce
from exchange.domain.symbol import Symbol, SymbolState, TickRow, TickTable
from exchange.matching.market import Market
from exchange.matching.order_book import RestingOrder

TICKS = TickTable((TickRow(0, 1), TickRow(10_000, 100), TickRow(500_000, 500)))
SYMBOL = Symbol(3, "XYZ", "Xyzzy", 100, 189_200, SymbolState.SUSPENDED, TICKS)


@pytest.mark.parametrize("price", [0, 1, 9_999, 10_000, 10_001, 499_999, 500_000, 1_999_999_900])
def test_ticks_are_those_of_the_symbol(price: int) -> None:
    assert Market(SYMBOL).tick_at(price) == TICKS.tick_at(price)


def test_a_new_market_is_empty_and_has_the_listed_reference_price() -> None:
    market = Market(SYMBOL)
    assert market.book.depth(5) == ([], [])
    assert (market.reference.price, market.round_lot, market.state) == (189_200, 100, SymbolState.SUSPENDED)


def resting(order_id: int, price: int, quantity: int) -> RestingOrder:
    return RestingOrder(
        order_id, 1, 3, Side.BUY, OrderType.LIMIT, TimeInForce.DAY, 0, price, quantity, quantity, "", 0
    )


def test_the_order_that_betters_the_price_is_the_top_order_until_another_does() -> None:
    market = Market(SYMBOL)
    first, equal, better, small = (
        resting(number, price, quantity)
        for number, (price, quantity) in enumerate([(100, 10), (100, 10), (101, 10), (102, 4)], 1)
    )
    for order, top in ((first, 1), (equal, 1), (better, 3), (small, 0)):
        market.note_top(order, 5)
        market.book.bids.add(order)
        assert market.tops == {Side.BUY: top, Side.SELL: 0}


def test_an_order_that_goes_to_the_back_loses_its_rank_and_only_it() -> None:
    market = Market(SYMBOL)
    first, second = resting(1, 100, 10), resting(2, 100, 10)
    for order in (first, second):
        market.note_top(order, 0)
        market.book.bids.add(order)
    market.lose_top(second)
    assert market.tops[Side.BUY] == 1
    market.lose_top(first)
    assert market.tops[Side.BUY] == 0


def test_with_another_allocation_nobody_is_the_top_order() -> None:
    market = Market(SYMBOL)
    market.note_top(resting(1, 100, 10), 0)
    market.set_allocation(Allocation((parse_step("top"),)))
    assert (market.tops, market.allocator is not None) == ({Side.BUY: 0, Side.SELL: 0}, True)
    market.set_allocation(PRICE_TIME)
    assert market.allocator is None
