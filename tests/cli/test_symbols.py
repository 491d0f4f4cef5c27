"""`exchange symbols …` lists symbols and does what operators do with them."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Run
from tests.cli.stub_component import StubComponent

AAPL = {
    "id": "1",
    "symbol": "AAPL",
    "name": "Apple Inc.",
    "state": "active",
    "round_lot": "1",
    "reference_price": "189.20",
    "ticks": [{"from": "0.00", "tick": "0.0001"}, {"from": "1.00", "tick": "0.01"}],
}


def test_symbols_are_listed_without_a_key(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("GET", "/api/v1/symbols", {"items": [AAPL], "next": None})
    header, row = run("symbols", "list").out.splitlines()
    assert header.split() == [
        "symbol",
        "state",
        "reference",
        "round",
        "lot",
        "ticks",
        "protection",
        "allocation",
        "name",
    ]
    assert (
        row
        == "AAPL    active     189.20          1  0.0001 from 0.00, 0.01 from 1.00  none        price_time  Apple Inc."
    )
    assert component.asked[0].key == ""


def test_a_symbol_is_added_by_the_operator(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("POST", "/api/v1/symbols", AAPL, 201)
    run(
        *[
            "symbols",
            "add",
            "acme",
            "--reference-price",
            "25.00",
            "--round-lot",
            "10",
            "--ticks",
            "0:0.0001,1:0.05",
        ]
    )
    (asked,) = component.asked
    assert asked.key == "xk_operator"
    assert asked.body == {
        "symbol": "ACME",
        "name": "ACME",
        "reference_price": "25.00",
        "round_lot": "10",
        "ticks": [{"from": "0", "tick": "0.0001"}, {"from": "1", "tick": "0.05"}],
    }


def test_a_symbol_is_suspended_and_resumed_with_a_reason(
    run: Run, component: StubComponent, data: Path
) -> None:
    component.answer("POST", "/api/v1/symbols/AAPL/suspend", AAPL | {"state": "suspended"})
    component.answer("POST", "/api/v1/symbols/AAPL/resume", AAPL)
    assert "suspended" in run("symbols", "suspend", "aapl", "--reason", "news").out
    assert run("symbols", "resume", "AAPL", "--json").json["state"] == "active"
    assert [asked.body for asked in component.asked] == [{"reason": "news"}, {}]


def test_the_reference_price_is_set(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("PUT", "/api/v1/symbols/AAPL/reference_price", AAPL)
    assert run("symbols", "reference", "AAPL", "189.20").code == 0
    assert component.asked[0].body == {"price": "189.20"}


def test_an_allocation_is_given_step_by_step(run: Run, component: StubComponent, data: Path) -> None:
    steps = {"steps": [{"step": "top"}, {"step": "pro_rata"}]}
    component.answer("PUT", "/api/v1/symbols/AAPL/allocation", AAPL | {"allocation": steps})
    ran = run(
        "symbols", "allocation", "aapl", "top,max=9", "lead", "pro_rata,min=2", "--lead", "3:2000,5:1000"
    )
    assert "top pro_rata" in ran.out
    run("symbols", "allocation", "aapl", "price_time")
    asked, back = component.asked
    assert (asked.key, back.body) == ("xk_operator", {"steps": [], "lead_makers": []})
    assert asked.body == {
        "steps": [
            {"step": "top", "share_bps": 10000, "maximum": 9}, {"step": "lead"},
            {"step": "pro_rata", "rounding": "down", "minimum": 2},
        ],
        "lead_makers": [{"account": "3", "share_bps": 2000}, {"account": "5", "share_bps": 1000}],
    }  # fmt: skip


def test_what_is_no_step_is_told_before_anybody_is_asked(
    run: Run, component: StubComponent, data: Path
) -> None:
    assert "begins with one of fifo, pro_rata" in run("symbols", "allocation", "aapl", "lifo").err
    assert "name the steps, or price_time" in run("symbols", "allocation", "aapl").err
    assert "--lead takes account" in run("symbols", "allocation", "aapl", "lead", "--lead", "x").err
    assert component.asked == []
