"""A store of version 0001 is brought to 0002 with the same books, a proof that holds, and the same stories."""

from __future__ import annotations

from importlib.resources import as_file, files
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from msgspec.structs import asdict
from sqlalchemy import Engine, MetaData, Table, insert

from exchange.clearing import queries
from exchange.clearing import store as saved
from exchange.clearing.app import MIGRATIONS
from exchange.infra.store import open_store
from exchange.post_trade.books import Books
from exchange.post_trade.invariants import prove
from exchange.post_trade.ledger import account_of, member_of
from exchange.post_trade.rules import DEFAULT_RULES, parse_rules
from exchange.post_trade.trade import Trade, whole_life
from exchange.post_trade.trade_life import Step, TradeState
from tests.post_trade.stream import NOON_NS, Stream


def books_of_a_day() -> Books:
    """Return the books of a day with everything that can happen to a trade."""
    stream = Stream()
    stream.deposit(1, 1_000_000_0000)
    ids = [
        stream.trade(1, 2, 100),
        stream.trade(1, 2, 10, price="195.00"),
        stream.trade(3, 2, 5, price="230.00"),
    ]
    stream.correct(ids[0], "189.00", 40)
    stream.bust(ids[2])
    stream.deposit(2, 500, symbol_id=1)
    stream.correct(ids[0], "188.00", 30)
    ids.append(stream.trade(2, 3, 7))
    books = Books(parse_rules(DEFAULT_RULES))
    for event in stream.events:
        books.take(event, {}.get)
    books.release(books.changes.captured[ids[1]], "ops", "news", NOON_NS)
    return books


def as_it_was(row: dict[str, Any]) -> dict[str, Any]:
    """Give a busted trade, or a step of one, the version it had: that before the bust."""
    return row | {"version": row["version"] - (row["state"] == TradeState.BUSTED)}


def whole_lives(books: Books) -> dict[int, list[Step]]:
    return {
        match_id: whole_life(trade, [step for step in books.changes.steps if step.match_id == match_id])
        for match_id, trade in books.changes.captured.items()
    }


def store_of_version_1(url: str) -> Engine:
    """Make an empty store, and take it back to version 0001."""
    store = open_store(url, MIGRATIONS)
    with as_file(files(MIGRATIONS)) as folder, store.connect() as connection:
        config = Config()
        config.set_main_option("script_location", str(folder))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")
    return store


def write_version_1(engine: Engine, books: Books) -> None:
    """Fill the tables of version 0001 with a day's books."""
    old = MetaData()
    old.reflect(engine)
    transfers = [
        {
            **{name: getattr(each, name) for name in ("debit", "credit", "amount", "code", "subject", "sequence",
                                                     "time_ns", "version", "transfer_id")},
            "partition": 0, "number": number, "account_id": member_of(each),
        }
        for number, each in enumerate(books.ledger.unsaved_transfers, 1)
    ]  # fmt: skip
    trades = [as_it_was(asdict(trade)) for trade in books.changes.captured.values()]
    steps = [as_it_was(asdict(step)) for steps in whole_lives(books).values() for step in steps]
    whole = {
        "partition": 0, "trades": books.trades, "transfers": books.ledger.transfers, "ledger_hash": b"old",
        "next_ruling_id": books.next_ruling_id, "business_date": 0,
    }  # fmt: skip
    with engine.begin() as connection:
        for name, rows in (
            ("transfers", transfers), ("trades", trades), ("trade_steps", steps), ("books", [whole]),
            ("balances", balance_rows(books)), ("positions", position_rows(books)),
        ):  # fmt: skip
            table: Table = old.tables[name]
            kept = [{key: value for key, value in row.items() if key in table.c} for row in rows]
            connection.execute(insert(table), kept)


def position_rows(books: Books) -> list[dict[str, Any]]:
    return [
        {"partition": 0, "account_id": account_id, "symbol_id": symbol_id}
        | asdict(position)
        | {"bought_notional": str(position.bought_notional), "sold_notional": str(position.sold_notional)}
        for (account_id, symbol_id), position in books.positions.positions.items()
    ]


def balance_rows(books: Books) -> list[dict[str, Any]]:
    return [
        {
            "partition": 0,
            "account_number": number,
            "debits": str(balance.debits),
            "credits": str(balance.credits),
        }
        | account_of(number)._asdict()
        for number, balance in books.ledger.balances.items()
    ]


def test_the_books_of_version_0001_are_brought_over_whole(store_url: str) -> None:
    books = books_of_a_day()
    old = store_of_version_1(store_url)
    write_version_1(old, books)
    old.dispose()

    store = open_store(store_url, MIGRATIONS)
    with store.connect() as connection:
        transfers = list(saved.read_transfers(connection, 0))
        trades: list[Trade] = list(saved.read_trades(connection, 0))
        row = saved.read_books_row(connection, 0)
        lives = {trade.match_id: queries.steps_of(connection, trade) for trade in trades}
        entries = {trade.match_id: queries.entries_of(connection, trade) for trade in trades}
        proof = prove(
            transfers,
            trades,
            dict(saved.read_balances(connection, 0)),
            dict(saved.read_positions(connection, 0)),
            row.ledger_hash,
        )
    store.dispose()
    assert transfers == books.ledger.unsaved_transfers
    assert row.ledger_hash == books.ledger.running_hash
    assert {trade.match_id: trade for trade in trades} == books.changes.captured
    assert lives == whole_lives(books)
    assert [len(each) for each in entries.values()] == [4 + 8 + 8, 4, 4 + 4, 4]
    assert proof.holds, proof.faults


def test_a_store_with_trades_does_not_go_back(store_url: str) -> None:
    old = store_of_version_1(store_url)
    write_version_1(old, books_of_a_day())
    old.dispose()
    with pytest.raises(RuntimeError, match="restore a backup of 0001"):
        store_of_version_1(store_url)
