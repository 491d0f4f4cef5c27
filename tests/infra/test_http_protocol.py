"""The connection under bad input: what is late, too long or not HTTP is answered in bounds; nobody else notices."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from exchange.infra import http_answer, http_service
from exchange.infra.http_limits import HttpLimits
from tests.infra.http_server import Served, serving

GET = b"GET /api/v1/order/1 HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /api/v1/order HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer xk_trader\r\n"
QUICK = HttpLimits(header_timeout_s=0.2, body_timeout_s=0.2, keep_alive_s=0.6)


class SilentTransport(asyncio.Transport):
    """A transport that takes everything and does nothing."""

    def is_closing(self) -> bool:
        return False

    def write(self, data: object) -> None: ...

    def close(self) -> None: ...


@pytest.fixture
async def served(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Served]:
    monkeypatch.setattr(http_service, "SWEEP_S", 0.05)
    async with serving(QUICK) as served:
        yield served
        async with served.client.get("/api/v1/order/1") as response:
            assert response.status == 200, "the server is up for others"
        assert not sum(row.failures for row in served.service.stats), "no bad input is an error of ours"


@pytest.mark.parametrize("sent", [b"", b"G", GET, GET + b"X-Slow: "])
async def test_headers_that_do_not_arrive_are_answered_408(served: Served, sent: bytes) -> None:
    answer = await served.raw(sent)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"request_timeout"' in answer
    assert b"the headers did not arrive within 0.2 s" in answer


async def test_headers_that_come_with_the_connection_are_waited_for_no_longer(served: Served) -> None:
    assert served.service._http is not None
    connection = served.service._http()
    connection.connection_made(SilentTransport())
    connection.data_received(b"GET /read")  # before the connection's own task has had a turn
    assert connection.waits_since > 0
    connection.connection_lost(None)


async def test_headers_that_trickle_in_do_not_win_time(served: Served) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    answer = asyncio.create_task(reader.readline())
    writer.write(GET)
    for number in range(100):
        if answer.done():
            break
        writer.write(f"X-{number}: y\r\n".encode())
        await asyncio.sleep(0.05)
    assert (await answer).startswith(b"HTTP/1.1 408 ")
    writer.close()


async def test_slow_headers_after_a_good_request_are_late_too(served: Served) -> None:
    answer = await served.raw(GET + b"\r\n", more=b"GET /api")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"HTTP/1.1 408 " in answer


async def test_an_idle_connection_is_closed_without_a_word(served: Served) -> None:
    answer = await served.raw(GET + b"\r\n")
    assert answer.count(b"HTTP/1.1") == 1
    assert answer.startswith(b"HTTP/1.1 200 ")


async def test_a_running_request_is_not_late(served: Served) -> None:
    running = asyncio.create_task(served.client.get("/wait"))
    await served.handlers.entered.wait()
    await asyncio.sleep(0.5)
    served.handlers.gate.set()
    assert (await running).status == 200


@pytest.mark.parametrize("sent", [b"", b'{"symbol":'])
async def test_a_body_that_does_not_arrive_is_answered_408(served: Served, sent: bytes) -> None:
    answer = await served.raw(POST + b"Content-Length: 50\r\n\r\n" + sent)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert f"within 0.2 s; {len(sent)} bytes did".encode() in answer
    assert b"Connection: close" in answer


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"HELLO\r\n\r\n",
        b"GET\r\n\r\n",
        b"FETCH /api/v1/order/1 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /a b HTTP/1.1\r\n\r\n",
        GET + b"No colon here\r\n\r\n",
        GET + b"Bad\x00Name: x\r\n\r\n",
        GET + b"Content-Length: -1\r\n\r\n",
        GET + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
        GET + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        GET + b"Transfer-Encoding: gzip, chunked, x\r\n\r\n",
        GET + b"X-Long: " + b"x" * 9000 + b"\r\n\r\n",
        b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        GET + b"".join(b"X-%d: y\r\n" % number for number in range(200)) + b"\r\n",
    ],
)
async def test_what_is_not_http_is_answered_400_in_the_one_form(served: Served, garbage: bytes) -> None:
    answer = await served.raw(garbage)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b'"malformed_request"' in answer
    assert b"Connection: close" in answer
    assert len(answer) < 1000


async def test_broken_chunks_end_the_request_not_the_server(served: Served) -> None:
    for chunks in (b"ZZ\r\nabc\r\n", b"3\r\nabcdef\r\n0\r\n\r\n"):
        head = POST + b"Transfer-Encoding: chunked\r\n\r\n"
        assert (await served.raw(head + chunks)).startswith(b"HTTP/1.1 400 ")
        assert (await served.raw(head, more=chunks)).startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 408 "))


async def test_pipelined_requests_are_answered_in_their_order(served: Served) -> None:
    requests = b"".join(
        b"GET /api/v1/order/%d HTTP/1.1\r\nHost: x\r\n\r\n" % number for number in range(1, 51)
    )
    answer = await served.raw(
        requests + b"GET /api/v1/order/99 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    numbers = [part.partition(b'"')[0] for part in answer.split(b'{"id":"')[1:]]
    assert numbers == [b"%d" % number for number in [*range(1, 51), 99]]


async def test_an_upgrade_to_something_else_is_ignored(served: Served) -> None:
    answer = await served.raw(GET + b"Connection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")


async def test_http_1_0_is_answered_and_closed(served: Served) -> None:
    answer = await served.raw(b"GET /api/v1/order/1 HTTP/1.0\r\n\r\n")
    assert answer.endswith(b'{"id":"1"}')
    assert b"Connection: close" in answer


async def test_http_1_0_may_ask_to_stay(served: Served) -> None:
    answer = await served.raw(b"GET /api/v1/order/1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" * 2)
    assert answer.count(b"Connection: keep-alive") == 2


async def test_an_absolute_address_is_served_like_its_path(served: Served) -> None:
    answer = await served.raw(b"GET http://x/api/v1/order/1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer.endswith(b'{"id":"1"}')


async def test_a_client_that_leaves_early_disturbs_nobody(served: Served) -> None:
    for sent in (
        GET + b"\r\n",
        POST + b"Content-Length: 50\r\n\r\n{",
        b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n",
    ):
        _, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(sent)
        await writer.drain()
        writer.transport.abort()
    await asyncio.sleep(0.05)
    served.handlers.gate.set()


async def test_a_client_that_sends_without_reading_is_held_back(served: Served) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port, limit=1024)
    request = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
    writer.write(request * 20_000)
    await asyncio.sleep(0.3)
    (connection,) = [c for c in served.service._http.connections if c.transport is not None]  # type: ignore[union-attr]
    assert connection.transport.get_write_buffer_size() < 1024 * 1024  # type: ignore[union-attr]
    assert len(connection._messages) < 100
    writer.transport.abort()
    del reader


async def test_a_client_that_never_reads_its_answers_is_cut_off(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_answer, "READ_TIMEOUT_S", 0.1)
    _, writer = await asyncio.open_connection("127.0.0.1", served.port, limit=1024)
    writer.write(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 20_000)
    await asyncio.sleep(0.5)
    assert served.service.connections_count == 0
    writer.transport.abort()


async def test_one_connection_too_many_is_turned_away() -> None:
    async with serving(HttpLimits(connections_max=2)) as served:
        held = [await asyncio.open_connection("127.0.0.1", served.port) for _ in range(2)]
        answer = await served.raw(b"")
        assert answer.startswith(b"HTTP/1.1 503 ")
        for _, writer in held:
            writer.close()
            await writer.wait_closed()
        await asyncio.sleep(0.05)
        async with served.client.get("/api/v1/order/1") as response:
            assert response.status == 200


async def test_one_connection_too_many_of_one_address_is_turned_away() -> None:
    async with serving(HttpLimits(connections_per_address_max=1)) as served:
        _, writer = await asyncio.open_connection("127.0.0.1", served.port)
        assert (await served.raw(GET + b"\r\n")).startswith(b"HTTP/1.1 503 ")
        writer.close()
