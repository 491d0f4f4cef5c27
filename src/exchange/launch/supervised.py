"""Keeps a service manager informed while components run: ready, alive and how, stopping."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack

from exchange.infra.service_notice import ServiceNotice

LOOK_S = 5.0
"""How often the manager is told how things are where it has no watchdog."""
WATCHDOG_SHARE = 3
"""The watchdog is fed so often in the time that it bears."""


def keep_informed(
    ready: Callable[[], list[str]], stack: AsyncExitStack, notice: ServiceNotice | None = None
) -> None:
    """Tell the service manager, if there is one, that this process serves; the rest follows until the stack closes.

    ready: why it does not do its work, if so. The watchdog is fed by the event loop: a loop that hangs lets it starve.
    """
    told = notice or ServiceNotice()
    if not told.is_wanted:
        return
    told.ready()
    telling = asyncio.create_task(_tell(ready, told), name="service manager")

    def end() -> None:
        telling.cancel()
        told.stopping()

    stack.callback(end)


async def _tell(ready: Callable[[], list[str]], told: ServiceNotice) -> None:
    pause_s = told.watchdog_s / WATCHDOG_SHARE if told.watchdog_s else LOOK_S
    while True:
        told.alive("; ".join(ready()) or "ready")
        await asyncio.sleep(pause_s)
