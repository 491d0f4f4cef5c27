"""The reporter as a component: follows the engine's events, stores what they cause, and tells everybody.

A batch goes: feed → store, in one transaction, in a thread → live market, command by command → stream. What is
answered and sent is therefore always stored; after a crash the feed begins where the store ended.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, aclosing

import structlog

from exchange import __version__
from exchange.infra.auth import KeyRing
from exchange.infra.bus import Bus, Subscription, events_topic
from exchange.infra.cache import Cache
from exchange.infra.component_key import read_component_key
from exchange.infra.component_metrics import About, about, component_metrics
from exchange.infra.component_news import ComponentNews
from exchange.infra.config import Address, Config, url_of
from exchange.infra.config_api import config_route
from exchange.infra.config_follower import ConfigFollower, Started, config_notes, follow_config, running_of
from exchange.infra.errors import InfraError
from exchange.infra.event_source import EventSource
from exchange.infra.feed import Feed
from exchange.infra.folder_lock import FolderLock
from exchange.infra.http import HttpService
from exchange.infra.http_limits import limits_of
from exchange.infra.http_routes import Route, WsRoute
from exchange.infra.http_source import HttpEventSource
from exchange.infra.metrics import MetricFamilies
from exchange.infra.redis_cache import RedisCache, RedisLink, open_redis, redis_notes
from exchange.infra.shared_rates import open_shared_rates
from exchange.infra.store_meter import StoreMeter
from exchange.infra.store_retry import STOP_WAIT_S, with_retries
from exchange.infra.websocket import SocketLimits
from exchange.market_data.candles import parse_intervals
from exchange.reporter import asyncapi
from exchange.reporter.cache_writer import CacheWriter
from exchange.reporter.cached_market import TABLES
from exchange.reporter.drop_copy_api import DropCopyApi
from exchange.reporter.intake import Intake
from exchange.reporter.itch_feed import ItchFeed
from exchange.reporter.itch_metrics import itch_metrics
from exchange.reporter.live_market import LiveMarket
from exchange.reporter.private_stream import PrivateStream
from exchange.reporter.rest_api import MarketApi
from exchange.reporter.rest_stats import StatsApi
from exchange.reporter.sse_api import SseApi
from exchange.reporter.state_api import StateApi
from exchange.reporter.state_taker import take_from_peers
from exchange.reporter.store import Committed, ReporterStore
from exchange.reporter.stream_api import StreamApi
from exchange.reporter.stream_groups import SNAPSHOT_TRADES
from exchange.reporter.stream_hub import StreamHub
from exchange.reporter.web_page import WebPage
from exchange.reporter.webhook_api import WebhookApi
from exchange.reporter.webhook_messages import WebhookMessages
from exchange.reporter.webhook_metrics import webhook_metrics
from exchange.reporter.webhook_store import WebhookStore
from exchange.reporter.webhooks import Webhooks
from exchange.wire.envelope import EventBatch

log = structlog.get_logger(component="reporter")

KIB = 1 << 10
LAG_EVENTS_MAX = 100_000
"""Events that may be missing before the reporter says that it is not ready."""
CHANNEL = "reporter"
DESCRIPTION = (
    "The reporter relays market data: REST, and a stream of trades, books, tickers, candles and status."
)


class ReporterApp:
    """One reporter. After `start`: url, market, hub, feed.

    source: where events are fetched, by default the engine; cache: where symbols and books are kept for read-only
    copies, by default the one in Redis that the configuration names, if any.
    """

    market: LiveMarket
    hub: StreamHub
    feed: Feed
    store: ReporterStore
    webhooks: Webhooks
    itch: ItchFeed | None = None

    def __init__(
        self,
        config: Config,
        *,
        bus: Bus | None = None,
        source: EventSource | None = None,
        cache: Cache | None = None,
        started: Started | None = None,
    ) -> None:
        self.config = config
        self._started = started or Started(base=config, config=config)
        self.url = ""
        self._bus = bus
        self._source = source
        self._cache = cache
        self._cache_writer: CacheWriter | None = None
        self._link: RedisLink | None = None
        self._config_follower: ConfigFollower | None = None
        self._running = AsyncExitStack()
        self._is_serving = False
        self._was_caught_up = False
        self._problem = ""
        self._meter = StoreMeter("reporter")
        self._following: asyncio.Task[None] | None = None
        self._news = ComponentNews(
            "reporter",
            config,
            bus,
            ready=self.ready,
            url=self._known_url,
            position=self._sequence,
            configuration=lambda: running_of(self._config_follower),
        )

    async def start(self) -> None:
        """Go on where the store ended, and serve. Raise `InfraError` or `OSError` where that cannot be."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._news.stop)
            await self._news.start()
            await self._open_store(stack)
            self._link = open_redis(self.config, stack)
            await self._start_http(stack)
            await self._start_following(stack)
            await self._start_itch(stack)
            self._start_writing_the_cache(stack)
            self._config_follower = await follow_config(
                self._link, "reporter", self._started, self._http, stack, self._apply
            )
            self._running = stack.pop_all()
        self._is_serving = True
        log.info("reporter_started", url=self.url, position=self.market.sequence)

    async def stop(self) -> None:
        """Stop whole: what was taken in is stored."""
        if self._is_serving:
            await self._news.drain()
        self._is_serving = False
        await self._running.aclose()

    def ready(self) -> list[str]:
        """Return the reasons why the reporter does not do its work."""
        if not self._is_serving:
            return ["the reporter is starting or stopping"]
        if failure := self.failure():
            return [failure]
        stats = self.feed.stats
        lag = max(0, stats.newest - self.market.sequence)
        self._was_caught_up = self._was_caught_up or (stats.is_caught_up and not lag)
        reasons = [f"engine: {stats.problem}"] if stats.problem else []
        if self._meter.problem:
            reasons.append(self._meter.problem)
        if self.itch is not None and self.itch.problem:
            reasons.append(self.itch.problem)
        if not self._was_caught_up or lag > LAG_EVENTS_MAX:
            reasons.append(f"catching up: at event {self.market.sequence}, {lag} more are known of")
        return reasons

    def failure(self) -> str:
        """Return why the reporter follows the engine no longer."""
        if not self._problem and self._following is not None and self._following.done():
            return "the reporter failed and follows no longer; its log says why; start it again"
        return self._problem

    # --- parts ------------------------------------------------------------------------------------

    async def _open_store(self, stack: AsyncExitStack) -> None:
        stack.callback(FolderLock(self.config.component_folder("reporter") / "lock").release)
        self._intervals_s = parse_intervals(self.config.reporter.candle_intervals)
        self.store = await asyncio.to_thread(
            ReporterStore, self.config.store_url_for("reporter"), self.config.partition, self._intervals_s
        )
        stack.callback(self.store.close)
        await self._take_state(stack)
        restored = await asyncio.to_thread(self.store.restore, SNAPSHOT_TRADES)
        self.market = LiveMarket(restored, self.config.reporter.trades_in_memory)
        self._position, self._held = restored.position, restored.held

    async def _take_state(self, stack: AsyncExitStack) -> None:
        """Begin with what a peer holds, where there are peers and the store or the engine lacks it."""
        if not self.config.reporter.peers:
            return
        position = await asyncio.to_thread(self.store.position)
        await take_from_peers(
            self.store.engine,
            self.config.partition,
            position,
            self.config.reporter.peers,
            self._open_source(stack),
            lambda: read_component_key(self.config.key_file_for("reporter")),
        )

    def _open_source(self, stack: AsyncExitStack) -> EventSource:
        """Return where events are fetched: what was given, else the engine."""
        if self._source is None:
            key = read_component_key(self.config.key_file_for("reporter"))
            source = HttpEventSource(self.config.engine_url_for("reporter"), key)
            stack.push_async_callback(source.close)
            self._source = source
        return self._source

    def _known_url(self) -> str:
        return self.url or self.config.reporter_url()

    def _sequence(self) -> int:
        return self.market.sequence if self._is_serving else 0

    def _start_writing_the_cache(self, stack: AsyncExitStack) -> None:
        """Keep symbols and books in the cache, in a task of its own, where there is one."""
        cache = self._cache
        if cache is None and self._link is not None:
            cache = RedisCache(self._link, TABLES)
        if cache is not None:
            redis = self.config.redis
            self._cache_writer = CacheWriter(
                cache,
                self.market,
                lambda: not self.ready(),
                levels=redis.book_levels,
                pause_s=1 / redis.writes_per_second,
            )
            writing = asyncio.create_task(self._cache_writer.run(), name="reporter writes the cache")
            writing.add_done_callback(_log_failure)
            stack.push_async_callback(_end, writing)

    def _apply(self, config: Config) -> None:
        """Take over the keys of the shared configuration that only the reporter has."""
        if self._cache_writer is not None:
            self._cache_writer.pause_s = 1 / config.redis.writes_per_second

    def _notes(self) -> list[str]:
        notes = redis_notes(self._link) + config_notes(self._config_follower)
        return notes + (self._cache_writer.notes() if self._cache_writer is not None else [])

    def _metrics(self, description: About, own: MetricFamilies) -> MetricFamilies:
        yield from own
        yield from self._news.metrics()
        yield from itch_metrics(self.itch)
        yield from webhook_metrics(self.webhooks)
        yield from component_metrics(description, self._bus, self._link, self._config_follower)
        if self._cache_writer is not None:
            yield from self._cache_writer.metrics()

    async def _start_following(self, stack: AsyncExitStack) -> None:
        """Take events in from bus and engine, in a task of their own."""
        partition = self.config.partition
        source = self._open_source(stack)
        self._private.source = source
        subscription: Subscription | None = None
        if self._bus is not None:
            subscription = await self._bus.subscribe(events_topic(partition), CHANNEL)
        epoch, sequence = self._position
        self.feed = Feed(
            source,
            subscription,
            partition=partition,
            after=sequence,
            epoch=epoch,
            held=self._held,
            gap_wait_s=self.config.bus.gap_wait_ms / 1_000,
            window_bytes_max=self.config.bus.window_mib << 20,
        )
        self._following = asyncio.create_task(self._follow(), name="reporter follows")
        self._following.add_done_callback(_log_failure)
        stack.push_async_callback(self._stop_following)

    async def _start_itch(self, stack: AsyncExitStack) -> None:
        """Make ITCH of what is stored, in a task of its own."""
        if self.config.reporter.itch.enabled:
            assert self._source is not None
            folder = self.config.component_folder("reporter") / "itch"
            itch = await asyncio.to_thread(ItchFeed, self.config, folder, self._source, self.market)
            await itch.start(stack)
            self.itch = itch

    async def _stop_following(self) -> None:
        await self.feed.close()
        assert self._following is not None
        await asyncio.wait([self._following], timeout=STOP_WAIT_S)
        self._following.cancel()
        await asyncio.gather(self._following, return_exceptions=True)

    async def _follow(self) -> None:
        """Take in batch after batch until the feed is closed, or something fails that a person must look at."""
        try:
            async with aclosing(Intake(self.feed).batches()) as batches:
                async for batch in batches:
                    committed = await self._commit(batch)
                    for _ in self.market.advance(committed, self.hub):
                        await asyncio.sleep(0)
                    self._drop_copy.stored(committed.accounts)
                    self.webhooks.published(committed.accounts)
                    self._private.published(batch)
                    if self.itch is not None:
                        self.itch.take(batch)
        except InfraError as error:
            self._problem = f"{type(error).__name__}: {error}"
            log.error("reporter_stopped_following", position=self.market.sequence, error=self._problem)

    async def _commit(self, batch: EventBatch) -> Committed:
        """Store a batch, again where the store fails for a while; `ready` says so meanwhile."""

        self._meter.begin()
        committed = await with_retries(
            lambda: self.store.commit(batch, self.market.builder),
            lambda reason, tries: self._meter.failed(batch, reason, tries),
        )
        self._meter.stored(batch, is_current=self.feed.stats.is_caught_up)
        return committed

    def _stream_routes(self, sockets: SocketLimits) -> list[Route | WsRoute]:
        """Return the routes of the stream, over WebSocket and as server-sent events."""
        limits, origins = self.config.reporter, self.config.exchange.cors_origins
        stream = StreamApi(
            self.hub, self.store.queries, self._intervals_s, limits.websocket_subscriptions_max
        )
        self._sse = SseApi(stream, sockets, limits.websocket_connections_max, origins)
        return [*stream.routes(), *self._sse.routes(), *asyncapi.routes()]

    async def _start_webhooks(self, stack: AsyncExitStack) -> None:
        self.webhooks = Webhooks(
            WebhookStore(self.store.engine, self.config.partition),
            WebhookMessages(self.market, self.store.queries, self._drop_copy),
            self.config.reporter.webhooks,
        )
        stack.push_async_callback(self.webhooks.stop)
        await self.webhooks.start()

    async def _start_http(self, stack: AsyncExitStack) -> None:
        limits, queries = self.config.reporter, self.store.queries
        sockets = SocketLimits(
            queue_bytes_max=limits.websocket_queue_kib * KIB, compresses=limits.websocket_compression
        )
        self.hub = StreamHub(
            self.market,
            limits.websocket_replay_messages,
            limits.heartbeat_ms / 1_000,
            problem=lambda: "; ".join(self.ready()),
        )
        keys = KeyRing(self.market.directory)
        self._private = PrivateStream(self.market, keys, limits.heartbeat_ms / 1_000)
        self._drop_copy = DropCopyApi(self.market, queries, limits.heartbeat_ms / 1_000)
        await self._start_webhooks(stack)
        market_api = MarketApi(
            self.market,
            queries,
            self._intervals_s,
            depth_max=limits.book_levels_max,
            items_max=limits.page_items_max,
        )
        stats_api = StatsApi(
            self.config.exchange.name,
            self.market,
            self.hub,
            partition=self.config.partition,
            meter=self._meter,
            feed=lambda: self.feed.stats,
            routes=lambda: self._http.stats,
        )
        state_api = StateApi(self.store.engine, self.config.partition)
        description = about("reporter", self.config.partition, self.config.component_folder("reporter"))
        self._http = HttpService(
            f"{self.config.exchange.name} reporter",
            [
                *market_api.routes(),
                *stats_api.routes(),
                *self._stream_routes(sockets),
                *self._drop_copy.routes(),
                *self._private.routes(),
                *WebhookApi(self.webhooks, self.market).routes(),
                *self._news.routes(),
                *state_api.routes(),
                config_route("reporter", self.config, lambda: self._config_follower),
                *WebPage(self.config).routes(),
            ],
            keys,
            ready=self.ready,
            version=__version__,
            cors_origins=self.config.exchange.cors_origins,
            limits=limits_of(self.config.exchange, sockets_max=limits.websocket_connections_max),
            socket_limits=sockets,
            metrics=lambda: self._metrics(description, stats_api.metrics()),
            description=DESCRIPTION,
            notes=self._notes,
            shared_rates=open_shared_rates(self.config, self._link, "reporter"),
        )
        beating = asyncio.create_task(self.hub.beat(), name="reporter heartbeats")
        stack.callback(beating.cancel)
        address = self.config.reporter_address()
        port = await self._http.start(address.host, address.port)
        stack.push_async_callback(self._http.stop)
        stack.callback(self._sse.close)
        stack.callback(state_api.close)
        self.url = self.config.reporter.url.rstrip("/") or url_of(Address(address.host, port))


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _log_failure(task: asyncio.Task[None]) -> None:
    """Log why a task of the reporter ended, where that is a fault of ours."""
    error = None if task.cancelled() else task.exception()
    if error is not None:
        log.error("reporter_failed", error=repr(error), exc_info=error)
