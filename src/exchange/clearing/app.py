"""Clearing as a component: reads the engine's events, keeps the books, asks for busts, and serves its REST.

Start: rules → store → what it holds → feed and consumer → outbox relay → HTTP.
Stop: feed closes → what was read is committed → relay ends → HTTP drains → store closes.
Books that contradict themselves or the engine halt clearing at what it last stored: it goes on answering and is not
ready, and says why.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any

import structlog
from sqlalchemy import Engine

from exchange import __version__
from exchange.clearing.book_keeper import BookKeeper, Outcome
from exchange.clearing.consumer import Consumer
from exchange.clearing.cycle_desk import CycleDesk
from exchange.clearing.engine_client import EngineClient
from exchange.clearing.house import House, open_house
from exchange.clearing.office import Office
from exchange.clearing.outbox import OutboxRelay
from exchange.clearing.rest_api import TradesApi
from exchange.clearing.rest_cascade import CascadeApi
from exchange.clearing.rest_cycles import CyclesApi
from exchange.clearing.rest_reports import ReportsApi
from exchange.clearing.rest_reviews import ReviewsApi
from exchange.clearing.rest_rules import RulesApi
from exchange.clearing.rest_settlement import SettlementApi
from exchange.clearing.rest_statements import StatementsApi
from exchange.clearing.review_desk import ReviewClock, ReviewDesk
from exchange.clearing.ruling_announcer import AnnouncerStats, RulingAnnouncer
from exchange.clearing.ruling_desk import RulingDesk
from exchange.clearing.settlement_desk import SettlementTerms
from exchange.clearing.surveillance.office import SurveillanceOffice, open_surveillance
from exchange.clearing.watch import Watch
from exchange.domain.directory import Directory
from exchange.infra.auth import KeyRing
from exchange.infra.bus import Bus, Subscription, events_topic
from exchange.infra.clock import Clock, SystemClock
from exchange.infra.component_key import read_component_key
from exchange.infra.component_metrics import about, component_metrics
from exchange.infra.component_news import ComponentNews
from exchange.infra.config import Address, Config, url_of
from exchange.infra.config_api import config_route
from exchange.infra.config_follower import ConfigFollower, Started, config_notes, follow_config, running_of
from exchange.infra.config_keys import ConfigError, Problem
from exchange.infra.errors import InfraError
from exchange.infra.event_source import EventSource
from exchange.infra.feed import Feed
from exchange.infra.folder_lock import FolderLock
from exchange.infra.http import HttpService
from exchange.infra.http_limits import limits_of
from exchange.infra.http_source import HttpEventSource
from exchange.infra.installed import installed
from exchange.infra.redis_cache import open_redis, redis_notes
from exchange.infra.schedule_config import WEEKDAYS
from exchange.infra.shared_rates import open_shared_rates
from exchange.infra.store import open_store, read_directory, read_held_event
from exchange.infra.store_retry import STOP_WAIT_S
from exchange.post_trade.added_kinds import GROUP, KindRefused, add_kinds
from exchange.post_trade.books import rules_in_force
from exchange.post_trade.fees import FeeSchedule, FeesError, parse_fees
from exchange.post_trade.invariants import BooksBroken
from exchange.post_trade.review import Limits
from exchange.post_trade.rule import Ruling
from exchange.post_trade.rules import DEFAULT_RULES, RulesError, RuleSet, parse_rules
from exchange.post_trade.settlement_days import SettlementCalendar

log = structlog.get_logger(component="clearing")

MIGRATIONS = "exchange.clearing.migrations"
CHANNEL = "clearing"
BEHIND_MAX = 100_000
"""Events that clearing may lack before it says that it is not ready."""
DESCRIPTION = "Judges every trade, has erroneous ones busted, and keeps positions, cash and the ledger."


class ClearingApp:
    """One clearing. `start` it, use `url`, `stop` it."""

    def __init__(
        self,
        config: Config,
        *,
        bus: Bus | None = None,
        source: EventSource | None = None,
        clock: Clock | None = None,
        started: Started | None = None,
    ) -> None:
        self.config = config
        self._started = started or Started(base=config, config=config)
        self.rule_set = rules_of(config)
        self._fees = fees_of(config)
        self.url = ""
        self._bus = bus
        self._given_source = source
        self._clock = clock or SystemClock()
        self._tasks: list[asyncio.Task[None]] = []
        self._running = AsyncExitStack()
        self._config_follower: ConfigFollower | None = None
        self._announced = AnnouncerStats()
        self._is_serving = False
        self._was_caught_up = False
        self._news = ComponentNews(
            "clearing",
            config,
            bus,
            ready=self.ready,
            url=self._known_url,
            position=self._position,
            configuration=lambda: running_of(self._config_follower),
        )

    async def start(self) -> None:
        """Begin where it stopped. Raise `InfraError` or `OSError` where store or port do not allow it."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._news.stop)
            await self._news.start()
            store = await self._open_store(stack)
            self.office = await self._set_up(stack, store)
            self._surveillance = await self._open_surveillance(stack)
            self.house = await self._set_up_house(stack)
            await self._start_http(stack)
            stack.push_async_callback(self._end_tasks)
            for name, work in (
                ("read", self.office.consumer.read()),
                ("commit", self.office.consumer.commit()),
                ("relay", self.office.relay.run()),
                ("reviews", ReviewClock(self.office.reviews, self.office.relay.wake).run()),
                ("defaults", self.house.relay.run()),
                ("margin", self.house.clock.run()),
            ):
                self._begin(name, work)
            self._running = stack.pop_all()
        self._is_serving = True
        position = self.office.feed.stats.position
        log.info("clearing_started", url=self.url, position=position, rules=self.rule_set.version)

    async def stop(self) -> None:
        """Stop whole: what was read is stored."""
        if self._is_serving:
            await self._news.drain()
        self._is_serving = False
        await self._running.aclose()
        log.info("clearing_stopped")

    def ready(self) -> list[str]:
        """Return the reasons why clearing does not do its work."""
        if not self._is_serving:
            return ["clearing is starting or stopping"]
        office = self.office
        if office.halted:
            return [f"halted: {office.halted}"]
        stats, committed = office.feed.stats, office.consumer.stats.committed_sequence
        behind = max(0, stats.newest - committed)
        self._was_caught_up = self._was_caught_up or (stats.is_caught_up and not behind)
        reasons = [
            stats.problem,
            office.consumer.meter.problem,
            f"{behind} events behind the engine" if behind > BEHIND_MAX else "",
            "" if self._was_caught_up else f"catching up: at event {committed}, {behind} more are known of",
        ]
        return [reason for reason in reasons if reason]

    def failure(self) -> str:
        """Return why clearing was halted."""
        return self.office.halted

    # --- parts ------------------------------------------------------------------------------------

    async def _open_store(self, stack: AsyncExitStack) -> Engine:
        stack.callback(FolderLock(self.config.component_folder("clearing") / "lock").release)
        url = self.config.store_url_for("clearing")
        store = await asyncio.to_thread(open_store, url, MIGRATIONS, synchronous="FULL")
        stack.push_async_callback(asyncio.to_thread, store.dispose)
        return store

    async def _set_up(self, stack: AsyncExitStack, store: Engine) -> Office:
        """Make the parts; what is pushed first is closed last."""
        directory = await asyncio.to_thread(_directory_of, store)
        try:
            self.rule_set = rules_in_force(directory, self.rule_set, "the store")
        except BooksBroken as error:
            raise InfraError(str(error)) from error
        keeper = BookKeeper(
            store, rules_of(self.config), self.config.partition, self._start_announcing(stack)
        )
        keeper.rule_set = self.rule_set
        position = await asyncio.to_thread(keeper.position)
        url = self.config.engine_url_for("clearing")
        client = EngineClient(url, self._key)
        stack.push_async_callback(client.close)
        source = self._given_source
        if source is None:
            source = own = HttpEventSource(url, self._key)
            stack.push_async_callback(own.close)
        feed = Feed(
            source,
            await self._subscribe(),
            partition=self.config.partition,
            after=position.sequence,
            epoch=position.epoch,
            held=await asyncio.to_thread(_held_event_of, store, self.config.partition),
            gap_wait_s=self.config.bus.gap_wait_ms / 1_000,
            window_bytes_max=self.config.bus.window_mib << 20,
        )
        stack.push_async_callback(feed.close)
        limits = review_limits(self.config)
        return Office(
            config=self.config,
            clock=self._clock,
            store=store,
            keeper=keeper,
            directory=directory,
            source=source,
            feed=feed,
            consumer=Consumer(feed, keeper, self._committed),
            relay=OutboxRelay(keeper, client, self._clock),
            rulings=RulingDesk(keeper, limits),
            reviews=ReviewDesk(keeper, directory, self._clock, limits),
            started_ns=self._clock.now_ns(),
            on_halt=[self._cancel_tasks],
        )

    async def _open_surveillance(self, stack: AsyncExitStack) -> SurveillanceOffice:
        office = self.office
        return await open_surveillance(
            stack, self.config, office.source, self._bus, office.directory, self._clock
        )

    async def _set_up_house(self, stack: AsyncExitStack) -> House:
        client = EngineClient(self.config.engine_url_for("clearing"), self._key)
        stack.push_async_callback(client.close)
        return open_house(self.config.clearing, self.office.keeper, client, self._clock)

    def _start_announcing(self, stack: AsyncExitStack) -> Callable[[list[Ruling]], None]:
        """Return what is told of stored rulings: the announcer where there is a bus."""
        if self._bus is None:
            return lambda rulings: None
        announcer = RulingAnnouncer(self._bus, self.config.partition)
        stack.push_async_callback(announcer.stop)
        self._announced = announcer.stats
        return announcer.offer

    def _known_url(self) -> str:
        return self.url or self.config.clearing_url()

    def _position(self) -> int:
        return self.office.consumer.stats.committed_sequence if self._is_serving else 0

    def _key(self) -> str:
        return read_component_key(self.config.key_file_for("clearing"))

    async def _subscribe(self) -> Subscription | None:
        return await self._bus.subscribe(events_topic(self.config.partition), CHANNEL) if self._bus else None

    async def _start_http(self, stack: AsyncExitStack) -> None:
        link = open_redis(self.config, stack)
        watch = self._start_watching(stack)
        reports = ReportsApi(self.office, watch, self._announced, lambda: self._http.stats)
        trades, terms = TradesApi(self.office), settlement_terms(self.config)
        description = about(
            "clearing",
            self.config.partition,
            self.config.component_folder("clearing"),
            rules_version=self.rule_set.version,
        )
        self._http = HttpService(
            f"{self.config.exchange.name} clearing",
            [
                *trades.routes(),
                *CyclesApi(
                    self.office, trades, reports.compare, CycleDesk(self.office.keeper, terms, self._fees)
                ).routes(),
                *CascadeApi(self.office).routes(),
                *self.house.api(self.office, trades).routes(),
                *SettlementApi(self.office, trades, terms).routes(),
                *RulesApi(self.office).routes(),
                *ReviewsApi(self.office).routes(),
                *StatementsApi(self.office, self._fees).routes(),
                *reports.routes(),
                *self._surveillance.routes(),
                *self._news.routes(),
                config_route("clearing", self.config, lambda: self._config_follower),
            ],
            KeyRing(self.office.directory),
            ready=self.ready,
            version=__version__,
            cors_origins=self.config.page_origins(),
            limits=limits_of(self.config.exchange),
            metrics=lambda: [
                *reports.metrics(),
                *self._surveillance.metrics(),
                *self._news.metrics(),
                *component_metrics(description, self._bus, link, self._config_follower),
            ],
            description=DESCRIPTION,
            notes=lambda: [
                *redis_notes(link),
                *config_notes(self._config_follower),
                *self._surveillance.notes(),
            ],
            shared_rates=open_shared_rates(self.config, link, "clearing"),
        )
        address = self.config.clearing_address()
        port = await self._http.start(address.host, address.port)
        stack.push_async_callback(self._http.stop)
        self.url = self.config.clearing.url.rstrip("/") or url_of(Address(address.host, port))
        self._config_follower = await follow_config(link, "clearing", self._started, self._http, stack)

    def _committed(self, outcome: Outcome) -> None:
        """Take note of what a transaction brought; called on the loop."""
        for event in outcome.directory:
            self.office.directory.apply(event)
        if outcome.requests:
            self.office.relay.wake()

    def _start_watching(self, stack: AsyncExitStack) -> Watch:
        """Look at the books now and then; should that fail by a fault of ours, clearing goes on without."""

        async def end() -> None:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

        def ended(task: asyncio.Task[None]) -> None:
            if not task.cancelled() and (error := task.exception()) is not None:
                log.error("watch_failed", error=repr(error), exc_info=error)

        watch = Watch(self.office)
        watching = asyncio.create_task(watch.run(), name="clearing watches")
        watching.add_done_callback(ended)
        stack.push_async_callback(end)
        return watch

    # --- tasks ------------------------------------------------------------------------------------

    def _begin(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Start a task; where it ends by itself with an error, clearing halts."""

        def ended(task: asyncio.Task[None]) -> None:
            if not task.cancelled() and (error := task.exception()) is not None:
                self.office.halt(f"{name}: {error}" if str(error) else f"{name}: {error!r}")

        task = asyncio.create_task(work, name=f"clearing {name}")
        task.add_done_callback(ended)
        self._tasks.append(task)

    def _cancel_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _end_tasks(self) -> None:
        """Let the consumer store what was read, then end everything."""
        _, committing, *_ = self._tasks
        await self.office.feed.close()
        await asyncio.wait([committing], timeout=STOP_WAIT_S)
        self._cancel_tasks()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def rules_of(config: Config) -> RuleSet:
    """Return the configured rules, or the built-in ones where there are none. Raise `ConfigError`."""
    section = config.clearing
    try:
        add_kinds(installed(GROUP))
        return parse_rules(section.rule or DEFAULT_RULES, section.rules.version, section.rules.on_rule_error)
    except (RulesError, KindRefused, InfraError) as error:
        raise ConfigError([Problem("configuration", "[[clearing.rule]]", str(error))]) from error


def fees_of(config: Config) -> FeeSchedule:
    """Return the configured fees. Raise `ConfigError`."""
    try:
        return parse_fees(config.clearing.fee)
    except FeesError as error:
        raise ConfigError([Problem("configuration", "[[clearing.fee]]", str(error))]) from error


def settlement_terms(config: Config) -> SettlementTerms:
    """Return when is settled: on the days of the market's schedule where there is one, less all holidays."""
    section, schedule = config.clearing.settlement, config.engine.schedule
    weekdays = [WEEKDAYS.index(day) for day in schedule.weekdays] if schedule.enabled else range(7)
    holidays = [int(text.replace("-", "")) for text in (*schedule.holidays, *section.holidays)]
    return SettlementTerms(
        SettlementCalendar(weekdays, holidays),
        section.days_after,
        section.buy_in_after_days,
        section.buy_in_premium_bps,
    )


def review_limits(config: Config) -> Limits:
    """Return how long each step of a review may take, and what is two officers' to rule."""
    section = config.clearing.reviews
    return Limits(
        file_min=section.file_within_min,
        outlier_min=section.outlier_within_min,
        rule_min=section.rule_within_min,
        appeal_min=section.appeal_within_min,
        decide_min=section.decide_within_min,
        two_person_notional=section.two_person_notional,
    )


def _held_event_of(store: Engine, partition: int) -> tuple[int, bytes] | None:
    with store.connect() as connection:
        return read_held_event(connection, partition)


def _directory_of(store: Engine) -> Directory:
    with store.connect() as connection:
        return read_directory(connection)
