"""Participants, accounts, keys, deposits and withdrawals, as an operator handles them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.stub_component import StubComponent


def test_a_new_participant_gets_an_account_cash_and_a_key(
    run: Run, component: StubComponent, data: Path
) -> None:
    component.answer("POST", "/api/v1/participants", {"id": "5", "name": "dora", "accounts": []}, 201)
    component.answer("POST", "/api/v1/accounts", {"id": "9", "participant": "5", "name": "main"}, 201)
    component.answer(
        "POST", "/api/v1/accounts/9/deposits", {"account": "9", "seq": 1, "balance": "10.00"}, 201
    )
    component.answer("POST", "/api/v1/keys", {"id": "12", "key": "xk_dora"}, 201)
    ran = run("participants", "create", "dora", "--cash", "10.00", "--json")
    assert ran.json == {"participant": "5", "name": "dora", "account": "9", "cash": "10.00", "key": "xk_dora"}
    assert [asked.body for asked in component.asked] == [
        {"name": "dora"},
        {"participant": "5", "name": "main"},
        {"amount": "10.00"},
        {"participant": "5", "role": "trader", "label": "dora's first"},
    ]
    assert {asked.key for asked in component.asked} == {"xk_operator"}


def test_lists_are_tables(run: Run, component: StubComponent, data: Path) -> None:
    component.answer(
        "GET", "/api/v1/participants", {"items": [{"id": "1", "name": "alice", "accounts": ["1"]}]}
    )
    component.answer("GET", "/api/v1/accounts", {"items": [{"id": "1", "participant": "1", "name": "main"}]})
    key = {"id": "3", "participant": "1", "role": "trader", "label": "demo"}
    component.answer("GET", "/api/v1/keys", {"items": [key]})
    assert run("participants", "list").out.splitlines()[1].split() == ["1", "alice", "1"]
    assert run("accounts", "list").out.splitlines()[1].split() == ["1", "main", "1"]
    assert run("keys", "list").out.splitlines()[1].split() == ["3", "trader", "1", "demo"]


def test_an_account_shows_cash_and_shares(run: Run, component: StubComponent, data: Path) -> None:
    account = {
        "id": "1", "participant": "1", "name": "main", "currency": "USD", "cash": "1000.00",
        "holdings": [{"symbol": "AAPL", "qty": "100"}], "seq": 9,
    }  # fmt: skip
    component.answer("GET", "/api/v1/accounts/1", account)
    out = run("accounts", "show", "1").out
    assert "cash         1000.00 USD\n" in out
    assert "AAPL       100\n" in out


def test_keys_are_made_and_revoked(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("POST", "/api/v1/keys", {"id": "12", "role": "auditor", "key": "xk_new"}, 201)
    component.answer("DELETE", "/api/v1/keys/12", {"id": "12", "seq": 44})
    assert "xk_new" in run("keys", "create", "auditor", "--label", "audit").out
    assert run("keys", "revoke", "12").code == 0
    assert component.asked[0].body == {"role": "auditor", "label": "audit"}


def test_an_account_is_opened(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("POST", "/api/v1/accounts", {"id": "9", "participant": "1", "name": "savings"}, 201)
    assert run("accounts", "create", "1", "savings").code == 0
    assert component.asked[0].body == {"participant": "1", "name": "savings"}


@pytest.mark.parametrize(
    ("words", "path", "body"),
    [
        ("deposit 1 1000.00", "/api/v1/accounts/1/deposits", {"amount": "1000.00"}),
        ("deposit 1 aapl 100", "/api/v1/accounts/1/deposits", {"symbol": "AAPL", "qty": "100"}),
        ("withdraw 1 50", "/api/v1/accounts/1/withdrawals", {"amount": "50"}),
    ],
)
def test_cash_and_shares_move(
    run: Run, component: StubComponent, data: Path, words: str, path: str, body: dict[str, str]
) -> None:
    component.answer("POST", path, {"account": "1", "seq": 8, "balance": "0.00"}, 201)
    assert run(*words.split()).code == 0
    assert component.asked[0].body == body


@pytest.mark.parametrize("words", ["deposit 1 AAPL", "deposit 1 100.00 5"])
def test_what_moves_must_be_cash_or_shares(run: Run, data: Path, words: str) -> None:
    ran = run(*words.split())
    assert ran.code == 2
    assert "say an amount of cash such as 1000.00" in ran.err


def test_a_participant_is_kept_from_trading_with_itself(
    run: Run, component: StubComponent, data: Path
) -> None:
    member = {
        "id": "1",
        "name": "alice",
        "accounts": ["1"],
        "self_trade_group": 1,
        "self_trade_mode": "cancel_newest",
    }
    component.answer("PUT", "/api/v1/participants/1/self_trade_prevention", member)
    assert "cancel_newest" in run("participants", "self-trade", "1", "cancel-newest").out
    run("participants", "self-trade", "1", "none")
    assert [asked.body for asked in component.asked] == [
        {"group": 1, "mode": "cancel_newest"}, {"group": 0, "mode": "none"},
    ]  # fmt: skip
