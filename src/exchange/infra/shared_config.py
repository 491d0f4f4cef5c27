"""Configuration that changes at run time: versioned documents in Redis, which every component follows.

A document holds the few keys that take effect at once, over what each component was started with; a key that it does
not hold is as the component was started. It is validated whole and refused whole. A change is announced, and looked
for now and then as well. Without Redis, or when Redis has lost the documents, the last version runs on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from typing import Any

import msgspec
import structlog
from prometheus_client.metrics_core import Metric

from exchange.infra.cache import CacheUnavailable
from exchange.infra.config import Config
from exchange.infra.config_keys import ConfigError, Problem, TableReader, field_at, key_text
from exchange.infra.errors import InfraError
from exchange.infra.http_service import HttpService
from exchange.infra.log import set_log_level
from exchange.infra.metrics import Family, gauge, read_all
from exchange.infra.redis_cache import RedisLink
from exchange.infra.shared_rates import open_shared_rates

log = structlog.get_logger(component="configuration")

HOT_KEYS = (
    "exchange.log_level",
    "exchange.rate_per_s",
    "exchange.rate_burst",
    "redis.writes_per_second",
    "redis.stale_s",
)
"""What a document may hold."""
VERSIONS_KEPT = 100
LOOK_S = 2.0
"""How often it is looked for a new version, announced or not."""

_PUBLISH = """
local newest = tonumber(redis.call('HGET', KEYS[1], 'newest') or '0')
if newest ~= tonumber(ARGV[1]) then return 0 end
newest = newest + 1
redis.call('HSET', KEYS[1], 'newest', newest, newest, ARGV[2])
redis.call('HDEL', KEYS[1], newest - tonumber(ARGV[3]))
redis.call('PUBLISH', KEYS[2], newest)
return newest
"""
"""KEYS: the documents, the channel. ARGV: the version it follows, the document, versions kept. Answer: 0 = too late."""


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """One version. values: from key path to value; at: when it was applied; note: why, for people."""

    version: int = 0
    at: str = ""
    note: str = ""
    values: dict[str, Any] = {}


class VersionTaken(InfraError):
    """Somebody else applied a version meanwhile."""


def values_of(tables: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a file of TOML holds, by key path: `{"exchange": {"log_level": …}}` → `exchange.log_level`."""
    values: dict[str, Any] = {}
    for name, table in tables.items():
        if isinstance(table, Mapping):
            values |= {f"{name}.{key}": value for key, value in table.items()}
        else:
            values[name] = table
    return values


def overlay(config: Config, values: Mapping[str, Any], origin: str) -> Config:
    """Return a configuration with the values of a document in it. Raise `ConfigError` with every mistake."""
    problems = [Problem(origin, key_text(path), what) for path in values if (what := _refused(path))]
    reader, sections = TableReader(origin, {}), {}
    for name in {path.split(".")[0]: None for path in values if path in HOT_KEYS}:
        section = getattr(config, name)
        table = {path.split(".")[1]: values[path] for path in HOT_KEYS if path in values and _in(path, name)}
        made = reader.read(type(section), table, name)
        if made is not None:
            sections[name] = msgspec.structs.replace(section, **{key: getattr(made, key) for key in table})
    if problems or reader.problems:
        raise ConfigError(problems + reader.problems)
    return msgspec.structs.replace(config, **sections)


def _in(path: str, section: str) -> bool:
    return path.startswith(section + ".")


def _refused(path: str) -> str:
    """Say why a key may not stand in a document, empty where it may."""
    if path in HOT_KEYS:
        return ""
    found = field_at(Config, path.split("."))
    if isinstance(found, str):
        return found
    if _in(path, "symbols") or path == "symbols":
        return "the market changes by command: use `exchange symbols add`, `suspend`, `resume` or `reference`"
    return f"needs a restart: change it where the component is started; at run time: {', '.join(HOT_KEYS)}"


