"""The life of components, whatever they are: started in order, each ready before the next, stopped in reverse."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Protocol

import structlog

from exchange.infra.config import Address
from exchange.infra.errors import InfraError
from exchange.infra.log import speaking_for
from exchange.infra.service import stop_within, wait_for_signal
from exchange.launch.garbage import kept_short

READY_WAIT_S = 600.0
"""A component that is not ready by then does not start; a long stream to catch up with takes its time."""
READY_LOOK_S = 0.01
READY_SAY_S = 5.0
"""How often it is said what a start waits for."""

log = structlog.get_logger(component="launch")


class Component(Protocol):
    """An engine, a reporter, a clearing house. url: how it is reached, once it has started."""

    url: str

    async def start(self) -> None:
        """Start serving."""

    async def stop(self) -> None:
        """Stop serving; everything is stored afterwards."""

    def ready(self) -> list[str]:
        """Return the reasons why it does not do its work, empty where it does."""

    def failure(self) -> str:
        """Return why it will not do its work again before a person has looked, empty where it may."""


async def start(name: str, component: Component, address: Address, stack: AsyncExitStack) -> None:
    """Start a component, to be stopped with the stack. Raise `InfraError` where its address is taken."""
    stack.push_async_callback(_stop, name, component)
    try:
        with speaking_for(name):
            await component.start()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise InfraError(
                f"port {address.port} of {address.host} is taken, the {name} cannot listen there; is an exchange "
                f"running already? Stop it, or choose another --port-base"
            ) from error
        if error.errno in (errno.EADDRNOTAVAIL, errno.EACCES) and not error.filename:
            raise InfraError(
                f"the {name} cannot listen on {address.host} port {address.port}: {error.strerror}; "
                "set host and port in the configuration"
            ) from error
        raise


async def wait_until_ready(name: str, component: Component, limit_s: float = READY_WAIT_S) -> None:
    """Wait until a component does its work, saying now and then what it waits for."""
    loop = asyncio.get_running_loop()
    begun = said = loop.time()
    while reasons := component.ready():
        if failure := component.failure():
            raise InfraError(f"the {name} cannot start: {failure}")
        now = loop.time()
        if now - begun > limit_s:
            raise InfraError(f"the {name} was not ready within {limit_s:g} s: {'; '.join(reasons)}")
        if now - said > READY_SAY_S:
            said = now
            log.info("waiting_until_ready", waits_for=name, reasons=reasons)
        await asyncio.sleep(READY_LOOK_S)


async def run_until_signal(begin: Callable[[AsyncExitStack], Awaitable[None]]) -> None:
    """Begin something, keep it running until SIGTERM or SIGINT, and end it; a signal ends the beginning too."""
    signalled = asyncio.create_task(wait_for_signal())
    async with AsyncExitStack() as stack:
        stack.callback(signalled.cancel)
        beginning = asyncio.ensure_future(begin(stack))
        await asyncio.wait({beginning, signalled}, return_when=asyncio.FIRST_COMPLETED)
        if not beginning.done():
            beginning.cancel()
            await asyncio.wait({beginning})
            return
        await beginning
        async with kept_short():
            await signalled


async def _stop(name: str, component: Component) -> None:
    with speaking_for(name):
        in_time = await stop_within(component.stop())
    if not in_time:
        log.error("component_cut_off", name=name, meaning="the next start recovers by replay")
