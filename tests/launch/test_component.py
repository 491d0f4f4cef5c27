"""The components as processes of their own: started in any order, killed and started again."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from exchange.engine.bootstrap import read_keys
from exchange.infra.config import Config, load_config
from exchange.launch.ports import with_ports
from tests.infra.event_streams import until
from tests.launch.market import Market, market

PROGRAM = """
import sys
from exchange.infra.config import load_config
from exchange.infra.service import run_service
from exchange.launch.component import run_component
run_service(lambda: run_component(sys.argv[1], load_config(), lambda component: print(component.url, flush=True)))
"""
STOP_S = 30


class Processes:
    """The processes of one exchange, by name."""

    def __init__(self, config: Config, log: Path) -> None:
        self.config = config
        self.log = log
        self.running: dict[str, asyncio.subprocess.Process] = {}

    @property
    def urls(self) -> dict[str, str]:
        config = self.config
        return {
            "engine": config.engine_url(),
            "reporter": config.reporter_url(),
            "clearing": config.clearing_url(),
        }

    async def start(self, name: str) -> None:
        config = self.config
        env = {
            **os.environ,
            "EXCHANGE__EXCHANGE__DATA": str(config.data_folder),
            "EXCHANGE__ENGINE__PORT": str(config.engine.port),
            "EXCHANGE__REPORTER__PORT": str(config.reporter.port),
            "EXCHANGE__CLEARING__PORT": str(config.clearing.port),
        }
        with self.log.open("ab") as log:
            self.running[name] = await asyncio.create_subprocess_exec(
                sys.executable, "-c", PROGRAM, name, env=env, cwd=self.log.parent, stdout=log, stderr=log
            )

    async def end(self, name: str, number: signal.Signals) -> int:
        process = self.running.pop(name)
        process.send_signal(number)
        return await asyncio.wait_for(process.wait(), STOP_S)


@asynccontextmanager
async def processes(folder: Path) -> AsyncIterator[Processes]:
    config = with_ports(load_config(env={}, overrides={"data": str(folder / "data"), "port_base": 0}))
    started = Processes(config, folder / "log.txt")
    try:
        yield started
    finally:
        for name in list(started.running):
            await started.end(name, signal.SIGKILL)


@asynccontextmanager
async def seen(started: Processes) -> AsyncIterator[Market]:
    keys = read_keys(started.config.key_file_for())
    async with market(started.urls, keys) as outside:
        yield outside


async def start_all(started: Processes, names: tuple[str, ...]) -> None:
    for name in names:
        await started.start(name)
    for _ in range(600):
        if started.config.key_file_for().exists():
            break
        await asyncio.sleep(0.05)
    async with seen(started) as outside:
        for name in names:
            await outside.wait_until_ready(name)


@pytest.mark.integration
async def test_components_that_wait_for_their_engine_carry_a_trade_and_a_bust(tmp_path: Path) -> None:
    async with processes(tmp_path) as started:
        await started.start("reporter")
        await started.start("clearing")
        # Of the reporter, of clearing, and of its surveillance.
        await until(lambda: started.log.read_text().count("feed_waits_for_engine") == 3)
        await start_all(started, ("engine",))
        async with seen(started) as outside:
            await outside.wait_until_ready("reporter")
            await outside.wait_until_ready("clearing")
            await outside.trade("AAPL", 10, "189.20")
            await outside.trade("XYZ", 100, "14.00")
            await outside.trade_states("reporter", "status", ["executed", "busted"])
            await outside.trade_states("clearing", "state", ["accepted", "busted"])
        codes = [await started.end(name, signal.SIGTERM) for name in ("clearing", "reporter", "engine")]
        assert codes == [0, 0, 0]


@pytest.mark.integration
@pytest.mark.parametrize("victim", ["engine", "reporter", "clearing"])
async def test_a_killed_component_starts_again_and_misses_nothing(tmp_path: Path, victim: str) -> None:
    async with processes(tmp_path) as started:
        await start_all(started, ("engine", "reporter", "clearing"))
        async with seen(started) as outside:
            await outside.trade("AAPL", 10, "189.20")
            await outside.trade_states("clearing", "state", ["accepted"])
            await started.end(victim, signal.SIGKILL)
            if victim != "engine":
                await outside.trade("AAPL", 10, "189.30")
            await started.start(victim)
            await outside.wait_until_ready(victim)
            if victim == "engine":
                await outside.trade("AAPL", 10, "189.30")
            await outside.trade_states("reporter", "status", ["executed", "executed"])
            await outside.trade_states("clearing", "state", ["accepted", "accepted"])
