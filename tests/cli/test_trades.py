"""`exchange trades …` shows what clearing has of each trade, and carries rulings with their reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.stub_component import StubComponent

TRADE = {
    "match_id": "88", "symbol": "AAPL", "state": "held", "version": 1, "price": "289.20", "qty": "100",
    "notional": "28920.00", "reference_price": "189.20", "buy_account": "1", "sell_account": "2",
    "buy_order_id": "39", "sell_order_id": "40", "taker_side": "buy",
    "executed_at": "2026-11-23T05:00:01.123456789Z", "seq": 88, "epoch": 1,
}  # fmt: skip
STORY = TRADE | {
    "steps": [{"at": "t", "state": "held", "version": 1, "what": "judged", "who": "rules 1", "why": "CE-CORE"}],
    "rulings": [{"hits": [{"rule_id": "CE-CORE", "verdict": "hold", "sentence": "too far away"}]}],
    "requests": [],
    "ledger": [
        {
            "number": "1", "asset": "cash", "amount": "5.00", "debit": {"holder": "due", "account": "1"},
            "credit": {"holder": "ccp", "account": None}, "what": "trade",
        }
    ],
}  # fmt: skip


def test_held_trades_are_listed_with_clearings_key(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("GET", "/api/v1/trades", {"items": [TRADE], "next": None})
    _, row = run("trades", "held").out.splitlines()
    assert row.split()[:8] == ["88", "AAPL", "289.20", "100", "189.20", "1", "2", "held"]
    (asked,) = component.asked
    assert (asked.key, asked.query) == ("xk_clearing", {"state": "held", "limit": "50"})


def test_an_empty_list_says_of_what(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("GET", "/api/v1/trades", {"items": [], "next": None})
    assert run("trades", "held").out == "no held trades\n"
    assert run("trades", "list", "--symbol", "aapl").out == "no trades\n"


@pytest.mark.parametrize(
    ("words", "verb", "body"),
    [
        (["release", "88", "--reason", "fine"], "release", {"reason": "fine"}),
        (["bust", "88", "--reason", "far off", "--code", "S"], "bust", {"reason": "far off", "code": "S"}),
        (
            ["correct", "88", "--reason", "typo", "--price", "189.20", "--quantity", "50"],
            "correct",
            {"reason": "typo", "code": "E", "price": "189.20", "qty": "50"},
        ),
    ],
)
def test_a_ruling_is_carried_with_its_reason(
    run: Run, component: StubComponent, data: Path, words: list[str], verb: str, body: dict[str, str]
) -> None:
    component.answer("POST", f"/api/v1/trades/88/{verb}", TRADE | {"state": "bust_pending"}, 202)
    assert "bust pending" in run("trades", *words).out
    assert component.asked[0].body == body


def test_a_ruling_without_a_reason_is_wrong_usage(run: Run, data: Path) -> None:
    ran = run("trades", "bust", "88")
    assert ran.code == 2
    assert "--reason" in ran.err


def test_a_trade_is_shown_with_its_whole_story(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("GET", "/api/v1/trades/88", STORY)
    out = run("trades", "show", "88").out
    assert "price            289.20\n" in out
    assert "CE-CORE  hold     too far away\n" in out
    assert "due 1  ccp  trade\n" in out


def test_a_cascade_is_a_table_with_the_stops_between(run: Run, component: StubComponent, data: Path) -> None:
    trade = {"match_id": "88", "symbol": "AAPL", "price": "189.30", "qty": "10", "state": "accepted"}
    caused = {
        "trade": trade | {"match_id": "90"},
        "caused_by": "88",
        "order_id": "7",
        "stop_price": "189.25",
        "depth": 1,
    }
    component.answer("GET", "/api/v1/trades/88/cascade", {"trade": trade, "caused": [caused]})
    lines = run("trades", "cascade", "88").out.splitlines()
    assert lines[2].split() == ["90", "AAPL", "189.30", "10", "accepted", "189.25"]
    component.answer("GET", "/api/v1/trades/88/cascade", {"trade": trade, "caused": []})
    assert "it caused no other trade" in run("trades", "cascade", "88").out
