"""Bodies on their way in: types, sizes, encodings."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from exchange.domain.participant import Role
from exchange.infra.http_endpoint import Endpoint
from exchange.infra.http_routes import Call, Route
from exchange.wire.rest.errors import ErrorCode
from tests.infra.http_server import ORDER, NewOrder, Served, bearer, serving

BODY = msgspec.json.encode(ORDER)


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serving() as served:
        yield served


async def post(served: Served, body: Any, **headers: str) -> tuple[int, dict[str, Any]]:
    sent = {**bearer(Role.TRADER), **{name.replace("_", "-"): value for name, value in headers.items()}}
    async with served.client.post("/api/v1/order", data=body, headers=sent) as response:
        return response.status, await response.json()


@pytest.mark.parametrize("media", ["application/json", "application/json; charset=utf-8", "Application/JSON"])
async def test_json_is_taken_however_it_is_written(served: Served, media: str) -> None:
    assert (await post(served, BODY, Content_Type=media))[0] == 201


async def test_a_body_without_a_content_type_is_taken_for_json(served: Served) -> None:
    head = (
        b"POST /api/v1/order HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer xk_trader\r\nConnection: close\r\n"
    )
    answer = await served.raw(head + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY)
    assert answer.startswith(b"HTTP/1.1 201 ")


@pytest.mark.parametrize(
    "media",
    ["text/plain", "application/x-www-form-urlencoded", "application/octet-stream", "application/xml", "x"],
)
async def test_another_content_type_is_refused_with_the_right_one(served: Served, media: str) -> None:
    status, body = await post(served, BODY, Content_Type=media)
    assert (status, body["code"]) == (415, ErrorCode.MEDIA_TYPE_NOT_SUPPORTED)
    assert "Content-Type: application/json" in body["message"]


async def test_a_compressed_body_is_refused(served: Served) -> None:
    status, body = await post(
        served, gzip.compress(BODY), Content_Type="application/json", Content_Encoding="gzip"
    )
    assert (status, body["code"]) == (415, ErrorCode.MEDIA_TYPE_NOT_SUPPORTED)
    assert "compressed" in body["message"]


async def test_a_body_over_the_limit_is_refused_before_it_is_read(served: Served) -> None:
    head = b"POST /api/v1/order HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer xk_trader\r\n"
    answer = await served.raw(
        head + b"Expect: 100-continue\r\nContent-Length: 1001\r\n\r\n", more=b"x" * 1001
    )
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"at most 1000 bytes" in answer


async def test_a_chunked_body_is_counted_while_it_arrives(served: Served) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(50):
            yield b" " * 100

    status, body = await post(served, endless(), Content_Type="application/json")
    assert (status, body["code"]) == (413, ErrorCode.BODY_TOO_LARGE)


async def test_a_body_of_exactly_the_limit_is_taken(served: Served) -> None:
    assert (await post(served, BODY.ljust(1000), Content_Type="application/json"))[0] == 201
    assert (await post(served, BODY.ljust(1001), Content_Type="application/json"))[0] == 413


async def test_a_chunked_body_in_pieces_is_taken(served: Served) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for place in range(0, len(BODY), 5):
            yield BODY[place : place + 5]

    assert (await post(served, pieces(), Content_Type="application/json"))[0] == 201


async def test_a_client_that_asks_before_sending_is_told_to_go_on(served: Served) -> None:
    head = (
        b"POST /api/v1/order HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer xk_trader\r\nConnection: close\r\n"
    )
    answer = await served.raw(
        head + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(BODY), more=BODY
    )
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 ")


async def test_a_route_for_bytes_gets_them_as_they_are(served: Served) -> None:
    async with served.client.post("/bytes") as response:
        assert (await response.read(), response.content_type) == (b"", "application/json")
    async with served.client.post("/bytes", data=bytes(range(256)) * 2000) as response:
        assert (await response.read())[:3] == b"\xff\xfe\xfd"


async def test_a_body_that_no_route_asked_for_is_skipped(served: Served) -> None:
    answer = await served.raw(
        b"GET /api/v1/order/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
        b"GET /api/v1/order/2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    assert b'{"id":"1"}' in answer
    assert answer.endswith(b'{"id":"2"}')


def test_an_example_that_does_not_fit_its_type_stops_the_start() -> None:
    async def handle(_: Call) -> None:
        return None

    route = Route("POST", "/x", handle, "X", "x", body=NewOrder, example={"symbol": "AAPL"})
    with pytest.raises(ValueError, match="the example of POST /x is not valid: side is missing"):
        Endpoint(route)


async def test_a_key_is_checked_before_the_body_is_read(served: Served) -> None:
    async with served.client.post("/api/v1/order", data=b"x" * 5000) as response:
        assert response.status == 401
