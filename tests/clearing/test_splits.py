"""Splits are read back from clearing's store in their order, among all else that it keeps."""

from __future__ import annotations

from sqlalchemy import Engine

from exchange.clearing import store as saved
from exchange.clearing.splits import after_splits, read_splits
from exchange.domain.corporate_action import Split
from exchange.domain.corporate_events import DividendPaid, SymbolSplit
from exchange.infra.store import begin_write
from exchange.post_trade.books import Books
from exchange.post_trade.rules import DEFAULT_RULES, parse_rules
from exchange.post_trade.statement import SplitFact
from tests.post_trade.stream import Stream


def test_splits_are_read_in_their_order_and_nothing_else(store: Engine) -> None:
    stream = Stream()
    prices = {"old_reference": 100_000, "reference_price": 50_000, "note": ""}
    stream.add(SymbolSplit, symbol_id=2, new_shares=2, old_shares=1, cash_price=50_000, **prices)
    stream.add(DividendPaid, symbol_id=2, amount=100, **prices)
    stream.add(SymbolSplit, symbol_id=1, new_shares=1, old_shares=10, cash_price=7, **prices)
    books = Books(parse_rules(DEFAULT_RULES))
    for event in stream.events:
        books.take(event, {}.get)
    with begin_write(store) as connection:
        saved.save_changes(connection, 0, books)
    with store.connect() as connection:
        found = read_splits(connection, 0)
        assert read_splits(connection, 1) == []
    assert [(fact.symbol_id, fact.split, fact.cash_price) for fact in found] == [
        (2, Split(2, 1), 50_000),
        (1, Split(1, 10), 7),
    ]
    assert found[0].sequence < found[1].sequence
    assert found[0].date == found[1].date == 20260921


def test_closing_prices_of_before_a_split_are_told_as_they_are_after_it() -> None:
    splits = [SplitFact(1, 7, 20, Split(2, 1), 0), SplitFact(1, 9, 22, Split(1, 5), 0)]
    prices = [(18, 100), (19, 1), (20, 50), (21, 51), (22, 260)]
    assert after_splits(prices, splits, 21) == [50, 1, 50, 51, 260]
    assert after_splits(prices, splits, 22) == [250, 5, 250, 255, 260]
