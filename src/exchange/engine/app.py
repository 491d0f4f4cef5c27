"""The engine as a component: recovers, sequences, matches, publishes, and serves its REST until it is stopped.

Start: recover → order history, publisher → sequencer → StartEngine (an epoch begins) → what the configuration lists
→ HTTP. A stop goes the same way back: HTTP drains, the sequencer finishes what was received, publisher and history
take in what was released, a snapshot is written, the lock on the folder is released.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import cast

import structlog

from exchange import __version__
from exchange.domain.commands import StartEngine
from exchange.engine.bootstrap import Bootstrap, KeyFile, day_end_after, is_ours_of
from exchange.engine.config_desk import ConfigDesk
from exchange.engine.engine_folder import EngineFolder
from exchange.engine.explain.desk import ExplainDesk
from exchange.engine.follower_process import FollowerProcess
from exchange.engine.gateway import Gateway
from exchange.engine.order_history import OrderHistory
from exchange.engine.ouch_acceptor import OuchAcceptor
from exchange.engine.ouch_metrics import ouch_metrics
from exchange.engine.ouch_sessions import OuchSessions
from exchange.engine.phase_scheduler import PhaseScheduler
from exchange.engine.publisher import Publisher, PublisherStats
from exchange.engine.recovery import Recovered, Storage, recover
from exchange.engine.replay import VenueKind, choose_matcher, snapshot_of
from exchange.engine.rest_api import engine_routes
from exchange.engine.rest_config import ConfigApi
from exchange.engine.rest_stats import StatsApi, StatsSources
from exchange.engine.sequencer import Limits, Sequencer
from exchange.infra.auth import KeyRing
from exchange.infra.bus import Bus
from exchange.infra.clock import Clock, SystemClock
from exchange.infra.component_key import read_component_key
from exchange.infra.component_metrics import about, component_metrics
from exchange.infra.component_news import ComponentNews
from exchange.infra.config import Address, Config, url_of
from exchange.infra.config_api import config_route
from exchange.infra.config_follower import ConfigFollower, Started, config_notes, follow_config, running_of
from exchange.infra.errors import InfraError
from exchange.infra.event_log import EventLog
from exchange.infra.event_source import LocalEventSource
from exchange.infra.http import HttpService
from exchange.infra.http_limits import limits_of
from exchange.infra.redis_cache import RedisLink, open_redis, redis_notes
from exchange.infra.retention import retire
from exchange.infra.shared_rates import open_shared_rates
from exchange.infra.snapshot import write_snapshot
from exchange.matching.venue import RULES_VERSION, Venue
from exchange.wire.records import encode_command

log = structlog.get_logger(component="engine")

MIB = 1 << 20
HISTORY_BEHIND_MAX = 100_000
"""Events that the order history may lack before the engine says that it is not ready."""
PYTHON_MATCHER = "orders are matched and OUCH is read in Python, more slowly"
DESCRIPTION = "The engine takes orders, matches them, and numbers what happens."


class EngineApp:
    """One engine. After `start`: url, keys, and the parts below; source: its events for consumers in this process."""

    venue: Venue
    event_log: EventLog
    sequencer: Sequencer
    history: OrderHistory
    gateway: Gateway
    ouch: OuchAcceptor | None = None
    source: LocalEventSource
    keys: KeyFile

    def __init__(
        self,
        config: Config,
        *,
        bus: Bus | None = None,
        clock: Clock | None = None,
        started: Started | None = None,
    ) -> None:
        self.config = config
        self._started = started or Started(base=config, config=config)
        self.folder = EngineFolder(config.component_folder("engine"))
        self.url = ""
        self._bus = bus
        self._clock = clock or SystemClock()
        self._publisher: Publisher | None = None
        self._follower: FollowerProcess | None = None
        self._matcher: VenueKind | None = None
        self._running = AsyncExitStack()
        self._config_follower: ConfigFollower | None = None
        self._is_serving = False
        self._stopped_clean = False
        self._news = ComponentNews(
            "engine",
            config,
            bus,
            ready=self.ready,
            url=self._known_url,
            position=self._sequence,
            configuration=lambda: running_of(self._config_follower),
        )

    async def start(self) -> None:
        """Recover and serve. Raise `InfraError` or `OSError` where files, configuration or port do not allow it."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._news.stop)
            await self._news.start()
            recovered = await self._start_core(stack)
            bootstrap = Bootstrap(self.config, self.venue, self.sequencer)
            self.keys = await bootstrap.run(self._clock.now_ns())
            phases = PhaseScheduler(self.config.engine.schedule, self.venue, self._clock, bootstrap.submit)
            stack.push_async_callback(phases.stop)
            await phases.start()
            await self._start_http(stack, recovered)
            await self._start_ouch(stack)
            self._running = stack.pop_all()
        self._is_serving = True
        log.info(
            "engine_started", url=self.url, epoch=self.sequencer.epoch, command=self.venue.command_sequence
        )

    async def stop(self) -> None:
        """Stop whole: everything answered is on disk, and the next start begins at a snapshot."""
        if self._is_serving:
            await self._news.drain()
        self._is_serving = False
        await self._running.aclose()

    def ready(self) -> list[str]:
        """Return the reasons why the engine does not do its work."""
        if not self._is_serving:
            return ["the engine is starting or stopping"]
        behind = self.history.stats().behind
        reasons = [
            f"halted: {self.sequencer.halted}" if self.sequencer.halted else "",
            f"order history: {self.history.problem}" if self.history.problem else "",
            f"order history is {behind} events behind" if behind > HISTORY_BEHIND_MAX else "",
            self._follower.problem if self._follower else "",
            self.ouch.problem if self.ouch else "",
        ]
        return [reason for reason in reasons if reason]

    def _journal_notes(self) -> list[str]:
        """Return what will halt the engine soon, while it still works."""
        failure = self.sequencer.stats.journal.spare_failure
        return (
            [f"{failure}; the engine halts where that lasts until the present one is full"] if failure else []
        )

    def failure(self) -> str:
        """Return why the engine was halted."""
        return self.sequencer.halted

    # --- parts ------------------------------------------------------------------------------------

    async def _start_core(self, stack: AsyncExitStack) -> Recovered:
        """Start all but bootstrap and HTTP; what is pushed first is stopped last."""
        recovered = await asyncio.to_thread(self._recover)
        stack.callback(recovered.close)
        self.venue, self.event_log = cast(Venue, recovered.venue), recovered.event_log
        limits = Limits(
            pending_commands_max=self.config.engine.max_pending_commands,
            clock_jump_limit_s=self.config.engine.clock_jump_limit_s,
        )
        self.sequencer = Sequencer(
            self.venue,
            recovered.journal,
            recovered.event_log,
            self._clock,
            epoch=recovered.epoch,
            limits=limits,
        )
        stack.push_async_callback(self._write_snapshot)
        await self._start_follower(stack)
        await self._start_listeners(stack)
        await self.sequencer.start()
        stack.push_async_callback(self._stop_sequencer)
        await self.sequencer.submit(encode_command(StartEngine(epoch=recovered.epoch)), 1)
        return recovered

    def _recover(self) -> Recovered:
        kind = self._matcher = choose_matcher(self.config.engine.matcher)
        if kind.instead:
            log.warning("matcher_is_python", why=kind.instead, meaning=PYTHON_MATCHER)
        storage = Storage(
            durability=self.config.engine.durability,
            segment_bytes=self.config.engine.segment_mib * MIB,
            event_log_bytes=self.config.engine.event_log_mib * MIB,
        )
        recovered = recover(self.folder.path, self.config.partition, kind=kind, storage=storage)
        report = recovered.report
        log.info(
            "engine_recovered",
            matcher=report.matcher,
            commands=report.commands,
            cut_bytes=report.cut_bytes,
            elapsed_ms=report.elapsed_ms,
        )
        for warning in report.warnings:
            log.warning("recovery_warning", warning=warning)
        if self.config.engine.durability == "buffered":
            log.warning("durability_buffered", meaning="a power loss takes the last moments back")
        return recovered

    async def _start_follower(self, stack: AsyncExitStack) -> None:
        """Start the process that writes snapshots beside the engine, unless they are only wanted at a stop."""
        if self.config.engine.snapshot_every_commands:
            self._follower = FollowerProcess(
                self.folder.path,
                self.config.partition,
                snapshot_every=self.config.engine.snapshot_every_commands,
                snapshots_kept=self.config.engine.snapshots_kept,
                archive=self._archive,
                matcher=self._matcher.name if self._matcher else "auto",
            )
            await self._follower.start()
            stack.push_async_callback(self._follower.stop)

    async def _start_listeners(self, stack: AsyncExitStack) -> None:
        """Start what hears of every released batch: order history, event source, publisher."""
        partition = self.config.partition
        self.history = OrderHistory(
            self.folder.path / "orders.sqlite", self.event_log, partition, is_apart=True
        )
        await self.history.start()
        stack.push_async_callback(self.history.stop)
        self.sequencer.subscribe(self.history.wake)
        self.sequencer.obey(self.history.brake)
        await self._prepare_ouch(stack)
        self.source = LocalEventSource(self.event_log)
        self.sequencer.subscribe(lambda _: self.source.wake())
        if self._bus is not None:
            self._publisher = Publisher(self._bus, partition)
            await self._publisher.start()
            stack.push_async_callback(self._publisher.stop)
            self.sequencer.subscribe(self._publisher.offer)

    async def _prepare_ouch(self, stack: AsyncExitStack) -> None:
        """Bring the OUCH sessions to where the event log is, and have them hear what is released."""
        if not self.config.engine.ouch.enabled:
            return
        sessions = OuchSessions(self.folder.path / "ouch", self.event_log, self.venue)
        await asyncio.to_thread(sessions.start, self._clock.now_ns())
        stack.push_async_callback(sessions.stop)
        self.ouch = OuchAcceptor(self.config.engine.ouch, sessions, self.sequencer, self.venue.directory)
        self.sequencer.subscribe(self.ouch.take)

    async def _start_ouch(self, stack: AsyncExitStack) -> None:
        if self.ouch is not None:
            address = self.config.ouch_address()
            await self.ouch.start(address.host, address.port)
            stack.push_async_callback(self.ouch.stop)

    async def _start_http(self, stack: AsyncExitStack, recovered: Recovered) -> None:
        self.gateway = Gateway(self.venue, self.sequencer, self.history)
        sources = StatsSources(
            name=self.config.exchange.name,
            started_ns=self._clock.now_ns(),
            passed_ns=self._clock.passed_ns,
            recovery=recovered.report,
            event_log=self.event_log,
            publisher=lambda: self._publisher.stats if self._publisher else PublisherStats(),
            routes=lambda: self._http.stats,
            follower_problem=lambda: self._follower.problem if self._follower else "",
        )
        stats = StatsApi(self.gateway, sources)
        routes = [config_route("engine", self.config, lambda: self._config_follower)]
        routes += self._news.routes() + engine_routes(
            self.gateway,
            self.event_log,
            self.source,
            stats,
            currency=self.config.exchange.currency,
            day_end_after=lambda now_ns: day_end_after(now_ns, self.config.engine.day_ends),
            ouch=self.ouch,
            explain=ExplainDesk(self.folder.path, recovered.report.matcher),
        )
        link = open_redis(self.config, stack)
        description = about(
            "engine",
            self.config.partition,
            self.folder.path,
            matcher=recovered.report.matcher,
            rules_version=str(RULES_VERSION),
        )
        desk = self._open_desk(link)
        config_api = ConfigApi(desk)
        self._http = HttpService(
            f"{self.config.exchange.name} engine",
            [*routes, *config_api.routes()],
            KeyRing(self.venue.directory),
            ready=self.ready,
            version=__version__,
            cors_origins=self.config.page_origins(),
            limits=limits_of(self.config.exchange),
            metrics=lambda: [
                *stats.metrics(),
                *ouch_metrics(self.ouch),
                *self._news.metrics(),
                *component_metrics(description, self._bus, link, self._config_follower),
            ],
            description=DESCRIPTION,
            notes=lambda: [*self._journal_notes(), *redis_notes(link), *config_notes(self._config_follower)],
            shared_rates=open_shared_rates(self.config, link, "engine"),
        )
        address = self.config.engine_address()
        port = await self._http.start(address.host, address.port)
        stack.push_async_callback(self._stop_http)
        self.url = self.config.engine.url.rstrip("/") or url_of(Address(address.host, port))
        await self._follow_config(link, desk, stack)

    def _open_desk(self, link: RedisLink | None) -> ConfigDesk | None:
        """Open the desk where the shared configuration is changed; there is none without Redis."""
        if link is None:
            return None
        component_key = read_component_key(self.config.key_file_for())
        keys = {"operator": self.keys.operator, "component": component_key}
        is_ours = is_ours_of(self.config)
        return ConfigDesk(self.config, self.venue, self.sequencer, link, self._clock, keys, is_ours)

    async def _follow_config(
        self, link: RedisLink | None, desk: ConfigDesk | None, stack: AsyncExitStack
    ) -> None:
        """Follow the shared configuration, and carry out what it changes in the market."""
        carry_out = desk.carry_out if desk else None
        follower = await follow_config(link, "engine", self._started, self._http, stack, carry_out=carry_out)
        self._config_follower = follower
        if desk is not None and follower is not None:
            desk.look = follower.look

    def _known_url(self) -> str:
        return self.url or self.config.engine_url()

    def _sequence(self) -> int:
        return self.event_log.last_sequence if self._is_serving else 0

    async def _stop_http(self) -> None:
        """Drain; requests that wait for events are answered now."""
        stopping = asyncio.create_task(self._http.stop())
        await asyncio.sleep(0)
        self.source.wake()
        await stopping

    async def _stop_sequencer(self) -> None:
        self._stopped_clean = await self.sequencer.stop()

    async def _write_snapshot(self) -> None:
        """Write the state of a clean stop; a halted engine's state may be ahead of its journal."""
        if self._stopped_clean:
            await asyncio.to_thread(self._snapshot_and_retire)

    def _snapshot_and_retire(self) -> None:
        path = write_snapshot(self.folder.snapshots, snapshot_of(self.venue, RULES_VERSION))
        log.info("snapshot_written", file=path.name)
        try:
            retire(self.folder.path, snapshots_kept=self.config.engine.snapshots_kept, archive=self._archive)
        except InfraError as error:
            log.error("retention_failed", error=str(error))

    @property
    def _archive(self) -> Path | None:
        return Path(self.config.engine.archive) if self.config.engine.archive else None
