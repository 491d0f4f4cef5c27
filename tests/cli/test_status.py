"""`exchange status`: one table of all components, whoever answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from exchange.cli.status import merge
from tests.cli.conftest import Run
from tests.cli.stub_component import StubComponent

PATH = "/api/v1/components"


def row(component: str, instance: str, state: str, heard_ms_ago: int = 0) -> dict[str, Any]:
    return {
        "component": component, "instance": instance, "partition": 0, "state": state, "url": "http://x",
        "version": "1", "seq": "42", "started_at": "2026-01-05T10:00:00.000000000Z",
        "heard_ms_ago": heard_ms_ago, "reasons": [], "config_version": 7, "config_pending": ["engine.port"],
    }  # fmt: skip


def answer(*rows: dict[str, Any], problem: str = "") -> dict[str, Any]:
    happening = {
        "time": "2026-01-05T10:00:00.000000000Z", "component": "clearing", "partition": 0, "what": "ruling: bust",
        "match_id": "77",
    }  # fmt: skip
    bus = {"kind": "nsq", "problem": problem, "announced": 1, "failed": 0, "unreadable": 0}
    return {"items": list(rows), "happenings": [happening], "bus": bus}


def test_each_component_counts_most_about_itself() -> None:
    told = merge(
        {
            "engine": answer(row("engine", "e", "ready"), row("clearing", "c", "ready", 900)),
            "clearing": answer(row("clearing", "c", "draining"), row("engine", "e", "starting", 300)),
        }
    )
    assert [(each["component"], each["state"]) for each in told] == [
        ("engine", "ready"),
        ("clearing", "draining"),
    ]


def test_people_get_a_table_and_the_news(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("GET", PATH, answer(row("engine", "e", "ready"), problem="nsqd is away"))
    shown = run("status", "--data", str(data))
    assert "engine" in shown.out
    assert "ready" in shown.out
    assert "bus of engine: nsqd is away" in shown.out
    assert "ruling: bust" in shown.out
    assert "restart it for engine.port" in shown.out


def test_machines_get_json(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("GET", PATH, answer(row("engine", "e", "ready")))
    found = run("status", "--json", "--data", str(data)).json
    assert [each["instance"] for each in found["components"] if each["instance"]] == ["e"]
    assert found["happenings"][0]["match_id"] == "77"


def test_an_exchange_that_does_not_run_is_told_as_such(run: Run, tmp_path: Path) -> None:
    shown = run("status", "--data", str(tmp_path / "none"), "--port-base", "64990")
    assert shown.code != 0
    assert "no component can be reached" in shown.err


def test_what_people_should_look_at_stands_below(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("GET", PATH, answer(row("engine", "e", "ready")))
    component.answer("GET", "/readyz", {"ready": True, "reasons": [], "notes": ["Redis cannot be used"]})
    component.answer(
        "GET",
        "/metrics",
        b"""# TYPE exchange_ready gauge
exchange_ready 1.0
# TYPE exchange_notes gauge
exchange_notes 1.0
# TYPE exchange_config_version gauge
exchange_config_version 3.0
# TYPE exchange_feed_lag_events gauge
exchange_feed_lag_events 12.0
# TYPE exchange_clearing_trades gauge
exchange_clearing_trades{state="held"} 2.0
# TYPE exchange_breaks gauge
exchange_breaks{component="reporter"} 1.0
""",
    )
    lines = {
        line.partition("  ")[0]: line.split("  ")[-1].strip()
        for line in run("status", "--data", str(data)).out.splitlines()
    }
    assert lines["engine does without"] == "Redis cannot be used"
    assert lines["shared configuration"] == "version 3"
    assert lines["behind the engine"] == "reporter 12, clearing 12"
    assert lines["trades"] == "2 held, 0 bust pending"
    assert lines["breaks"] == "1 symbols of reporter"
    health = run("status", "--json", "--data", str(data)).json["health"]
    assert health["components"]["engine"]["state"] == "ready"
    assert health["breaks"] == {"reporter": 1}
