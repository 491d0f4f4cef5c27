"""`exchange quote …` asks the engine for what was typed, and tells what came of it."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Run
from tests.cli.stub_component import StubComponent

PATH = "/api/v1/quotes"
VIEW = {
    "symbol": "AAPL", "account": "1", "bid_order_id": "7", "ask_order_id": None, "qty": 500, "executions": 0,
    "percent_bps": 0, "delta": 0, "window_ms": 1000, "traded_qty": "40", "traded_executions": 1,
    "traded_percent_bps": 4000, "traded_delta": -40, "reached": False,
}  # fmt: skip


def test_a_quote_names_both_sides_and_tells_each_result(
    run: Run, component: StubComponent, data: Path
) -> None:
    bid = {"id": "7", "qty": "100", "price": "189.10", "status": "new"}
    answer = {
        "items": [{"symbol": "AAPL", "bid": bid}, {"symbol": "XYZ", "error": {"message": "The bid crosses."}}]
    }
    component.answer("POST", PATH, answer)
    ran = run("quote", "set", "aapl", "100", "189.10", "189.30", "--ask-quantity", "50", "--account", "3")
    assert ran.out == "AAPL bid 7: 100 at 189.10: new\nXYZ: refused, The bid crosses.\n"
    (asked,) = component.asked
    sides = {"bid_price": "189.10", "bid_qty": "100", "ask_price": "189.30", "ask_qty": "50"}
    assert asked.body == {"quotes": [{"symbol": "AAPL", **sides}], "account": "3"}


def test_quotes_are_withdrawn_protected_and_reset(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("DELETE", PATH, {"count": 2, "seq": 5})
    assert run("quote", "cancel", "--symbol", "aapl").out == "withdrew 2 orders\n"
    component.answer("PUT", PATH + "/protection", VIEW)
    assert "1000" in run("quote", "protect", "1000", "--symbol", "AAPL", "--quantity", "500").out
    component.answer("POST", PATH + "/reset", VIEW)
    assert run("quote", "reset").code == 0
    _, protected, reset = component.asked
    assert protected.body == {"window_ms": 1000, "symbol": "AAPL", "qty": 500}
    assert reset.body == {}


def test_live_quotes_and_what_was_counted_are_listed(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("GET", PATH, {"items": [VIEW]})
    assert "40/500" in run("quote", "list").out
    component.answer("GET", PATH, {"items": []})
    assert "no quotes" in run("quote", "list").out
