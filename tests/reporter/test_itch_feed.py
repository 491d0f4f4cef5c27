"""The ITCH feed beside its reporter: what it missed it fetches; where that cannot be, it begins anew and says so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from exchange.infra.config import Config, load_config
from exchange.infra.errors import AccessRefused, EventsGone, SourceUnavailable
from exchange.reporter import itch_feed
from exchange.reporter.itch_feed import WAITING_BATCHES_MAX, ItchFeed
from exchange.reporter.live_market import LiveMarket
from exchange.reporter.store import ReporterStore
from exchange.wire.envelope import EventBatch
from tests.infra.event_streams import until
from tests.market_data.venue_flow import DATE, VenueFlow
from tests.reporter.soup_client import SoupClient
from tests.reporter.test_itch_days import everything


class Engine:
    """A market and its event log. kept_after: events up to there are gone; problem: raised at a fetch."""

    def __init__(self) -> None:
        self.flow = VenueFlow()
        self.batches: list[EventBatch] = []
        self.kept_after = 0
        self.problem: Exception | None = None
        self.fetches = 0
        self.happen(self.flow.open())

    def happen(self, events: bytes) -> EventBatch:
        first = self.batches[-1].last_sequence + 1 if self.batches else 1
        batch = EventBatch(0, 1, first, self.flow.venue.event_sequence + 1 - first, events)
        self.batches.append(batch)
        return batch

    def trade(self) -> EventBatch:
        return self.happen(self.flow.trade(1_000_000))

    async def fetch(self, after: int, wait_s: float = 0) -> EventBatch:
        self.fetches += 1
        if self.problem is not None:
            raise self.problem
        if after < self.kept_after:
            raise EventsGone(self.kept_after + 1, f"events before {self.kept_after + 1} are gone")
        for batch in self.batches:
            if batch.first_sequence == after + 1:
                return batch
        return EventBatch(0, 1, after + 1, 0, b"")


class Market:
    """A reporter's store and live market that have taken in what an engine told them."""

    def __init__(self, folder: Path) -> None:
        self.config: Config = load_config(None, {}, {"port_base": 0})
        self.store = ReporterStore(f"sqlite:///{folder / 'r.sqlite'}", 0, (60, 86_400))
        self.live = LiveMarket(self.store.restore(10), 10)
        self.folder = folder / "itch"

    def take(self, batch: EventBatch) -> None:
        for _ in self.live.advance(self.store.commit(batch, self.live.builder), Nobody()):
            pass

    @asynccontextmanager
    async def feed(self, engine: Engine) -> AsyncIterator[ItchFeed]:
        async with AsyncExitStack() as stack:
            feed = ItchFeed(self.config, self.folder, engine, self.live)
            await feed.start(stack)
            yield feed


class Nobody:
    """Listens to a market and does nothing."""

    def __getattr__(self, name: str) -> object:
        return lambda *_: None


@pytest.fixture
def market(tmp_path: Path) -> Market:
    return Market(tmp_path)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(itch_feed, "RETRY_S", 0.01)


def is_at(feed: ItchFeed, engine: Engine) -> bool:
    return feed.days.sequence == engine.flow.venue.event_sequence


async def test_what_the_reporter_stores_reaches_a_subscriber_without_a_fetch(market: Market) -> None:
    engine = Engine()
    async with market.feed(engine) as feed, SoupClient(feed.server.port) as client:
        feed.take(engine.batches[0])
        await until(lambda: is_at(feed, engine))
        await client.log_in()
        for _ in range(3):
            feed.take(engine.trade())
        assert len(await client.read(13)) == 13
        assert engine.fetches == 0


async def test_what_it_has_not_heard_is_fetched_and_what_it_has_is_not_repeated(market: Market) -> None:
    engine = Engine()
    engine.trade()
    async with market.feed(engine) as feed:
        late = engine.trade()
        feed.take(late)
        feed.take(late)
        feed.take(engine.batches[1])
        await until(lambda: is_at(feed, engine))
        assert feed.days.streams.last(DATE) == 11


async def test_a_flood_is_let_go_and_fetched(market: Market) -> None:
    engine = Engine()
    async with market.feed(engine) as feed:
        for _ in range(WAITING_BATCHES_MAX * 2 + 5):
            feed.take(engine.trade())
        await until(lambda: is_at(feed, engine))
        assert feed.days.streams.last(DATE) == 7 + 2 * (WAITING_BATCHES_MAX * 2 + 5)


async def test_a_crash_and_a_restart_leave_the_same_messages(market: Market, tmp_path: Path) -> None:
    engine = Engine()
    for batch in engine.batches:
        market.take(batch)
    async with market.feed(engine) as feed:
        await until(lambda: is_at(feed, engine))
        feed.take(engine.trade())
        await until(lambda: is_at(feed, engine))
        before = everything(feed.days)
        (market.folder / "checkpoint").unlink(missing_ok=True)
        market.take(engine.batches[-1])
        feed.problem = "as if it had been killed: nothing is saved"
    engine.problem = SourceUnavailable("the engine starts too")
    async with market.feed(engine) as feed:
        await until(lambda: engine.fetches > 3)
        engine.problem = None
        await until(lambda: is_at(feed, engine))
        assert everything(feed.days) == before


async def test_a_clean_stop_is_gone_on_from_without_a_fetch(market: Market) -> None:
    engine = Engine()
    market.take(engine.batches[0])
    async with market.feed(engine) as feed:
        await until(lambda: is_at(feed, engine))
        before = everything(feed.days)
    engine.fetches = 0
    async with market.feed(engine) as feed:
        assert (everything(feed.days), engine.fetches) == (before, 0)


async def test_events_that_are_gone_begin_the_session_anew(market: Market) -> None:
    engine = Engine()
    engine.trade()
    for batch in engine.batches:
        market.take(batch)
    engine.kept_after = engine.batches[0].last_sequence
    async with market.feed(engine) as feed:
        await until(lambda: is_at(feed, engine))
        (name,) = everything(feed.days)
        assert name.startswith(str(DATE))
        assert not name.endswith("00")
        async with SoupClient(feed.server.port) as client:
            assert await client.log_in(session=f"{DATE}00") == "S"
        feed.take(engine.trade())
        await until(lambda: is_at(feed, engine))
        assert feed.days.streams.last(DATE) == 7 + 2


async def test_files_of_another_store_are_left(market: Market) -> None:
    engine = Engine()
    market.take(engine.batches[0])
    async with market.feed(engine) as feed:
        await until(lambda: is_at(feed, engine))
    other = Market.__new__(Market)
    other.config, other.folder = market.config, market.folder
    (market.folder / "x").mkdir()
    other.store = ReporterStore(f"sqlite:///{market.folder / 'x' / 'r.sqlite'}", 0, (60, 86_400))
    other.live = LiveMarket(other.store.restore(10), 10)
    async with other.feed(Engine()) as feed:
        assert (feed.days.sequence, feed.days.dates()) == (0, [])


@pytest.mark.parametrize(
    "problem", [AccessRefused("our key is not known"), OSError(28, "No space left on device")]
)
async def test_what_cannot_be_mended_is_said_and_subscribers_are_told(
    market: Market, problem: Exception
) -> None:
    engine = Engine()
    async with market.feed(engine) as feed, SoupClient(feed.server.port) as client:
        feed.take(engine.batches[0])
        await until(lambda: is_at(feed, engine))
        await client.log_in()
        engine.problem = problem
        engine.trade()
        feed.take(engine.trade())
        await client.until_closed()
        assert "ITCH" in feed.problem
        assert str(problem).rpartition("] ")[2] in feed.problem
