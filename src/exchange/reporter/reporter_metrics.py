"""The reporter's own figures for Prometheus."""

from __future__ import annotations

from typing import NamedTuple

from exchange.infra.metrics import Family, counter, gauge
from exchange.reporter.live_market import LiveMarket
from exchange.wire.rest.reporter_stats import StreamView


class ReporterFigures(NamedTuple):
    """What is read when Prometheus asks."""

    market: LiveMarket
    stream: StreamView


REPORTER_FAMILIES: tuple[Family[ReporterFigures], ...] = (
    counter("exchange_tape_trades_total", "Trades put on the tape.", lambda r: r.market.trades_printed),
    counter("exchange_tape_changes_total", "Busts and corrections told.", lambda r: r.market.trades_changed),
    gauge("exchange_book_orders", "Orders in all books told.", lambda r: len(r.market.builder.orders)),
    gauge("exchange_symbols", "Symbols listed.", lambda r: len(r.market.directory.symbols)),
    gauge("exchange_stream_connections", "Connections of the stream.", lambda r: r.stream.connections),
    gauge("exchange_stream_subscriptions", "Pairs of channel and symbol.", lambda r: r.stream.subscriptions),
    gauge("exchange_stream_kept_messages", "Messages kept for who comes again.", lambda r: r.stream.kept),
)
