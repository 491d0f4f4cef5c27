"""From integers to JSON: names of assets, units of amounts, and what a party may see."""

from __future__ import annotations

from exchange.clearing.queries import Entry, Holding
from exchange.clearing.views import (
    Reader,
    amount_text,
    asset_text,
    balance_view,
    entry_view,
    is_visible,
    rules_view,
)
from exchange.domain.directory import Directory
from exchange.domain.events import Deposited, TradeExecuted
from exchange.post_trade.bookings import deposit_chain, trade_chain
from exchange.post_trade.rules import DEFAULT_RULES, parse_rules
from exchange.post_trade.trade import captured
from tests.post_trade.stream import Stream


def directory_of(stream: Stream) -> Directory:
    directory = Directory()
    for event in stream.events:
        directory.apply(event)
    return directory


def test_cash_is_money_and_everything_else_is_shares() -> None:
    symbols = directory_of(Stream()).symbols
    assert [asset_text(symbols, asset) for asset in (0, 1, 2, 9)] == ["cash", "AAPL", "XYZ", "symbol 9"]
    assert [amount_text(asset, 12_345) for asset in (0, 1)] == ["1.2345", "12345"]


def test_an_account_below_zero_is_overdrawn() -> None:
    symbols = directory_of(Stream()).symbols
    view = balance_view(Holding(1, 0, 10_000, -20_001), symbols)
    assert (view.available, view.due, view.total, view.overdrawn) == ("1.00", "-2.0001", "-1.0001", True)
    assert not balance_view(Holding(1, 1, 5, -5), symbols).overdrawn


def test_a_party_sees_the_legs_of_its_own_side_only() -> None:
    stream = Stream()
    stream.trade(1, 2, 100)
    event = stream.events[-1]
    assert isinstance(event, TradeExecuted)
    legs = [Entry(number, leg) for number, leg in enumerate(trade_chain(captured(event), event), 1)]
    buyer, everyone, nobody = Reader(frozenset({1})), Reader(None), Reader(frozenset())
    assert [is_visible(leg, buyer) for leg in legs] == [True, False, False, True]
    assert all(is_visible(leg, everyone) for leg in legs)
    assert not any(is_visible(leg, nobody) for leg in legs)


def test_a_deposit_has_no_match_id_and_a_trade_has() -> None:
    stream = Stream()
    stream.deposit(1, 5)
    deposited = stream.events[-1]
    assert isinstance(deposited, Deposited)
    symbols = directory_of(stream).symbols
    view = entry_view(Entry(1, deposit_chain(deposited)[0]), symbols)
    assert (view.match_id, view.amount, view.debit.holder, view.credit.account) == (
        None,
        "0.0005",
        "external",
        "1",
    )


def test_shown_rules_can_be_configured_again_and_judge_the_same() -> None:
    rule_set = parse_rules(DEFAULT_RULES)
    shown = rules_view(rule_set)
    tables = [{"id": rule.id, "kind": rule.kind} | rule.parameters for rule in shown.items]
    assert parse_rules(tables) == rule_set
