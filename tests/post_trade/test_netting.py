"""Netting: one figure of shares and one of money is left of many trades, and late rulings come out as reversals."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.domain.units import format_money
from exchange.post_trade.books import Books
from exchange.post_trade.netting import KEPT_OUT, Obligation, Pair, net, sum_of
from exchange.post_trade.positions import Position, Positions
from exchange.post_trade.rules import DEFAULT_RULES, parse_rules
from exchange.post_trade.trade import Trade
from tests.post_trade.stream import Stream
from tests.post_trade.test_books import streams


class Day:
    """Trades of several days with the positions they make, and the cycles closed so far."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.books = Books(parse_rules(DEFAULT_RULES))
        self.taken = 0
        self.owed: dict[Pair, tuple[int, int]] = {}

    def close(self, keeps_out: bool = True) -> list[Obligation]:
        for event in self.stream.events[self.taken :]:
            self.books.take(event, {}.get)
        self.taken = len(self.stream.events)
        out: list[Trade] = [
            trade for trade in self.books.changes.captured.values() if keeps_out and trade.state in KEPT_OUT
        ]
        obligations = list(net(self.books.positions.positions, out, sorted(self.owed.items())))
        assert list(sum_of(b"", 0, obligations).faults()) == []
        for each in obligations:
            quantity, cash = self.owed.get((each.account_id, each.symbol_id), (0, 0))
            self.owed[each.account_id, each.symbol_id] = (quantity + each.quantity, cash + each.cash)
        return obligations


def shown(obligations: list[Obligation]) -> list[str]:
    names = {1: "AAPL", 2: "XYZ"}
    return [
        f"{each.account_id}: {each.quantity:+} {names[each.symbol_id]}, {format_money(each.cash)}"
        for each in obligations
    ]


def test_many_trades_leave_one_figure_for_each_account_and_symbol() -> None:
    stream = Stream()
    stream.trade(1, 2, 100, price="189.00")
    stream.trade(2, 1, 40, price="190.00")
    stream.trade(2, 3, 10, price="189.50")
    stream.trade(3, 1, 5, price="10.00", reference="10.00", symbol_id=2)
    assert shown(Day(stream).close()) == [
        "1: +60 AAPL, -11300.00",
        "1: -5 XYZ, 50.00",
        "2: -50 AAPL, 9405.00",
        "3: -10 AAPL, 1895.00",
        "3: +5 XYZ, -50.00",
    ]


def test_who_bought_and_sold_as_much_owes_only_the_money_between() -> None:
    stream = Stream()
    stream.trade(1, 2, 100, price="189.00")
    stream.trade(2, 1, 100, price="190.00")
    assert shown(Day(stream).close()) == ["1: +0 AAPL, 100.00", "2: +0 AAPL, -100.00"]


def test_what_waits_for_a_ruling_is_left_out_and_comes_when_it_is_accepted() -> None:
    stream = Stream()
    held = stream.trade(1, 2, 100, price="195.00")
    stream.trade(1, 2, 10, price="189.00")
    day = Day(stream)
    assert shown(day.close()) == ["1: +10 AAPL, -1890.00", "2: -10 AAPL, 1890.00"]
    stream.correct(held, "190.00", 60)
    assert shown(day.close()) == ["1: +60 AAPL, -11400.00", "2: -60 AAPL, 11400.00"]


def test_a_bust_after_the_cycle_is_a_reversal_in_the_next_one() -> None:
    stream = Stream()
    late = stream.trade(1, 2, 100, price="189.00")
    day = Day(stream)
    day.close()
    stream.bust(late)
    stream.trade(1, 3, 5, price="189.00")
    assert shown(day.close()) == ["1: -95 AAPL, 17955.00", "2: +100 AAPL, -18900.00", "3: -5 AAPL, 945.00"]


def test_a_correction_after_the_cycle_moves_only_the_difference() -> None:
    stream = Stream()
    late = stream.trade(1, 2, 100, price="189.00")
    day = Day(stream)
    day.close()
    stream.correct(late, "188.00", 90)
    assert shown(day.close()) == ["1: -10 AAPL, 1980.00", "2: +10 AAPL, -1980.00"]


def test_what_was_owed_of_nobody_s_position_any_more_comes_back() -> None:
    before = [((1, 1), (5, -10)), ((2, 9), (0, 0)), ((3, 1), (-5, 10))]
    assert list(net({}, [], before)) == [Obligation(1, 1, -5, 10), Obligation(3, 1, 5, -10)]
    left = {(2, 1): Position(bought=4, bought_notional=8)}
    assert list(net(left, [], before)) == [
        Obligation(1, 1, -5, 10),
        Obligation(2, 1, 4, -8),
        Obligation(3, 1, 5, -10),
    ]


def test_nothing_new_owes_nothing() -> None:
    stream = Stream()
    stream.trade(1, 2, 100)
    day = Day(stream)
    day.close()
    assert day.close() == []


@settings(max_examples=50, deadline=None)
@given(stream=streams(), cuts=st.lists(st.integers(0, 60), max_size=4))
def test_all_cycles_together_owe_exactly_what_stands(stream: Stream, cuts: list[int]) -> None:
    day = Day(stream)
    whole = list(stream.events)
    for cut in sorted(cuts):
        stream.events = whole[: max(cut, day.taken)]
        day.close()
    stream.events = whole
    day.close(keeps_out=False)
    positions: Positions = day.books.positions
    traded = {
        pair: (each.traded, -each.cost)
        for pair, each in positions.positions.items()
        if each.traded or each.cost
    }
    assert {pair: owed for pair, owed in day.owed.items() if any(owed)} == traded


def test_a_house_that_would_not_be_flat_shows() -> None:
    assert list(sum_of(b"", 0, [Obligation(1, 1, 5, -10), Obligation(2, 1, -4, 10)]).faults()) == [
        "obligations of symbol 1 sum to 1 shares, not 0"
    ]
    assert list(sum_of(b"", 0, [Obligation(1, 1, 0, 7)]).faults()) == ["obligations sum to 7 of cash, not 0"]


def test_the_hash_of_a_cycle_depends_on_all_of_it_and_on_those_before() -> None:
    one = Obligation(1, 1, 5, -10)
    hashes = {
        sum_of(bytes(16), 20261123, [one]).hash,
        sum_of(bytes(16), 20261124, [one]).hash,
        sum_of(b"x" * 16, 20261123, [one]).hash,
        sum_of(bytes(16), 20261123, [msgspec.structs.replace(one, cash=-11)]).hash,
        sum_of(bytes(16), 20261123, []).hash,
    }
    assert len(hashes) == 5
