"""REST of the engine's statistics, and the same figures for Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from prometheus_client.metrics_core import Metric

from exchange import __version__
from exchange.domain.units import format_date, format_time
from exchange.engine.gateway import Gateway
from exchange.engine.publisher import PublisherStats
from exchange.engine.recovery import RecoveryReport
from exchange.engine.rest_orders import READER
from exchange.infra.event_log import EventLog
from exchange.infra.http_routes import Call, Route
from exchange.infra.http_stats import RouteStats
from exchange.infra.metrics import counter, counters, gauge
from exchange.matching.venue import RULES_VERSION
from exchange.wire.rest.engine_stats import (
    CountersView,
    EngineStats,
    EventLogView,
    HistoryView,
    JournalView,
    LatencyView,
    PublisherView,
    QueueView,
    RecoveryView,
    RouteView,
    SequencesView,
)
from exchange.wire.rest.errors import reason_name

NS_PER_US = 1_000
NS_PER_S = 1_000_000_000


class StatsSources(NamedTuple):
    """What the statistics are read from. routes, publisher: read when asked; passed_ns: see `clock`."""

    name: str
    started_ns: int
    passed_ns: Callable[[], int]
    recovery: RecoveryReport
    event_log: EventLog
    publisher: Callable[[], PublisherStats]
    routes: Callable[[], list[RouteStats]]


class StatsApi:
    """The route of the statistics."""

    def __init__(self, gateway: Gateway, sources: StatsSources) -> None:
        self._gateway = gateway
        self._sources = sources
        self._passed_at_start_ns = sources.passed_ns()

    def routes(self) -> list[Route]:
        """List the routes."""
        return [
            Route(
                "GET", "/api/v1/stats", self.stats, "Show the engine's statistics", "system", READER,
                returns=EngineStats, errors=(503,),
                description="Counts are since the start of the process, sequences since the first start.",
            )
        ]  # fmt: skip

    async def stats(self, _: Call) -> EngineStats:
        """Answer GET /stats."""
        venue, sequencer = self._gateway.venue, self._gateway.sequencer
        sources = self._sources
        return EngineStats(
            name=sources.name,
            version=__version__,
            started_at=format_time(sources.started_ns),
            uptime_s=self._uptime_s(),
            matcher=sources.recovery.matcher,
            rules_version=RULES_VERSION,
            partition=venue.partition,
            business_date=format_date(venue.business_date) if venue.business_date else "",
            day_ends_at=format_time(venue.next_deadline) if venue.next_deadline else None,
            running_hash=f"{venue.running_hash:016x}",
            halted=sequencer.halted,
            sequences=SequencesView(
                epoch=sequencer.epoch,
                command=venue.command_sequence,
                event=venue.event_sequence,
                durable_command=sequencer.durable_sequence,
                durable_event=sequencer.durable_event_sequence,
            ),
            counters=self._counters(),
            queue=self._queue(),
            journal=self._journal(),
            event_log=EventLogView(**_same_fields(EventLogView, sources.event_log.stats())),
            order_history=HistoryView(**_same_fields(HistoryView, self._gateway.history.stats())),
            publisher=PublisherView(**_same_fields(PublisherView, sources.publisher())),
            recovery=self._recovery(),
            routes=[_route_view(route) for route in sources.routes()],
        )

    def metrics(self) -> Iterator[Metric]:
        """Yield the engine's families for Prometheus."""
        count, queue, journal = self._counters(), self._queue(), self._journal()
        history = self._gateway.history.stats()
        yield counter("exchange_orders", "Orders taken.", count.orders)
        yield counter("exchange_cancels", "Orders cancelled.", count.cancels)
        yield counter("exchange_trades", "Trades executed.", count.trades)
        yield counters("exchange_rejects", "Commands refused.", "reason", count.rejects)
        yield gauge("exchange_resting_orders", "Live orders.", count.resting_orders)
        yield counter("exchange_commands", "Commands carried out.", queue.commands)
        yield counter("exchange_events", "Events emitted.", queue.events)
        yield gauge("exchange_pending_commands", "Commands received and not yet answered.", queue.pending)
        yield gauge(
            "exchange_command_sequence", "Sequence of the last command.", self._gateway.venue.command_sequence
        )
        yield gauge(
            "exchange_event_sequence", "Sequence of the last event.", self._gateway.venue.event_sequence
        )
        yield counter("exchange_journal_batches", "Batches written to the journal.", journal.batches)
        yield counter("exchange_journal_bytes", "Bytes written to the journal.", journal.bytes_written)
        yield gauge(
            "exchange_journal_write_p99_seconds", "Of one batch, with its sync.", journal.write_p99_us / 1e6
        )
        yield gauge("exchange_order_history_behind", "Events that the table of orders lacks.", history.behind)
        yield gauge(
            "exchange_halted",
            "1 where the engine takes nothing more.",
            int(bool(self._gateway.sequencer.halted)),
        )
        yield gauge("exchange_uptime_seconds", "Since the start of the engine.", self._uptime_s())

    def _uptime_s(self) -> int:
        return (self._sources.passed_ns() - self._passed_at_start_ns) // NS_PER_S

    def _counters(self) -> CountersView:
        seen = self._gateway.venue.counters
        return CountersView(
            orders=seen.orders,
            cancels=seen.cancels,
            trades=seen.trades,
            rejects={reason_name(number): count for number, count in sorted(seen.rejects.items())},
            resting_orders=self._gateway.venue.live_orders,
        )

    def _queue(self) -> QueueView:
        stats = self._gateway.sequencer.stats
        return QueueView(
            pending=stats.pending_commands,
            pending_max=stats.pending_commands_max,
            braked=stats.braked,
            batches=stats.batches,
            commands=stats.commands,
            events=stats.events,
            batch_commands_max=stats.batch_commands_max,
        )

    def _journal(self) -> JournalView:
        stats = self._gateway.sequencer.stats
        return JournalView(
            durability=stats.journal.durability,
            segment=stats.journal.segment,
            segment_bytes=stats.journal.segment_bytes,
            used_bytes=stats.journal.used_bytes,
            bytes_written=stats.journal.bytes_written,
            batches=stats.journal.batches,
            write_p50_us=stats.write_p50_ns // NS_PER_US,
            write_p99_us=stats.write_p99_ns // NS_PER_US,
            write_max_us=stats.write_max_ns // NS_PER_US,
        )

    def _recovery(self) -> RecoveryView:
        report = self._sources.recovery
        return RecoveryView(
            snapshot=report.snapshot_sequence,
            commands=report.commands,
            cut_bytes=report.cut_bytes,
            was_stopped_cleanly=report.was_stopped_cleanly,
            elapsed_ms=report.elapsed_ms,
            warnings=list(report.warnings),
        )


def _same_fields(view: Any, stats: Any) -> dict[str, Any]:
    return {name: getattr(stats, name) for name in view.__struct_fields__}


def _route_view(route: RouteStats) -> RouteView:
    return RouteView(
        method=route.method,
        path=route.path,
        count=route.count,
        rate=route.rate,
        errors=route.errors,
        failures=route.failures,
        latency=LatencyView(**_same_fields(LatencyView, route.latency)),
    )
