"""Statements: a day of one account as an accountant reads it, from the trades as they stand."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings

from exchange.domain.events import BusinessDayStarted, TradeBusted, TradeCorrected, TradeExecuted
from exchange.domain.units import Price, format_money, parse_price
from exchange.post_trade.books import Books
from exchange.post_trade.fees import FeeSchedule, parse_fees
from exchange.post_trade.rules import parse_rules
from exchange.post_trade.statement import FILLS_MAX, Statement, make_statement
from exchange.post_trade.trade import Trade
from exchange.post_trade.trade_life import TradeState
from tests.post_trade.stream import Stream
from tests.post_trade.test_books import streams

FEES = parse_fees([{"name": "trading", "from": "2026-01-01", "who": "taker", "per_share": "0.01"}])
MARKS = {1: parse_price("190.00"), 2: parse_price("11.00")}


def trades_of(stream: Stream) -> list[Trade]:
    books = Books(parse_rules([]))
    for event in stream.events:
        books.take(event, {}.get)
    return [books.changes.captured[key] for key in sorted(books.changes.captured)]


def statement(stream: Stream, account: int, date: int, fees: FeeSchedule = FEES) -> Statement:
    return make_statement(account, date, trades_of(stream), fees, MARKS.__getitem__)


def two_days() -> Stream:
    stream = Stream()
    stream.add(BusinessDayStarted, date=20261123, ends_ns=0)
    stream.trade(1, 2, 100, price="189.00")
    stream.bust(stream.trade(1, 2, 10, price="230.00"))
    stream.correct(stream.trade(1, 2, 50, price="195.00"), "191.00", 40)
    stream.add(BusinessDayStarted, date=20261124, ends_ns=0)
    stream.trade(2, 1, 120, price="192.00")
    stream.trade(1, 3, 5, price="10.00", reference="10.00", symbol_id=2)
    return stream


def test_the_first_day_shows_what_was_opened() -> None:
    (line,) = (found := statement(two_days(), 1, 20261123)).lines
    assert (line.opening, line.bought, line.sold, line.closing) == (0, 140, 0, 140)
    assert [(lot.quantity, format_money(lot.price)) for lot in line.lots] == [(100, "189.00"), (40, "191.00")]
    assert format_money(line.bought_notional) == "26540.00"
    assert format_money(line.unrealised_fifo) == format_money(line.unrealised_average) == "60.00"
    assert (found.fills_count, {name: format_money(fee) for name, fee in found.fees.items()}) == (
        2,
        {"trading": "1.40"},
    )


def test_the_second_day_begins_with_what_the_first_left_and_shows_what_was_realised() -> None:
    first, second = statement(two_days(), 1, 20261124).lines
    assert (first.opening, first.bought, first.sold, first.closing) == (140, 0, 120, 20)
    assert format_money(first.realised_fifo) == "320.00"
    assert format_money(first.realised_average) == "291.4286"
    assert (format_money(first.unrealised_fifo), format_money(first.unrealised_average)) == (
        "-20.00",
        "8.5714",
    )
    assert (second.symbol_id, second.closing, format_money(second.unrealised_fifo)) == (2, 5, "5.00")
    assert (first.fees, second.fees) == (0, 500)


def test_who_did_not_trade_has_an_empty_statement() -> None:
    assert statement(two_days(), 3, 20261123).lines == []


def test_who_trades_with_himself_has_both_fills() -> None:
    stream = Stream()
    stream.add(BusinessDayStarted, date=20261123, ends_ns=0)
    stream.trade(1, 1, 10)
    (line,) = (found := statement(stream, 1, 20261123)).lines
    assert (line.bought, line.sold, found.fills_count, [each.fill.is_maker for each in found.fills]) == (
        10, 10, 2, [False, True]
    )  # fmt: skip


def test_fills_beyond_those_listed_are_in_the_sums() -> None:
    (trade, *_) = trades_of(two_days())
    found = make_statement(1, 20261123, [trade] * (FILLS_MAX + 1), FEES, MARKS.__getitem__)
    assert (len(found.fills), found.fills_count, found.lines[0].bought) == (
        FILLS_MAX,
        FILLS_MAX + 1,
        100 * (FILLS_MAX + 1),
    )


@settings(max_examples=50, deadline=None)
@given(stream=streams())
def test_over_all_accounts_profit_and_loss_sum_to_zero(stream: Stream) -> None:
    trades = trades_of(stream)
    accounts = {account for trade in trades for account in (trade.buy_account_id, trade.sell_account_id)}
    lines = [
        line
        for account in sorted(accounts)
        for line in make_statement(account, 0, trades, FeeSchedule(), lambda _: Price(1_000_000)).lines
    ]
    assert sum(line.closing for line in lines) == 0
    assert sum(line.realised_fifo + line.unrealised_fifo for line in lines) == 0
    assert sum(line.realised_average + line.unrealised_average for line in lines) == 0
    assert not [event for event in stream.events if isinstance(event, TradeBusted | TradeCorrected)] or trades


def test_a_trade_that_is_only_to_be_busted_still_stands() -> None:
    stream = Stream()
    stream.add(BusinessDayStarted, date=20261123, ends_ns=0)
    stream.trade(1, 2, 10)
    (trade,) = trades_of(stream)
    pending = msgspec.structs.replace(trade, state=TradeState.BUST_PENDING)
    assert make_statement(1, 20261123, [pending], FEES, MARKS.__getitem__).fills_count == 1
    assert isinstance(stream.events[-1], TradeExecuted)
