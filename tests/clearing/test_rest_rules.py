"""Dry runs over real HTTP: what other rules would have said, who may ask, and answers to nonsense."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from exchange.wire.rest.rules import DRY_RUN_TRADES_MAX
from tests.clearing.running import RunningClearing

NARROW = {"id": "NARROW", "kind": "price_band", "tiers": [{"percent": "1"}], "bust_at": 0}


@pytest.fixture
async def clearing(tmp_path: Path) -> AsyncIterator[RunningClearing]:
    async with RunningClearing(tmp_path) as running:
        for price in ("189.20", "192.00", "195.00"):
            running.stream.trade(1, 2, 100, price=price)
        await running.caught_up()
        yield running


async def run(clearing: RunningClearing, key: str = "auditor", **body: Any) -> tuple[int, Any]:
    return await clearing.ask("POST", "/rules/dry-run", key, {"rules": [NARROW]} | body)


async def test_a_dry_run_tells_what_other_rules_would_have_said_and_changes_nothing(
    clearing: RunningClearing,
) -> None:
    before = await clearing.get("/stats")
    status, answer = await run(clearing)
    assert (status, answer["trades"], answer["differences_count"]) == (200, 3, 1)
    assert (answer["present"], answer["proposed"]) == (
        {"accept": 2, "flag": 0, "hold": 1, "bust": 0},
        {"accept": 1, "flag": 0, "hold": 2, "bust": 0},
    )
    assert answer["rules"] == [{"id": "NARROW", "hits": 2, "failures": 0}]
    (found,) = answer["differences"]
    assert (found["price"], found["present"], found["proposed"]) == ("192.00", "accept", "hold")
    assert found["hits"][0]["sentence"].startswith(
        "The price 192.00 is 2.80 above the reference price 189.20"
    )
    after = await clearing.get("/stats")
    assert (after["trades"], after["ledger_hash"]) == (before["trades"], before["ledger_hash"])
    assert (await clearing.get("/rules"))["items"][0]["id"] == "CE-CORE"


async def test_only_the_last_trades_are_looked_at(clearing: RunningClearing) -> None:
    _, answer = await run(clearing, trades=1)
    assert (answer["trades"], answer["present"]["hold"]) == (1, 1)


async def test_rules_with_parameters_of_their_own_are_shown_as_they_are_configured(tmp_path: Path) -> None:
    rule = {"id": "CE", "kind": "price_band", "core_hours": "14:30-21:00", "leverage": {"AAPL": 2}}
    async with RunningClearing(tmp_path, rule=(rule,)) as clearing:
        parameters = (await clearing.get("/rules"))["items"][0]["parameters"]
        assert (parameters["core_hours"], parameters["leverage"]) == ("14:30-21:00", {"AAPL": 2})


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            {"rules": [{"id": "A", "kind": "expr", "expr": "1 / 0"}]},
            "clearing rule 'A', key 'expr': got '1 / 0'",
        ),
        ({"rules": [NARROW | {"tests": [{"trade": {}, "verdict": "bust"}]}]}, "example 1 wants bust"),
        ({"rules": [{"id": "A", "kind": "halted", "x" * 9: 1}]}, "a halted rule has no such key"),
        ({"trades": 0}, "trades must be 1 to 20000, got 0"),
        ({"trades": DRY_RUN_TRADES_MAX + 1}, "trades must be 1 to 20000"),
    ],
)
async def test_rules_that_cannot_be_are_refused_with_rule_and_key(
    clearing: RunningClearing, body: dict[str, Any], message: str
) -> None:
    status, error = await run(clearing, **body)
    assert (status, error["reason"]) == (400 if "trades" in body else 422, "invalid_field")
    assert message in error["message"]


@pytest.mark.parametrize(("key", "status"), [("alice", 403), ("", 401), ("clearing", 200), ("operator", 200)])
async def test_only_the_office_tries_rules(clearing: RunningClearing, key: str, status: int) -> None:
    assert (await run(clearing, key))[0] == status


async def test_a_shadow_run_sees_the_trades_that_come_and_decides_nothing(clearing: RunningClearing) -> None:
    status, begun = await clearing.ask("POST", "/rules/shadow", "operator", {"rules": [NARROW], "trades": 3})
    assert (status, begun["trades"], begun["done"]) == (201, 0, False)
    status, refused = await clearing.ask("POST", "/rules/shadow", "operator", {"rules": [NARROW]})
    assert (status, refused["reason"]) == (409, "conflict")
    for price in ("189.20", "192.00"):
        clearing.stream.trade(1, 2, 100, price=price)
    await clearing.caught_up()
    _, found = await clearing.ask("GET", "/rules/shadow", "auditor")
    assert (found["trades"], found["done"], found["differences_count"]) == (2, False, 1)
    assert found["differences"][0]["proposed"] == "hold"
    for price in ("189.20", "192.00"):
        clearing.stream.trade(1, 2, 100, price=price)
    await clearing.caught_up()
    status, ended = await clearing.ask("DELETE", "/rules/shadow", "operator")
    assert (status, ended["trades"], ended["done"]) == (200, 3, True)
    assert (await clearing.ask("GET", "/rules/shadow", "operator"))[0] == 404
    assert {trade["state"] for trade in (await clearing.get("/trades"))["items"]} == {"accepted", "held"}


async def test_a_shadow_run_of_wrong_rules_is_refused(clearing: RunningClearing) -> None:
    for body in ({"rules": [{"id": "X", "kind": "nix"}]}, {"rules": [NARROW], "trades": 0}):
        status, answer = await clearing.ask("POST", "/rules/shadow", "operator", body)
        assert (status, answer["field"]) in ((422, "rules"), (400, "trades"))
    assert (await clearing.ask("GET", "/rules/shadow", "operator"))[0] == 404
