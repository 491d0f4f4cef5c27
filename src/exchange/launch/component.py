"""One component as a process of its own: `exchange engine`, `exchange reporter`, `exchange clearing`.

Reporter and clearing take the engine's events over NSQ where it is configured, else over HTTP. They wait for an engine
that is not there yet, saying so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from typing import Literal

from exchange.infra.component_key import read_component_key
from exchange.infra.config import Address, Config
from exchange.infra.open_bus import open_bus
from exchange.launch import life
from exchange.launch.ports import with_ports
from exchange.launch.supervised import keep_informed

Name = Literal["engine", "reporter", "cache reader", "clearing"]
"""A cache reader is a read-only copy of the reporter, and stands at the reporter's address."""


async def run_component(
    name: Name,
    config: Config,
    announce: Callable[[life.Component], None],
    env: Mapping[str, str] | None = None,
) -> None:
    """Run one component until SIGTERM or SIGINT. announce: called once it listens; it may not be ready then."""
    config = with_ports(config)

    async def begin(stack: AsyncExitStack) -> None:
        component = _make(name, config, env, stack)
        await life.start(name, component, _address(name, config), stack)
        announce(component)
        keep_informed(component.ready, stack)

    await life.run_until_signal(begin)


def _make(name: Name, config: Config, env: Mapping[str, str] | None, stack: AsyncExitStack) -> life.Component:
    """Make a component; what the others need is not imported, so that each starts fast."""
    bus = open_bus(config, within_one_process=False)
    if bus is not None:
        stack.push_async_callback(bus.close)
    if name == "engine":
        from exchange.engine.app import EngineApp

        return EngineApp(config, bus=bus)
    if name == "cache reader":
        from exchange.reporter.cache_app import CacheReporterApp

        return CacheReporterApp(config)
    from exchange.infra.http_source import HttpEventSource

    def key() -> str:
        return read_component_key(config.key_file_for(name), env)

    source = HttpEventSource(config.engine_url_for(name), key)
    stack.push_async_callback(source.close)
    if name == "reporter":
        from exchange.reporter.app import ReporterApp

        return ReporterApp(config, bus=bus, source=source)
    from exchange.clearing.app import ClearingApp

    return ClearingApp(config, bus=bus, source=source)


def _address(name: Name, config: Config) -> Address:
    addresses = {
        "engine": config.engine_address,
        "reporter": config.reporter_address,
        "cache reader": config.reporter_address,
        "clearing": config.clearing_address,
    }
    return addresses[name]()
