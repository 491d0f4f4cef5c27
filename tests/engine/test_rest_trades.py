"""Tests of exchange.engine.rest_trades: busts and corrections over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from exchange.domain.trade import BustReason
from exchange.engine.rest_trades import bust_reason_of
from exchange.infra.http_routes import ApiError
from tests.engine.running_engine import RunningEngine, shape


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[RunningEngine]:
    async with RunningEngine(tmp_path) as running:
        yield running


async def cash_and_shares(engine: RunningEngine, who: str, account: str) -> tuple[str, str]:
    body = (await engine.get(f"/api/v1/accounts/{account}", who)).body
    return body["cash"], body["holdings"][0]["qty"]


async def test_a_bust_takes_the_trade_back_everywhere(engine: RunningEngine) -> None:
    bought, sold, match = await engine.trade("100", "150.00")
    assert await cash_and_shares(engine, "alice", "1") == ("985000.00", "10100")
    busted = await engine.post(
        f"/api/v1/trades/{match}/bust", "clearing", {"reason": "erroneous", "ruling_id": "7"}
    )
    assert busted.status == 200
    assert shape(busted.body, "match_id", "status", "symbol", "price", "qty", "reason", "ruling_id", "already") == {
        "match_id": match, "status": "busted", "symbol": "AAPL", "price": "150.00", "qty": "100",
        "reason": "erroneous", "ruling_id": "7", "already": False,
    }  # fmt: skip
    assert await cash_and_shares(engine, "alice", "1") == ("1000000.00", "10000")
    assert await cash_and_shares(engine, "bob", "2") == ("1000000.00", "10000")
    for who, order in (("alice", bought), ("bob", sold)):
        shown = (await engine.get(f"/api/v1/order/{order}", who)).body
        assert shape(shown, "status", "filled_qty", "busted_qty", "avg_price") == {
            "status": "filled", "filled_qty": "0", "busted_qty": "100", "avg_price": None,
        }  # fmt: skip
        assert [fill["status"] for fill in (await engine.get("/api/v1/fills", who)).items] == ["busted"]


async def test_a_second_bust_changes_nothing_and_says_so(engine: RunningEngine) -> None:
    _, _, match = await engine.trade()
    for who, already in (("component", False), ("clearing", True), ("operator", True)):
        answer = await engine.post(f"/api/v1/trades/{match}/bust", who, {})
        assert (answer.status, answer.body["already"]) == (200, already)
    corrected = await engine.post(f"/api/v1/trades/{match}/correct", "clearing", {"price": "189.00"})
    assert (corrected.status, corrected.body["reason"]) == (422, "trade_already_busted")


async def test_a_correction_gives_another_price_or_less_quantity(engine: RunningEngine) -> None:
    bought, _, match = await engine.trade("100", "189.20")
    path = f"/api/v1/trades/{match}/correct"
    first = await engine.post(path, "clearing", {"price": "189.00"})
    assert shape(first.body, "status", "price", "qty", "new_price", "new_qty") == {
        "status": "corrected", "price": "189.20", "qty": "100", "new_price": "189.00", "new_qty": "100",
    }  # fmt: skip
    second = await engine.post(path, "clearing", {"qty": 60})
    assert shape(second.body, "price", "qty", "new_price", "new_qty") == {
        "price": "189.00", "qty": "100", "new_price": "189.00", "new_qty": "60",
    }  # fmt: skip
    again = await engine.post(path, "clearing", {"price": "189.00", "qty": "60"})
    assert (again.status, again.body["already"]) == (200, True)
    shown = (await engine.get(f"/api/v1/order/{bought}", "alice")).body
    assert shape(shown, "filled_qty", "busted_qty", "avg_price") == {
        "filled_qty": "60", "busted_qty": "40", "avg_price": "189.00",
    }  # fmt: skip
    (fill,) = (await engine.get("/api/v1/fills", "alice")).items
    assert shape(fill, "qty", "price", "status") == {"qty": "60", "price": "189.00", "status": "corrected"}
    more = await engine.post(path, "clearing", {"qty": 101})
    assert (more.status, more.body["reason"]) == (422, "correction_invalid")
    assert (await engine.post(path, "clearing", {})).status == 422


async def test_what_is_no_trade_is_unknown(engine: RunningEngine) -> None:
    order, _, match = await engine.trade()
    for match_id in ("1", str(10**6), str(int(match) + 2**56), str(2**64 - 1)):
        answer = await engine.post(f"/api/v1/trades/{match_id}/bust", "clearing", {})
        assert (answer.status, answer.body["reason"]) == (404, "unknown_trade"), match_id
    assert order != match


async def test_traders_and_auditors_rule_on_nothing(engine: RunningEngine) -> None:
    _, _, match = await engine.trade()
    for who in ("alice", "auditor"):
        assert (await engine.post(f"/api/v1/trades/{match}/bust", who, {})).status == 403
    bad = await engine.post(f"/api/v1/trades/{match}/bust", "clearing", {"reason": "mood"})
    assert (bad.status, bad.body["field"]) == (400, "reason")
    assert "one of erroneous, consent, supervisory, external" in bad.body["message"]


def test_a_reason_is_named_in_lower_case() -> None:
    assert bust_reason_of("consent") == BustReason.CONSENT
    with pytest.raises(ApiError):
        bust_reason_of("CONSENT")
