"""Says on the bus how a component is, hears how the others are, and answers both at `GET /api/v1/components`.

Said at once: starting, ready, not ready, draining, stopped; and again every while, so that who comes late knows too. It
is news, not truth: nothing depends on it, and without a bus a component knows itself only.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from time import monotonic_ns, time_ns

import structlog
from prometheus_client.metrics_core import Metric

from exchange import __version__
from exchange.domain.units import TimeNs, format_time
from exchange.infra.bus import COMPONENTS_TOPIC, EPHEMERAL, RULINGS_TOPIC, Bus, BusClosed
from exchange.infra.component_roster import NS_PER_MS, Heard, Roster
from exchange.infra.config import Config
from exchange.infra.errors import InfraError
from exchange.infra.http_routes import Call, Route
from exchange.infra.log import tell_sequence
from exchange.infra.metrics import Family, counter, gauge, read_all
from exchange.infra.shared_config import Running
from exchange.wire.bus_messages import (
    Announcement,
    ComponentName,
    Rulings,
    State,
    decode_message,
    encode_message,
)
from exchange.wire.records import ProtocolError
from exchange.wire.rest.components import BusView, ComponentList, ComponentView, HappeningView

LOOK_S = 0.2
"""How often a component looks whether its own state has changed."""
BACK_OFF_S = 1.0
FAREWELL_S = 1.0
"""How long a stop waits for the bus to take its announcement."""
REASONS_MAX = 10
REASON_CHARACTERS_MAX = 300

log = structlog.get_logger(component="news")


class ComponentNews:
    """The news of one component. ready, url, position, configuration: asked again and again while it runs.

    announced, failed, unreadable: what was said, could not be said, and could not be read.
    """

    def __init__(
        self,
        component: ComponentName,
        config: Config,
        bus: Bus | None,
        *,
        ready: Callable[[], list[str]],
        url: Callable[[], str],
        position: Callable[[], int],
        configuration: Callable[[], Running] = Running,
    ) -> None:
        self.roster = Roster()
        self.instance = f"{component}-{config.partition}-{os.getpid():x}-{secrets.token_hex(4)}"
        self._component: ComponentName = component
        self._config = config
        self._bus = bus
        self._ready, self._url, self._position = ready, url, position
        self._configuration = configuration
        self._started_ns = time_ns()
        self._number = 0
        self._was_ready = False
        self._last_position = 0
        self._ending: State | None = None
        self._said: State | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._speaking = asyncio.Lock()
        self._problem = ""
        self._hearing_problems: dict[str, str] = {}
        self.announced = self.failed = self.unreadable = 0

    async def start(self) -> None:
        """Say that the component is starting, and go on saying how it is."""
        tell_sequence(self._component, self._position)
        if self._bus is not None:
            for topic in (COMPONENTS_TOPIC, RULINGS_TOPIC):
                self._tasks.append(asyncio.create_task(self._hear(self._bus, topic), name=f"news of {topic}"))
        self._tasks.append(asyncio.create_task(self._speak_on(), name="news"))

    async def drain(self) -> None:
        """Say that the component is about to stop."""
        self._ending = "draining"
        await self._speak()

    async def stop(self) -> None:
        """Say that the component has stopped, and say and hear no more."""
        self._ending = "stopped"
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._speak()
        tell_sequence(self._component, None)

    def routes(self) -> list[Route]:
        """List the routes."""
        return [
            Route(
                "GET", "/api/v1/components", self.components, "List the components that are known, and how they are",
                "system", returns=ComponentList,
                description="What each said last of itself. It is heard over the bus; without one, only the component "
                "that answers is known. Happenings: the last states and rulings that were announced.",
            )
        ]  # fmt: skip

    def metrics(self) -> Iterator[Metric]:
        """Yield the families for Prometheus."""
        return read_all(NEWS_FAMILIES, self)

    def known(self) -> Counter[tuple[str, str]]:
        """Count the known components, this one among them, by name and state."""
        others = (
            (heard.announcement.component, state)
            for heard, state in self.roster.known(monotonic_ns())
            if heard.announcement.instance != self.instance
        )
        return Counter([(self._component, self._state()), *others])

    async def components(self, _: Call) -> ComponentList:
        """Answer GET /components."""
        now_ns = monotonic_ns()
        own = _view(Heard(self._announcement(), now_ns), self._state(), now_ns)
        others = [
            _view(heard, state, now_ns)
            for heard, state in self.roster.known(now_ns)
            if heard.announcement.instance != self.instance
        ]
        happenings = [
            HappeningView(
                time=format_time(TimeNs(each.time_ns)),
                component=each.component,
                partition=each.partition,
                what=each.what,
                match_id=each.match_id or None,
            )
            for each in self.roster.happenings
        ]
        return ComponentList(items=[own, *others], happenings=happenings, bus=self._bus_view())

    # --- saying -------------------------------------------------------------------------------------

    async def _speak_on(self) -> None:
        """Say how the component is when that changes, and every while."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            if self._state() != self._said or loop.time() >= due:
                due = loop.time() + self._config.bus.announce_ms / 1_000
                await self._speak()
            await asyncio.sleep(LOOK_S)

    async def _speak(self) -> None:
        async with self._speaking:
            self._number += 1
            said = self._announcement()
            if self._said != said.state:
                self.roster.note(said, monotonic_ns())
            self._said = said.state
            if self._bus is None:
                return
            try:
                async with asyncio.timeout(FAREWELL_S if self._ending else None):
                    await self._bus.publish(COMPONENTS_TOPIC, encode_message(said))
                self.announced += 1
                self._problem = ""
            except (InfraError, TimeoutError) as error:
                self.failed += 1
                if not self._problem:
                    log.warning("news_not_said", reason=str(error))
                self._problem = str(error) or "the bus takes no messages"

    def _announcement(self) -> Announcement:
        state = self._state()
        self._last_position = max(self._last_position, self._position())
        reasons = self._ready() if state in ("starting", "not_ready") and not self._ending else []
        running = self._configuration()
        return Announcement(
            component=self._component,
            instance=self.instance,
            partition=self._config.partition,
            number=self._number,
            state=state,
            started_ns=self._started_ns,
            time_ns=time_ns(),
            every_ms=0 if state == "stopped" else self._config.bus.announce_ms,
            url=self._url(),
            release=__version__,
            reasons=tuple(reason[:REASON_CHARACTERS_MAX] for reason in reasons[:REASONS_MAX]),
            position=self._last_position,
            config_version=running.version,
            config_pending=running.pending[:REASONS_MAX],
        )

    def _state(self) -> State:
        if self._ending:
            return self._ending
        if not self._ready():
            self._was_ready = True
            return "ready"
        return "not_ready" if self._was_ready else "starting"

    # --- hearing ------------------------------------------------------------------------------------

    async def _hear(self, bus: Bus, topic: str) -> None:
        """Take in what is said on a topic, by a channel of our own that goes with us."""
        subscription = await bus.subscribe(topic, f"{self.instance}{EPHEMERAL}")
        try:
            while True:
                try:
                    delivery = await subscription.receive()
                    unreadable = self._take(topic, delivery.body)
                    await (delivery.bury(unreadable) if unreadable else delivery.finish())
                    self._hearing_problems[topic] = ""
                except BusClosed:
                    break
                except InfraError as error:
                    self._hearing_problems[topic] = str(error)
                    await asyncio.sleep(BACK_OFF_S)
        finally:
            await subscription.close()

    def _take(self, topic: str, body: bytes) -> str:
        """Note a message; return why it cannot be read, if so."""
        try:
            if topic == COMPONENTS_TOPIC:
                self.roster.note(decode_message(body, Announcement), monotonic_ns())
            else:
                self.roster.note_rulings(decode_message(body, Rulings))
        except ProtocolError as error:
            self.unreadable += 1
            log.error("news_unreadable", topic=topic, reason=str(error))
            return str(error)
        return ""

    def _bus_view(self) -> BusView:
        problems = [self._problem, *self._hearing_problems.values()]
        return BusView(
            kind=self._config.bus.kind if self._bus is not None else "none",
            problem=next((problem for problem in problems if problem), ""),
            announced=self.announced,
            failed=self.failed,
            unreadable=self.unreadable,
        )


NEWS_FAMILIES: tuple[Family[ComponentNews], ...] = (
    gauge(
        "exchange_components",
        "Components that this one has heard of, itself among them.",
        lambda news: news.known(),
        "component",
        "state",
    ),
    counter("exchange_news_said_total", "Announcements that the bus took.", lambda news: news.announced),
    counter("exchange_news_failures_total", "Announcements that it did not take.", lambda news: news.failed),
    counter("exchange_news_unreadable_total", "News that could not be read.", lambda news: news.unreadable),
)


def _view(heard: Heard, state: str, now_ns: int) -> ComponentView:
    said = heard.announcement
    return ComponentView(
        component=said.component,
        instance=said.instance,
        partition=said.partition,
        state=state,
        url=said.url,
        version=said.release,
        seq=str(said.position),
        started_at=format_time(TimeNs(said.started_ns)),
        heard_ms_ago=(now_ns - heard.heard_ns) // NS_PER_MS,
        reasons=list(said.reasons),
        config_version=said.config_version,
        config_pending=list(said.config_pending),
    )
