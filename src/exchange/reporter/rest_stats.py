"""REST of the reporter's statistics, and the same figures for Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import monotonic

from prometheus_client.metrics_core import Metric

from exchange import __version__
from exchange.domain.participant import Role
from exchange.domain.units import format_date
from exchange.infra.feed import FeedStats
from exchange.infra.feed_metrics import CONSUMER_FAMILIES, ConsumerFigures
from exchange.infra.http_routes import Call, Route
from exchange.infra.metrics import read_all
from exchange.infra.store_meter import StoreMeter
from exchange.reporter.live_market import LiveMarket
from exchange.reporter.reporter_metrics import REPORTER_FAMILIES, ReporterFigures
from exchange.reporter.stream_hub import StreamHub
from exchange.wire.rest.engine_stats import RouteView
from exchange.wire.rest.reporter_stats import FeedView, ReporterStats, StreamView

READER = frozenset((Role.VIEWER,))


class StatsApi:
    """The route of the statistics. feed, routes: read when asked; meter: of the store."""

    def __init__(
        self,
        name: str,
        market: LiveMarket,
        hub: StreamHub,
        *,
        partition: int,
        meter: StoreMeter,
        feed: Callable[[], FeedStats],
        routes: Callable[[], list[RouteView]],
    ) -> None:
        self._name = name
        self._market = market
        self._hub = hub
        self._partition = partition
        self._meter = meter
        self._feed = feed
        self._routes = routes
        self._started_s = monotonic()

    def routes(self) -> list[Route]:
        """List the routes."""
        return [
            Route(
                "GET", "/api/v1/stats", self.stats, "Show the reporter's statistics", "system", READER,
                returns=ReporterStats,
            )
        ]  # fmt: skip

    async def stats(self, _: Call) -> ReporterStats:
        """Answer GET /stats."""
        market, date = self._market, self._market.business_date
        return ReporterStats(
            name=self._name,
            version=__version__,
            uptime_s=self._uptime_s(),
            seq=market.sequence,
            business_date=format_date(date) if date else None,
            symbols=len(market.directory.symbols),
            live_orders=len(market.builder.orders),
            trades=market.trades_printed,
            busts_and_corrections=market.trades_changed,
            feed=self._feed_view(),
            stream=self._stream_view(),
            routes=self._routes(),
        )

    def metrics(self) -> Iterator[Metric]:
        """Yield the reporter's families for Prometheus."""
        consumer = ConsumerFigures(self._feed(), self._meter, self._market.sequence)
        yield from read_all(CONSUMER_FAMILIES, consumer)
        yield from read_all(REPORTER_FAMILIES, ReporterFigures(self._market, self._stream_view()))

    def _feed_view(self) -> FeedView:
        stats = self._feed()
        same = {name: getattr(stats, name) for name in FeedView.__struct_fields__ if hasattr(stats, name)}
        lag = max(0, stats.newest - self._market.sequence)
        return FeedView(**same | {"partition": self._partition, "lag": lag})

    def _stream_view(self) -> StreamView:
        hub = self._hub
        return StreamView(
            connections=len(hub.subscribers),
            subscriptions=sum(each.count for each in hub.subscribers.values()),
            kept=len(hub.trades) + len(hub.books) + len(hub.status),
        )

    def _uptime_s(self) -> int:
        return int(monotonic() - self._started_s)
