"""The OUCH gateway's figures for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.metrics_core import Metric

from exchange.engine.ouch_acceptor import OuchAcceptor
from exchange.infra.metrics import Family, counter, gauge, read_all

OUCH_FAMILIES: tuple[Family[OuchAcceptor], ...] = (
    gauge("exchange_ouch_connections", "Open OUCH connections.", lambda ouch: len(ouch.connections)),
    gauge("exchange_ouch_sessions", "OUCH sessions that are logged in.", lambda ouch: len(ouch.by_session)),
    counter("exchange_ouch_logins_total", "OUCH logins accepted.", lambda ouch: ouch.counters.logins),
    counter(
        "exchange_ouch_logins_refused_total",
        "OUCH logins refused.",
        lambda ouch: ouch.counters.logins_refused,
    ),
    counter("exchange_ouch_messages_total", "OUCH messages received.", lambda ouch: ouch.counters.messages),
    counter(
        "exchange_ouch_sent_messages_total", "OUCH messages sent.", lambda ouch: ouch.counters.sent_messages
    ),
    counter(
        "exchange_ouch_ends_total",
        "OUCH connections that ended.",
        lambda ouch: dict(ouch.counters.ended),
        "reason",
    ),
    gauge(
        "exchange_ouch_stream_bytes",
        "Size of the OUCH streams on disk.",
        lambda ouch: ouch.sessions.streams.size_bytes(),
    ),
)


def ouch_metrics(ouch: OuchAcceptor | None) -> Iterator[Metric]:
    """Yield the families, where there is a gateway."""
    if ouch is not None:
        yield from read_all(OUCH_FAMILIES, ouch)
