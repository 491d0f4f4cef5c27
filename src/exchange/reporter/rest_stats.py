"""REST of the reporter's statistics, and the same figures for Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import monotonic

import msgspec
from prometheus_client.metrics_core import Metric

from exchange import __version__
from exchange.domain.participant import Role
from exchange.domain.units import format_date
from exchange.infra.feed import FeedStats
from exchange.infra.http_routes import Call, Route
from exchange.infra.http_stats import RouteStats
from exchange.infra.metrics import counter, gauge
from exchange.reporter.live_market import LiveMarket
from exchange.reporter.stream_hub import StreamHub
from exchange.wire.rest.engine_stats import LatencyView, RouteView
from exchange.wire.rest.reporter_stats import FeedView, ReporterStats, StreamView

READER = frozenset((Role.VIEWER,))


class StatsApi:
    """The route of the statistics. feed, routes: read when asked."""

    def __init__(
        self,
        name: str,
        market: LiveMarket,
        hub: StreamHub,
        *,
        partition: int,
        feed: Callable[[], FeedStats],
        routes: Callable[[], list[RouteStats]],
    ) -> None:
        self._name = name
        self._market = market
        self._hub = hub
        self._partition = partition
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
            routes=[_route_view(route) for route in self._routes()],
        )

    def metrics(self) -> Iterator[Metric]:
        """Yield the reporter's families for Prometheus."""
        feed, stream, market = self._feed_view(), self._stream_view(), self._market
        yield gauge("exchange_event_sequence", "Sequence of the last event published.", market.sequence)
        yield gauge("exchange_feed_lag_events", "Events known of and not yet taken in.", feed.lag)
        yield counter("exchange_feed_events", "Events taken in.", feed.events)
        yield counter("exchange_feed_duplicates", "Batches that came again.", feed.duplicates)
        yield counter("exchange_feed_gaps", "Gaps that were filled from the engine.", feed.gaps)
        yield counter("exchange_trades", "Trades put on the tape.", market.trades_printed)
        yield counter("exchange_trade_changes", "Busts and corrections.", market.trades_changed)
        yield gauge("exchange_resting_orders", "Orders in all books.", len(market.builder.orders))
        yield gauge("exchange_stream_connections", "Connections of the stream.", stream.connections)
        yield gauge("exchange_stream_subscriptions", "Subscriptions of the stream.", stream.subscriptions)
        yield gauge("exchange_uptime_seconds", "Since the start of the reporter.", self._uptime_s())

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


def _route_view(route: RouteStats) -> RouteView:
    return RouteView(
        method=route.method,
        path=route.path,
        count=route.count,
        rate=route.rate,
        errors=route.errors,
        failures=route.failures,
        latency=LatencyView(**msgspec.structs.asdict(route.latency)),
    )
