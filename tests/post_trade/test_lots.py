"""Profit and loss by lots and by average cost: tables an accountant can read, and sums that always agree."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.domain.corporate_action import Split
from exchange.domain.units import MatchId, Price, TimeNs, format_money, parse_price
from exchange.post_trade.lots import Holding

# fills: quantity (sales below zero) at price; then: open lots, average cost, realised by FIFO and by average, and what
# is not realised by each at the mark
TABLE = [
    ("100@10", "100@10.00", "10.00", "0.00", "0.00", "12", "200.00", "200.00"),
    ("100@10 100@12", "100@10.00 100@12.00", "11.00", "0.00", "0.00", "12", "200.00", "200.00"),
    ("100@10 100@12 -100@13", "100@12.00", "11.00", "300.00", "200.00", "12", "0.00", "100.00"),
    ("100@10 100@12 -150@13", "50@12.00", "11.00", "350.00", "300.00", "12", "0.00", "50.00"),
    ("100@10 100@12 -200@13", "", "0", "400.00", "400.00", "12", "0.00", "0.00"),
    ("100@10 -150@13", "-50@13.00", "13.00", "300.00", "300.00", "12", "50.00", "50.00"),
    ("-100@10 -100@12", "-100@10.00 -100@12.00", "11.00", "0.00", "0.00", "12", "-200.00", "-200.00"),
    ("-100@10 -100@12 100@9", "-100@12.00", "11.00", "100.00", "200.00", "12", "0.00", "-100.00"),
    ("-100@10 250@9", "150@9.00", "9.00", "100.00", "100.00", "8", "-150.00", "-150.00"),
    ("1@10 2@11 -1@12", "2@11.00", "10.6667", "2.00", "1.3333", "12", "2.00", "2.6667"),
]


def play(fills: str) -> Holding:
    holding = Holding()
    for number, fill in enumerate(fills.split(), 1):
        quantity, _, price = fill.partition("@")
        holding.take(int(quantity), parse_price(price), MatchId(number), TimeNs(number))
    return holding


@pytest.mark.parametrize(
    ("fills", "lots", "average", "fifo", "by_average", "mark", "open_fifo", "open_average"), TABLE
)
def test_fills_close_what_is_open_and_open_with_the_rest(
    fills: str,
    lots: str,
    average: str,
    fifo: str,
    by_average: str,
    mark: str,
    open_fifo: str,
    open_average: str,
) -> None:
    holding = play(fills)
    assert " ".join(f"{lot.quantity}@{format_money(lot.price)}" for lot in holding.lots) == lots
    assert format_money(holding.average_price) == (average if holding.quantity else "0.00")
    assert (format_money(holding.realised_fifo), format_money(holding.realised_average)) == (fifo, by_average)
    unrealised = holding.unrealised(parse_price(mark))
    assert tuple(map(format_money, unrealised)) == (open_fifo, open_average)


fills = st.lists(st.tuples(st.integers(-500, 500).filter(bool), st.integers(1, 10**7)), max_size=40)


@given(fills=fills, mark=st.integers(1, 10**7))
def test_realised_and_unrealised_sum_to_what_was_received_and_is_held_by_both_methods(
    fills: list[tuple[int, int]], mark: int
) -> None:
    holding, paid = Holding(), 0
    for number, (quantity, price) in enumerate(fills, 1):
        holding.take(quantity, Price(price), MatchId(number), TimeNs(number))
        paid += quantity * price
    worth = holding.quantity * mark - paid
    fifo, average = holding.unrealised(Price(mark))
    assert holding.realised_fifo + fifo == worth
    assert holding.realised_average + average == worth
    assert (
        sum(lot.quantity for lot in holding.lots)
        == holding.quantity
        == sum(quantity for quantity, _ in fills)
    )
    assert len({lot.quantity > 0 for lot in holding.lots}) <= 1


def test_a_split_keeps_what_open_shares_cost_and_pays_for_the_fraction() -> None:
    holding = play("5@10.00 2@12.00")
    holding.split(Split(3, 2), parse_price("7.00"))
    assert [(lot.quantity, format_money(lot.price)) for lot in holding.lots] == [(7, "7.1429"), (3, "8.00")]
    assert (holding.quantity, format_money(holding.average_price)) == (10, "7.40")
    assert (format_money(holding.realised_average), format_money(holding.realised_fifo)) == ("3.50", "3.5003")


@given(fills=fills, ratio=st.tuples(st.integers(1, 50), st.integers(1, 50)), mark=st.integers(1, 10**7))
def test_a_split_makes_nothing_but_what_it_pays(
    fills: list[tuple[int, int]], ratio: tuple[int, int], mark: int
) -> None:
    holding, paid, split = Holding(), 0, Split(*ratio)
    for number, (quantity, price) in enumerate(fills, 1):
        holding.take(quantity, Price(price), MatchId(number), TimeNs(number))
        paid += quantity * price
    whole, rest = split.shares(holding.quantity)
    holding.split(split, Price(mark))
    worth = whole * mark - paid + split.cash(rest, mark)
    fifo, average = holding.unrealised(Price(mark))
    assert holding.quantity == whole == sum(lot.quantity for lot in holding.lots)
    assert holding.realised_fifo + fifo == worth
    assert holding.realised_average + average == worth
