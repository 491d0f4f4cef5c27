"""A read-only copy of the reporter: answers for symbols and books out of the cache, and needs nothing else.

It knows no keys, follows no events and has no store, so any number of copies costs the exchange nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack

import structlog
from prometheus_client.metrics_core import Metric

from exchange import __version__
from exchange.infra.cache import Cache, CacheUnavailable, Mark
from exchange.infra.component_metrics import about, component_metrics
from exchange.infra.config import Address, Config, url_of
from exchange.infra.config_follower import (
    ConfigFollower,
    Started,
    config_notes,
    follow_config,
)
from exchange.infra.errors import InfraError
from exchange.infra.http import HttpService
from exchange.infra.http_limits import limits_of
from exchange.infra.metrics import Family, gauge, read_all
from exchange.infra.redis_cache import RedisCache, RedisLink, open_redis
from exchange.infra.shared_rates import open_shared_rates
from exchange.reporter.cache_api import CacheApi
from exchange.reporter.cached_market import TABLES, CachedMarket

log = structlog.get_logger(component="reporter")

LOOK_S = 1.0
"""How often it is looked whether the cache is there, asked or not."""
DESCRIPTION = "A read-only copy of the reporter: symbols and order books out of the cache, with their age."


class CacheReporterApp:
    """One read-only reporter. After `start`: url; mark, problem: how the cache was at the last look.

    cache: by default the one in Redis that the configuration names.
    """

    def __init__(self, config: Config, *, cache: Cache | None = None, started: Started | None = None) -> None:
        self.config = config
        self._started = started or Started(base=config, config=config)
        self.url = ""
        self._cache = cache
        self._link: RedisLink | None = None
        self._config_follower: ConfigFollower | None = None
        self._about = about("copy", config.partition, config.data_folder)
        self._stale_s = config.redis.stale_s
        self.mark: Mark | None = None
        self.problem = "the cache has not been asked yet"
        self._running = AsyncExitStack()
        self._is_serving = False

    async def start(self) -> None:
        """Serve, whether the cache is there or not. Raise `InfraError` or `OSError` where that cannot be."""
        async with AsyncExitStack() as stack:
            self._link = open_redis(self.config, stack)
            market = CachedMarket(self._cache or self._redis_cache())
            await self._look(market)
            await self._start_http(stack, market)
            looking = asyncio.create_task(self._look_on(market), name="cache reader looks")
            stack.push_async_callback(_end, looking)
            self._running = stack.pop_all()
        self._is_serving = True
        log.info("cache_reader_started", url=self.url)

    async def stop(self) -> None:
        """Stop serving."""
        self._is_serving = False
        await self._running.aclose()

    def ready(self) -> list[str]:
        """Return the reasons why the answers are not good."""
        if not self._is_serving:
            return ["the reporter is starting or stopping"]
        if self.problem:
            return [self.problem]
        if self.mark is None:
            return ["the cache is empty or being filled; is a reporter running with the same [redis] url?"]
        age_s, stale_s = self.mark.age_s, self._stale_s
        if age_s > stale_s:
            return [
                f"the cache is {age_s:.0f} s old, more than {stale_s} s; is the reporter running and ready?"
            ]
        return []

    def failure(self) -> str:
        """Return nothing: whatever happens to the cache, it may come back."""
        return ""

    def _redis_cache(self) -> RedisCache:
        if self._link is None:
            raise InfraError(
                "a reporter out of the cache needs the cache: set [redis] url, or start it without --from-cache"
            )
        return RedisCache(self._link, TABLES)

    async def _look_on(self, market: CachedMarket) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            await self._look(market)

    async def _look(self, market: CachedMarket) -> None:
        """Take note of how the cache is."""
        try:
            self.mark, self.problem = await market.mark(), ""
        except CacheUnavailable as error:
            self.mark, self.problem = None, str(error)

    def _metrics(self) -> Iterator[Metric]:
        yield from read_all(COPY_FAMILIES, self)
        yield from component_metrics(self._about, None, self._link, self._config_follower)

    async def _start_http(self, stack: AsyncExitStack, market: CachedMarket) -> None:
        config = self.config
        http = HttpService(
            f"{config.exchange.name} reporter, read-only",
            CacheApi(market, config.redis.book_levels).routes(),
            None,
            ready=self.ready,
            version=__version__,
            cors_origins=config.page_origins(),
            limits=limits_of(config.exchange),
            metrics=self._metrics,
            description=DESCRIPTION,
            notes=lambda: config_notes(self._config_follower),
            shared_rates=open_shared_rates(config, self._link, "reporter"),
        )
        address = config.reporter_address()
        port = await http.start(address.host, address.port)
        stack.push_async_callback(http.stop)
        self.url = config.reporter.url.rstrip("/") or url_of(Address(address.host, port))
        self._config_follower = await follow_config(
            self._link, "reporter", self._started, http, stack, self._apply
        )

    def _apply(self, config: Config) -> None:
        """Take over the keys of the shared configuration that only this has."""
        self._about = about("copy", config.partition, config.data_folder)
        self._stale_s = config.redis.stale_s


COPY_FAMILIES: tuple[Family[CacheReporterApp], ...] = (
    gauge(
        "exchange_cache_up", "Whether the cache could be read at the last look.", lambda app: not app.problem
    ),
    gauge(
        "exchange_cache_age_seconds",
        "Since the cache was whole, -1 where it is not.",
        lambda app: app.mark.age_s if app.mark else -1,
    ),
    gauge(
        "exchange_cache_sequence",
        "Last event that the cache is known to hold.",
        lambda app: app.mark.sequence if app.mark else 0,
    ),
)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
