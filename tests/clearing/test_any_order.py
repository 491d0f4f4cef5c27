"""However the bus repeats, reorders and loses the events, the ledger is the same, byte by byte."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine

from exchange.clearing import tables
from exchange.clearing.book_keeper import BookKeeper
from exchange.clearing.replay_proof import replay
from exchange.clearing.store import read_books_row
from exchange.infra import store as infra_store
from exchange.infra.feed import Feed
from exchange.post_trade.rules import DEFAULT_RULES, parse_rules
from exchange.wire.envelope import EventBatch, encode_batch
from tests.clearing.fake_engine import StreamSource
from tests.post_trade.stream import Stream
from tests.post_trade.test_books import streams

RULES = parse_rules(DEFAULT_RULES)


@dataclass
class Message:
    """A message of the bus."""

    body: bytes

    async def finish(self) -> None:
        pass

    async def requeue(self, delay_s: float = 0) -> None:
        pass


class UnfoldingSource(StreamSource):
    """The engine's event log, which has nothing yet when clearing begins and grows with what the bus delivers."""

    def __init__(self, whole: Stream) -> None:
        super().__init__(Stream(participants=0))
        self.stream.events.clear()
        self.whole = whole

    def unfold(self, last_sequence: int) -> None:
        self.stream.events.extend(self.whole.events[len(self.stream.events) : last_sequence])
        self.wake()


class Script:
    """A subscription that delivers what it was told to, and then nothing more."""

    def __init__(self, batches: list[EventBatch], source: UnfoldingSource) -> None:
        self._batches = list(batches)
        self._source = source

    async def receive(self) -> Message:
        if not self._batches:
            self._source.unfold(len(self._source.whole.events))
            await asyncio.Event().wait()
        batch = self._batches.pop(0)
        self._source.unfold(batch.last_sequence)
        return Message(encode_batch(batch))

    async def close(self) -> None:
        self._batches.clear()


async def ledger_after(stream: Stream, batches: list[EventBatch]) -> tuple[bytes, int]:
    """Let clearing read a stream of which the bus delivers these messages; return hash and position."""
    store = create_engine("sqlite://")
    tables.metadata.create_all(store)
    infra_store.metadata.create_all(store)
    keeper = BookKeeper(store, RULES, 0)
    source = UnfoldingSource(stream)
    script = Script(batches, source)
    feed = Feed(source, script, partition=0, after=0, epoch=0, gap_wait_s=0.001, silence_s=0.002)
    async for batch in feed.batches():
        keeper.commit(batch)
        if batch.last_sequence == len(stream.events):
            break
    await feed.close()
    with store.connect() as connection:
        found = read_books_row(connection, 0).ledger_hash
    store.dispose()
    return found, keeper.position().sequence


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(stream=streams(), data=st.data())
def test_any_permutation_repetition_and_loss_gives_an_identical_ledger_hash(
    stream: Stream, data: st.DataObject
) -> None:
    sizes = data.draw(st.lists(st.integers(1, 5), max_size=15))
    batches = stream.batches(sizes)
    delivered = data.draw(st.lists(st.sampled_from(batches), max_size=3 * len(batches)))
    shuffled = data.draw(st.permutations(batches + delivered))
    expected = asyncio.run(ledger_after(stream, batches))
    assert asyncio.run(ledger_after(stream, shuffled)) == expected
    assert asyncio.run(ledger_after(stream, delivered)) == expected
    replayed = asyncio.run(replay(StreamSource(stream), len(stream.events)))
    assert replayed.books.ledger.running_hash == expected[0]
