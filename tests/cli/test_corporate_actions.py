"""`exchange symbols split|rename|dividend` asks the engine as the operator."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Run
from tests.cli.stub_component import StubComponent
from tests.cli.test_symbols import AAPL


def test_a_split_is_asked_for_by_its_ratio(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("POST", "/api/v1/symbols/AAPL/split", AAPL)
    assert run("symbols", "split", "aapl", "3:2", "--cash-price", "126.00", "--note", "why").code == 0
    body = {"new_shares": 3, "old_shares": 2, "cash_price": "126.00", "note": "why"}
    assert component.asked[0].body == body


def test_a_ratio_that_is_none_is_explained(run: Run, component: StubComponent, data: Path) -> None:
    outcome = run("symbols", "split", "AAPL", "2")
    assert outcome.code == 2
    assert "the ratio is new:old, such as 2:1; got '2'" in outcome.err


def test_a_symbol_gets_another_ticker(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("POST", "/api/v1/symbols/AAPL/rename", AAPL)
    assert run("symbols", "rename", "aapl", "appl", "--name", "Apple").code == 0
    assert component.asked[0].body == {"symbol": "APPL", "name": "Apple"}


def test_a_dividend_is_paid(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("POST", "/api/v1/symbols/AAPL/dividend", AAPL)
    assert run("symbols", "dividend", "AAPL", "0.25").code == 0
    assert component.asked[0].body == {"amount": "0.25", "note": ""}


def test_short_sales_are_set_by_risk(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("PUT", "/api/v1/symbols/AAPL/short_sales", AAPL)
    assert run("symbols", "short-sales", "AAPL", "--trigger-bps", "1000", "--needs-locate").code == 0
    body = {"trigger_bps": 1000, "needs_locate": True, "needs_marking": False}
    assert component.asked[0].body == body
