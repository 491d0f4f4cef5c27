"""Health, readiness, metrics, and the page."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from importlib.resources import files

import pytest

from exchange.infra.metrics import gauge
from tests.infra.http_server import Served, serving


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serving(
        metrics=lambda: [gauge("exchange_orders_resting", "Resting.", lambda value: value).of(5)]
    ) as served:
        yield served


async def test_health_is_answered_to_anybody_even_with_a_wrong_key(served: Served) -> None:
    async with served.client.head("/api/v1/healthcheck") as response:
        assert response.status == 200
    async with served.client.get("/api/v1/healthcheck", headers={"Authorization": "Bearer x"}) as response:
        assert await response.json() == {"status": "ok"}


async def test_readiness_says_why_not(served: Served) -> None:
    async with served.client.get("/readyz") as response:
        assert (response.status, await response.json()) == (200, {"ready": True, "reasons": []})
    served.reasons.append("the journal is being replayed")
    async with served.client.get("/readyz") as response:
        body = await response.json()
        assert (response.status, body) == (
            503,
            {"ready": False, "reasons": ["the journal is being replayed"]},
        )


async def test_a_note_is_shown_and_does_not_make_it_unready() -> None:
    async with serving(notes=lambda: ["the cache is away"]) as served:
        async with served.client.get("/readyz") as response:
            body = await response.json()
        assert (response.status, body) == (
            200,
            {"ready": True, "reasons": [], "notes": ["the cache is away"]},
        )


async def test_while_shutting_down_it_is_alive_but_not_ready(served: Served) -> None:
    running = asyncio.create_task(served.client.get("/wait"))
    await served.handlers.entered.wait()
    _, held = await asyncio.open_connection("127.0.0.1", served.port)
    readers = [await asyncio.open_connection("127.0.0.1", served.port) for _ in range(2)]
    await asyncio.sleep(0.05)
    stopping = asyncio.create_task(served.service.stop())
    await served.service.closing.wait()
    answers = []
    for (reader, writer), path in zip(readers, (b"/readyz", b"/api/v1/healthcheck"), strict=True):
        writer.write(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n")
        answers.append(await reader.read())
    assert b"HTTP/1.1 503" in answers[0]
    assert b"shutting down" in answers[0]
    assert b"HTTP/1.1 200" in answers[1]
    served.handlers.gate.set()
    await running
    await stopping
    held.close()


async def test_metrics_hold_the_routes_and_the_components_own(served: Served) -> None:
    async with served.client.get("/api/v1/order/1"):
        pass
    async with served.client.get("/metrics") as response:
        text = await response.text()
        assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert 'exchange_http_requests_total{method="GET",route="/api/v1/order/{order_id}"} 1.0' in text
    assert "exchange_orders_resting 5.0" in text


async def test_the_description_is_served_and_stays_the_same(served: Served) -> None:
    async with served.client.get("/openapi.json") as response:
        document = await response.json()
    assert (document["info"]["title"], document["info"]["version"]) == ("test", "1.2.3")
    async with served.client.get("/openapi.json") as response:
        assert await response.json() == document


async def test_the_page_and_its_parts_are_served_and_may_reach_this_server_only(served: Served) -> None:
    async with served.client.get("/docs") as response:
        policy = response.headers["Content-Security-Policy"]
        page = await response.text()
    assert "default-src 'none'" in policy
    assert "connect-src 'self'" in policy
    parts = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert {"docs/docs.css", "docs/docs.js", "openapi.json"} <= set(parts)
    for part in parts:
        if part != "data:,":
            async with served.client.get(f"/{part}") as response:
                assert response.status == 200, part


def test_no_asset_of_the_page_names_another_server() -> None:
    for name in ("docs.html", "docs.css", "docs.js"):
        text = (files("exchange.infra") / "pages" / name).read_text()
        assert not re.search(r"https?:|//[a-z]+\.|@import|url\(|innerHTML|eval\(", text), name
