"""Server-sent events to one client: frames become `data` lines, ids begin when told, a slow reader is cut off."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable

import aiohttp
import pytest
from aiohttp import web

from exchange.infra.event_stream import WRITE_S, EventStream
from exchange.infra.websocket import SocketLimits, text_frame

WITHIN_S = 20


@pytest.fixture
async def connect() -> AsyncIterator[Callable[[SocketLimits], object]]:
    """Serve one stream; return it together with the answer that its client reads."""
    runners: list[web.AppRunner] = []
    async with aiohttp.ClientSession() as http:

        async def begin(limits: SocketLimits) -> tuple[EventStream, aiohttp.ClientResponse]:
            opened: asyncio.Future[EventStream] = asyncio.get_running_loop().create_future()

            async def handler(request: web.Request) -> web.StreamResponse:
                stream = EventStream(request, limits, {"X-Request-ID": "one"})
                await stream.open()
                opened.set_result(stream)
                await stream.write()
                return stream.response

            app = web.Application()
            app.router.add_get("/", handler)
            runners.append(runner := web.AppRunner(app, shutdown_timeout=0.1))
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            answer = await http.get(f"http://127.0.0.1:{runner.addresses[0][1]}/")
            return await opened, answer

        yield begin  # type: ignore[misc]
        for runner in runners:
            await runner.cleanup()


async def read_until(answer: aiohttp.ClientResponse, wanted: bytes) -> bytes:
    seen = b""
    async with asyncio.timeout(WITHIN_S):
        while wanted not in seen:
            part = await answer.content.readany()
            assert part, seen
            seen += part
    return seen


async def test_frames_of_every_length_become_data_and_ids_begin_when_told(connect) -> None:  # type: ignore[no-untyped-def]
    stream, answer = await connect(SocketLimits())
    assert answer.headers["Content-Type"] == "text/event-stream"
    assert answer.headers["Cache-Control"] == "no-store"
    stream.send(text_frame(b'{"n":1}'), 5)
    stream.begin_ids(7)
    for size in (200, 70_000):
        stream.send(text_frame(b"x" * size), size)
    stream.send_json({"last": True})
    seen = await read_until(answer, b'{"last":true}\n\n')
    assert seen == b"".join(
        [
            b'retry: 1000\n\ndata: {"n":1}\n\n',
            b'id: 7\nevent: begun\ndata: {"seq":7}\n\n',
            b"id: 200\ndata: " + b"x" * 200 + b"\n\n",
            b"id: 70000\ndata: " + b"x" * 70_000 + b"\n\n",
            b'data: {"last":true}\n\n',
        ]
    )
    assert stream.queued_bytes == 0
    stream.close()
    async with asyncio.timeout(WITHIN_S):
        assert await answer.content.read() == b""


async def test_a_client_that_does_not_read_is_cut_off_and_told_why_where_it_reads(connect) -> None:  # type: ignore[no-untyped-def]
    stream, answer = await connect(SocketLimits(queue_bytes_max=1_000))
    assert stream.send(text_frame(b"x" * 500))
    assert not stream.send(text_frame(b"x" * 500))
    assert stream.is_closing
    assert not stream.send(text_frame(b"late"))
    assert b"late" not in await read_until(answer, b'event: closed\ndata: {"reason":"slow_reader"}\n\n')


async def test_a_client_that_goes_ends_the_writing(connect) -> None:  # type: ignore[no-untyped-def]
    stream, answer = await connect(SocketLimits())
    answer.close()
    async with asyncio.timeout(WITHIN_S):
        while not stream.is_closing:
            stream.send(text_frame(b"is anybody there?"))
            await asyncio.sleep(0.01)


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="this system has no TCP_USER_TIMEOUT")
async def test_a_half_open_connection_ends_for_what_is_sent_must_be_acknowledged(connect) -> None:  # type: ignore[no-untyped-def]
    stream, answer = await connect(SocketLimits())
    plug = stream._request.transport.get_extra_info("socket")
    assert plug.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == WRITE_S * 1_000
    answer.close()
