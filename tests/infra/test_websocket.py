"""WebSocket connections: frames out, commands in, and what ends one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType, WSServerHandshakeError

from exchange.domain.participant import Role
from exchange.infra.http_limits import HttpLimits
from exchange.infra.websocket import (
    Connection,
    SocketLimits,
    compressed_frame,
    fan_out,
    json_frame,
    text_frame,
)
from exchange.wire.rest.errors import ErrorCode
from tests.infra.http_server import Served, bearer, serving

PAGE = "http://localhost:8002"


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serving(cors_origins=[PAGE]) as served:
        yield served


async def connected(served: Served, **options: Any) -> tuple[ClientWebSocketResponse, Connection]:
    socket = await served.client.ws_connect("/stream", **options)
    return socket, await served.handlers.connected.get()


async def close_reason(socket: ClientWebSocketResponse) -> tuple[int, dict[str, Any]]:
    """Read to the end; return the close code and the JSON of the close frame."""
    async with asyncio.timeout(10):
        while True:
            message = await socket.receive()
            if message.type is WSMsgType.CLOSE:
                return message.data, json.loads(message.extra or "{}")
            assert message.type is WSMsgType.TEXT, message


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 300_000])
async def test_a_frame_of_any_size_is_read_by_a_client(served: Served, size: int) -> None:
    socket, connection = await connected(served, max_msg_size=0)
    assert connection.send(text_frame(b"x" * size))
    assert await socket.receive_str() == "x" * size


async def test_commands_come_in_typed_and_answers_go_out_in_order(served: Served) -> None:
    socket, connection = await connected(served)
    for number in range(100):
        await socket.send_json({"op": "echo", "text": str(number)})
    assert [(await socket.receive_json())["text"] for _ in range(100)] == [
        str(number) for number in range(100)
    ]
    assert connection.frames_sent == 100
    assert connection.bytes_sent > 0


async def test_a_wrong_message_is_refused_in_band_and_the_stream_goes_on(served: Served) -> None:
    socket, _ = await connected(served)
    await socket.send_str('{"op":"ehco"}')
    refusal = await socket.receive_json()
    assert (refusal["type"], refusal["code"], refusal["field"]) == ("error", ErrorCode.INVALID_FIELD, "op")
    await socket.send_str("{")
    assert (await socket.receive_json())["code"] == ErrorCode.MALFORMED_JSON
    await socket.send_json({"op": "echo", "text": "still here"})
    assert (await socket.receive_json())["text"] == "still here"


async def test_the_same_frame_goes_to_many(served: Served) -> None:
    pairs = [await connected(served) for _ in range(20)]
    for sequence in range(1, 51):
        fan_out(json_frame({"seq": sequence}), [connection for _, connection in pairs], sequence)
    for socket, _ in pairs:
        assert [(await socket.receive_json())["seq"] for _ in range(50)] == list(range(1, 51))


async def test_a_handler_that_ends_closes_in_order(served: Served) -> None:
    socket, connection = await connected(served)
    await socket.send_json({"op": "leave"})
    assert (await close_reason(socket))[0] == 1000
    assert not connection.send(text_frame(b"too late"))
    await asyncio.sleep(0.01)
    assert not served.service.sockets


async def test_a_client_that_leaves_ends_its_handler(served: Served) -> None:
    socket, _ = await connected(served)
    await socket.close()
    await asyncio.sleep(0.05)
    assert not served.service.sockets
    assert served.service.in_flight == 0


async def test_a_client_that_vanishes_ends_its_handler(served: Served) -> None:
    socket, connection = await connected(served)
    connection.send(text_frame(b"x" * 1000))
    socket._response.connection.transport.abort()  # type: ignore[union-attr]
    await asyncio.sleep(0.05)
    assert not connection.send(text_frame(b"x"))
    assert not served.service.sockets


async def test_a_refusal_by_the_handler_is_said_in_band_before_the_close(served: Served) -> None:
    socket, _ = await connected(served)
    await socket.send_json({"op": "echo", "text": "refuse"})
    assert (await socket.receive_json())["code"] == ErrorCode.TOO_MANY_SUBSCRIPTIONS
    code, reason = await close_reason(socket)
    assert (code, reason["reason"]) == (1008, "too_many_subscriptions")


async def test_a_failure_of_ours_closes_with_1011(served: Served) -> None:
    socket, _ = await connected(served)
    await socket.send_json({"op": "echo", "text": "fail"})
    assert (await close_reason(socket))[0] == 1011
    async with served.client.get("/api/v1/order/1") as response:
        assert response.status == 200


async def test_a_binary_message_is_refused(served: Served) -> None:
    socket, _ = await connected(served)
    await socket.send_bytes(b"\x00")
    assert (await socket.receive_json())["code"] == ErrorCode.MALFORMED_REQUEST
    assert (await close_reason(socket))[0] == 1003


# --- limits ---------------------------------------------------------------------------------------


async def slow_reader(served: Served) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, Connection]:
    """Connect a client that reads nothing until it is told to."""
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port, limit=1024)
    key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    writer.write(
        f"GET /stream HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{key}\r\n".encode()
    )
    await reader.readuntil(b"\r\n\r\n")
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    return reader, writer, await served.handlers.connected.get()


async def flood(connection: Connection, other: Connection | None = None) -> int:
    """Send until the connection takes no more; return the first sequence it did not take."""
    sequence = 0
    while True:
        sequence += 1
        frame = text_frame(b'{"seq":%d}' % sequence + b" " * 10_000)
        if other is not None:
            other.send(frame, sequence)
        if not connection.send(frame, sequence):
            return sequence
        await asyncio.sleep(0)


async def test_a_slow_reader_is_closed_with_the_sequence_to_resume_from() -> None:
    limits = SocketLimits(queue_bytes_max=1_000_000, close_s=5)
    async with serving(socket_limits=limits) as served:
        reader, writer, connection = await slow_reader(served)
        first_refused = await flood(connection)
        assert connection.queued_bytes == 0
        writer.transport.resume_reading()  # type: ignore[attr-defined]
        received = bytearray()
        while (place := received.rfind(b'"slow_reader"')) < 0:
            received += await reader.read(1 << 20)
        reason = json.loads(received[received.rindex(b"{", 0, place) :])
        last_received = int(received.rpartition(b'{"seq":')[2].partition(b"}")[0])
        assert (reason["code"], reason["resume_from"]) == (ErrorCode.SLOW_READER, last_received + 1)
        assert 1 < reason["resume_from"] < first_refused
        writer.close()


async def test_a_reader_that_never_reads_is_cut_off_and_costs_nothing() -> None:
    limits = SocketLimits(queue_bytes_max=1_000_000, close_s=0.1)
    async with serving(socket_limits=limits) as served:
        _, writer, connection = await slow_reader(served)
        await flood(connection)
        await asyncio.wait_for(served.handlers.ended.get(), 5)
        await asyncio.sleep(0.2)
        assert not served.service.sockets
        assert connection.raw.transport is None or connection.raw.transport.is_closing()
        writer.close()


async def test_a_slow_reader_delays_nobody() -> None:
    async with serving(socket_limits=SocketLimits(queue_bytes_max=1_000_000, close_s=0.1)) as served:
        _, writer, slow = await slow_reader(served)
        quick, connection = await connected(served)
        last = asyncio.create_task(flood(slow, connection))
        seen = 0
        while not last.done() or seen < last.result():
            seen += 1
            assert (await quick.receive_json())["seq"] == seen
        writer.close()


async def test_a_queue_is_limited_in_frames_too() -> None:
    async with serving(socket_limits=SocketLimits(queue_frames_max=10)) as served:
        socket, connection = await connected(served)
        taken = [connection.send(text_frame(b"x"), sequence) for sequence in range(1, 15)]
        assert taken == [True] * 10 + [False] * 4
        code, reason = await close_reason(socket)
        assert (code, reason["resume_from"]) == (1008, 1)


async def test_a_message_that_is_too_long_closes_with_1009(served: Served) -> None:
    socket, _ = await connected(served)
    await socket.send_json({"op": "echo", "text": "x" * 70_000})
    assert (await socket.receive()).data == 1009


async def test_too_many_messages_close_the_connection() -> None:
    async with serving(socket_limits=SocketLimits(messages_per_s=1, messages_burst=3)) as served:
        socket, _ = await connected(served)
        for _ in range(5):
            await socket.send_json({"op": "echo", "text": "x"})
        answers = [await socket.receive_json() for _ in range(4)]
        assert [answer["type"] for answer in answers] == ["echo", "echo", "echo", "error"]
        code, reason = await close_reason(socket)
        assert (code, reason["reason"]) == (1008, "too_many_requests")


async def test_one_connection_too_many_is_refused_before_the_handshake() -> None:
    async with serving(HttpLimits(sockets_max=1)) as served:
        first, _ = await connected(served)
        with pytest.raises(WSServerHandshakeError) as caught:
            await served.client.ws_connect("/stream")
        assert caught.value.status == 503
        await first.close()


@pytest.mark.parametrize(("origin", "status"), [(PAGE, 101), ("http://evil.example", 403), ("null", 403)])
async def test_only_listed_pages_may_connect(served: Served, origin: str, status: int) -> None:
    try:
        socket = await served.client.ws_connect("/stream", origin=origin)
        seen = 101
        await socket.close()
    except WSServerHandshakeError as error:
        seen = error.status
    assert seen == status


async def test_a_page_of_this_very_server_may_connect(served: Served) -> None:
    socket = await served.client.ws_connect("/stream", origin=f"http://127.0.0.1:{served.port}")
    await socket.close()


async def test_a_wrong_key_is_refused_and_a_right_one_recognised(served: Served) -> None:
    with pytest.raises(WSServerHandshakeError) as caught:
        await served.client.ws_connect("/stream", headers={"Authorization": "Bearer x"})
    assert caught.value.status == 401
    await served.client.ws_connect("/stream", headers=bearer(Role.TRADER))


async def test_a_plain_request_is_told_that_this_is_a_websocket(served: Served) -> None:
    async with served.client.get("/stream") as response:
        assert (response.status, response.headers["Upgrade"]) == (426, "websocket")
        assert (await response.json())["code"] == ErrorCode.UPGRADE_REQUIRED


@pytest.mark.parametrize("headers", ["", "Sec-WebSocket-Version: 8\r\n", "Sec-WebSocket-Key: short\r\n"])
async def test_a_broken_handshake_is_refused_in_the_one_form(served: Served, headers: str) -> None:
    answer = await served.raw(
        f"GET /stream HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{headers}\r\n".encode(),
        more=b"GET /api/v1/order/1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    )
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b'"malformed_request"' in answer


async def test_stopping_tells_every_client_and_closes_with_1001() -> None:
    async with serving() as served:
        socket, _ = await connected(served)
        stopping = asyncio.create_task(served.service.stop())
        assert (await socket.receive_json())["reason"] == "draining"
        assert (await close_reason(socket))[0] == 1001
        async with asyncio.timeout(30):
            await stopping


async def test_long_messages_are_compressed_for_who_offers_it_and_for_nobody_else(served: Served) -> None:
    told = [
        json.dumps({"seq": number, "levels": ["189.19", "200"] * size}) for number, size in enumerate(SIZES)
    ]
    squeezed, plain = (
        await connected(served, compress=15, max_msg_size=0),
        await connected(served, max_msg_size=0),
    )
    for each in told:
        fan_out(text_frame(each.encode()), [squeezed[1], plain[1]])
    for socket, _ in (squeezed, plain):
        assert [await socket.receive_str() for _ in told] == told
    assert squeezed[0].compress
    assert not plain[0].compress
    assert squeezed[1].bytes_sent < plain[1].bytes_sent - sum(map(len, told[1:4])) // 2


SIZES = (1, 100, 1_000, 20_000, 40_000, 1, 100)
"""Of lists: one too short to compress, then some, one too long, and some again."""


async def test_a_frame_is_compressed_once_for_all() -> None:
    frame = text_frame(b"189.19" * 1_000)
    assert compressed_frame(frame) is compressed_frame(frame)
    assert len(compressed_frame(frame)) < len(frame) / 10


async def test_a_small_message_that_grows_beyond_the_limit_closes(served: Served) -> None:
    socket, _ = await connected(served, compress=15)
    await socket.send_str(" " * 50_000_000)
    code, _ = await close_reason(socket)
    assert code == 1009


async def test_a_half_open_connection_that_answers_no_ping_is_closed() -> None:
    async with serving(socket_limits=SocketLimits(ping_s=0.2)) as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(
            b"GET /stream HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        async with asyncio.timeout(60):
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 101 ")
            assert b"\x89\x00" in await reader.read(), "a ping came, and then the end"
            while served.service.sockets:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        writer.close()
