"""Positions: quantity, cost and average price, and that a bust takes out exactly what its trade put in."""

from __future__ import annotations

import pytest

from exchange.domain.events import TradeExecuted
from exchange.domain.units import format_price
from exchange.post_trade.positions import Position, Positions, rounded
from exchange.post_trade.trade import Trade, captured
from tests.post_trade.stream import Stream


def trades(*rows: tuple[int, int, int, str]) -> list[Trade]:
    stream = Stream()
    for buyer, seller, quantity, price in rows:
        stream.trade(buyer, seller, quantity, price)
    return [captured(event) for event in stream.events if isinstance(event, TradeExecuted)]


#   what account 1 did (+ bought, - sold)             shares  average price
TABLE = [
    ([], 0, "0.00"),
    ([(+100, "10.00")], 100, "10.00"),
    ([(+100, "10.00"), (+50, "13.00")], 150, "11.00"),
    ([(+100, "10.00"), (-40, "20.00")], 60, "10.00"),
    ([(+100, "10.00"), (-100, "20.00")], 0, "0.00"),
    ([(-30, "5.00"), (-30, "6.00")], -60, "5.50"),
    ([(+1, "0.01"), (+2, "0.02")], 3, "0.0167"),
]


@pytest.mark.parametrize(("deals", "quantity", "average"), TABLE)
def test_a_position_has_quantity_and_average_price_of_its_open_side(
    deals: list[tuple[int, str]], quantity: int, average: str
) -> None:
    positions = Positions()
    for trade in trades(*((1, 2, n, price) if n > 0 else (2, 1, -n, price) for n, price in deals)):
        positions.add_trade(trade)
    position = positions.positions.get((1, 1), Position())
    assert (position.quantity, format_price(position.average_price)) == (quantity, average)


def test_the_cost_of_a_position_is_what_was_paid_less_what_was_received() -> None:
    positions = Positions()
    for trade in trades((1, 2, 100, "10.00"), (2, 1, 40, "20.00")):
        positions.add_trade(trade)
    assert positions.positions[1, 1].cost == 200_0000
    assert positions.cash_paid(1) == 200_0000
    assert positions.cash_paid(2) == -200_0000


def test_a_bust_takes_out_exactly_its_trade_whatever_came_between() -> None:
    first, second, third = trades((1, 2, 100, "10.00"), (2, 1, 30, "12.00"), (1, 3, 7, "11.00"))
    with_bust, without = Positions(), Positions()
    for trade in (first, second, third):
        with_bust.add_trade(trade)
    with_bust.remove_trade(second)
    for trade in (first, third):
        without.add_trade(trade)
    assert with_bust.positions == without.positions
    assert with_bust.paid == without.paid


def test_deposited_shares_count_as_held_but_have_no_cost() -> None:
    positions = Positions()
    positions.move_shares(1, 1, 500)
    positions.move_shares(1, 1, -100)
    assert positions.positions[1, 1] == Position(deposited=400)
    assert positions.positions[1, 1].quantity == 400
    assert positions.positions[1, 1].cost == 0


def test_what_was_touched_is_known_until_it_is_stored() -> None:
    positions = Positions()
    positions.move_shares(1, 1, 500)
    positions.forget_touched()
    positions.move_shares(2, 1, 500)
    assert list(positions.touched) == [(2, 1)]


def test_stored_positions_know_again_what_each_account_paid() -> None:
    positions = Positions(
        {(1, 1): Position(bought=5, bought_notional=50), (1, 2): Position(sold=1, sold_notional=9)}
    )
    assert positions.cash_paid(1) == 41


def test_rounding_is_half_up_and_nothing_of_nothing_is_nothing() -> None:
    assert [rounded(1, 2), rounded(1, 3), rounded(2, 3), rounded(7, 0)] == [1, 0, 1, 0]
