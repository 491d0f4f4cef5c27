"""What `exchange doctor` looks at among the servers that are configured: Redis, nsqd, nsqlookupd, the stores."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from exchange.cli.findings import Finding

if TYPE_CHECKING:
    from exchange.infra.config import Config

REDIS_DO = "start it, or correct [redis] url; meanwhile all goes on without cache and shared configuration"


def look_at_redis(config: Config) -> list[Finding]:
    """Look whether Redis answers, takes our password, and is new enough."""
    if not config.redis.url:
        return [Finding("redis", "ok", "not configured, nothing needs it")]
    return asyncio.run(_ask_redis(config))


async def _ask_redis(config: Config) -> list[Finding]:
    from time import perf_counter_ns

    from exchange.infra.cache import CacheUnavailable
    from exchange.infra.errors import InfraError
    from exchange.infra.redis_cache import open_redis

    async with AsyncExitStack() as stack:
        try:
            link = open_redis(config, stack)
            assert link is not None
            await link.call(("PING",))
            started_ns = perf_counter_ns()
            ((info),) = await link.call(("INFO", "server"))
        except (CacheUnavailable, InfraError) as error:
            return [Finding("redis", "warning", str(error), REDIS_DO)]
        took_us = (perf_counter_ns() - started_ns) // 1_000
        return [
            Finding("redis", "ok", f"Redis {_version_in(info)} at {link.url}, answers within {took_us} µs")
        ]


def newest_shared_version(config: Config) -> int | None:
    """Return the version of the shared configuration that is in force, None where that is not known."""
    if not config.redis.url:
        return None

    async def ask() -> int | None:
        from exchange.infra.errors import InfraError
        from exchange.infra.redis_cache import open_redis
        from exchange.infra.shared_config import SharedConfig

        async with AsyncExitStack() as stack:
            try:
                link = open_redis(config, stack)
                return None if link is None else await SharedConfig(link).newest_version()
            except InfraError:
                return None

    return asyncio.run(ask())


def look_at_nsq(config: Config) -> list[Finding]:
    """Look whether every nsqd and nsqlookupd answers, where the bus is NSQ."""
    if config.bus.kind != "nsq":
        return [Finding("nsq", "ok", f'not configured, the bus is "{config.bus.kind}"')]
    from exchange.infra.open_bus import probe_nsq

    do = "start it, or correct [bus] nsqd and nsqlookupd; meanwhile consumers ask the engine for events"
    return [
        Finding(seen.what, "warning" if seen.problem else "ok", seen.problem or seen.says, do if seen.problem else "")
        for seen in asyncio.run(probe_nsq(config))
    ]  # fmt: skip


def look_at_stores(config: Config) -> list[Finding]:
    """Look whether the stores of reporter and clearing can be reached, and at the versions of their schemas."""
    from exchange.infra.store_check import check_store

    do = (
        "the component will not start with it: docs/stores.md says what to do; for a server check that it runs, "
        "and user, password, host and database in store_url"
    )
    seen = [
        check_store("reporter", config.store_url_for("reporter"), "exchange.reporter.migrations"),
        check_store("clearing", config.store_url_for("clearing"), "exchange.clearing.migrations"),
    ]
    return [
        Finding(each.what, "bad" if each.problem else "ok", each.problem or each.says, do if each.problem else "")
        for each in seen
    ]  # fmt: skip


def _version_in(info: object) -> str:
    """Find the version in what INFO answers, however the library hands it over."""
    if isinstance(info, dict):
        return str(info.get("redis_version", "of an unknown version"))
    text = info.decode(errors="replace") if isinstance(info, bytes) else str(info)
    for line in text.splitlines():
        if line.startswith("redis_version:"):
            return line.partition(":")[2]
    return "of an unknown version"
