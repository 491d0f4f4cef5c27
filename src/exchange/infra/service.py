"""A process that serves: the fast loop, the signals that end it, and an end that takes a limited time."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable

import structlog
import uvloop

log = structlog.get_logger(component="service")

STOP_LIMIT_S = 30.0
"""A stop that takes longer is cut off: the next start recovers by replay."""
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def run_service(main: Callable[[], Awaitable[None]]) -> None:
    """Run a service's main function on uvloop until it returns."""

    async def run() -> None:
        await main()

    uvloop.run(run())


async def wait_for_signal() -> str:
    """Wait for SIGTERM or SIGINT and return its name; a second one then ends the process at once."""
    loop = asyncio.get_running_loop()
    caught: asyncio.Future[str] = loop.create_future()

    def catch(number: signal.Signals) -> None:
        for each in STOP_SIGNALS:
            loop.remove_signal_handler(each)
        log.info("signal_received", signal=number.name)
        if not caught.done():
            caught.set_result(number.name)

    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, catch, number)
    return await caught


async def stop_within(stop: Awaitable[None], limit_s: float = STOP_LIMIT_S) -> bool:
    """Wait for a stop to finish; tell whether it did within the limit."""
    try:
        async with asyncio.timeout(limit_s):
            await stop
    except TimeoutError:
        log.error("stop_took_too_long", limit_s=limit_s)
        return False
    return True
