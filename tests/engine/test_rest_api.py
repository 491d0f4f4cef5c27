"""Tests of exchange.engine.rest_api: the routes as a whole."""

from __future__ import annotations

from pathlib import Path

from tests.engine.running_engine import RunningEngine

SPECIFIED = [
    ("head", "/api/v1/healthcheck"), ("get", "/api/v1/stats"), ("post", "/api/v1/order"),
    ("delete", "/api/v1/order/{order_id}"), ("get", "/api/v1/book"), ("get", "/api/v1/book/{order_id}"),
    ("get", "/api/v1/symbols"), ("get", "/api/v1/symbols/{symbol}"),
]  # fmt: skip


async def test_the_description_has_the_specified_endpoints_and_every_route_has_words(tmp_path: Path) -> None:
    async with RunningEngine(tmp_path) as engine:
        document = (await engine.get("/openapi.json")).body
        assert document["openapi"].startswith("3.1")
        for method, path in SPECIFIED:
            assert method in document["paths"][path], (method, path)
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                if isinstance(operation, dict):
                    assert operation.get("summary"), (method, path)


async def test_health_and_readiness_need_no_key(tmp_path: Path) -> None:
    async with RunningEngine(tmp_path) as engine:
        assert (await engine.ask("HEAD", "/api/v1/healthcheck")).status == 200
        assert (await engine.get("/readyz")).body == {"ready": True, "reasons": []}


async def test_what_is_no_route_says_what_is_near(tmp_path: Path) -> None:
    async with RunningEngine(tmp_path) as engine:
        assert (await engine.get("/api/v1/ordr")).status == 404
        assert (await engine.ask("PUT", "/api/v1/order", "alice", {})).status == 405
