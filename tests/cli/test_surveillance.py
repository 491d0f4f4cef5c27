"""`exchange surveillance …` shows alerts, carries what officers say, and looks through an event log offline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from exchange.infra.event_log import EventLog
from exchange.surveillance.alert import hash_of_all
from exchange.surveillance.watcher import Watcher
from exchange.wire.records import encode_event
from tests.cli.conftest import Run
from tests.cli.stub_component import StubComponent
from tests.post_trade.stream import Stream

ID = "012345678901234567"
PATH = "/api/v1/surveillance/alerts"
ALERT: dict[str, Any] = {
    "alert_id": ID, "number": "1", "detector": "SPOOF-1", "version": 1, "settings": "ab", "level": "alert",
    "state": "new", "assignee": "", "outcome": "", "symbol": "AAPL", "members": ["alice"], "accounts": ["1"],
    "date": "2026-11-23", "begins_at": "t", "ends_at": "t", "raised_at": "t", "raised_seq": 9, "score": 65,
    "summary": "a large bid", "measures": [{"what": "life", "seen": "3 ms", "limit": "5 ms"}], "evidence": [3, 9],
    "steps": [{"at": "t", "what": "escalated", "state": "escalated", "who": "kim", "why": "again"}],
}  # fmt: skip
ACTS: list[tuple[list[str], str, dict[str, str]]] = [
    (["assign", ID, "kim", "--reason", "today"], "assign", {"to": "kim", "reason": "today"}),
    (["escalate", ID, "--reason", "again"], "escalate", {"reason": "again"}),
    (
        ["close", ID, "explained", "--reason", "a hedge"],
        "close",
        {"outcome": "explained", "reason": "a hedge"},
    ),
    (["reopen", ID, "--reason", "more"], "reopen", {"reason": "more"}),
]


@pytest.mark.parametrize(("words", "verb", "body"), ACTS)
def test_what_officers_say_reaches_clearing(
    run: Run, component: StubComponent, data: Path, words: list[str], verb: str, body: dict[str, str]
) -> None:
    component.answer("POST", f"{PATH}/{ID}/{verb}", ALERT)
    assert "a large bid" in run("surveillance", *words).out
    (asked,) = component.asked
    assert (asked.key, asked.body) == ("xk_risk", body)


def test_alerts_are_listed_and_shown_by_the_first_digits_too(
    run: Run, component: StubComponent, data: Path
) -> None:
    component.answer("GET", PATH, {"items": [ALERT], "next": None})
    component.answer("GET", f"{PATH}/{ID}", ALERT)
    listed = run("surveillance", "list", "--state", "new", "--detector", "SPOOF-1").out
    assert listed.splitlines()[1].split()[:4] == [ID[:12], "SPOOF-1", "alert", "65"]
    assert component.asked[0].query == {"state": "new", "detector": "SPOOF-1", "limit": "50"}
    out = run("surveillance", "show", "0123").out
    assert "evidence: events 3, 9" in out
    assert out.splitlines()[-1].split() == ["t", "escalated", "escalated", "kim", "again"]


def test_digits_that_fit_several_alerts_are_refused(run: Run, component: StubComponent, data: Path) -> None:
    other = ALERT | {"alert_id": "0123" + "0" * 14}
    component.answer("GET", PATH, {"items": [ALERT, other], "next": None})
    ran = run("surveillance", "show", "0123")
    assert "2 alerts begin with 0123" in ran.err


def test_how_it_stands_is_shown_with_every_threshold(run: Run, component: StubComponent, data: Path) -> None:
    detector = {"code": "WASH-1", "name": "wash_trades", "version": 1, "settings": {"enabled": True}}
    status = {
        "enabled": True, "seq": 9, "began_at": 0, "alerts": 3, "by_state": {"new": 3}, "suppressed": 0,
        "hash": "ff", "problem": "", "settings": "ab", "detectors": [detector],
    }  # fmt: skip
    component.answer("GET", "/api/v1/surveillance", status)
    out = run("surveillance", "status").out
    assert "wash trades" in out
    assert "enabled True" in out


def test_a_log_is_looked_through_offline_to_the_same_hash(run: Run, tmp_path: Path) -> None:
    stream = Stream()
    for number in range(8):
        stream.trade(1, 1 + number % 2, 100)
    log = EventLog.open(tmp_path / "data" / "engine" / "events")
    for number, event in enumerate(stream.events, 1):
        log.append(encode_event(event), number, 1)
    log.close()
    expected = Watcher().take(b"".join(map(encode_event, stream.events)))
    found = run("surveillance", "run", "--json", "--data", str(tmp_path / "data")).json
    assert (found["alerts"], found["hash"]) == (4, hash_of_all(expected))
    assert [item["detector"] for item in found["items"]] == ["WASH-1"] * 4
    out = run("surveillance", "run", str(log.folder), "--detector", "SPOOF-1").out
    assert "no alerts" in out
    assert found["hash"] in out


def test_a_folder_without_a_log_is_said(run: Run, tmp_path: Path) -> None:
    assert "holds no event log" in run("surveillance", "run", str(tmp_path)).err
