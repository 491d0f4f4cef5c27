"""An engine, or a whole exchange, in the process of a test, on ports that the system chooses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from exchange.engine.app import EngineApp
from exchange.infra.config import Config, load_config
from exchange.launch.up import Embedded, up


def config_for(folder: Path, **overrides: object) -> Config:
    """Make a configuration without snapshots on the way, whose data lies in a folder."""
    given = {"data": str(folder), "port_base": 0, "engine.snapshot_every_commands": 0}
    return load_config(None, {}, {**given, **overrides})


@asynccontextmanager
async def running_engine(folder: Path) -> AsyncIterator[EngineApp]:
    """Run an engine alone."""
    engine = EngineApp(config_for(folder))
    await engine.start()
    try:
        yield engine
    finally:
        await engine.stop()


@asynccontextmanager
async def running_exchange(folder: Path, **overrides: object) -> AsyncIterator[Embedded]:
    """Run engine, reporter and clearing."""
    embedded = await up(config_for(folder, **overrides))
    try:
        yield embedded
    finally:
        await embedded.stop()
