"""`exchange demo`: an exchange in one process with house traders, so that there is a market to look at."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack

from exchange.infra.config import Config
from exchange.launch import life
from exchange.launch.up import Embedded, up
from exchange.simulation.house import House


async def run_demo(config: Config, announce: Callable[[Embedded], None], fixed: Iterable[str] = ()) -> None:
    """Run an exchange and its house traders until SIGTERM or SIGINT. announce: called once the market is open.

    fixed: see `exchange.launch.up.up`.
    """

    async def begin(stack: AsyncExitStack) -> None:
        embedded = await up(config, fixed)
        stack.push_async_callback(embedded.stop)
        quiet = config.simulation.quiet_symbols
        symbols = [symbol.symbol for symbol in config.symbols if symbol.symbol not in quiet]
        house = House(embedded.engine.url, embedded.keys.operator, symbols, config.simulation)
        stack.push_async_callback(house.close)
        await house.open()
        trading = asyncio.create_task(house.run())
        stack.push_async_callback(_end, trading)
        announce(embedded)

    await life.run_until_signal(begin)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
