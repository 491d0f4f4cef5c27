"""Clearing ends with the same ledger whatever happens to its PostgreSQL in mid-stream."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from exchange.clearing import consumer as consuming
from exchange.clearing.app import MIGRATIONS
from exchange.clearing.book_keeper import BookKeeper, Outcome
from exchange.clearing.consumer import Consumer
from exchange.clearing.store import BooksRow, read_books_row, read_trades
from exchange.infra.feed import Feed
from exchange.infra.store import open_store
from exchange.post_trade.rules import DEFAULT_RULES, parse_rules
from exchange.post_trade.trade import Trade
from exchange.wire.envelope import EventBatch
from tests.clearing import fake_engine
from tests.clearing.fake_engine import StreamSource, eventually
from tests.infra.postgres_faults import FAULTS, lose_an_answer
from tests.infra.postgres_server import WHY_NOT, PostgresServer
from tests.post_trade.stream import Stream

RULES = parse_rules(DEFAULT_RULES)
TRADES = 400


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    if WHY_NOT:
        pytest.skip(WHY_NOT)
    with PostgresServer() as server:
        yield server


def stream_of(trades: int) -> Stream:
    """Return a stream with trades, held ones, busts and corrections among them."""
    stream = Stream()
    for number in range(1, trades + 1):
        match_id = stream.trade(1 + number % 3, 1 + (number + 1) % 3, number, price=f"{185 + number % 12}.00")
        if number % 50 == 0:
            stream.bust(match_id)
        if number % 70 == 0:
            stream.correct(stream.trade(1, 2, 50), "188.00", 40)
    return stream


class UnhurriedKeeper(BookKeeper):
    """Takes its time, so that every fault comes in mid-stream."""

    def commit(self, batch: EventBatch) -> Outcome:
        time.sleep(0.004)
        return super().commit(batch)


def facts(store: Engine) -> tuple[BooksRow, list[Trade]]:
    with store.connect() as connection:
        return read_books_row(connection, 0), list(read_trades(connection, 0))


def straight(stream: Stream, folder: Path) -> tuple[BooksRow, list[Trade]]:
    """Return what the stream comes to where nothing happens."""
    store = open_store(f"sqlite:///{folder}/straight.sqlite", MIGRATIONS)
    keeper = BookKeeper(store, RULES, 0)
    for batch in stream.batches([]):
        keeper.commit(batch)
    return facts(store)


@pytest.mark.integration
@pytest.mark.parametrize("fault", FAULTS)
async def test_the_consumer_goes_on_and_ends_equal(
    server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setattr(consuming, "COMMIT_BYTES_MAX", 1)
    monkeypatch.setattr(fake_engine, "EVENTS_PER_FETCH", 2)
    stream = stream_of(TRADES)
    last = len(stream.events)
    store = open_store(server.new_database(), MIGRATIONS)
    keeper = UnhurriedKeeper(store, RULES, 0)
    outcomes: list[Outcome] = []
    feed = Feed(StreamSource(stream), None, partition=0, after=0, epoch=0)
    consumer = Consumer(feed, keeper, outcomes.append)
    tasks = [asyncio.create_task(consumer.read()), asyncio.create_task(consumer.commit())]

    for part in (1, 2):

        async def has_come(sequence: int = last * part // 3) -> bool:
            return consumer.stats.committed_sequence >= sequence

        await eventually(has_come)
        await asyncio.to_thread(FAULTS[fault], server, "exchange clearing")

    async def all_stored() -> bool:
        return consumer.stats.committed_sequence == last or tasks[1].done()

    await eventually(all_stored, 60)
    await feed.close()
    await asyncio.gather(*tasks)
    assert consumer.stats.commits > 100
    assert facts(store) == straight(stream, tmp_path)
    assert sum(outcome.trades for outcome in outcomes) == keeper_trades(store)
    store.dispose()


def keeper_trades(store: Engine) -> int:
    with store.connect() as connection:
        return read_books_row(connection, 0).trades


def test_a_commit_whose_answer_was_lost_is_not_done_twice(keeper: BookKeeper, store: Engine) -> None:
    stream = stream_of(10)
    (batch,) = stream.batches([])
    lose_an_answer(store)
    with pytest.raises(DBAPIError, match="answer was lost"):
        keeper.commit(batch)
    outcome = keeper.commit(batch)
    assert (outcome.trades, outcome.sequence) == (10, batch.last_sequence)
    assert len(outcome.directory) > 0
    assert keeper.commit(batch).trades == 0
