"""Tests of exchange.engine.rest_risk: kill switch, limits and cancel timer over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from exchange.domain.risk import LimitKind
from exchange.engine.rest_risk import timer_view, value_of
from exchange.infra.http_routes import ApiError
from tests.engine.running_engine import RunningEngine, shape

BLOCKS, LIMITS, TIMER = "/api/v1/risk/blocks", "/api/v1/risk/limits", "/api/v1/cancel-on-timeout"
ACCOUNT = {"scope": "account", "subject": "1"}


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[RunningEngine]:
    async with RunningEngine(tmp_path) as running:
        yield running


async def test_a_blocked_account_enters_nothing_until_another_role_lifts_the_block(
    engine: RunningEngine,
) -> None:
    order = await engine.order("alice", "buy", "5", "100.00")
    blocked = await engine.post(BLOCKS, "operator", {**ACCOUNT, "reason": "runaway algorithm"})
    assert (blocked.status, shape(blocked.body, "by", "cause", "reason", "canceled_orders")) == (
        201, {"by": "operator", "cause": "ordered", "reason": "runaway algorithm", "canceled_orders": 1},
    )  # fmt: skip
    canceled = (await engine.get(f"/api/v1/order/{order.body['id']}", "alice")).body
    assert (canceled["status"], canceled["cancel_reason"]) == ("canceled", "kill_switch")
    refused = await engine.order("alice", "buy", "5", "100.00")
    assert (refused.status, refused.body["reason"]) == (422, "account_blocked")
    assert (await engine.get("/api/v1/accounts", "alice")).items[0]["blocked"]
    assert [one["subject"] for one in (await engine.get(BLOCKS, "alice")).items] == ["1"]
    assert (await engine.get(BLOCKS, "bob")).items == []
    again = await engine.post(BLOCKS, "operator", ACCOUNT)
    assert (again.status, again.body["reason"]) == (409, "already_blocked")
    same = await engine.post(f"{BLOCKS}/lift", "operator", ACCOUNT)
    assert (same.status, same.body["reason"]) == (422, "another_role_needed")
    assert "role operator, role that blocked operator" in same.body["message"]
    assert (await engine.post(f"{BLOCKS}/lift", "alice", ACCOUNT)).status == 403
    assert (await engine.post(f"{BLOCKS}/lift", "risk", ACCOUNT)).status == 200
    assert (await engine.order("alice", "buy", "5", "100.00")).status == 201
    gone = await engine.post(f"{BLOCKS}/lift", "risk", ACCOUNT)
    assert (gone.status, gone.body["reason"]) == (404, "not_blocked")


async def test_a_member_pulls_the_switch_for_itself_and_for_nobody_else(engine: RunningEngine) -> None:
    own = await engine.post(BLOCKS, "alice", {"scope": "participant", "subject": "1", "cancel_orders": False})
    assert (own.status, own.body["by"]) == (201, "trader")
    for scope, subject in (("participant", "2"), ("account", "2"), ("market", ""), ("symbol", "AAPL")):
        other = await engine.post(BLOCKS, "alice", {"scope": scope, "subject": subject})
        assert (other.status, other.body["reason"]) == (422, "scope_invalid"), scope
    assert (await engine.order("alice", "buy", "5", "100.00")).body["reason"] == "participant_blocked"
    assert (await engine.get("/api/v1/participants", "operator")).items[0]["blocked"]


async def test_market_and_symbol_are_blocked_and_everybody_sees_it(engine: RunningEngine) -> None:
    for body, reason in (
        ({"scope": "symbol", "subject": "AAPL"}, "symbol_blocked"), ({"scope": "market"}, "market_blocked"),
    ):  # fmt: skip
        assert (await engine.post(BLOCKS, "risk", body)).status == 201
        assert (await engine.order("bob", "buy", "5", "100.00")).body["reason"] == reason
    assert [one["scope"] for one in (await engine.get(BLOCKS, "bob")).items] == ["symbol", "market"]


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"scope": "planet"}, 400, "scope"), ({"scope": "market", "subject": "1"}, 422, "subject"),
        ({"scope": "symbol"}, 422, "subject"), ({"scope": "account", "subject": "x"}, 422, "subject"),
        ({"scope": "account", "subject": "99"}, 422, "subject"),
        ({"scope": "account", "subject": "1", "reason": "\t"}, 422, "reason"),
    ],
)  # fmt: skip
async def test_what_cannot_be_blocked_is_said_by_field(
    engine: RunningEngine, body: dict[str, str], status: int, field: str
) -> None:
    refused = await engine.post(BLOCKS, "operator", body)
    assert (refused.status, refused.body["field"]) == (status, field)


async def test_a_limit_is_set_shown_held_and_taken_away(engine: RunningEngine) -> None:
    limit = {**ACCOUNT, "kind": "max_notional", "value": "1000.00"}
    was_set = await engine.ask("PUT", LIMITS, "operator", limit)
    assert shape(was_set.body, "kind", "value") == {"kind": "max_notional", "value": "1000.00"}
    refused = await engine.order("alice", "buy", "11", "100.00")
    assert (refused.status, refused.body["reason"]) == (422, "max_notional")
    assert "notional 1100.00, limit 1000.00" in refused.body["message"]
    assert [one["kind"] for one in (await engine.get(f"{LIMITS}?scope=account", "alice")).items] == [
        "max_notional"
    ]
    assert (await engine.get(LIMITS, "bob")).items == []
    await engine.order("alice", "buy", "3", "100.00")
    used = await engine.get("/api/v1/risk/usage/account/1", "alice")
    assert shape(used.body, "open_buys", "gross", "loss") == {
        "open_buys": "300.00",
        "gross": "0.00",
        "loss": "0.00",
    }
    assert (await engine.get("/api/v1/risk/usage/account/1", "bob")).status == 404
    taken = await engine.ask("PUT", LIMITS, "operator", {**ACCOUNT, "kind": "max_notional"})
    assert (taken.status, "value" in taken.body) == (200, False)
    assert (await engine.order("alice", "buy", "11", "100.00")).status == 201
    assert (await engine.ask("PUT", LIMITS, "alice", limit)).status == 403


async def test_limits_come_in_pages(engine: RunningEngine) -> None:
    for kind in ("position", "gross", "loss"):
        assert (
            await engine.ask("PUT", LIMITS, "risk", {**ACCOUNT, "kind": kind, "value": "5"})
        ).status == 200
    first = await engine.get(f"{LIMITS}?limit=2", "operator")
    rest = await engine.get(f"{LIMITS}?limit=2&cursor={first.body['next']}", "operator")
    assert [one["kind"] for one in (*first.items, *rest.items)] == ["position", "gross", "loss"]
    assert rest.body["next"] is None


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"kind": "luck"}, 400, "kind"), ({"value": "-1"}, 400, "value"),
        ({"kind": "gross", "value": "x"}, 400, "value"),
        ({"span": -1}, 400, "span"), ({"span": 2**40}, 422, "span"), ({"value": "1.5"}, 422, "value"),
        ({"span": 5}, 422, "value"), ({"symbol": "NONE"}, 422, "symbol"),
        ({"scope": "market", "subject": ""}, 422, "subject"),
    ],
)  # fmt: skip
async def test_what_is_no_limit_is_said_by_field(
    engine: RunningEngine, change: dict[str, object], status: int, field: str
) -> None:
    refused = await engine.ask(
        "PUT", LIMITS, "operator", {**ACCOUNT, "kind": "position", "value": "5", **change}
    )
    assert (refused.status, refused.body["field"]) == (status, field)


async def test_a_cancel_timer_that_ends_cancels_the_orders_of_who_fell_silent(engine: RunningEngine) -> None:
    order = await engine.order("alice", "buy", "5", "100.00")
    assert (await engine.get(TIMER, "alice")).body == {"participant": "1", "expires_at": None}
    was_set = await engine.post(TIMER, "alice", {"timeout_ms": 3_600_000})
    assert was_set.body == (await engine.get(TIMER, "alice")).body
    assert was_set.body["expires_at"]
    assert (await engine.post(TIMER, "alice", {"timeout_ms": 0})).body["expires_at"] is None
    await engine.post(TIMER, "alice", {"timeout_ms": 1})
    path = f"/api/v1/order/{order.body['id']}"
    while (found := (await engine.get(path, "alice")).body)["status"] == "new":
        pass
    assert found["cancel_reason"] == "cancel_timer"
    long = await engine.post(TIMER, "alice", {"timeout_ms": 3_600_001})
    assert (long.status, long.body["reason"]) == (422, "timer_invalid")


async def test_orders_are_cancelled_by_price(engine: RunningEngine) -> None:
    for price in ("99.00", "100.00", "101.00"):
        await engine.order("alice", "buy", "5", price)
    gone = await engine.ask("DELETE", "/api/v1/orders?min_price=99.50&max_price=100.00", "alice")
    assert gone.body["count"] == 1
    prices = [one["price"] for one in (await engine.get("/api/v1/orders?status=open", "alice")).items]
    assert prices == ["101.00", "99.00"]


def test_a_value_is_money_or_a_whole_number_by_its_kind() -> None:
    assert (value_of(LimitKind.GROSS, "1.5"), value_of(LimitKind.POSITION, "15")) == (15_000, 15)
    with pytest.raises(ApiError, match="the value of position is a whole number"):
        value_of(LimitKind.POSITION, "1.5")


async def test_a_list_of_limits_is_asked_for_by_scope_and_then_by_subject(engine: RunningEngine) -> None:
    unknown = await engine.get(f"{LIMITS}?scope=planet", "operator")
    assert (unknown.status, unknown.body["field"]) == (400, "scope")
    alone = await engine.get(f"{LIMITS}?subject=1", "operator")
    assert (alone.status, alone.body["field"]) == (422, "scope")
    assert (await engine.get("/api/v1/risk/usage/planet/1", "operator")).status == 404


def test_no_timer_has_no_end() -> None:
    assert timer_view(1, 0).expires_at is None
