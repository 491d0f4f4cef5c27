"""Asking nsqlookupd: what one of them knows is enough, and what none answers is told."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from exchange.infra.nsq_lookup import LookupFailed, find_nsqd
from tests.infra.nsq_daemons import free_ports

KNOWN = {
    "channels": ["c"],
    "producers": [
        {
            "remote_address": "x",
            "hostname": "h",
            "broadcast_address": "b",
            "tcp_port": 4150,
            "http_port": 4151,
        },
        {"broadcast_address": "a", "tcp_port": 4150},
    ],
}


@pytest.fixture
async def lookupd() -> AsyncIterator[str]:
    async def lookup(request: web.Request) -> web.Response:
        match request.query["topic"]:
            case "exchange.events.0":
                return web.json_response(KNOWN)
            case "broken":
                return web.Response(text="<html>")
            case "failing":
                return web.Response(status=500)
        return web.json_response({"message": "TOPIC_NOT_FOUND"}, status=404)

    app = web.Application()
    app.router.add_get("/lookup", lookup)
    server = TestServer(app)
    await server.start_server()
    yield str(server.make_url("")).rstrip("/")
    await server.close()


async def test_every_nsqd_with_the_topic_is_named_once(lookupd: str) -> None:
    assert await find_nsqd([lookupd, lookupd], "exchange.events.0") == ["a:4150", "b:4150"]
    assert await find_nsqd([lookupd], "unknown") == []


async def test_one_nsqlookupd_that_answers_is_enough(lookupd: str) -> None:
    away = f"http://127.0.0.1:{free_ports(1)[0]}"
    assert await find_nsqd([away, lookupd], "exchange.events.0") == ["a:4150", "b:4150"]
    with pytest.raises(LookupFailed, match=f"{away} cannot be asked"):
        await find_nsqd([away], "exchange.events.0")


@pytest.mark.parametrize(("topic", "what"), [("broken", "answered nonsense"), ("failing", "answered 500")])
async def test_an_answer_that_is_none_is_told(lookupd: str, topic: str, what: str) -> None:
    with pytest.raises(LookupFailed, match=what):
        await find_nsqd([lookupd], topic)
