"""The engine's event log behind HTTP: what is asked, what is understood, and what each refusal means."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from exchange.infra.errors import AccessRefused, EventsGone, SourceUnavailable
from exchange.infra.http_source import HttpEventSource
from exchange.wire.envelope import encode_batch
from tests.infra.event_streams import make_commands

BATCH = make_commands([2])[0]


class Engine:
    """A server with one answer, which remembers what it was asked."""

    def __init__(self) -> None:
        self.answer: dict[str, Any] = {"body": encode_batch(BATCH)}
        self.asked: list[web.Request] = []
        self.url = ""

    async def serve(self, request: web.Request) -> web.Response:
        self.asked.append(request)
        return web.Response(**self.answer)


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    engine = Engine()
    app = web.Application()
    app.router.add_get("/api/v1/events", engine.serve)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    engine.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield engine
    await runner.cleanup()


@pytest.fixture
async def source(engine: Engine) -> AsyncIterator[HttpEventSource]:
    source = HttpEventSource(engine.url + "/", "xk_secret")
    yield source
    await source.close()
    await source.close()


async def test_events_are_asked_for_with_key_position_and_time_to_wait(
    engine: Engine, source: HttpEventSource
) -> None:
    assert await source.fetch(7, 2.5) == BATCH
    assert await source.fetch(0, 999) == BATCH
    first, second = engine.asked
    assert dict(first.query) == {"after": "7", "wait_s": "2.5"}
    assert dict(second.query) == {"after": "0", "wait_s": "30"}
    assert first.headers["Authorization"] == "Bearer xk_secret"
    assert first.headers["Accept"] == "application/octet-stream"


@pytest.mark.parametrize(
    ("status", "body", "error", "message"),
    [
        (401, b'{"code":1,"reason":"r","message":"no key"}', AccessRefused, "no key.*EXCHANGE_COMPONENT_KEY"),
        (403, b'{"code":1,"reason":"r","message":"viewer"}', AccessRefused, "viewer.*needs role component"),
        (404, b"not here", AccessRefused, "answered 404 .not here.: is it an engine"),
        (302, b"", SourceUnavailable, "answered 302"),
        (429, b"", SourceUnavailable, "answered 429"),
        (503, b'{"code":1,"reason":"r","message":"draining"}', SourceUnavailable, "503 .draining."),
        (500, b"\xff" * 1_000, SourceUnavailable, "answered 500"),
    ],
)
async def test_a_refusal_says_what_it_means(
    engine: Engine, source: HttpEventSource, status: int, body: bytes, error: type[Exception], message: str
) -> None:
    engine.answer = {"status": status, "body": body}
    with pytest.raises(error, match=message) as caught:
        await source.fetch(0)
    assert "xk_secret" not in str(caught.value)
    assert len(str(caught.value)) < 500


async def test_events_that_are_gone_name_the_oldest_kept(engine: Engine, source: HttpEventSource) -> None:
    body = b'{"code":1,"reason":"gone","message":"too old","detail":{"first_kept":42}}'
    engine.answer = {"status": 410, "body": body}
    with pytest.raises(EventsGone, match="too old") as caught:
        await source.fetch(0)
    assert caught.value.first_kept == 42


@pytest.mark.parametrize("body", [b"", b"<html>", encode_batch(BATCH)[:-1]])
async def test_what_is_no_batch_can_be_asked_for_again(
    engine: Engine, source: HttpEventSource, body: bytes
) -> None:
    engine.answer = {"body": body}
    with pytest.raises(SourceUnavailable, match="no event batch"):
        await source.fetch(0)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://nowhere.invalid:1", "nonsense"])
async def test_an_engine_that_is_not_there_can_be_asked_again(url: str) -> None:
    source = HttpEventSource(url, "")
    with pytest.raises(SourceUnavailable, match="cannot be reached"):
        await source.fetch(0)
    await source.close()


async def test_an_answer_without_end_is_cut_off(
    engine: Engine, source: HttpEventSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exchange.infra.http_source.ANSWER_BYTES_MAX", 1_000)
    engine.answer = {"body": bytes(5_000)}
    with pytest.raises(SourceUnavailable, match="more than 1000 bytes"):
        await source.fetch(0)


async def test_a_key_is_looked_for_until_it_is_there(engine: Engine) -> None:
    keys = iter([SourceUnavailable("keys.json is not there yet"), "xk_late"])

    def find() -> str:
        key = next(keys)
        if isinstance(key, Exception):
            raise key
        return key

    source = HttpEventSource(engine.url, find)
    with pytest.raises(SourceUnavailable, match="not there yet"):
        await source.fetch(0)
    assert await source.fetch(0) == BATCH
    assert await source.fetch(0) == BATCH
    assert [asked.headers["Authorization"] for asked in engine.asked] == ["Bearer xk_late"] * 2
    await source.close()
