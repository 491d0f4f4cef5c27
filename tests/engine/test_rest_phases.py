"""Tests of exchange.engine.rest_phases: phases, halts and auctions over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.engine.running_engine import RunningEngine

MARKET = "/api/v1/market"


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[RunningEngine]:
    async with RunningEngine(tmp_path) as running:
        yield running


async def phase_of(engine: RunningEngine, symbol: str = "AAPL") -> str:
    return str((await engine.get(f"/api/v1/symbols/{symbol}")).body["phase"])


async def test_an_operator_leads_a_symbol_through_an_auction(engine: RunningEngine) -> None:
    gathering = {"phase": "opening_auction", "symbol": "AAPL"}
    assert (await engine.post(f"{MARKET}/phase", "operator", gathering)).status == 200
    assert await phase_of(engine) == "opening_auction"
    bought = await engine.order("alice", "buy", "10", "189.30")
    assert bought.body["status"] == "new"
    sold = await engine.post(
        "/api/v1/order", "bob",
        {"symbol": "AAPL", "side": "sell", "type": "market", "qty": "4", "time_in_force": "at_the_open"},
    )  # fmt: skip
    assert sold.body["status"] == "new"
    assert (
        await engine.post(f"{MARKET}/phase", "operator", {"phase": "continuous", "symbol": "AAPL"})
    ).status == 200
    filled = (await engine.get(f"/api/v1/order/{sold.body['id']}", "bob")).body
    assert (filled["status"], filled["avg_price"]) == ("filled", "189.30")
    left = (await engine.get(f"/api/v1/order/{bought.body['id']}", "alice")).body
    assert (left["status"], left["filled_qty"]) == ("partially_filled", "4")


async def test_a_halt_refuses_orders_and_ends_with_a_call(engine: RunningEngine) -> None:
    assert (
        await engine.post(f"{MARKET}/halt", "operator", {"reason": "news", "symbol": "AAPL"})
    ).status == 200
    refused = await engine.order("alice", "buy", "10", "189.30")
    assert (refused.status, refused.body["reason"]) == (422, "symbol_halted")
    again = await engine.post(f"{MARKET}/halt", "operator", {"reason": "news", "symbol": "AAPL"})
    assert again.body["reason"] == "not_halted"
    await engine.post(f"{MARKET}/resume", "operator", {"symbol": "AAPL", "call_s": 300})
    assert await phase_of(engine) == "reopening_auction"
    assert await phase_of(engine, "MSFT") == "continuous"


async def test_the_whole_market_closes_and_the_schedule_is_shown(engine: RunningEngine) -> None:
    shown = await engine.post(f"{MARKET}/phase", "operator", {"phase": "closed"})
    assert shown.body == {"items": []} == (await engine.get(f"{MARKET}/schedule")).body
    assert {await phase_of(engine), await phase_of(engine, "XYZ")} == {"closed"}


async def test_what_cannot_be_is_refused_by_field(engine: RunningEngine) -> None:
    for body, reason in (({"phase": "halted"}, "phase_invalid"), ({"phase": "closed", "symbol": "NOPE"}, "")):
        answer = await engine.post(f"{MARKET}/phase", "operator", body)
        assert answer.status in (404, 422)
        assert not reason or answer.body["reason"] == reason
    assert (await engine.post(f"{MARKET}/phase", "alice", {"phase": "closed"})).status == 403


async def test_a_collar_is_set_and_shown(engine: RunningEngine) -> None:
    body = {"collar_bps": 1000, "extension_s": 60, "extensions_max": 2}
    shown = await engine.ask("PUT", "/api/v1/symbols/AAPL/auction", "operator", body)
    assert shown.body["auction"] == body


async def test_what_changes_an_auction_is_answered_with_its_own_event(engine: RunningEngine) -> None:
    gathering = {"phase": "opening_auction", "symbol": "AAPL"}
    assert (await engine.post(f"{MARKET}/phase", "operator", gathering)).status == 200
    assert (await engine.order("alice", "buy", "10", "189.30")).body["status"] == "new"
    assert (await engine.order("bob", "sell", "10", "189.20")).body["status"] == "new"
    pulled = await engine.post("/api/v1/risk/blocks", "operator", {"scope": "market", "cancel_orders": True})
    assert (pulled.status, pulled.body["canceled_orders"]) == (201, 2)
