"""The listener: whoever comes is taken in the end, none faster than the rate, and a full system is waited for."""

from __future__ import annotations

import asyncio
import errno
import socket
from typing import Any

import pytest

from exchange.infra import http_listener
from exchange.infra.http_listener import HttpListener

WITHIN_S = 60


class Taken(asyncio.Protocol):
    """Notes that a connection was made."""

    def __init__(self, taken: list[float]) -> None:
        self._taken = taken

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._taken.append(asyncio.get_running_loop().time())


async def until(taken: list[float], count: int) -> None:
    async with asyncio.timeout(WITHIN_S):
        while len(taken) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def connect(port: int, count: int) -> list[asyncio.StreamWriter]:
    return [(await asyncio.open_connection("127.0.0.1", port))[1] for _ in range(count)]


async def test_connections_beyond_the_rate_wait_and_are_taken_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_listener, "TAKEN_AT_ONCE", 3)
    monkeypatch.setattr(http_listener, "TAKEN_PER_S", 10)
    taken: list[float] = []
    listener = await HttpListener.open("127.0.0.1", 0, lambda: Taken(taken))
    writers = await connect(listener.port, 8)
    await until(taken, 8)
    assert taken[7] - taken[0] >= 0.4, "five more than at once, ten a second"
    for writer in writers:
        writer.close()
    await listener.close()


async def test_a_taken_port_is_named() -> None:
    first = await HttpListener.open("127.0.0.1", 0, lambda: Taken([]))
    with pytest.raises(
        OSError, match=rf"cannot listen at 127\.0\.0\.1 port {first.port}: .*in use"
    ) as raised:
        await HttpListener.open("127.0.0.1", first.port, lambda: Taken([]))
    assert raised.value.errno == errno.EADDRINUSE
    await first.close()


async def test_after_close_nobody_is_taken_and_the_port_is_free() -> None:
    taken: list[float] = []
    listener = await HttpListener.open("127.0.0.1", 0, lambda: Taken(taken))
    await listener.close()
    with pytest.raises(OSError):
        await asyncio.open_connection("127.0.0.1", listener.port)
    with socket.create_server(("127.0.0.1", listener.port)):
        assert not taken


async def test_who_waits_when_it_closes_is_still_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_listener, "TAKEN_AT_ONCE", 1)
    monkeypatch.setattr(http_listener, "TAKEN_PER_S", 1)
    taken: list[float] = []
    listener = await HttpListener.open("127.0.0.1", 0, lambda: Taken(taken))
    writers = await connect(listener.port, 5)
    await listener.close()
    assert len(taken) == 5
    for writer in writers:
        writer.close()


async def test_a_system_without_room_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    loop, refusals, taken = asyncio.get_running_loop(), [errno.EMFILE, errno.ECONNABORTED], list[float]()
    accept = loop.sock_accept

    async def fails_first(listening: socket.socket) -> Any:
        if refusals:
            raise OSError(refusals.pop(), "no")
        return await accept(listening)

    monkeypatch.setattr(loop, "sock_accept", fails_first)
    monkeypatch.setattr(http_listener, "FULL_WAIT_S", 0.01)
    listener = await HttpListener.open("127.0.0.1", 0, lambda: Taken(taken))
    writers = await connect(listener.port, 1)
    await until(taken, 1)
    assert not refusals
    writers[0].close()
    await listener.close()
