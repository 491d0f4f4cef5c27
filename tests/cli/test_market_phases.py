"""`exchange phases …` shows the schedule and does what operators do with phases and halts."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Run
from tests.cli.stub_component import StubComponent

SCHEDULE = {"items": [{"symbol": "", "phase": "closed", "at": "2026-11-23T21:00:00.000000000Z"}]}


def test_the_schedule_is_shown_without_a_key(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("GET", "/api/v1/market/schedule", SCHEDULE)
    header, row = run("phases", "schedule").out.splitlines()
    assert header.split() == ["begins", "symbol", "phase"]
    assert row.split() == ["2026-11-23T21:00:00.000000000Z", "all", "closed"]
    assert component.asked[0].key == ""


def test_the_operator_sets_halts_and_resumes(run: Run, component: StubComponent, data: Path) -> None:
    for verb in ("phase", "halt", "resume"):
        component.answer("POST", f"/api/v1/market/{verb}", {"items": []})
    assert run("phases", "set", "closed").out.strip() == "nothing is scheduled"
    run("phases", "halt", "news pending", "--symbol", "aapl")
    run("phases", "resume", "--symbol", "aapl", "--call-s", "300")
    assert [asked.body for asked in component.asked] == [
        {"phase": "closed", "symbol": "", "reason": ""},
        {"reason": "news pending", "symbol": "AAPL"},
        {"symbol": "AAPL", "call_s": 300, "random_end_s": 0, "reason": ""},
    ]


def test_a_collar_is_set(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("PUT", "/api/v1/symbols/AAPL/auction", {"symbol": "AAPL", "phase": "continuous"})
    run("phases", "collar", "aapl", "1000", "--extensions", "2", "--extension-s", "60")
    assert component.asked[0].body == {"collar_bps": 1000, "extension_s": 60, "extensions_max": 2}