class SharedConfig:
    """The documents of one exchange. Every question may raise `CacheUnavailable`."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link
        self._documents = link.key("config", "documents")
        self._running = link.key("config", "running")
        self.channel = link.key("config", "news")

    async def newest_version(self) -> int:
        """Return the version in force, 0 for none."""
        (number,) = await self._link.call(("HGET", self._documents, "newest"))
        return int(number or 0)

    async def document(self, version: int) -> Document | None:
        """Return a version, None where it is not kept; 0 is the empty one."""
        if not version:
            return Document()
        (body,) = await self._link.call(("HGET", self._documents, version))
        return msgspec.json.decode(body, type=Document) if body is not None else None

    async def history(self) -> list[Document]:
        """Return the versions that are kept, newest first."""
        newest = await self.newest_version()
        numbers = range(newest, max(0, newest - VERSIONS_KEPT), -1)
        found = [await self.document(number) for number in numbers]
        return [document for document in found if document is not None]

    async def publish(self, document: Document) -> None:
        """Put a document in force. Raise `VersionTaken` where it does not follow the newest one."""
        command = ("EVAL", _PUBLISH, 2, self._documents, self.channel)
        body = msgspec.json.encode(document)
        (version,) = await self._link.call((*command, document.version - 1, body, VERSIONS_KEPT))
        if not version:
            raise VersionTaken(
                f"version {document.version} was applied by somebody else; look, then try again"
            )

    async def report(self, component: str, version: int) -> None:
        """Tell which version a component runs."""
        await self._link.call(("HSET", self._running, component, version))

    async def running(self) -> dict[str, int]:
        """Return which version each component said that it runs."""
        (found,) = await self._link.call(("HGETALL", self._running))
        return {name.decode(): int(version) for name, version in sorted(found.items())}


class ConfigFollower:
    """Keeps one component at the newest version. apply: makes the keys of a configuration take effect."""

    def __init__(
        self, link: RedisLink, component: str, config: Config, apply: Callable[[Config], None]
    ) -> None:
        self.version = 0
        self.problem = ""
        self._link = link
        self._shared = SharedConfig(link)
        self._component = component
        self._config = config
        self._apply = apply
        self._seen = 0

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            await self.look()
            await self._link.wait_for(self._shared.channel, LOOK_S)

    async def look(self) -> None:
        """Take in the newest version, where it is another one."""
        try:
            newest = await self._shared.newest_version()
            if newest == self._seen:
                return
            document = await self._shared.document(newest)
            if newest and document is not None:
                self._take(document)
                await self._shared.report(self._component, self.version)
            elif self.version:
                self._note(f"the shared configuration is gone from Redis; version {self.version} runs on")
            self._seen = newest
        except CacheUnavailable:
            return

    def _take(self, document: Document) -> None:
        try:
            config = overlay(self._config, document.values, f"version {document.version}")
        except ConfigError as error:
            self._note(f"{error}; version {self.version} runs on".replace("\n", " "))
            return
        self._apply(config)
        self.version, self.problem = document.version, ""
        log.info("config_applied", version=document.version, keys=list(document.values))

    def _note(self, problem: str) -> None:
        self.problem = problem
        log.warning("config_not_applied", problem=problem)


async def follow_config(
    link: RedisLink | None,
    component: str,
    config: Config,
    http: HttpService,
    stack: AsyncExitStack,
    apply: Callable[[Config], None] = lambda _: None,
) -> ConfigFollower | None:
    """Follow the shared configuration until the stack is closed; None where there is no Redis.

    http: the component's service, which serves already. apply: makes the component's own keys take effect.
    """
    if link is None:
        return None

    def take(config: Config) -> None:
        set_log_level(config.exchange.log_level)
        shared_rates = open_shared_rates(config, link, component)
        http.set_rates(config.exchange.rate_per_s, config.exchange.rate_burst, shared_rates)
        apply(config)

    follower = ConfigFollower(link, f"{component} on port {http.port}", config, take)
    await follower.look()
    following = asyncio.create_task(follower.run(), name=f"{component} follows the configuration")

    async def end() -> None:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)

    stack.push_async_callback(end)
    return follower


def config_notes(follower: ConfigFollower | None) -> list[str]:
    """Return what operators should know of the shared configuration."""
    return [follower.problem] if follower is not None and follower.problem else []


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
)


def config_metrics(follower: ConfigFollower | None) -> Iterator[Metric]:
    """Yield the families for Prometheus."""
    if follower is not None:
        yield from read_all(CONFIG_FAMILIES, follower)
