"""Redis: the connection with its back-off, and the cache behind it. The one module that knows the library.

A failure is answered at once with `CacheUnavailable` until the next try is due, so that nobody waits for a Redis that
is away. Lease and age are measured by the clock of Redis, which all processes share.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from typing import Any

import structlog
from prometheus_client.metrics_core import Metric

from exchange.infra.cache import FIELDS_MAX, LEASE_S, CacheUnavailable, Change, Look, Mark, Outcome
from exchange.infra.config import Config, mask_password
from exchange.infra.errors import InfraError
from exchange.infra.metrics import Family, counter, gauge, read_all

log = structlog.get_logger(component="redis")

CONNECTIONS_MAX = 16
"""Questions asked at once; one more waits, and fails after the time-out."""
BACK_OFF_S = 0.1
BACK_OFF_S_MAX = 5.0
"""After a failure nothing is tried for a while, doubled each time, with up to half of it taken off by chance."""
LIFE_S = 86_400
"""Tables that nobody has written to for a day are forgotten."""

_WRITE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local held = redis.call('HMGET', KEYS[1], 'writer', 'at_us')
if held[1] and held[1] ~= ARGV[1] and now - tonumber(held[2]) < tonumber(ARGV[2]) then return 'held' end
if ARGV[3] == '1' then redis.call('DEL', unpack(KEYS))
elseif held[1] ~= ARGV[1] then return 'lost' end
for i = 7, #ARGV, 3 do redis.call('HSET', KEYS[tonumber(ARGV[i])], ARGV[i + 1], ARGV[i + 2]) end
redis.call('HSET', KEYS[1], 'writer', ARGV[1], 'at_us', string.format('%.0f', now))
if ARGV[4] ~= '0' then redis.call('HSET', KEYS[1], 'sequence', ARGV[4], 'time_ns', ARGV[5]) end
for i = 1, #KEYS do redis.call('EXPIRE', KEYS[i], ARGV[6]) end
return 'done'
"""
"""KEYS: the mark, the tables. ARGV: writer, lease in µs, begin, sequence, time, life, then (key, field, value)."""


@contextmanager
def _heeding_cancels() -> Iterator[None]:
    """Raise the cancel that was asked for meanwhile, where the library has swallowed it.

    It sends by `asyncio.wait_for`, which before Python 3.12 returns an answer that comes in the same turn as a cancel.
    """
    task = asyncio.current_task()
    assert task is not None
    asked = task.cancelling()
    try:
        yield
    finally:
        if task.cancelling() > asked:
            raise asyncio.CancelledError


class RedisLink:
    """A connection to Redis for one process. name: what all keys of this exchange begin with.

    problem: why Redis cannot be used now, empty where it can. calls, failures: counted since the start.
    """

    def __init__(self, url: str, name: str, timeout_s: float = 0.5) -> None:
        self.url = mask_password(url)
        self.name = name
        self.problem = ""
        self.calls = 0
        self.failures = 0
        self._back_off_s = BACK_OFF_S
        self._retry_at_s = 0.0
        try:
            from redis.asyncio import BlockingConnectionPool, Redis
            from redis.asyncio.retry import Retry
            from redis.backoff import NoBackoff
            from redis.exceptions import RedisError
        except ImportError as error:
            text = f"[redis] url is set, but its library is missing: pip install 'stock-exchange[redis]' ({error})"
            raise InfraError(text) from error
        self._errors = (RedisError, OSError, TimeoutError)
        try:
            pool = BlockingConnectionPool.from_url(
                url,
                max_connections=CONNECTIONS_MAX,
                timeout=timeout_s,
                socket_timeout=timeout_s,
                socket_connect_timeout=timeout_s,
                retry=Retry(NoBackoff(), 0),
            )
        except ValueError as error:
            raise InfraError(f"[redis] url {self.url}: {error}") from error
        self._client = Redis(connection_pool=pool)
        self._listening: Any = None

    def key(self, *parts: str) -> str:
        """Return a key of this exchange; all of them lie on one node of a cluster."""
        return ":".join((f"{{{self.name}}}", *parts))

    async def call(self, *commands: Sequence[Any]) -> list[Any]:
        """Send commands in one step and return their answers. Raise `CacheUnavailable`."""
        now_s = asyncio.get_running_loop().time()
        if now_s < self._retry_at_s:
            raise CacheUnavailable(self.problem)
        try:
            with _heeding_cancels():
                async with self._client.pipeline(transaction=len(commands) > 1) as pipeline:
                    for command in commands:
                        pipeline.execute_command(*command)
                    answers: list[Any] = await pipeline.execute()
        except self._errors as error:
            self._note_failure(error)
            raise CacheUnavailable(self.problem) from error
        self._note_answer()
        return answers

    async def wait_for(self, channel: str, timeout_s: float) -> None:
        """Wait until something is announced on a channel, at most so long; without Redis exactly so long."""
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + timeout_s
        try:
            with _heeding_cancels():
                if self._listening is None:
                    self._listening = self._client.pubsub()
                    await self._listening.subscribe(channel)
                while (left_s := deadline_s - loop.time()) > 0:
                    if await self._listening.get_message(ignore_subscribe_messages=True, timeout=left_s):
                        return
        except self._errors:
            await self._stop_listening()
            await asyncio.sleep(max(0.0, deadline_s - loop.time()))

    async def _stop_listening(self) -> None:
        listening, self._listening = self._listening, None
        if listening is not None:
            await listening.aclose()

    async def close(self) -> None:
        """Close the connections."""
        await self._stop_listening()
        await self._client.aclose()
        await self._client.connection_pool.disconnect()

    def _note_answer(self) -> None:
        self.calls += 1
        if self.problem:
            self.problem = ""
            log.info("redis_back", url=self.url)
        self._back_off_s, self._retry_at_s = BACK_OFF_S, 0.0

    def _note_failure(self, error: Exception) -> None:
        self.failures += 1
        was_well = not self.problem
        said = str(error) or type(error).__name__
        self.problem = f"Redis at {self.url} cannot be used, all goes on without it: {said}"
        wait_s = self._back_off_s * (1 - random.random() / 2)
        self._retry_at_s = asyncio.get_running_loop().time() + wait_s
        self._back_off_s = min(self._back_off_s * 2, BACK_OFF_S_MAX)
        if was_well:
            log.warning("redis_lost", url=self.url, error=said, meaning="all goes on without it")


