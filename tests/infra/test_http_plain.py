"""Plain requests are answered exactly as ordinary ones are, and whatever is not plain takes the ordinary path."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable

import pytest

from exchange.infra import http_plain, http_service
from exchange.infra.http_limits import HttpLimits
from exchange.infra.http_plain import HEADS_MAX, PlainHeads
from tests.infra.http_server import Served, serving

ORDER = b'{"symbol": "AAPL", "side": "buy", "qty": "100"}'
KEY = b"Authorization: Bearer xk_trader\r\n"
QUICK = HttpLimits(header_timeout_s=5, body_timeout_s=0.2, keep_alive_s=0.6)


def post(
    body: bytes = ORDER, headers: bytes = KEY, path: bytes = b"/api/v1/order", length: int | None = None
) -> bytes:
    size = len(body) if length is None else length
    return (
        b"POST " + path + b" HTTP/1.1\r\nHost: x\r\n" + headers
        + b"Content-Type: application/json\r\nContent-Length: " + str(size).encode() + b"\r\n\r\n" + body
    )  # fmt: skip


@pytest.fixture
async def served(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Served]:
    monkeypatch.setattr(http_service, "SWEEP_S", 0.05)
    async with serving(QUICK) as served:
        yield served


async def until(condition: Callable[[], object]) -> None:
    """Wait for what another task brings about."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.002)


def answers(data: bytes) -> list[str]:
    """Cut what came into answers, without what is another each time."""
    text = re.sub(r"X-Request-ID: \S+\r\n|Date: [^\r]+\r\n|Connection: close\r\n", "", data.decode())
    text = re.sub(r'"request_id":"[^"]*"|"id":"\d+"', "", text)
    return [part for part in re.split(r"(?=HTTP/1\.1 )", text) if part]


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (post(), 201),
        (post(b'{"symbol": "AAPL"}'), 400),
        (post(b"{"), 400),
        (post(b""), 400),
        (post(b'{"symbol": "' + b"A" * 2_000 + b'"}'), 413),
        (post(headers=b""), 401),
        (post(headers=b"Authorization: Bearer wrong\r\n"), 401),
        (post(headers=b"Authorization: Bearer xk_viewer\r\n"), 403),
        (post(headers=KEY + b"X-Request-ID: mine\r\n"), 201),
        (post(path=b"/hot_fail"), 500),
    ],
)
async def test_a_plain_request_is_answered_as_an_ordinary_one(
    served: Served, request_bytes: bytes, status: int
) -> None:
    heads = PlainHeads(["/api/v1/order", "/hot_fail"])
    odd = request_bytes.replace(b"Host: x\r\n", b"Host: x\r\nX-Odd: y\r\n")
    assert heads.match(request_bytes)
    assert not heads.match(odd)
    plain, ordinary = await served.raw(request_bytes), await served.raw(odd)
    assert plain.startswith(f"HTTP/1.1 {status} ".encode())
    assert answers(plain) == answers(ordinary)
    assert (b"X-Request-ID: mine" in plain) == (b"X-Request-ID: mine" in request_bytes)


@pytest.mark.parametrize(
    "request_bytes",
    [
        post(length=len(ORDER) + 1),
        post(length=len(ORDER) - 1),
        post() + b"G",
        post(path=b"/other"),
        post(path=b"/api/v1/order?x=1"),
        post(headers=KEY + KEY),
        post(headers=KEY + b"Transfer-Encoding: chunked\r\n"),
        post(headers=KEY + b"Expect: 100-continue\r\n"),
        post(headers=KEY + b"Content-Encoding: gzip\r\n"),
        post(headers=KEY + b"Connection: close\r\n"),
        post(headers=KEY + b"Origin: http://x\r\n"),
        post(headers=KEY + b"no colon\r\n"),
        post(headers=KEY + b"Accept: a\nb\r\n"),
        post(headers=KEY + b"Accept: a\0b\r\n"),
        post(headers=KEY + b"Accept: \xff\r\n"),
        post(headers=KEY + b"Accept : a\r\n"),
        post(headers=KEY + b"Accept: a\r\n b\r\n"),
        post(headers=KEY + b"Accept: " + b"a" * http_plain.HEAD_BYTES_MAX + b"\r\n"),
        post().replace(b"Host: x\r\n", b""),
        post().replace(b"HTTP/1.1", b"HTTP/1.0"),
        post().replace(b"POST", b"post"),
        post().replace(b"Content-Length: ", b"Content-Length: +"),
        post()[:40],
        b"",
    ],
)
def test_what_is_not_plain_in_every_way_is_left_alone(request_bytes: bytes) -> None:
    assert PlainHeads(["/api/v1/order"]).match(request_bytes) is None


