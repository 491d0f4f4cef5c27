"""A session sends typed bodies with its key and returns typed answers, refusals and lost connections."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from exchange.simulation.rest import ConnectionFailed, RequestRefused, RestSession, items
from exchange.wire.rest.admin import Movement, MovementDone


@pytest.fixture
async def server() -> AsyncIterator[tuple[str, list[Any]]]:
    asked: list[Any] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(
            (request.method, request.path_qs, request.headers.get("Authorization"), await request.text())
        )
        match request.path:
            case "/done":
                return web.json_response({"account": "1", "seq": 7, "balance": "5.00"}, status=201)
            case "/refused":
                form = {"code": 20, "reason": "unknown_order", "message": "No.", "field": "id"}
                return web.json_response(form, status=404)
            case "/list":
                last = "cursor" in request.query
                return web.json_response({"items": [3] if last else [1, 2], "next": None if last else "c"})
        return web.Response(text="teapot", status=418)

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}", asked
    await runner.cleanup()


async def test_a_request_carries_key_and_body_and_its_answer_is_typed(server: tuple[str, list[Any]]) -> None:
    url, asked = server
    async with RestSession(url, "xk_1") as session:
        done = await session.post("/done", Movement(amount="5.00"), MovementDone)
    assert done == MovementDone(account="1", seq=7, balance="5.00")
    assert asked == [("POST", "/done", "Bearer xk_1", '{"amount":"5.00","symbol":"","qty":null}')]


async def test_a_refusal_has_the_form_of_the_exchange(server: tuple[str, list[Any]]) -> None:
    async with RestSession(server[0]) as session:
        with pytest.raises(RequestRefused, match=r"No\. \(unknown_order\)") as caught:
            await session.ask("DELETE", "/refused", object)
    assert (caught.value.status, caught.value.error.reason) == (404, "unknown_order")


async def test_an_answer_in_no_known_form_is_a_failure(server: tuple[str, list[Any]]) -> None:
    async with RestSession(server[0]) as session:
        with pytest.raises(ConnectionFailed, match="answered 418 in no known form: b'teapot'"):
            await session.get("/x", object)


async def test_a_list_is_read_over_all_its_pages(server: tuple[str, list[Any]]) -> None:
    async with RestSession(server[0]) as session:
        assert await items(session, "/list", int, symbol="AAPL") == [1, 2, 3]
    assert [path for _, path, _, _ in server[1]] == [
        "/list?limit=1000&symbol=AAPL",
        "/list?limit=1000&cursor=c&symbol=AAPL",
    ]


async def test_where_nobody_listens_the_connection_fails() -> None:
    async with RestSession("http://127.0.0.1:1") as session:
        with pytest.raises(ConnectionFailed, match="does not answer"):
            await session.get("/x", object)
