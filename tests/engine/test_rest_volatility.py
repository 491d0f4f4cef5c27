"""Tests of exchange.engine.rest_volatility: bands, corridors and the breaker over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.engine.running_engine import RunningEngine

AAPL = "/api/v1/symbols/AAPL"
MARKET = "/api/v1/market"


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[RunningEngine]:
    async with RunningEngine(tmp_path) as running:
        yield running


async def test_bands_are_set_shown_and_keep_an_order_inside(engine: RunningEngine) -> None:
    assert (await engine.get(f"{AAPL}/limits")).body["mode"] == "none"
    set_ = await engine.ask("PUT", f"{AAPL}/bands", "operator", {"tier": 1})
    assert (set_.status, set_.body["mode"], set_.body["tier"]) == (200, "bands", 1)
    reference = set_.body["reference_price"]
    assert float(set_.body["lowest_price"]) < float(reference) < float(set_.body["highest_price"])
    bought = await engine.order("alice", "buy", "10", "400.00")
    assert bought.body["price"] == set_.body["highest_price"]
    limits = (await engine.get(f"{AAPL}/limits")).body
    assert (limits["state"], limits["pause_at"] is None) == ("limit", False)
    assert (await engine.ask("PUT", f"{AAPL}/bands", "operator", {"tier": 0})).body["mode"] == "none"


async def test_a_corridor_leads_to_a_volatility_auction(engine: RunningEngine) -> None:
    body = {"dynamic_bps": 100, "static_bps": 0, "call_s": 60, "random_end_s": 0}
    set_ = await engine.ask("PUT", f"{AAPL}/corridor", "operator", body)
    assert (set_.body["mode"], set_.body["reference_price"], set_.body["state"]) == (
        "corridor",
        None,
        "normal",
    )
    await engine.order("alice", "sell", "10", "199.00")
    await engine.order("bob", "buy", "10", "199.00")
    assert (await engine.get(AAPL)).body["phase"] == "volatility_auction"
    assert (await engine.get(f"{AAPL}/limits")).body["highest_price"] is None


async def test_the_breaker_stops_the_market(engine: RunningEngine) -> None:
    assert (await engine.get(f"{MARKET}/breaker")).body == {"close_level": None}
    refused = await engine.post(f"{MARKET}/index", "operator", {"level": "5000"})
    assert (refused.status, refused.body["reason"]) == (422, "no_breaker")
    set_ = await engine.ask("PUT", f"{MARKET}/breaker", "operator", {"close_level": "5000.5"})
    assert set_.body == {"close_level": "5000.50"} == (await engine.get(f"{MARKET}/breaker")).body
    assert (await engine.post(f"{MARKET}/index", "operator", {"level": "4650.00"})).status == 200
    assert (await engine.get(AAPL)).body["phase"] == "reopening_auction"


async def test_what_cannot_be_is_refused(engine: RunningEngine) -> None:
    for path, body, status, reason in (
        (f"{AAPL}/bands", {"tier": 3}, 400, "invalid_field"),
        (f"{AAPL}/corridor", {"dynamic_bps": 100, "call_s": 0}, 422, "price_corridor_invalid"),
        (f"{MARKET}/breaker", {"close_level": "-1"}, 422, "index_level_invalid"),
        (f"{MARKET}/breaker", {"close_level": "many"}, 422, "index_level_invalid"),
    ):
        refused = await engine.ask("PUT", path, "operator", body)
        assert (refused.status, refused.body["reason"]) == (status, reason), body
    assert (await engine.ask("PUT", f"{AAPL}/bands", "alice", {"tier": 1})).status == 403
    assert (await engine.get("/api/v1/symbols/NOPE/limits")).status == 404
