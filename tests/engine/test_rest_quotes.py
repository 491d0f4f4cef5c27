"""Tests of exchange.engine.rest_quotes: market makers' quotes over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine.running_engine import RunningEngine, shape

QUOTES = "/api/v1/quotes"
BOTH = {"symbol": "AAPL", "bid_price": "189.10", "bid_qty": "100", "ask_price": "189.30", "ask_qty": 50}


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[RunningEngine]:
    async with RunningEngine(tmp_path) as running:
        yield running


async def quote(engine: RunningEngine, *quotes: dict[str, Any]) -> list[Any]:
    answer = await engine.post(QUOTES, "alice", {"quote_id": 7, "quotes": list(quotes)})
    assert (answer.status, answer.body["quote_id"]) == (200, 7), answer.body
    return list(answer.body["items"])


async def test_a_quote_is_two_orders_and_a_new_one_takes_its_place(engine: RunningEngine) -> None:
    (first,) = await quote(engine, BOTH)
    assert shape(first["bid"], "side", "qty", "price", "status") == {
        "side": "buy", "qty": "100", "price": "189.10", "status": "new"
    }  # fmt: skip
    (second,) = await quote(engine, {"symbol": "AAPL", "ask_price": "189.20", "ask_qty": "10"})
    assert "bid" not in second
    (shown,) = (await engine.get(QUOTES, "alice")).body["items"]
    assert (shown["bid_order_id"], shown["ask_order_id"]) == (None, second["ask"]["id"])
    gone = (await engine.get(f"/api/v1/order/{first['bid']['id']}", "alice")).body
    assert shape(gone, "status", "cancel_reason") == {"status": "canceled", "cancel_reason": "quote_replaced"}
    assert (await engine.get(QUOTES, "bob")).body["items"] == []


async def test_each_quote_has_its_own_result(engine: RunningEngine) -> None:
    crossed = BOTH | {"bid_price": "189.40"}
    (refused,) = await quote(engine, crossed)
    assert refused["error"]["reason"] == "quote_crossed"
    other = next(
        item["symbol"] for item in (await engine.get("/api/v1/symbols")).items if item["symbol"] != "AAPL"
    )
    first, second = await quote(engine, crossed, {"symbol": other, "bid_price": "1.00", "bid_qty": "1"})
    assert "error" in first
    assert second["bid"]["status"] == "new"


async def test_quotes_are_withdrawn_by_symbol_or_all(engine: RunningEngine) -> None:
    await quote(engine, BOTH)
    assert (await engine.ask("DELETE", QUOTES + "?symbol=AAPL", "alice")).body["count"] == 2
    assert (await engine.ask("DELETE", QUOTES, "alice")).body["count"] == 0


async def test_a_protection_withdraws_quotes_until_it_is_reset(engine: RunningEngine) -> None:
    protection = {"symbol": "AAPL", "qty": 30, "window_ms": 60_000}
    assert (await engine.ask("PUT", QUOTES + "/protection", "alice", protection)).body["qty"] == 30
    await quote(engine, BOTH)
    await engine.order("bob", "sell", "40", "189.10")
    (shown,) = (await engine.get(QUOTES + "?symbol=AAPL", "alice")).body["items"]
    assert shape(shown, "reached", "traded_qty", "bid_order_id", "ask_order_id") == {
        "reached": True, "traded_qty": "40", "bid_order_id": None, "ask_order_id": None
    }  # fmt: skip
    (refused,) = await quote(engine, BOTH)
    assert refused["error"]["reason"] == "quotes_not_reset"
    assert not (await engine.post(QUOTES + "/reset", "alice", {"symbol": "AAPL"})).body["reached"]
    again = await engine.post(QUOTES + "/reset", "alice", {"symbol": "AAPL"})
    assert (again.status, again.body["reason"]) == (422, "quote_protection_invalid")
    (taken,) = await quote(engine, BOTH)
    assert taken["ask"]["status"] == "new"


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ({"quotes": [BOTH, BOTH]}, 422, "quote_invalid"),
        ({"quotes": [BOTH | {"symbol": "NONE"}]}, 422, "unknown_symbol"),
        ({"quotes": []}, 400, "invalid_field"),
        ({"quotes": [BOTH], "account": "99"}, 422, "unknown_account"),
        ({"quotes": [BOTH], "quote_id": 2**32}, 400, "invalid_field"),
        ({"quotes": [BOTH | {"ask_qty": 0}]}, 400, "invalid_field"),
    ],
)
async def test_a_mass_quote_that_cannot_be_is_refused(
    engine: RunningEngine, body: dict[str, Any], status: int, reason: str
) -> None:
    answer = await engine.post(QUOTES, "alice", body)
    assert (answer.status, answer.body["reason"]) == (status, reason), answer.body


@pytest.mark.parametrize("change", [{"window_ms": -1}, {"delta": -1}, {"qty": 10**17}])
async def test_a_protection_out_of_its_range_is_refused(
    engine: RunningEngine, change: dict[str, int]
) -> None:
    body = {"symbol": "AAPL", "qty": 500, "window_ms": 1000} | change
    answer = await engine.ask("PUT", f"{QUOTES}/protection", "alice", body)
    assert (answer.status, answer.body["field"]) == (400, next(iter(change)))


async def test_the_kill_switch_answers_whatever_follows_from_it(engine: RunningEngine) -> None:
    await quote(engine, BOTH)
    peg = {"symbol": "AAPL", "side": "buy", "qty": "10", "peg": "primary"}
    assert (await engine.post("/api/v1/order", "bob", peg)).status == 201
    pair = {
        "contingency": "oco", "symbol": "AAPL", "qty": "10",
        "orders": [{"side": "sell", "price": "195.00"}, {"side": "sell", "type": "stop", "stop_price": "185.00"}],
    }  # fmt: skip
    assert (await engine.post("/api/v1/order_lists", "alice", pair)).status == 201
    blocked = await engine.post("/api/v1/risk/blocks", "operator", {"scope": "market", "cancel_orders": True})
    assert (blocked.status, blocked.body["canceled_orders"]) == (201, 5), blocked.body
