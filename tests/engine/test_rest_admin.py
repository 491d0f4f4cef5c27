"""Tests of exchange.engine.rest_admin: members, keys, deposits and the business day over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from exchange.engine.rest_admin import UINT32_MAX, date_of, id32_of, time_of
from exchange.infra.http_routes import ApiError
from tests.engine.running_engine import RunningEngine, shape


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[RunningEngine]:
    async with RunningEngine(tmp_path) as running:
        yield running


async def test_a_new_member_with_account_key_and_cash_trades(engine: RunningEngine) -> None:
    member = await engine.post("/api/v1/participants", "operator", {"name": "dora"})
    assert (member.status, member.body["name"]) == (201, "dora")
    account = await engine.post(
        "/api/v1/accounts", "operator", {"participant": member.body["id"], "name": "main"}
    )
    key = await engine.post(
        "/api/v1/keys", "operator", {"participant": member.body["id"], "role": "trader", "label": "laptop"}
    )
    path = f"/api/v1/accounts/{account.body['id']}"
    cash = await engine.post(f"{path}/deposits", "operator", {"amount": "1000.00"})
    shares = await engine.post(f"{path}/deposits", "operator", {"symbol": "AAPL", "qty": "20"})
    assert shape(cash.body, "amount", "balance") == {"amount": "1000.00", "balance": "1000.00"}
    assert shape(shares.body, "symbol", "qty", "balance") == {"symbol": "AAPL", "qty": "20", "balance": "20"}
    order = await engine.order(key.body["key"], "sell", "5", "189.20")
    assert (order.status, order.body["account"]) == (201, account.body["id"])
    await engine.order("alice", "buy", "5", "189.20")
    balances = await engine.get(path, key.body["key"])
    assert shape(balances.body, "cash", "holdings", "currency") == {
        "cash": "1946.00", "holdings": [{"symbol": "AAPL", "qty": "15"}], "currency": "USD",
    }  # fmt: skip


async def test_a_participant_with_two_accounts_says_which(engine: RunningEngine) -> None:
    second = (await engine.post("/api/v1/accounts", "operator", {"participant": "1", "name": "second"})).body[
        "id"
    ]
    unsaid = await engine.order("alice", "buy", "1", "189.00")
    assert (unsaid.status, unsaid.body["field"]) == (422, "account")
    assert f"1, {second}" in unsaid.body["message"]
    assert (await engine.order("alice", "buy", "1", "189.00", account=second)).body["account"] == second


async def test_lists_have_pages_and_show_what_a_key_may_see(engine: RunningEngine) -> None:
    members = await engine.get("/api/v1/participants?limit=2", "auditor")
    assert [member["name"] for member in members.items] == ["alice", "bob"]
    rest = await engine.get(f"/api/v1/participants?cursor={members.body['next']}", "auditor")
    carol = {
        "id": "3",
        "name": "carol",
        "accounts": ["3"],
        "self_trade_group": 0,
        "self_trade_mode": "none",
        "blocked": False,
    }
    assert rest.items == [carol]
    assert len((await engine.get("/api/v1/accounts", "operator")).items) == 3
    assert (await engine.get("/api/v1/accounts", "bob")).items == [
        {"id": "2", "participant": "2", "name": "main", "blocked": False}
    ]
    keys = (await engine.get("/api/v1/keys", "operator")).items
    assert [key["role"] for key in keys[:4]] == ["operator", "component", "clearing", "auditor"]
    assert "key" not in keys[0]


async def test_an_account_is_shown_to_its_owner_and_to_those_who_read_all(engine: RunningEngine) -> None:
    assert (await engine.get("/api/v1/accounts/1", "alice")).status == 200
    assert (await engine.get("/api/v1/accounts/1", "auditor")).status == 200
    assert (await engine.get("/api/v1/accounts/1", "bob")).status == 404
    assert (await engine.get("/api/v1/accounts/99", "auditor")).status == 404


async def test_a_revoked_key_is_worthless_at_once(engine: RunningEngine) -> None:
    key = (await engine.post("/api/v1/keys", "operator", {"role": "auditor"})).body
    assert (await engine.get("/api/v1/stats", key["key"])).status == 200
    assert (await engine.ask("DELETE", f"/api/v1/keys/{key['id']}", "operator")).body["id"] == key["id"]
    assert (await engine.get("/api/v1/stats", key["key"])).status == 401
    assert (await engine.ask("DELETE", f"/api/v1/keys/{key['id']}", "operator")).status == 404
    assert (await engine.ask("DELETE", f"/api/v1/keys/{2**40}", "operator")).status == 404


async def test_more_than_there_is_cannot_be_withdrawn(engine: RunningEngine) -> None:
    path = "/api/v1/accounts/1/withdrawals"
    done = await engine.post(path, "operator", {"amount": "1.50"})
    assert done.body["balance"] == "999998.50"
    too_much = await engine.post(path, "operator", {"amount": "1000000"})
    assert (too_much.status, too_much.body["reason"]) == (422, "insufficient_balance")
    assert "1000000.00 is more than the account's balance 999998.50" in too_much.body["message"]
    shares = await engine.post(path, "operator", {"symbol": "AAPL", "qty": 10_001})
    assert "10001 is more than the account's balance 10000" in shares.body["message"]


async def test_requests_that_cannot_be_are_refused_by_field(engine: RunningEngine) -> None:
    for path, body, status, field in (
        ("/api/v1/participants", {"name": "alice"}, 409, "name"),
        ("/api/v1/participants", {"name": " x"}, 422, "name"),
        ("/api/v1/participants", {"name": "x" * 5000}, 422, "name"),
        ("/api/v1/accounts", {"participant": "99", "name": "a"}, 422, "participant"),
        ("/api/v1/accounts", {"participant": str(2**40), "name": "a"}, 422, "participant"),
        ("/api/v1/accounts", {"participant": "x", "name": "a"}, 400, "participant"),
        ("/api/v1/keys", {"role": "king"}, 422, "role"),
        ("/api/v1/keys", {"role": "trader"}, 422, "participant"),
        ("/api/v1/keys", {"role": "viewer", "label": "\n"}, 422, "label"),
        ("/api/v1/accounts/1/deposits", {}, 400, "amount"),
        ("/api/v1/accounts/1/deposits", {"amount": "1", "qty": "1"}, 400, "amount"),
        ("/api/v1/accounts/1/deposits", {"amount": "0"}, 422, "amount"),
        ("/api/v1/accounts/1/deposits", {"amount": "-1"}, 422, "amount"),
        ("/api/v1/accounts/1/deposits", {"amount": "1.00001"}, 400, "amount"),
        ("/api/v1/accounts/1/deposits", {"symbol": "NOPE", "qty": 1}, 422, "symbol"),
        ("/api/v1/business-day", {"date": "tomorrow"}, 400, "date"),
        ("/api/v1/business-day", {"date": "2026-13-01"}, 422, "date"),
        ("/api/v1/business-day", {"ends_at": "soon"}, 400, "ends_at"),
        ("/api/v1/business-day", {"ends_at": "9999-01-01T00:00:00Z"}, 400, "ends_at"),
        ("/api/v1/business-day", {"ends_at": "2001-01-01T00:00:00Z"}, 422, "date"),
    ):
        answer = await engine.post(path, "operator", body)
        assert (answer.status, answer.body["field"]) == (status, field), (path, body, answer)
    assert (await engine.post("/api/v1/accounts/99/deposits", "operator", {"amount": "1"})).status == 404
    assert (await engine.post("/api/v1/participants", "alice", {"name": "x"})).status == 403


async def test_a_new_business_day_ends_day_orders_and_frees_client_order_ids(engine: RunningEngine) -> None:
    before = (await engine.get("/api/v1/business-day")).body
    day = (await engine.order("alice", "buy", "1", "189.00", client_order_id="a-1")).body["id"]
    kept = (await engine.order("alice", "buy", "1", "189.00", time_in_force="gtc")).body["id"]
    begun = await engine.post("/api/v1/business-day", "operator", {})
    assert begun.status == 201
    assert begun.body["date"] > before["date"]
    assert begun.body["ends_at"] > before["ends_at"]
    assert (await engine.get(f"/api/v1/order/{day}", "alice")).body["status"] == "expired"
    assert (await engine.get(f"/api/v1/order/{kept}", "alice")).body["status"] == "new"
    assert (await engine.order("alice", "buy", "2", "189.00", client_order_id="a-1")).status == 201
    never = await engine.post("/api/v1/business-day", "operator", {"date": "2990-01-01", "ends_at": "never"})
    assert shape(never.body, "date", "ends_at") == {"date": "2990-01-01", "ends_at": None}


async def test_a_key_of_the_exchange_says_for_ever_who_had_it_made(engine: RunningEngine) -> None:
    kim = await engine.post("/api/v1/keys", "operator", {"role": "operator", "label": "kim"})
    assert kim.body["label"] == "kim (of operator)"
    body = {"role": "clearing", "label": "kim (of clearing)"}
    other = await engine.post("/api/v1/keys", kim.body["key"], body)
    assert other.body["label"] == "kim (of clearing) (of operator)"
    long = await engine.post("/api/v1/keys", "operator", {"role": "viewer", "label": "x" * 60})
    assert (long.status, long.body["field"]) == (422, "label")


def test_numbers_and_times_in_texts_are_taken_within_their_limits() -> None:
    assert id32_of(str(2**50), "participant") == UINT32_MAX
    assert date_of("2026-11-23") == 20261123
    assert time_of("1970-01-01T00:00:01Z", "ends_at") == 1_000_000_000
    for text in ("1969-12-31T23:59:59Z", "2400-01-01T00:00:00Z"):
        with pytest.raises(ApiError, match="ends_at"):
            time_of(text, "ends_at")
