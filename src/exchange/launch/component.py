"""One component as a process of its own: `exchange engine`, `exchange reporter`, `exchange clearing`.

Reporter and clearing take the engine's events over NSQ where it is configured, else over HTTP. They wait for an engine
that is not there yet, saying so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from typing import Literal

import msgspec

from exchange.infra.component_key import read_component_key
from exchange.infra.config import Address, Config
from exchange.infra.config_follower import Started, started_with
from exchange.infra.open_bus import open_bus
from exchange.launch import life
from exchange.launch.ports import with_ports
from exchange.launch.supervised import keep_informed

Name = Literal["engine", "reporter", "cache reader", "clearing"]
"""A cache reader is a read-only copy of the reporter, and stands at the reporter's address."""
COMPONENT: dict[Name, Literal["engine", "reporter", "clearing"]] = {
    "engine": "engine",
    "reporter": "reporter",
    "cache reader": "reporter",
    "clearing": "clearing",
}


async def run_component(
    name: Name,
    config: Config,
    announce: Callable[[life.Component], None],
    env: Mapping[str, str] | None = None,
    fixed: Iterable[str] = (),
) -> None:
    """Run one component until SIGTERM or SIGINT. announce: called once it listens; it may not be ready then.

    fixed: the keys that environment and command line set, which no shared configuration overrides.
    """

    async def begin(stack: AsyncExitStack) -> None:
        started = await started_with(config, COMPONENT[name], fixed)
        started = msgspec.structs.replace(started, config=with_ports(started.config))
        component = _make(name, started, env, stack)
        await life.start(name, component, _address(name, started.config), stack)
        announce(component)
        keep_informed(component.ready, stack)

    await life.run_until_signal(begin)


def _make(
    name: Name, started: Started, env: Mapping[str, str] | None, stack: AsyncExitStack
) -> life.Component:
    """Make a component; what the others need is not imported, so that each starts fast."""
    config = started.config
    bus = open_bus(config, within_one_process=False)
    if bus is not None:
        stack.push_async_callback(bus.close)
    if name == "engine":
        from exchange.engine.app import EngineApp

        return EngineApp(config, bus=bus, started=started)
    if name == "cache reader":
        from exchange.reporter.cache_app import CacheReporterApp

        return CacheReporterApp(config, started=started)
    from exchange.infra.http_source import HttpEventSource

    def key() -> str:
        return read_component_key(config.key_file_for(name), env)

    source = HttpEventSource(config.engine_url_for(name), key)
    stack.push_async_callback(source.close)
    if name == "reporter":
        from exchange.reporter.app import ReporterApp

        return ReporterApp(config, bus=bus, source=source, started=started)
    from exchange.clearing.app import ClearingApp

    return ClearingApp(config, bus=bus, source=source, started=started)


def _address(name: Name, config: Config) -> Address:
    addresses = {
        "engine": config.engine_address,
        "reporter": config.reporter_address,
        "cache reader": config.reporter_address,
        "clearing": config.clearing_address,
    }
    return addresses[name]()
