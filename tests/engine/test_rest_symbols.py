"""Tests of exchange.engine.rest_symbols: symbols over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from exchange.domain.symbol import TickRow
from exchange.domain.units import Price
from exchange.engine.rest_symbols import tick_row
from exchange.wire.rest.symbols import TickRowView
from tests.engine.running_engine import RunningEngine, shape

ACME = {"symbol": "ACME", "name": "Acme Corporation", "reference_price": "25.00"}


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[RunningEngine]:
    async with RunningEngine(tmp_path) as running:
        yield running


async def test_symbols_are_listed_and_shown_without_a_key(engine: RunningEngine) -> None:
    first = await engine.get("/api/v1/symbols?limit=2")
    assert [symbol["symbol"] for symbol in first.items] == ["AAPL", "MSFT"]
    rest = await engine.get(f"/api/v1/symbols?cursor={first.body['next']}")
    assert [symbol["symbol"] for symbol in rest.items] == ["NVDA", "TSLA", "XYZ"]
    assert (await engine.get("/api/v1/symbols/AAPL")).body == {
        "id": "1", "symbol": "AAPL", "name": "Apple Inc.", "state": "active", "round_lot": "1",
        "reference_price": "189.20",
        "ticks": [{"from": "0.00", "tick": "0.0001"}, {"from": "1.00", "tick": "0.01"}],
        "protection_bps": 0, "phase": "continuous", "auction": None, "allocation": {"steps": [], "lead_makers": []},
        "short_sales": {"trigger_bps": 0, "needs_locate": False, "needs_marking": False, "restricted": False},
    }  # fmt: skip
    assert (await engine.get("/api/v1/symbols/NOPE")).status == 404


async def test_a_new_symbol_trades_at_once(engine: RunningEngine) -> None:
    ticks = [{"from": "0", "tick": "0.05"}, {"from": "10", "tick": "0.10"}]
    added = await engine.post("/api/v1/symbols", "operator", ACME | {"round_lot": 10, "ticks": ticks})
    assert added.status == 201
    assert shape(added.body, "symbol", "round_lot", "reference_price") == {
        "symbol": "ACME", "round_lot": "10", "reference_price": "25.00",
    }  # fmt: skip
    order = {"symbol": "ACME", "side": "buy", "qty": "15", "price": "25.00"}
    refused = await engine.post("/api/v1/order", "alice", order)
    assert refused.body["message"] == "quantity 15 is not a multiple of the round lot 10; nearest 10 or 20"
    assert (await engine.post("/api/v1/order", "alice", order | {"qty": "10"})).status == 201


async def test_a_symbol_that_cannot_be_is_refused_by_field(engine: RunningEngine) -> None:
    for change, status, field in (
        ({"symbol": "AAPL"}, 409, "symbol"),
        ({"symbol": "lower"}, 400, "symbol"),
        ({"name": ""}, 422, "name"),
        ({"name": "x" * 65}, 422, "name"),
        ({"reference_price": "25.001"}, 422, "reference_price"),
        ({"round_lot": 0}, 422, "round_lot"),
        ({"ticks": []}, 422, "ticks"),
        ({"ticks": [{"from": "1", "tick": "0.01"}]}, 422, "ticks"),
        ({"ticks": [{"from": "0", "tick": "0.01"}] * 17}, 422, "ticks"),
        ({"ticks": [{"from": "0", "tick": "x"}]}, 400, "ticks[0].tick"),
    ):
        answer = await engine.post("/api/v1/symbols", "operator", ACME | change)
        assert (answer.status, answer.body["field"]) == (status, field), (change, answer)


async def test_a_suspended_symbol_takes_cancels_only(engine: RunningEngine) -> None:
    order = (await engine.order("alice", "buy", "10", "189.00")).body["id"]
    suspended = await engine.post("/api/v1/symbols/AAPL/suspend", "operator", {"reason": "news pending"})
    assert suspended.body["state"] == "suspended"
    refused = await engine.order("alice", "buy", "10", "189.00")
    assert (refused.status, refused.body["reason"], refused.body["retry"]) == (422, "symbol_suspended", True)
    assert (await engine.ask("DELETE", f"/api/v1/order/{order}", "alice")).status == 200
    assert (await engine.post("/api/v1/symbols/AAPL/resume", "operator", {})).body["state"] == "active"
    assert (await engine.order("alice", "buy", "10", "189.00")).status == 201


async def test_the_reference_price_is_set_and_moves_with_trades(engine: RunningEngine) -> None:
    path = "/api/v1/symbols/AAPL/reference_price"
    assert (await engine.ask("PUT", path, "operator", {"price": "190.00"})).body[
        "reference_price"
    ] == "190.00"
    await engine.trade(price="189.50")
    assert (await engine.get("/api/v1/symbols/AAPL")).body["reference_price"] == "189.50"
    assert (await engine.ask("PUT", path, "operator", {"price": "0.00"})).status == 400


async def test_only_operators_change_symbols(engine: RunningEngine) -> None:
    assert (await engine.post("/api/v1/symbols", "alice", ACME)).status == 403
    assert (await engine.post("/api/v1/symbols/AAPL/suspend", "alice", {})).status == 403
    assert (await engine.post("/api/v1/symbols/NOPE/suspend", "operator", {})).status == 404


def test_the_first_tick_row_may_begin_at_zero() -> None:
    for text in ("0", "0.00"):
        assert tick_row(TickRowView(text, "0.01"), 0) == TickRow(Price(0), Price(100))


async def test_an_allocation_is_set_shown_and_shares_trades_out(engine: RunningEngine) -> None:
    path = "/api/v1/symbols/AAPL/allocation"
    steps = [{"step": "top", "maximum": 5}, {"step": "pro_rata"}]
    done = await engine.ask("PUT", path, "operator", {"steps": steps})
    assert done.body["allocation"]["steps"] == [
        {"step": "top", "rounding": "", "share_bps": 10000, "minimum": 0, "maximum": 5},
        {"step": "pro_rata", "rounding": "down", "share_bps": 0, "minimum": 0, "maximum": 0},
    ]
    assert (await engine.get("/api/v1/symbols/AAPL")).body == done.body
    order = {"symbol": "AAPL", "side": "sell", "price": "190.00"}
    entered = {}
    for member, qty in (("alice", "20"), ("bob", "40")):
        entered[member] = await engine.post("/api/v1/order", member, order | {"qty": qty})
    await engine.post("/api/v1/order", "carol", order | {"side": "buy", "qty": "16"})
    for member, left in (("alice", "12"), ("bob", "32")):
        found = await engine.get(f"/api/v1/order/{entered[member].body['id']}", member)
        assert found.body["leaves_qty"] == left, found.body
    back = await engine.ask("PUT", path, "operator", {})
    assert back.body["allocation"] == {"steps": [], "lead_makers": []}


async def test_an_allocation_that_cannot_be_is_refused_with_its_place(engine: RunningEngine) -> None:
    fifo = {"step": "fifo"}
    for body, status, reason in (
        ({"steps": [fifo, {"step": "leveling"}]}, 422, "allocation_step_invalid"),
        ({"steps": [fifo] * 9}, 422, "allocation_too_long"),
        ({"steps": [{"step": "lead"}]}, 422, "lead_makers_invalid"),
        (
            {"steps": [{"step": "lead"}], "lead_makers": [{"account": "99", "share_bps": 1}]},
            422,
            "unknown_account",
        ),
    ):
        refused = await engine.ask("PUT", "/api/v1/symbols/AAPL/allocation", "operator", body)
        assert (refused.status, refused.body["reason"]) == (status, reason), body
    for body, field in (
        ({"steps": [{"step": "lifo"}]}, "step"),
        ({"steps": [fifo | {"rounding": "x"}]}, "rounding"),
    ):
        refused = await engine.ask("PUT", "/api/v1/symbols/AAPL/allocation", "operator", body)
        assert (refused.status, refused.body["field"]) == (400, field)
    assert (await engine.ask("PUT", "/api/v1/symbols/AAPL/allocation", "alice", {})).status == 403
    assert (await engine.ask("PUT", "/api/v1/symbols/NOPE/allocation", "operator", {})).status == 404
