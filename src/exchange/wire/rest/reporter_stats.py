"""The reporter's statistics as JSON. Counts are since the start of the process."""

from __future__ import annotations

from msgspec import Struct

from exchange.wire.rest.engine_stats import RouteView


class FeedView(Struct, kw_only=True):
    """How the engine's events come in. position: the last event taken in; lag: events known of and not yet taken."""

    partition: int
    epoch: int
    position: int
    lag: int
    is_caught_up: bool
    batches: int
    events: int
    duplicates: int
    gaps: int
    fetched: int
    dropped: int
    fenced: int
    problem: str


class StreamView(Struct, kw_only=True):
    """The stream's connections. kept: messages that can be asked for again by their sequence."""

    connections: int
    subscriptions: int
    kept: int


class ReporterStats(Struct, kw_only=True):
    """What the reporter has done and how fast. seq: of the last event that is published."""

    name: str
    version: str
    uptime_s: int
    seq: int
    business_date: str | None
    symbols: int
    live_orders: int
    trades: int
    busts_and_corrections: int
    feed: FeedView
    stream: StreamView
    routes: list[RouteView]
