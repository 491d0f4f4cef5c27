"""`exchange explain` lays an explanation out: sentences with their rules, a ladder of the book before and after."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.cli.conftest import Run
from tests.cli.stub_component import StubComponent

LEVEL = {"price": "10.00", "qty": "100", "orders": 1, "own_qty": "0"}
TOLD: dict[str, Any] = {
    "id": "12",
    "symbol": "XYZ",
    "headline": "Filled: buy 100 XYZ at 10.00, 100 at 10.00 on average, in 1 trade.",
    "lines": [{"text": "Nothing is left.", "rule": ""}],
    "moments": [
        {
            "command": 12, "at": "2026-11-23T09:00:00.000000000Z", "title": "Taken, and filled", "phase": "continuous",
            "lines": [{"text": "It came in and traded.", "rule": "1.1"}],
            "tables": [{"title": "Why", "columns": [">price", ">trades"], "rows": [["9.00", "5"], ["10.00", "10"]],
                        "mark": 1}],
            "before": {"bids": [], "asks": [LEVEL]},
            "after": {"bids": [LEVEL | {"price": "9.50", "qty": "30", "own_qty": "30"}], "asks": []},
        }
    ],
    "moments_left_out": 0,
    "rules": [{"number": "1.1", "title": "Priority", "link": "docs/rulebook.md#1-orders"}],
    "seq": 16, "at": "2026-11-23T09:00:00.000000000Z", "matcher": "python", "proven": "59efe10711572ac8",
}  # fmt: skip


def test_an_explanation_is_laid_out_for_people(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("GET", "/api/v1/explain/order/12", TOLD)
    lines = run("explain", "12").out.splitlines()
    assert lines[0] == TOLD["headline"]
    assert lines[1] == "  - Nothing is left."
    assert "09:00:00.000  Taken, and filled   continuous   command 12" in lines
    (sentence,) = [line for line in lines if "came in" in line]
    assert sentence.endswith("  1.1")
    assert [line.split() for line in lines if line.startswith("=>")] == [["=>", "10.00", "10"]]
    ladder = lines.index("The book before and after (*: with this order)")
    assert [line.split() for line in lines[ladder + 2 : ladder + 4]] == [["100", "10.00"], ["9.50", "30*"]]
    assert any(line.endswith("docs/rulebook.md#1-orders") for line in lines)


def test_what_is_left_out_is_said_in_its_place(run: Run, component: StubComponent, data: Path) -> None:
    told = TOLD | {"moments": TOLD["moments"] * 2, "moments_left_out": 7}
    component.answer("GET", "/api/v1/explain/order/12", told)
    lines = run("explain", "12").out.splitlines()
    at = [place for place, line in enumerate(lines) if "Taken, and filled" in line]
    assert at[0] < lines.index("… 7 moments are left out here …") < at[1]


def test_json_is_given_as_it_came(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("GET", "/api/v1/explain/order/12", TOLD)
    assert json.loads(run("explain", "12", "--json", "--as", "operator").out) == TOLD