def test_heads_are_remembered_up_to_a_limit_and_one_with_its_own_id_is_not() -> None:
    heads = PlainHeads(["/api/v1/order"])
    first = heads.match(post())
    assert first is heads.match(post())
    own = post(headers=b"X-Request-ID: 7\r\n")
    assert heads.match(own) is not heads.match(own)
    for number in range(HEADS_MAX + 1):
        assert heads.match(post(headers=f"Accept: a{number}\r\n".encode()))
    assert len(heads._known) <= HEADS_MAX


def test_without_hot_paths_nothing_is_plain() -> None:
    assert PlainHeads([]).match(post()) is None


async def test_plain_and_ordinary_requests_take_turns_on_one_connection(served: Served) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    for number in range(1, 7):
        headers = KEY if number % 2 else KEY + b"X-Odd: y\r\n"
        writer.write(post(headers=headers))
        head = await reader.readuntil(b"\r\n\r\n")
        found = re.search(rb"Content-Length: (\d+)", head)
        assert found
        assert json.loads(await reader.readexactly(int(found[1])))["id"] == str(number)
    writer.close()


async def test_what_comes_while_a_plain_request_is_served_waits_for_its_turn(served: Served) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(post(path=b"/hot_wait"))
    await served.handlers.entered.wait()
    writer.write(post() + post())
    await writer.drain()
    server = served.service._http
    assert server is not None
    await until(lambda: any(connection._held for connection in server.connections))
    assert served.handlers.calls == []
    served.handlers.gate.set()
    async with asyncio.timeout(10):
        data = await reader.read()
    assert [answer.split(" ")[1] for answer in answers(data)] == ["200", "201", "201"]
    assert "waited" in answers(data)[0]
    writer.close()


async def test_a_connection_left_idle_after_a_plain_request_is_closed(served: Served) -> None:
    data = await served.raw(post())
    assert data.startswith(b"HTTP/1.1 201 ")
    assert data.count(b"HTTP/1.1") == 1


async def test_a_client_that_leaves_while_it_is_served_hurts_nobody(served: Served) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(post(path=b"/hot_wait"))
    await served.handlers.entered.wait()
    writer.close()
    await writer.wait_closed()
    served.handlers.gate.set()
    await until(lambda: not served.service.in_flight)
    assert (await served.raw(post())).startswith(b"HTTP/1.1 201 ")


async def test_a_stop_waits_for_a_plain_request_and_closes_its_connection() -> None:
    async with serving() as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(post(path=b"/hot_wait"))
        await served.handlers.entered.wait()
        stopping = asyncio.create_task(served.service.stop())
        await until(lambda: served.service.draining)
        served.handlers.gate.set()
        async with asyncio.timeout(10):
            data = await reader.read()
        await stopping
        assert data.startswith(b"HTTP/1.1 200 ")
        assert b"Connection: close" in data
        writer.close()


async def test_every_plain_request_is_counted(served: Served) -> None:
    for _ in range(3):
        await served.raw(post())
    counted = {row.path: row.count for row in served.service.stats}
    assert counted["/api/v1/order"] == 3
