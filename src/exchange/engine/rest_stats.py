"""REST of the engine's statistics, and the same figures for Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from prometheus_client.metrics_core import Metric

from exchange import __version__
from exchange.domain.units import format_date, format_time
from exchange.engine.engine_metrics import ENGINE_FAMILIES, EngineFigures
from exchange.engine.gateway import Gateway
from exchange.engine.publisher import PublisherStats
from exchange.engine.recovery import RecoveryReport
from exchange.engine.rest_orders import READER
from exchange.infra.event_log import EventLog
from exchange.infra.http_routes import Call, Route
from exchange.infra.metrics import read_all
from exchange.matching.venue import RULES_VERSION
from exchange.wire.rest.engine_stats import (
    CountersView,
    EngineStats,
    EventLogView,
    HistoryView,
    JournalView,
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
    """What the statistics are read from. publisher and what follows: read when asked; passed_ns: see `clock`."""

    name: str
    started_ns: int
    passed_ns: Callable[[], int]
    recovery: RecoveryReport
    event_log: EventLog
    publisher: Callable[[], PublisherStats]
    routes: Callable[[], list[RouteView]]
    follower_problem: Callable[[], str]


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
            routes=sources.routes(),
        )

    def metrics(self) -> Iterator[Metric]:
        """Yield the engine's families for Prometheus."""
        sequencer, sources = self._gateway.sequencer, self._sources
        figures = EngineFigures(
            counters=self._counters(),
            sequencer=sequencer,
            stats=sequencer.stats,
            event_log=sources.event_log.stats(),
            history=self._gateway.history.stats(),
            publisher=sources.publisher(),
            recovery=sources.recovery,
            follower_problem=sources.follower_problem(),
        )
        yield from read_all(ENGINE_FAMILIES, figures)

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
