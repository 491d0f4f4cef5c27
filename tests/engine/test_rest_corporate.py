"""Tests of exchange.engine.rest_corporate: splits, new tickers and dividends over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.engine.running_engine import RunningEngine

AAPL = "/api/v1/symbols/AAPL"


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[RunningEngine]:
    async with RunningEngine(tmp_path) as running:
        yield running


async def suspended(engine: RunningEngine, symbol: str = "AAPL") -> None:
    assert (await engine.post(f"/api/v1/symbols/{symbol}/suspend", "operator", {})).status == 200


async def test_a_split_changes_the_reference_and_the_orders(engine: RunningEngine) -> None:
    plain = (await engine.order("alice", "buy", "10", "189.00")).body["id"]
    iceberg = await engine.post(
        "/api/v1/order", "alice",
        {"symbol": "AAPL", "side": "sell", "qty": "100", "price": "190.00", "display_qty": "20"},
    )  # fmt: skip
    await suspended(engine)
    body = {"new_shares": 2, "old_shares": 1, "note": "two for one"}
    split = await engine.post(f"{AAPL}/split", "operator", body)
    assert (split.status, split.body["reference_price"]) == (200, "94.60")
    order = (await engine.get(f"/api/v1/order/{plain}", "alice")).body
    assert (order["qty"], order["price"], order["leaves_qty"]) == ("20", "94.50", "20")
    order = (await engine.get(f"/api/v1/order/{iceberg.body['id']}", "alice")).body
    assert (order["qty"], order["price"], order["display_qty"]) == ("200", "95.00", "40")


async def test_a_symbol_that_trades_is_not_split_and_only_operators_ask(engine: RunningEngine) -> None:
    body = {"new_shares": 2, "old_shares": 1}
    refused = await engine.post(f"{AAPL}/split", "operator", body)
    assert (refused.status, refused.body["reason"]) == (422, "corporate_action_not_now")
    assert (await engine.post(f"{AAPL}/split", "alice", body)).status == 403
    await suspended(engine)
    wrong = await engine.post(f"{AAPL}/split", "operator", {"new_shares": 0, "old_shares": 1})
    assert wrong.status == 400
    same = await engine.post(f"{AAPL}/split", "operator", {"new_shares": 1, "old_shares": 1})
    assert (same.status, same.body["reason"]) == (422, "split_invalid")


async def test_the_old_ticker_points_to_the_new_one(engine: RunningEngine) -> None:
    await suspended(engine)
    renamed = await engine.post(f"{AAPL}/rename", "operator", {"symbol": "APPL", "name": "Apple again"})
    assert (renamed.status, renamed.body["symbol"], renamed.body["name"]) == (200, "APPL", "Apple again")
    gone = await engine.get(AAPL)
    assert gone.status == 404
    assert "it is called APPL now" in gone.body["message"]
    await engine.post("/api/v1/symbols/APPL/resume", "operator", {})
    order = {"symbol": "AAPL", "side": "buy", "qty": "1", "price": "189.00"}
    refused = await engine.post("/api/v1/order", "alice", order)
    assert (refused.status, refused.body["reason"]) == (422, "symbol_renamed")
    assert "former name of APPL" in refused.body["message"]
    assert (await engine.post("/api/v1/order", "alice", order | {"symbol": "APPL"})).status == 201
    again = await engine.post(
        "/api/v1/symbols", "operator", {"symbol": "AAPL", "name": "Another", "reference_price": "1.00"}
    )
    assert again.body["reason"] == "symbol_renamed"


async def test_a_dividend_lowers_open_buys_but_those_marked(engine: RunningEngine) -> None:
    wanted = {"symbol": "AAPL", "side": "buy", "qty": "10", "price": "189.00", "time_in_force": "gtc"}
    lowered = (await engine.post("/api/v1/order", "alice", wanted)).body["id"]
    kept = await engine.post("/api/v1/order", "alice", wanted | {"do_not_reduce": True})
    assert kept.body["do_not_reduce"] is True
    await suspended(engine)
    paid = await engine.post(f"{AAPL}/dividend", "operator", {"amount": "0.25"})
    assert (paid.status, paid.body["reference_price"]) == (200, "188.95")
    assert (await engine.get(f"/api/v1/order/{lowered}", "alice")).body["price"] == "188.75"
    assert (await engine.get(f"/api/v1/order/{kept.body['id']}", "alice")).body["price"] == "189.00"
    too_much = await engine.post(f"{AAPL}/dividend", "operator", {"amount": "500.00"})
    assert (too_much.status, too_much.body["reason"]) == (422, "dividend_invalid")


async def test_short_sales_are_asked_for_marks_and_locates(engine: RunningEngine) -> None:
    settings = {"trigger_bps": 1000, "needs_locate": True, "needs_marking": True}
    shown = await engine.ask("PUT", f"{AAPL}/short_sales", "operator", settings)
    assert (shown.status, shown.body["short_sales"]) == (200, settings | {"restricted": False})
    sale = {"symbol": "AAPL", "side": "sell", "qty": "1", "price": "190.00"}
    refused = await engine.post("/api/v1/order", "alice", sale | {"short": True, "located": True})
    assert (refused.status, refused.body["reason"]) == (422, "short_sale_not_permitted")
    too_wide = await engine.ask("PUT", f"{AAPL}/short_sales", "operator", {"trigger_bps": 10_000})
    assert too_wide.status == 400
