"""`exchange traders`: house traders as a process of their own, on an engine that runs elsewhere."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import structlog

from exchange.engine.bootstrap import read_keys
from exchange.infra.config import Config
from exchange.infra.errors import InfraError
from exchange.launch import life
from exchange.simulation.house import House
from exchange.simulation.rest import ConnectionFailed, RequestRefused

RETRY_S = 1.0
SAY_EVERY = 10
"""Of so many tries in a row that failed one is logged."""

log = structlog.get_logger(component="house")


async def run_house(config: Config) -> None:
    """Trade until SIGTERM or SIGINT; an engine that is not there yet, or is gone for a while, is waited for."""
    await life.run_until_signal(lambda _: _trade(config))


async def _trade(config: Config) -> None:
    house = await _opened(config)
    try:
        await house.run()
    finally:
        await house.close()


async def _opened(config: Config) -> House:
    """Wait for the key file and the engine, and open the house there."""
    tries = 0
    while True:
        try:
            return await _open(config)
        except (ConnectionFailed, RequestRefused, InfraError) as error:
            if tries % SAY_EVERY == 0:
                log.warning("house_waits", reason=str(error))
            tries += 1
            await asyncio.sleep(RETRY_S)


async def _open(config: Config) -> House:
    keys = await asyncio.to_thread(read_keys, config.key_file_for())
    quiet = config.simulation.quiet_symbols
    symbols = [symbol.symbol for symbol in config.symbols if symbol.symbol not in quiet]
    async with AsyncExitStack() as undo:
        house = House(config.engine_url(), keys.operator, symbols, config.simulation)
        undo.push_async_callback(house.close)
        await house.open()
        undo.pop_all()
    return house
