"""Requests: what is tried again, what is not, and what an answer that is none says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import msgspec
import pytest
from aiohttp import web

from exchange.client.errors import Refused, Unreachable
from exchange.client.requests import TRIES, Requests

Handler = Callable[[web.Request], Awaitable[web.Response]]


class Thing(msgspec.Struct):
    """Something that is asked for."""

    name: str


@pytest.fixture
async def serve() -> AsyncIterator[Callable[[Handler], Awaitable[Requests]]]:
    """Serve every path with one handler, and return requests to it."""
    runners: list[web.AppRunner] = []
    async with aiohttp.ClientSession() as http:

        async def begin(handler: Handler) -> Requests:
            app = web.Application()
            app.router.add_route("*", "/{path:.*}", handler)
            runner = web.AppRunner(app)
            runners.append(runner)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            return Requests(http, f"http://127.0.0.1:{runner.addresses[0][1]}/", "key")

        yield begin
        for runner in runners:
            await runner.cleanup()


async def test_an_answer_is_decoded_and_the_key_is_sent(
    serve: Callable[[Handler], Awaitable[Requests]],
) -> None:
    async def handler(request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer key"
        assert dict(request.query) == {"fill": "true", "limit": "5"}
        return web.json_response({"name": request.path})

    requests = await serve(handler)
    assert (await requests.get("/thing", Thing, fill=True, limit=5, cursor="", end=None)).name == "/thing"


async def test_a_list_is_read_over_all_its_pages(serve: Callable[[Handler], Awaitable[Requests]]) -> None:
    async def handler(request: web.Request) -> web.Response:
        page = int(request.query.get("cursor", "1"))
        return web.json_response(
            {"items": [{"name": str(page)}], "next": str(page + 1) if page < 3 else None}
        )

    requests = await serve(handler)
    assert [each.name async for each in requests.items("/things", Thing)] == ["1", "2", "3"]


async def test_what_is_read_is_tried_again_while_it_is_not_ready(
    serve: Callable[[Handler], Awaitable[Requests]],
) -> None:
    asked: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        asked.append(request.method)
        if len(asked) < 3:
            body = {"code": 1042, "reason": "not_ready", "message": "starting", "retry": True}
            return web.json_response(body, status=503)
        return web.json_response({"name": "at last"})

    requests = await serve(handler)
    assert (await requests.get("/thing", Thing)).name == "at last"
    assert len(asked) == 3


async def test_a_refusal_is_not_tried_again(serve: Callable[[Handler], Awaitable[Requests]]) -> None:
    asked: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        asked.append(request.method)
        return web.json_response(
            {"code": 1021, "reason": "not_found", "message": "no such thing"}, status=404
        )

    requests = await serve(handler)
    with pytest.raises(Refused, match=r"no such thing \(not_found\)"):
        await requests.get("/thing", Thing)
    assert asked == ["GET"]


async def test_what_may_not_be_done_twice_is_asked_once(
    serve: Callable[[Handler], Awaitable[Requests]],
) -> None:
    asked: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        asked.append(request.method)
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    requests = await serve(handler)
    with pytest.raises(Unreachable, match="cannot be reached for PATCH /thing"):
        await requests.ask("PATCH", "/thing", Thing)
    assert asked == ["PATCH"]
    with pytest.raises(Unreachable):
        await requests.ask("PATCH", "/thing", Thing, tries=TRIES)


async def test_an_answer_of_something_else_is_told(serve: Callable[[Handler], Awaitable[Requests]]) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(text="<html>", status=502 if request.path == "/bad" else 200)

    requests = await serve(handler)
    with pytest.raises(Refused, match="answered 502: <html>"):
        await requests.get("/bad", Thing)
    with pytest.raises(Unreachable, match="with something else"):
        await requests.get("/good", Thing)
