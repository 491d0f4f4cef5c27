"""What is saved is what is read again: books, trades, ledger, positions, requests."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, select

from exchange.clearing import store as saved
from exchange.clearing import tables
from exchange.infra.store import begin_write
from exchange.post_trade.books import Books
from exchange.post_trade.ledger import ledger_hash
from exchange.post_trade.rules import DEFAULT_RULES, parse_rules
from tests.post_trade.stream import Stream

RULES = parse_rules(DEFAULT_RULES)


def saved_day(store: Engine) -> tuple[Stream, Books, dict[str, int]]:
    """Save a day with all kinds of trades; return its stream, the books, and match ids by name."""
    stream = Stream()
    stream.deposit(1, 1_000_000_0000)
    stream.deposit(2, 500, symbol_id=1)
    ids = {
        "plain": stream.trade(1, 2, 100),
        "held": stream.trade(1, 2, 10, price="195.00"),
        "pending": stream.trade(3, 2, 5, price="230.00"),
        "busted": stream.trade(1, 3, 7),
        "corrected": stream.trade(3, 1, 9),
    }
    stream.bust(ids["busted"])
    stream.correct(ids["corrected"], "189.00", 4)
    books = Books(RULES)
    for event in stream.events:
        books.take(event, {}.get)
    with begin_write(store) as connection:
        saved.save_changes(connection, 0, books)
    return stream, books, ids


def test_the_books_are_read_again_as_they_were(store: Engine) -> None:
    _stream, books, _ = saved_day(store)
    with store.connect() as connection:
        again = saved.read_books(connection, 0, RULES)
    assert again.ledger.balances == books.ledger.balances
    assert again.ledger.running_hash == books.ledger.running_hash
    assert again.ledger.transfers == books.ledger.transfers
    assert again.positions.positions == books.positions.positions
    assert again.positions.paid == books.positions.paid
    assert again.directory.symbols == books.directory.symbols
    assert (again.trades, again.next_ruling_id) == (5, 3)
    assert len(again.recent) == 5


def test_trades_and_transfers_are_read_in_their_order(store: Engine) -> None:
    _, books, ids = saved_day(store)
    with store.connect() as connection:
        assert list(saved.read_trades(connection, 0)) == list(books.changes.captured.values())
        transfers = list(saved.read_transfers(connection, 0))
        assert transfers == books.ledger.unsaved_transfers
        assert ledger_hash(transfers) == saved.read_books_row(connection, 0).ledger_hash
        assert saved.read_trade(connection, ids["held"]) == books.changes.captured[ids["held"]]
        assert saved.read_trade(connection, 999) is None


def test_an_empty_store_has_empty_books(store: Engine) -> None:
    with store.connect() as connection:
        books = saved.read_books(connection, 0, RULES)
        assert saved.read_request(connection, 0, 1) is None
    assert (books.ledger.transfers, books.ledger.balances, books.next_ruling_id) == (0, {}, 1)


def test_a_change_to_a_stored_trade_changes_its_row(store: Engine) -> None:
    stream, books, ids = saved_day(store)
    books.forget_changes()
    stream.correct(ids["held"], "190.00", 3)
    with begin_write(store) as connection:
        books.take(stream.events[-1], lambda match_id: saved.read_trade(connection, match_id))
        saved.save_changes(connection, 0, books)
    with store.connect() as connection:
        trade = saved.read_trade(connection, ids["held"])
    assert trade
    assert (trade.state, trade.version, trade.price, trade.quantity) == ("corrected", 2, 190_0000, 3)


def test_a_bust_closes_the_request_for_it(store: Engine) -> None:
    stream, books, ids = saved_day(store)
    books.forget_changes()
    with store.connect() as connection:
        request = saved.read_request(connection, 0, 2)
    assert request
    assert (request.match_id, request.kind) == (ids["pending"], "bust")
    stream.bust(ids["pending"], ruling_id=77)
    with begin_write(store) as connection:
        books.take(stream.events[-1], lambda match_id: saved.read_trade(connection, match_id))
        saved.save_changes(connection, 0, books)
        assert connection.execute(select(tables.outbox.c.state)).scalars().all() == [saved.DONE]


@pytest.mark.parametrize("name", ["held", "pending"])
def test_the_hits_of_a_ruling_are_read_again(store: Engine, name: str) -> None:
    _, books, ids = saved_day(store)
    with store.connect() as connection:
        rows = connection.execute(select(tables.rulings).where(tables.rulings.c.match_id == ids[name])).all()
    (ruling,) = [each for each in books.changes.rulings if each.match_id == ids[name]]
    assert [saved.hits_of(row) for row in rows] == [ruling.hits]
