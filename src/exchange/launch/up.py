"""All three components in one process, by default with a bus in memory: `exchange up`."""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
import structlog

from exchange.clearing.app import ClearingApp
from exchange.engine.app import EngineApp
from exchange.engine.bootstrap import KeyFile, read_keys
from exchange.infra import disk
from exchange.infra.bus import Bus
from exchange.infra.config import Config
from exchange.infra.config_follower import Started, started_with
from exchange.infra.errors import InfraError
from exchange.infra.open_bus import open_bus
from exchange.launch import life
from exchange.launch.ports import with_ports
from exchange.launch.supervised import keep_informed
from exchange.reporter.app import ReporterApp

ADDRESSES_FILE = "addresses.json"

log = structlog.get_logger(component="launch")


class Addresses(msgspec.Struct, frozen=True):
    """Where a running exchange is; kept in its data folder so that other commands find it."""

    engine: str
    reporter: str
    clearing: str
    page: str
    data: str
    pid: int
    ouch: str = ""
    itch: str = ""


class Embedded:
    """A running exchange: its components, where they are, and the keys that open it."""

    def __init__(self, started: Started, stack: AsyncExitStack) -> None:
        config = self.config = started.config
        self._started = started
        self.bus: Bus | None = open_bus(config, within_one_process=True)
        self._stack = stack
        self.engine = EngineApp(config, bus=self.bus, started=started)
        self.reporter: ReporterApp
        self.clearing: ClearingApp

    @property
    def addresses(self) -> Addresses:
        """Return where everything is."""
        return Addresses(
            engine=self.engine.url,
            reporter=self.reporter.url,
            clearing=self.clearing.url,
            page=self.reporter.url + "/",
            data=str(self.config.data_folder.resolve()),
            pid=os.getpid(),
            ouch=self.engine.ouch.address if self.engine.ouch else "",
            itch=self.reporter.itch.server.address if self.reporter.itch else "",
        )

    @property
    def keys(self) -> KeyFile:
        """Return the keys of the exchange and of its demo participants."""
        return read_keys(self.config.key_file_for())

    def ready(self) -> list[str]:
        """Return the reasons why any component does not do its work."""
        components: dict[str, life.Component] = {
            "engine": self.engine,
            "reporter": self.reporter,
            "clearing": self.clearing,
        }
        return [f"{name}: {reason}" for name, component in components.items() for reason in component.ready()]

    async def stop(self) -> None:
        """Stop clearing, then the reporter, then the engine; everything is stored afterwards."""
        await self._stack.aclose()

    async def begin(self) -> None:
        """Start the three in order, each ready before the next."""
        config, stack = self.config, self._stack
        if self.bus is not None:
            stack.push_async_callback(self.bus.close)
        await life.start("engine", self.engine, config.engine_address(), stack)
        await life.wait_until_ready("engine", self.engine)
        self.reporter = ReporterApp(config, bus=self.bus, source=self.engine.source, started=self._started)
        await life.start("reporter", self.reporter, config.reporter_address(), stack)
        await life.wait_until_ready("reporter", self.reporter)
        self.clearing = ClearingApp(config, bus=self.bus, source=self.engine.source, started=self._started)
        await life.start("clearing", self.clearing, config.clearing_address(), stack)
        await life.wait_until_ready("clearing", self.clearing)
        self._tell_addresses()

    def _tell_addresses(self) -> None:
        """Write where everything is beside the data, and take it away at the end."""
        file = self.config.data_folder / ADDRESSES_FILE
        text = json.dumps(msgspec.to_builtins(self.addresses), indent=2) + "\n"
        try:
            disk.write_whole(file, text.encode())
        except OSError as error:
            raise InfraError(
                f"{file} cannot be written: {error.strerror}; move what is there away"
            ) from error
        self._stack.callback(Path.unlink, file, missing_ok=True)


async def up(config: Config, fixed: Iterable[str] = ()) -> Embedded:
    """Start an exchange and return it running. Raise `InfraError` where it cannot; nothing is left running then.

    fixed: the keys that environment and command line set, which no shared configuration overrides.
    """
    async with AsyncExitStack() as stack:
        started = await started_with(config, "engine", fixed)
        embedded = Embedded(
            msgspec.structs.replace(started, config=with_ports(started.config)), AsyncExitStack()
        )
        stack.push_async_callback(embedded.stop)
        await embedded.begin()
        stack.pop_all()
    log.info("exchange_started", page=embedded.addresses.page)
    return embedded


async def run_up(
    config: Config, announce: Callable[[Embedded], Awaitable[None] | None], fixed: Iterable[str] = ()
) -> None:
    """Run an exchange until SIGTERM or SIGINT. announce: called once everything is ready; fixed: see `up`."""

    async def begin(stack: AsyncExitStack) -> None:
        embedded = await up(config, fixed)
        stack.push_async_callback(embedded.stop)
        told = announce(embedded)
        if told is not None:
            await told
        keep_informed(embedded.ready, stack)

    await life.run_until_signal(begin)
