"""House traders in a process of their own wait for their engine, trade, and leave nothing behind at a signal."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from exchange.engine.app import EngineApp
from tests.simulation.running import config_for, running_engine

WAIT_S = 60


async def until_a_trade(engine: EngineApp) -> None:
    async with asyncio.timeout(WAIT_S):
        while not engine.venue.counters.trades:  # noqa: ASYNC110 - nothing tells of a trade but the count
            await asyncio.sleep(0.01)


async def start_traders(config_file: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "exchange", "traders", "--config", str(config_file),
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


def write_config(folder: Path, url: str) -> Path:
    file = folder / "exchange.toml"
    file.write_text(
        f'[exchange]\ndata = "{folder}"\n[engine]\nurl = "{url}"\n[simulation]\norders_per_second = 1000\n'
    )
    return file


@pytest.mark.integration
async def test_traders_trade_on_an_engine_elsewhere_and_leave_nothing_behind(tmp_path: Path) -> None:
    async with running_engine(tmp_path) as engine:
        traders = await start_traders(write_config(tmp_path, engine.url))
        await until_a_trade(engine)
        traders.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(traders.wait(), WAIT_S) == 0
        assert engine.venue.orders(1) == ([], [])


@pytest.mark.integration
async def test_traders_wait_for_an_engine_that_is_not_there_yet(tmp_path: Path) -> None:
    async with running_engine(tmp_path) as engine:
        url = engine.url
    traders = await start_traders(write_config(tmp_path, url))
    try:
        assert traders.stderr is not None
        line = await asyncio.wait_for(traders.stderr.readline(), WAIT_S)
        assert b"house_waits" in line
        assert b"does not answer" in line
        config = config_for(tmp_path, **{"engine.port": int(url.rpartition(":")[2])})
        late = EngineApp(config)
        await late.start()
        try:
            await until_a_trade(late)
        finally:
            traders.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(traders.wait(), WAIT_S) == 0
            await late.stop()
    finally:
        if traders.returncode is None:
            traders.kill()


@pytest.mark.integration
async def test_traders_that_never_found_an_engine_end_at_a_signal(tmp_path: Path) -> None:
    traders = await start_traders(write_config(tmp_path, "http://127.0.0.1:9"))
    assert traders.stderr is not None
    assert b"keys.json is not there" in await asyncio.wait_for(traders.stderr.readline(), WAIT_S)
    traders.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(traders.wait(), WAIT_S) == 0
