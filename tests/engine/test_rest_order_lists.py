"""Tests of exchange.engine.rest_order_lists: orders that depend on each other, over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine.running_engine import RunningEngine, shape

LISTS = "/api/v1/order_lists"
STOP = {"side": "sell", "type": "stop", "stop_price": "185.00"}
BRACKET = {
    "contingency": "bracket", "symbol": "AAPL", "qty": "100",
    "orders": [{"side": "buy", "price": "189.20", "client_order_id": "b-1"}, {"side": "sell", "price": "195.00"}, STOP],
}  # fmt: skip


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[RunningEngine]:
    async with RunningEngine(tmp_path) as running:
        yield running


async def test_a_bracket_is_taken_and_its_exits_come_in_when_the_entry_is_filled(
    engine: RunningEngine,
) -> None:
    answer = await engine.post(LISTS, "alice", BRACKET)
    assert answer.status == 201
    (entry,), (take, stop) = answer.body["orders"], answer.body["waiting"]
    assert shape(entry, "status", "qty", "price") == {"status": "new", "qty": "100", "price": "189.20"}
    assert (take["price"], stop["stop_price"], answer.body["list_id"]) == ("195.00", "185.00", entry["id"])
    (waiting,) = (await engine.get(LISTS, "alice")).body["items"]
    assert (waiting["order_ids"], [order["id"] for order in waiting["waiting"]]) == (
        [entry["id"]], [take["id"], stop["id"]]
    )  # fmt: skip
    await engine.order("bob", "sell", "100", "189.20")
    (pair,) = (await engine.get(LISTS, "alice")).body["items"]
    assert (pair["order_ids"], pair["filled_qty"], pair["waiting"]) == ([take["id"], stop["id"]], "100", [])
    shown = await engine.get(f"/api/v1/order/{take['id']}", "alice")
    assert shape(shown.body, "status", "qty") == {"status": "new", "qty": "100"}
    await engine.order("bob", "buy", "40", "195.00")
    assert (await engine.get(f"/api/v1/order/{stop['id']}", "alice")).body["qty"] == "60"
    await engine.ask("DELETE", f"/api/v1/order/{take['id']}", "alice")
    over = (await engine.get(f"/api/v1/order/{stop['id']}", "alice")).body
    assert shape(over, "status", "cancel_reason") == {"status": "canceled", "cancel_reason": "linked"}
    assert (await engine.get(LISTS, "alice")).body["items"] == []


async def test_a_pair_comes_in_at_once_and_only_its_owner_sees_it(engine: RunningEngine) -> None:
    body = {
        "contingency": "oco",
        "symbol": "AAPL",
        "qty": 5,
        "orders": [{"side": "sell", "price": "195.00"}, STOP],
    }
    answer = await engine.post(LISTS, "alice", body)
    assert [order["type"] for order in answer.body["orders"]] == ["limit", "stop"]
    assert answer.body["waiting"] == []
    assert (await engine.get(LISTS + "?symbol=AAPL", "bob")).body["items"] == []


async def test_the_same_list_again_answers_its_order_and_another_one_is_refused(
    engine: RunningEngine,
) -> None:
    first = await engine.post(LISTS, "alice", BRACKET)
    again = await engine.post(LISTS, "alice", BRACKET)
    assert (again.status, again.body["id"]) == (200, first.body["list_id"])
    other = await engine.post(LISTS, "alice", BRACKET | {"qty": "90"})
    assert (other.status, other.body["reason"]) == (409, "client_order_id_reused")


@pytest.mark.parametrize(
    ("change", "status", "reason"),
    [
        ({"symbol": "NONE"}, 422, "unknown_symbol"),
        ({"contingency": "either"}, 422, "order_list_invalid"),
        ({"orders": BRACKET["orders"][:2]}, 422, "order_list_invalid"),  # type: ignore[index]
        ({"orders": [{"side": "up", "price": "1.00"}, STOP, STOP]}, 422, "side_invalid"),
        ({"orders": [{"side": "buy", "price": "1.00"}, STOP, STOP]}, 422, "list_order_invalid"),
        ({"qty": "0"}, 422, "quantity_not_positive"),
        ({"orders": []}, 400, "invalid_field"),
    ],
)
async def test_a_list_that_cannot_be_is_refused_as_a_whole(
    engine: RunningEngine, change: dict[str, Any], status: int, reason: str
) -> None:
    answer = await engine.post(LISTS, "alice", BRACKET | change)
    assert (answer.status, answer.body["reason"]) == (status, reason), answer.body
    assert (await engine.get("/api/v1/orders?status=open", "alice")).body["items"] == []
