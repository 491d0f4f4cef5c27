"""Explanations over HTTP: for whom, and what is said where there is none."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from exchange.engine.explain import desk as desk_module
from exchange.engine.explain.desk import ExplainDesk
from tests.engine.running_engine import RunningEngine, shape


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[RunningEngine]:
    async with RunningEngine(tmp_path) as running:
        yield running


async def test_the_owner_and_the_operator_are_told_and_nobody_else(engine: RunningEngine) -> None:
    bought, sold, _ = await engine.trade()
    told = await engine.get(f"/api/v1/explain/order/{bought}", "alice")
    assert told.status == 200
    assert told.headers["Content-Type"] == "application/json"
    assert told.body["headline"] == "Filled: buy 100 AAPL at 189.20, 100 at 189.20 on average, in 1 trade."
    assert shape(told.body, "id", "symbol", "moments_left_out") == {
        "id": bought, "symbol": "AAPL", "moments_left_out": 0,
    }  # fmt: skip
    assert (await engine.get(f"/api/v1/explain/order/{bought}", "bob")).status == 404
    assert (await engine.get(f"/api/v1/explain/order/{bought}")).status == 401
    assert (await engine.get("/api/v1/explain/order/999999", "alice")).body["reason"] == "unknown_order"
    assert (await engine.get(f"/api/v1/explain/order/{sold}", "operator")).status == 200


async def test_a_refused_order_is_explained_by_the_id_in_its_refusal(engine: RunningEngine) -> None:
    refused = await engine.order("alice", "buy", "10", "189.305")
    told = await engine.get(f"/api/v1/explain/order/{refused.body['detail']['order_id']}", "alice")
    assert told.body["headline"] == "Refused: buy 10 AAPL at 189.305."
    assert "nearest 189.30 or 189.31" in told.body["lines"][0]["text"]


async def test_an_order_that_waits_for_its_entry_is_explained_to_its_owner(engine: RunningEngine) -> None:
    body = {
        "contingency": "oto", "symbol": "AAPL", "qty": "100",
        "orders": [{"side": "buy", "price": "150.00"}, {"side": "sell", "price": "200.00"}],
    }  # fmt: skip
    made = await engine.post("/api/v1/order_lists", "alice", body)
    assert made.status in (200, 201), made.body
    waiting = made.body["waiting"][0]["id"]
    told = await engine.get(f"/api/v1/explain/order/{waiting}", "alice")
    assert told.body["headline"] == "Waiting for its entry: sell 100 at 200.00 in AAPL."
    assert (await engine.get(f"/api/v1/explain/order/{waiting}", "bob")).status == 404


async def test_history_that_is_gone_answers_410(
    engine: RunningEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(_: ExplainDesk, order_id: int) -> tuple[int, bytes, str]:
        return desk_module.GONE, b"", f"order {order_id} is too long ago"

    monkeypatch.setattr(ExplainDesk, "_ask_worker", gone)
    bought, _, _ = await engine.trade()
    answer = await engine.get(f"/api/v1/explain/order/{bought}", "alice")
    assert (answer.status, answer.body["reason"]) == (410, "gone")
    assert "too long ago" in answer.body["message"]
