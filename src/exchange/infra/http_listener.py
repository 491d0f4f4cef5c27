"""Takes the connections of a server one by one, and not faster than it can bear, so that a storm holds up nobody else.

The loop's own server takes all that wait at once and makes each of them ready before anything else runs. Here those who
are served already have their turn between any two who come, and beyond a rate the others wait in the kernel's queue;
what does not fit there is tried again by its own TCP.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from asyncio import BaseProtocol
from collections.abc import Callable

import structlog

from exchange.infra.http_limits import TokenBuckets

log = structlog.get_logger(component="http")

BACKLOG = 4_096
"""Connections that wait in the kernel's queue; Linux takes fewer where net.core.somaxconn says so."""
TAKEN_AT_ONCE = 10
TAKEN_PER_S = 1_000
"""Connections taken at once, and beyond these in a second: about a tenth of a core."""
FULL_WAIT_S = 0.2
"""How long nobody is taken after the system had no room for one more."""
_NO_ROOM = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


class HttpListener:
    """The listening sockets of one host and port. port: the one the system chose where 0 was given."""

    def __init__(self, sockets: list[socket.socket], make_protocol: Callable[[], BaseProtocol]) -> None:
        self._sockets = sockets
        self._make_protocol = make_protocol
        self.port: int = sockets[0].getsockname()[1]
        self._tasks = [asyncio.create_task(self._take_from(each), name="http accepts") for each in sockets]

    @classmethod
    async def open(cls, host: str, port: int, make_protocol: Callable[[], BaseProtocol]) -> HttpListener:
        """Listen at every address of a host. Raise `OSError` with the address where that cannot be."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        sockets = list[socket.socket]()
        try:
            for family, address in dict.fromkeys((family, address) for family, _, _, _, address in found):
                sockets.append(_listen(family, address))
        except OSError:
            for each in sockets:
                each.close()
            raise
        return cls(sockets, make_protocol)

    async def close(self) -> None:
        """Take those who have come, so that they are answered too, and nobody after them."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for each in self._sockets:
            for _ in range(BACKLOG):
                try:
                    plug, _address = each.accept()
                except OSError:
                    break
                plug.setblocking(False)
                await self._serve(plug)
            each.close()

    async def _take_from(self, listening: socket.socket) -> None:
        """Take one after the other; each costs others no more than the work for one."""
        loop = asyncio.get_running_loop()
        pace = TokenBuckets(TAKEN_PER_S, TAKEN_AT_ONCE)
        while True:
            grant = pace.take("", loop.time())
            if not grant.taken:
                await asyncio.sleep(grant.retry_after_s)
                continue
            try:
                plug, _ = await loop.sock_accept(listening)
            except OSError as error:
                if error.errno in _NO_ROOM:
                    log.error("http_cannot_accept", reason=str(error), retry_s=FULL_WAIT_S)
                    await asyncio.sleep(FULL_WAIT_S)
                continue
            await asyncio.shield(self._serve(plug))

    async def _serve(self, plug: socket.socket) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(self._make_protocol, plug)
        except OSError:
            plug.close()


def _listen(family: int, address: tuple[object, ...]) -> socket.socket:
    """Open one listening socket. Raise `OSError` that names the address."""
    try:
        listening = socket.create_server(address, family=family, backlog=BACKLOG)
    except OSError as error:
        text = f"cannot listen at {address[0]} port {address[1]}: {(error.strerror or str(error)).lower()}"
        raise OSError(error.errno, text) from None
    listening.setblocking(False)
    return listening
