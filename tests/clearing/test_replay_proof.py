"""The ledger made anew from the events alone has the hash that clearing has, and a difference shows."""

from __future__ import annotations

import pytest

from exchange.clearing.book_keeper import BookKeeper
from exchange.clearing.replay_proof import differences, replay
from exchange.clearing.store import BooksRow, read_books_row, read_trades, read_transfers
from exchange.domain.corporate_action import HoldingCause
from exchange.domain.corporate_events import HoldingAdjusted
from exchange.infra.errors import SourceUnavailable
from exchange.post_trade.books import Books
from exchange.post_trade.invariants import BooksBroken, prove
from tests.clearing.fake_engine import StreamSource
from tests.post_trade.stream import NOON_NS, Stream


def a_day() -> Stream:
    stream = Stream()
    stream.deposit(1, 50_000_0000)
    stream.deposit(2, 500, symbol_id=1)
    held = stream.trade(1, 2, 100, price="195.00")
    far = stream.trade(1, 2, 10, price="230.00")
    stream.correct(held, "190.00", 60)
    stream.bust(far)
    stream.configure_rules(1, '{"id": "A", "kind": "of_another_package"}')
    stream.trade(2, 1, 5)
    return stream


def books_of(keeper: BookKeeper, stream: Stream) -> BooksRow:
    for batch in stream.batches([]):
        keeper.commit(batch)
    with keeper.store.connect() as connection:
        return read_books_row(connection, 0)


def plain_day() -> Stream:
    """Return a day without rules of another package, which clearing itself could not judge by."""
    stream = Stream()
    stream.deposit(1, 50_000_0000)
    held = stream.trade(1, 2, 100, price="195.00")
    stream.correct(held, "190.00", 60)
    stream.bust(stream.trade(1, 2, 10, price="230.00"))
    return stream


async def test_the_events_alone_give_the_hash_that_clearing_has(keeper: BookKeeper) -> None:
    stream = plain_day()
    row = books_of(keeper, stream)
    ledger = await replay(StreamSource(stream), len(stream.events))
    assert differences(ledger, row.ledger_hash.hex(), row.transfers, row.trades) == []


async def test_rules_do_not_matter_and_progress_is_told() -> None:
    stream, told = a_day(), list[int]()
    ledger = await replay(StreamSource(stream), len(stream.events), told.append)
    assert (ledger.books.trades, told[-1]) == (3, len(stream.events))


async def test_it_stops_at_the_event_at_which_clearing_stands(keeper: BookKeeper) -> None:
    stream = plain_day()
    row = books_of(keeper, stream)
    stands = len(stream.events)
    stream.trade(1, 2, 7)
    ledger = await replay(StreamSource(stream), stands)
    assert differences(ledger, row.ledger_hash.hex(), row.transfers, row.trades) == []


async def test_what_differs_is_named() -> None:
    stream = a_day()
    ledger = await replay(StreamSource(stream), len(stream.events))
    found = differences(ledger, "00" * 16, ledger.books.ledger.transfers + 4, ledger.books.trades)
    assert [each.partition(":")[0] for each in found] == ["ledger hash", "transfers"]


async def test_events_that_contradict_each_other_are_no_proof() -> None:
    stream = Stream()
    stream.deposit(1, 100)
    stream.holdings[1, 0] = 0
    stream.deposit(1, 100)
    with pytest.raises(
        BooksBroken, match="the engine says that account 1 has 100 of cash, the ledger has 200"
    ):
        await replay(StreamSource(stream), len(stream.events))


async def test_a_log_that_ends_too_early_is_said() -> None:
    stream = Stream()
    with pytest.raises(
        SourceUnavailable, match=f"ends at event {len(stream.events)}, and clearing stands at"
    ):
        await replay(StreamSource(stream), len(stream.events) + NOON_NS)


async def test_a_split_and_a_dividend_are_booked_alike_from_store_and_events(keeper: BookKeeper) -> None:
    stream = plain_day()
    for cause, asset, amount in (
        (HoldingCause.SPLIT, 1, 60), (HoldingCause.CASH_IN_LIEU, 0, 1_234), (HoldingCause.DIVIDEND, 0, 15_000),
    ):  # fmt: skip
        for account, sign in ((1, 1), (2, -1)):
            held = stream.holdings.get((account, asset), 0) + sign * amount
            stream.holdings[account, asset] = held
            stream.add(
                HoldingAdjusted, symbol_id=1, account_id=account, cause=cause, asset=asset, amount=sign * amount,
                balance=held,
            )  # fmt: skip
    row = books_of(keeper, stream)
    ledger = await replay(StreamSource(stream), len(stream.events))
    assert differences(ledger, row.ledger_hash.hex(), row.transfers, row.trades) == []
    with keeper.store.connect() as connection:
        proof = prove(
            read_transfers(connection, 0), read_trades(connection, 0), keeper_books(keeper).ledger.balances,
            keeper_books(keeper).positions.positions, row.ledger_hash,
        )  # fmt: skip
    assert proof.faults == []


def keeper_books(keeper: BookKeeper) -> Books:
    return keeper.within(lambda _, books: books)
