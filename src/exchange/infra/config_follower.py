"""How a component follows the shared configuration: what takes effect at once, and what waits for its restart.

At its start a component lays the keys that need a restart over its file, where Redis answers soon and the document
bears the seal of the exchange; else it starts with its file and says so. What environment and command line say belongs
to one process and wins. From then on it looks at every new version; without Redis the last one runs on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import msgspec
import structlog
from prometheus_client.metrics_core import Metric

from exchange.infra.cache import CacheUnavailable
from exchange.infra.component_key import read_component_key
from exchange.infra.config import Config
from exchange.infra.config_document import Document, effect_of, is_sealed, overlay, value_at
from exchange.infra.config_keys import ConfigError
from exchange.infra.errors import InfraError
from exchange.infra.http_service import HttpService
from exchange.infra.log import set_log_level
from exchange.infra.metrics import Family, gauge, read_all
from exchange.infra.redis_cache import RedisLink, open_redis
from exchange.infra.shared_config import Running, SharedConfig
from exchange.infra.shared_rates import open_shared_rates

log = structlog.get_logger(component="configuration")

LOOK_S = 2.0
"""How often it is looked for a new version, announced or not."""
START_S = 3.0
"""How long a start waits for Redis."""
SEAL = "component"


class Started(msgspec.Struct, frozen=True, kw_only=True):
    """With what a component was started.

    base: by its file, environment and command line; config: with the keys of a document over it; fixed: the keys that
    environment and command line set; values: of that document; problem: why none was laid over.
    """

    base: Config
    config: Config
    version: int = 0
    fixed: tuple[str, ...] = ()
    values: dict[str, Any] = {}
    problem: str = ""


async def started_with(config: Config, component: str, fixed: Iterable[str] = ()) -> Started:
    """Lay the keys that need a restart over a configuration. component: whose key tells true documents.

    Never fails: what cannot be had is said in `problem`.
    """
    started = Started(base=config, config=config, fixed=tuple(fixed))
    if not config.redis.url:
        return started
    try:
        async with AsyncExitStack() as stack, asyncio.timeout(START_S):
            link = open_redis(config, stack)
            assert link is not None
            document = await SharedConfig(link).newest()
        return _laid_over(started, document, component)
    except (InfraError, CacheUnavailable, ConfigError, TimeoutError) as error:
        said = (str(error) or f"no answer within {START_S} s").replace("\n", " ")
        problem = f"started with its file alone, the shared configuration could not be laid over it: {said}"
        log.warning("config_not_laid_over", problem=problem)
        return msgspec.structs.replace(started, problem=problem)


def _laid_over(started: Started, document: Document, component: str) -> Started:
    values = {path: value for path, value in document.values.items() if effect_of(path).when == "at restart"}
    if not values:
        return msgspec.structs.replace(started, version=document.version)
    key = read_component_key(started.base.key_file_for(component))
    if not is_sealed(document, SEAL, key):
        raise InfraError(
            f"version {document.version} does not bear the seal of the engine that has the key of this component"
        )
    config = overlay(started.base, values, f"version {document.version}", ("at restart",), started.fixed)
    log.info("config_laid_over", version=document.version, keys=list(values), but=list(started.fixed))
    return msgspec.structs.replace(started, config=config, version=document.version, values=values)


class ConfigFollower:
    """Keeps one component at the newest version.

    apply: makes keys take effect at once; carry_out: what else the component does for a version, says what went wrong.
    """

    def __init__(
        self,
        link: RedisLink,
        component: str,
        started: Started,
        apply: Callable[[Config], None],
        carry_out: Callable[[Document], Awaitable[str]] | None = None,
    ) -> None:
        self.version = 0
        self.pending: tuple[str, ...] = ()
        self.problem = ""
        self.started = started
        self._link = link
        self._shared = SharedConfig(link)
        self._component = component
        self._apply = apply
        self._carry_out = carry_out
        self._seen = 0
        self._looking = asyncio.Lock()

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            await self.look()
            await self._link.wait_for(self._shared.channel, LOOK_S)

    async def look(self) -> None:
        """Take in the newest version, where it is another one."""
        async with self._looking:
            try:
                await self._look()
            except CacheUnavailable:
                return
            except InfraError as error:
                self._note(f"{error}; version {self.version} runs on")

    async def _look(self) -> None:
        newest = await self._shared.newest_version()
        if newest == self._seen:
            return
        document = await self._shared.document(newest)
        if newest and document is not None:
            problem = self._take(document)
            if not problem and self._carry_out is not None:
                problem = await self._carry_out(document)
            self._note(problem)
            await self._shared.report(self._component, self.running())
        elif self.version:
            self._note(f"the shared configuration is gone from Redis; version {self.version} runs on")
        self._seen = newest

    def running(self) -> Running:
        """Return what this component runs."""
        return Running(version=self.version, pending=self.pending, problem=self.problem)

    def _take(self, document: Document) -> str:
        try:
            config = overlay(self.started.config, document.values, f"version {document.version}")
        except ConfigError as error:
            return f"{error}; version {self.version} runs on".replace("\n", " ")
        self._apply(config)
        self.version, self.pending = document.version, self._pending_of(document)
        log.info("config_applied", version=document.version, keys=list(document.values), pending=self.pending)
        return ""

    def _pending_of(self, document: Document) -> tuple[str, ...]:
        """Return the keys with which this component would start otherwise than it did."""
        started, name = self.started, self._component.split()[0]
        effects = {path: effect_of(path) for path in (*started.values, *document.values)}
        paths = [path for path, each in effects.items() if name in each.who and path not in started.fixed]
        wanted = {path: value for path, value in document.values.items() if path in paths}
        try:
            config = overlay(started.base, wanted, f"version {document.version}", ("at restart",))
        except ConfigError:
            return tuple(paths)
        return tuple(path for path in paths if value_at(config, path) != value_at(started.config, path))

    def _note(self, problem: str) -> None:
        was, self.problem = self.problem, problem
        if problem and problem != was:
            log.warning("config_not_applied", problem=problem)


async def follow_config(
    link: RedisLink | None,
    component: str,
    started: Started,
    http: HttpService,
    stack: AsyncExitStack,
    apply: Callable[[Config], None] = lambda _: None,
    carry_out: Callable[[Document], Awaitable[str]] | None = None,
) -> ConfigFollower | None:
    """Follow the shared configuration until the stack is closed; None where there is no Redis.

    http: the component's service, which serves already. apply, carry_out: see `ConfigFollower`.
    """
    if link is None:
        return None

    def take(config: Config) -> None:
        set_log_level(config.exchange.log_level)
        shared_rates = open_shared_rates(config, link, component)
        http.set_rates(config.exchange.rate_per_s, config.exchange.rate_burst, shared_rates)
        apply(config)

    follower = ConfigFollower(link, f"{component} on port {http.port}", started, take, carry_out)
    await follower.look()
    following = asyncio.create_task(follower.run(), name=f"{component} follows the configuration")

    async def end() -> None:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)

    stack.push_async_callback(end)
    return follower


def running_of(follower: ConfigFollower | None) -> Running:
    """Return what a component runs."""
    return follower.running() if follower is not None else Running()


def config_notes(follower: ConfigFollower | None) -> list[str]:
    """Return what operators should know of the shared configuration."""
    if follower is None:
        return []
    waiting = (
        f"configuration version {follower.version}: a restart is needed for {', '.join(follower.pending)}"
    )
    notes = [follower.problem, follower.started.problem, waiting if follower.pending else ""]
    return [note for note in notes if note]


CONFIG_FAMILIES: tuple[Family[ConfigFollower], ...] = (
    gauge(
        "exchange_config_version",
        "Version of the shared configuration that runs, 0 for none.",
        lambda follower: follower.version,
    ),
    gauge(
        "exchange_config_problem",
        "1 where a newer version cannot be taken, or the documents are gone; /readyz says why.",
        lambda follower: bool(follower.problem),
    ),
    gauge(
        "exchange_config_restart_pending",
        "Keys of the shared configuration that wait for a restart.",
        lambda follower: len(follower.pending),
    ),
)


def config_metrics(follower: ConfigFollower | None) -> Iterator[Metric]:
    """Yield the families for Prometheus."""
    if follower is not None:
        yield from read_all(CONFIG_FAMILIES, follower)
