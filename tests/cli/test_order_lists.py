"""`exchange order pair|then|bracket|lists` asks the engine for what was typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.stub_component import StubComponent

PATH = "/api/v1/order_lists"
ENTERED = {
    "list_id": "74", "contingency": "bracket", "symbol": "AAPL", "qty": "100",
    "orders": [{"id": "74", "side": "buy", "price": "189.20", "status": "new"}],
    "waiting": [{"id": "73", "side": "sell", "price": "195"}, {"id": "72", "side": "sell", "stop_price": "185"}],
}  # fmt: skip
LIVE = {
    "list_id": "74", "contingency": "bracket", "account": "1", "symbol": "AAPL", "order_ids": ["74"],
    "filled_qty": "0", "waiting": [{"id": "73"}, {"id": "72"}],
}  # fmt: skip


def test_a_bracket_names_the_entry_and_both_exits(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("POST", PATH, ENTERED, 201)
    ran = run("order", "bracket", "buy", "aapl", "100", "@", "189.20", "--take", "195", "--stop", "185")
    assert ran.out == (
        "list 74: bracket of 100 AAPL\n  order 74: buy at 189.20: new\n  order 73: sell at 195: waits for 74\n"
        "  order 72: sell at market, stop 185: waits for 74\n"
    )
    (asked,) = component.asked
    assert asked.body == {
        "contingency": "bracket", "symbol": "AAPL", "qty": "100", "orders": [
            {"side": "buy", "price": "189.20", "time_in_force": "day"},
            {"side": "sell", "price": "195", "time_in_force": "day"},
            {"side": "sell", "type": "stop", "stop_price": "185", "time_in_force": "day"},
        ],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "orders"),
    [
        (
            ["pair", "sell", "AAPL", "5", "@", "195", "--stop", "185", "--stop-limit", "184", "--tif", "gtc"],
            [
                {"side": "sell", "price": "195", "time_in_force": "gtc"},
                {
                    "side": "sell", "type": "stop_limit", "stop_price": "185", "time_in_force": "gtc",
                    "price": "184",
                },
            ],
        ),
        (
            ["then", "buy", "AAPL", "5", "--then-at", "195", "--account", "3"],
            [
                {"side": "buy", "type": "market", "time_in_force": "ioc"},
                {"side": "sell", "type": "limit", "time_in_force": "day", "price": "195"},
            ],
        ),
    ],
)  # fmt: skip
def test_a_pair_and_an_order_to_follow_are_sent_as_they_are(
    run: Run, component: StubComponent, data: Path, typed: list[str], orders: list[dict[str, str]]
) -> None:
    component.answer("POST", PATH, ENTERED, 201)
    assert run("order", *typed).code == 0
    (asked,) = component.asked
    assert isinstance(asked.body, dict)
    assert asked.body["orders"] == orders
    assert asked.body.get("account", "") == ("3" if "--account" in typed else "")


def test_lists_are_shown_as_a_table(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("GET", PATH, {"items": [LIVE]})
    assert "74" in run("order", "lists").out
    component.answer("GET", PATH, {"items": []})
    assert "no order lists" in run("order", "lists").out