class RedisCache:
    """A cache in Redis: a hash per table, and one for the mark."""

    def __init__(self, link: RedisLink, tables: Sequence[str]) -> None:
        self._link = link
        self._keys = {table: link.key(table) for table in tables}
        self._mark_key = link.key("mark")
        self._numbers = {table: number for number, table in enumerate(tables, 2)}

    @property
    def problem(self) -> str:
        """Why the cache cannot be used now, empty where it can."""
        return self._link.problem

    async def write(self, writer: str, change: Change) -> Outcome:
        """Write in one step, or not at all."""
        assert len(change.entries) <= FIELDS_MAX
        keys = [self._mark_key, *self._keys.values()]
        entries = [
            part for table, field, value in change.entries for part in (self._numbers[table], field, value)
        ]
        head = (writer, int(LEASE_S * 1_000_000), int(change.begin), change.sequence, change.time_ns, LIFE_S)
        (answer,) = await self._link.call(("EVAL", _WRITE, len(keys), *keys, *head, *entries))
        return Outcome(answer.decode())

    async def look(self, wanted: Sequence[tuple[str, str]]) -> Look:
        """Read (table, field) pairs in one step."""
        assert len(wanted) <= FIELDS_MAX
        answers = await self._link.call(
            *self._ask_mark(), *(("HGET", self._keys[table], field) for table, field in wanted)
        )
        return Look(_mark(answers), answers[2:])

    async def whole(self, table: str) -> Look:
        """Read all values of a table in one step."""
        answers = await self._link.call(*self._ask_mark(), ("HVALS", self._keys[table]))
        return Look(_mark(answers), answers[2])

    def _ask_mark(self) -> tuple[Sequence[Any], ...]:
        return ("HMGET", self._mark_key, "sequence", "time_ns", "at_us"), ("TIME",)


def _mark(answers: list[Any]) -> Mark | None:
    (sequence, time_ns, at_us), clock = answers[:2]
    if sequence is None:
        return None
    seconds, micros = clock
    age_us = int(seconds) * 1_000_000 + int(micros) - int(at_us)
    return Mark(int(sequence), int(time_ns), max(0, age_us) / 1_000_000)


def open_redis(config: Config, stack: AsyncExitStack) -> RedisLink | None:
    """Make the connection that the configuration names, None where it names none; it is closed with the stack.

    Nothing is sent yet: whether Redis answers does not matter to a start. Raise `InfraError` for a wrong address.
    """
    if not config.redis.url:
        return None
    name = f"{config.exchange.name}:{config.partition}"
    link = RedisLink(config.redis.url, name, config.redis.timeout_ms / 1_000)
    stack.push_async_callback(link.close)
    return link


def redis_notes(link: RedisLink | None) -> list[str]:
    """Return what operators should know of Redis; the component works all the same."""
    return [link.problem] if link is not None and link.problem else []


REDIS_FAMILIES: tuple[Family[RedisLink], ...] = (
    gauge("exchange_redis_up", "Whether Redis answered the last time.", lambda link: not link.problem),
    counter("exchange_redis_calls_total", "Questions that Redis answered.", lambda link: link.calls),
    counter(
        "exchange_redis_failures_total",
        "Questions that it did not answer, or refused.",
        lambda link: link.failures,
    ),
)


def redis_metrics(link: RedisLink | None) -> Iterator[Metric]:
    """Yield the families for Prometheus, once Redis was asked for something."""
    if link is not None and link.calls + link.failures:
        yield from read_all(REDIS_FAMILIES, link)
