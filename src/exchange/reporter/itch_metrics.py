"""The ITCH feed's figures for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.metrics_core import Metric

from exchange.infra.metrics import Family, counter, gauge, read_all
from exchange.reporter.itch_feed import ItchFeed

ITCH_FAMILIES: tuple[Family[ItchFeed], ...] = (
    gauge(
        "exchange_itch_event_sequence", "Event that ITCH has taken in last.", lambda feed: feed.days.sequence
    ),
    gauge(
        "exchange_itch_messages",
        "ITCH messages of the present business date.",
        lambda feed: feed.days.streams.last(feed.days.date),
    ),
    gauge("exchange_itch_connections", "Open ITCH connections.", lambda feed: len(feed.server.connections)),
    counter("exchange_itch_logins_total", "ITCH logins accepted.", lambda feed: feed.server.logins),
    counter(
        "exchange_itch_sent_messages_total",
        "ITCH messages sent over SoupBinTCP, to all together.",
        lambda feed: feed.server.sent_messages,
    ),
    counter(
        "exchange_itch_ends_total",
        "ITCH connections that ended.",
        lambda feed: dict(feed.server.ended),
        "reason",
    ),
    gauge(
        "exchange_itch_stream_bytes", "Size of the days on disk.", lambda feed: feed.days.streams.size_bytes()
    ),
    counter(
        "exchange_itch_udp_packets_total",
        "Datagrams of MoldUDP64 sent.",
        lambda feed: feed.mold.sent_packets if feed.mold else 0,
    ),
    counter(
        "exchange_itch_udp_requests_total",
        "Requests of lost datagrams.",
        lambda feed: feed.mold.requests if feed.mold else 0,
    ),
    counter(
        "exchange_itch_udp_requests_dropped_total",
        "Requests of lost datagrams that came too many in a second.",
        lambda feed: feed.mold.requests_dropped if feed.mold else 0,
    ),
)


def itch_metrics(feed: ItchFeed | None) -> Iterator[Metric]:
    """Yield the families, where ITCH is made."""
    if feed is not None:
        yield from read_all(ITCH_FAMILIES, feed)
