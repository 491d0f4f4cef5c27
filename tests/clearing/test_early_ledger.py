"""A long batch that is stored while it is judged ends as one that is stored afterwards; a failure undoes all of it."""

from __future__ import annotations

import threading
from collections.abc import Iterable

import pytest
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from exchange.clearing import early_ledger
from exchange.clearing.book_keeper import BookKeeper
from exchange.clearing.store import (
    BooksRow,
    read_balances,
    read_books_row,
    read_positions,
    read_trades,
    read_transfers,
    save_transfers,
)
from exchange.infra.store import read_position
from exchange.post_trade.invariants import BooksBroken, prove
from tests.post_trade.stream import Stream


@pytest.fixture(autouse=True)
def short_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(early_ledger, "EVENTS_PER_PIECE", 7)


def long_stream() -> Stream:
    """Return trades, with busts and corrections of trades of this batch and of ones that are stored."""
    stream = Stream()
    stream.deposit(1, 1_000_000)
    ids = [stream.trade(1 + n % 3, 1 + (n + 1) % 3, n, price=f"{185 + n % 12}.00") for n in range(1, 150)]
    for place in range(3, 140, 11):
        stream.bust(ids[place])
        stream.correct(ids[place + 1], "188.00", 1)
    return stream


def check(store: Engine, stream: Stream) -> BooksRow:
    """Prove what is stored, all of the stream; return the books as a whole."""
    with store.connect() as connection:
        row = read_books_row(connection, 0)
        proof = prove(
            read_transfers(connection, 0),
            read_trades(connection, 0),
            dict(read_balances(connection, 0)),
            dict(read_positions(connection, 0)),
            row.ledger_hash,
        )
        assert proof.holds, proof.faults
        assert proof.transfers == row.transfers
        assert read_position(connection, 0).sequence == len(stream.events)
    return row


def test_the_books_are_the_same_however_long_the_batches_are(keeper: BookKeeper, store: Engine) -> None:
    stream = long_stream()
    for batch in stream.batches([40, 90, 3]):
        keeper.commit(batch)
    row = check(store, stream)
    books_alone = keeper._books
    assert books_alone is not None
    assert (row.ledger_hash, row.transfers) == (books_alone.ledger.running_hash, books_alone.ledger.transfers)


def test_a_write_that_fails_undoes_the_batch_and_is_told_by_its_own_reason(
    keeper: BookKeeper, store: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = long_stream()
    first, second = stream.batches([40])
    keeper.commit(first)
    failed = threading.Event()

    def save_badly(connection: Connection, partition: int, chains: Iterable[object]) -> None:
        if not failed.is_set():
            failed.set()
            connection.exec_driver_sql("SELECT 1 FROM nowhere")
        save_transfers(connection, partition, chains)  # type: ignore[arg-type]

    monkeypatch.setattr(early_ledger, "save_transfers", save_badly)
    if store.dialect.name == "postgresql":
        with pytest.raises(DBAPIError, match="nowhere"):
            keeper.commit(second)
    assert keeper.commit(second).trades > 100
    check(store, stream)


def test_broken_books_undo_what_was_written_early(keeper: BookKeeper, store: Engine) -> None:
    stream = long_stream()
    (good,) = stream.batches([])
    stream.trade(1, 2, 5)
    stream.bust(stream.trade(1, 2, 5))
    stream.events[-1] = type(stream.events[-1])(
        **{name: getattr(stream.events[-1], name) for name in stream.events[-1].__struct_fields__}
        | {"match_id": 7_777}
    )
    (bad,) = stream.batches([])
    with pytest.raises(BooksBroken, match="never seen this trade"):
        keeper.commit(bad)
    keeper.commit(good)
    del stream.events[-3:]
    check(store, stream)
