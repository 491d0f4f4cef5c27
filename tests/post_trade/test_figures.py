"""Figures per business date and symbol, counted from the stream, whatever is busted or corrected later."""

from __future__ import annotations

from exchange.domain.events import BusinessDayStarted
from exchange.domain.units import parse_money
from exchange.post_trade.figures import Figures, Tally
from tests.post_trade.stream import Stream


def tally_of(stream: Stream) -> Tally:
    tally = Tally()
    for event in stream.events:
        tally.take(event)
    return tally


def test_trades_that_stand_are_counted_with_shares_and_money() -> None:
    stream = Stream()
    stream.add(BusinessDayStarted, date=20261122, ends_ns=0)
    stream.trade(1, 2, 100)
    stream.trade(2, 1, 50, price="190.00")
    stream.trade(2, 1, 5, price="10.00", symbol_id=2)
    assert tally_of(stream).on(20261122) == {
        1: Figures(2, 150, parse_money("28420.00"), 0),
        2: Figures(1, 5, parse_money("50.00"), 0),
    }


def test_a_bust_and_a_correction_count_on_the_day_of_their_trade() -> None:
    stream = Stream()
    stream.add(BusinessDayStarted, date=20261122, ends_ns=0)
    first, second = stream.trade(1, 2, 100), stream.trade(1, 2, 10)
    stream.add(BusinessDayStarted, date=20261123, ends_ns=0)
    stream.trade(1, 2, 1)
    stream.bust(first)
    stream.correct(second, "189.00", 4)
    tally = tally_of(stream)
    assert tally.on(20261122) == {1: Figures(1, 4, parse_money("756.00"), 1)}
    assert tally.on(20261123) == {1: Figures(1, 1, parse_money("189.20"), 0)}


def test_trades_before_the_first_business_date_are_of_none() -> None:
    stream = Stream()
    stream.trade(1, 2, 100)
    assert tally_of(stream).on(0) == {1: Figures(1, 100, parse_money("18920.00"), 0)}
    assert tally_of(stream).on(20261122) == {}


def test_differences_name_the_figure_and_what_each_has() -> None:
    mine, others = Figures(2, 150, parse_money("10.50"), 0), Figures(2, 140, parse_money("10.00"), 1)
    assert mine.differences(others, "clearing", "reporter") == [
        "quantity: clearing has 150, reporter has 140",
        "notional: clearing has 10.50, reporter has 10.00",
        "busted: clearing has 0, reporter has 1",
    ]
    assert mine.differences(mine, "clearing", "engine") == []
