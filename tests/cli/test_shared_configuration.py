"""`exchange config diff|apply|approve|…`: files are looked through here, the rest is asked of the engine."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.cli.processes import ask, started
from tests.cli.stub_component import StubComponent
from tests.infra.redis_server import RedisServer, needs_server

PATH = "/api/v1/config"
CHANGES = """[exchange]
log_level = "debug"
[[symbols]]
symbol = "AAPL"
ticks = [{ from = "0", tick = "0.05" }]
"""
DOCUMENT = {
    "exchange": {"log_level": "debug"},
    "symbols": [{"symbol": "AAPL", "ticks": [{"from": "0", "tick": "0.05"}]}],
}
PLAN = {
    "after": 3,
    "changes": [
        {"key": "exchange.log_level", "before": None, "after": "debug", "effect": "at once"},
        {"key": "symbols.AAPL.ticks", "before": "0.01 from 0", "after": "0.05 from 0", "effect": "sequenced"},
    ],
    "commands": ["AAPL: ticks 0.05 from 0"],
    "notes": ["AAPL: 2 open orders keep price and quantity"],
}
DONE = {**PLAN, "status": "applied", "version": 4, "proposal": 0, "seq": 77, "problem": ""}
VERSION = {
    "version": 4, "at": "2026-11-23T09:00:00.123Z", "note": "finer", "key_id": "1", "who": "operator",
    "approver_key_id": "9", "approver": "second", "document": DOCUMENT,
}  # fmt: skip
RUNNING = [
    {"component": "engine on port 8001", "version": 4, "pending": ["engine.port"], "problem": ""},
    {"component": "reporter on port 8002", "version": 3, "pending": [], "problem": "it is older"},
]
PROPOSAL = {
    "proposal": 2, "state": "open", "base": 3, "at": "2026-11-23T09:00:00Z", "expires_at": "2026-11-24T09:00:00Z",
    "note": "finer", "key_id": "1", "who": "operator", "document": DOCUMENT, "decided_at": "", "decided_by": "",
    "why": "",
}  # fmt: skip


def changes(folder: Path, text: str = CHANGES) -> str:
    file = folder / "changes.toml"
    file.write_text(text)
    return str(file)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[exchange]\nrate_per_s = -1\n", "must be a whole number from 0"),
        ("[exchange]\nlog_levle = 1\n", 'did you mean "log_level"'),
        ("[redis]\nurl = 'redis://:secret@h'\n", "stands in the file of each component only"),
        ("[[symbols]]\nsymbol = 'abc'\n", "must be 1 to 8 characters"),
        ("[[symbols]]\nsymbol = 2026-11-23\n", "must be 1 to 8 characters"),
        ("[exchange]\nrate_per_s = nan\n", "must be a whole number"),
        ("nonsense", "is not TOML"),
    ],
)
def test_a_file_with_a_mistake_is_refused_before_anything_is_asked(
    run: Run, tmp_path: Path, component: StubComponent, data: Path, text: str, said: str
) -> None:
    for verb in ("diff", "apply"):
        ran = run("config", verb, changes(tmp_path, text), "--data", str(data))
        assert (ran.code, component.asked) == (2, [])
        assert said in ran.err
        assert "secret" not in ran.err


def test_an_absent_file_is_told_in_one_sentence(run: Run) -> None:
    ran = run("config", "apply", "absent.toml")
    assert ran.code == 2
    assert "absent.toml cannot be read" in ran.err


def test_diff_shows_what_would_change_and_what_would_be_sequenced(
    run: Run, tmp_path: Path, component: StubComponent, data: Path
) -> None:
    component.answer("POST", PATH + "/diff", PLAN)
    ran = run("config", "diff", changes(tmp_path), "--data", str(data))
    for said in (
        "exchange.log_level",
        "as started",
        "at once",
        "AAPL: ticks 0.05 from 0",
        "note: AAPL: 2 open",
    ):
        assert said in ran.out
    (asked,) = component.asked
    assert (asked.body, asked.key) == ({"document": DOCUMENT}, "xk_operator")
    assert run("config", "diff", changes(tmp_path), "--data", str(data), "--json").json == PLAN


def test_apply_says_which_version_is_in_force_or_who_must_agree(
    run: Run, tmp_path: Path, component: StubComponent, data: Path
) -> None:
    words = ("config", "apply", changes(tmp_path), "--note", "finer", "--data", str(data))
    component.answer("POST", PATH, DONE)
    ran = run(*words)
    assert "version 4 is in force" in ran.out
    assert "the market has it since event 77" in ran.out
    assert component.asked[0].body == {"document": DOCUMENT, "note": "finer"}
    component.answer("POST", PATH, DONE | {"status": "proposed", "version": 0, "proposal": 2, "seq": 0})
    assert "proposal 2 waits for another person: `exchange config approve 2`" in run(*words).out
    component.answer("POST", PATH, DONE | {"problem": "AAPL is odd"})
    assert "problem: AAPL is odd" in run(*words).out


def test_proposals_are_listed_approved_and_rejected(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("GET", PATH + "/proposals", {"items": [PROPOSAL]})
    ran = run("config", "proposals", "--data", str(data))
    for said in ("open", "operator", "2026-11-24T09:00:00", "exchange.log_level = debug", "finer"):
        assert said in ran.out
    component.answer("POST", PATH + "/proposals/2/approve", DONE)
    assert (
        "version 4 is in force"
        in run("config", "approve", "2", "--data", str(data), "--key", "xk_second").out
    )
    assert component.asked[-1].key == "xk_second"
    component.answer("POST", PATH + "/proposals/2/reject", DONE | {"status": "rejected", "proposal": 2})
    assert run("config", "reject", "2", "--note", "no", "--data", str(data)).out == "proposal 2 is rejected\n"
    assert component.asked[-1].body == {"note": "no"}


def test_history_and_running_show_versions_and_what_waits_for_a_restart(
    run: Run, component: StubComponent, data: Path
) -> None:
    component.answer("GET", PATH + "/history", {"items": [VERSION]})
    component.answer("GET", PATH + "/running", RUNNING)
    ran = run("config", "history", "--data", str(data))
    for said in ("operator and second", "finer", "engine on port 8001", "engine.port", "it is older"):
        assert said in ran.out
    assert run("config", "running", "--data", str(data), "--json").json == RUNNING
    component.answer("GET", PATH + "/history", {"items": []})
    component.answer("GET", PATH + "/running", [])
    assert "nothing was applied yet" in run("config", "history", "--data", str(data)).out
    assert "no component has said" in run("config", "running", "--data", str(data)).out


def test_a_refusal_of_the_engine_is_told(run: Run, component: StubComponent, data: Path) -> None:
    component.refuse("POST", PATH + "/rollback", 409, "conflict", "there is no version 9")
    ran = run("config", "rollback", "9", "--data", str(data))
    assert ran.code != 0
    assert "there is no version 9" in ran.err


@pytest.fixture
def redis(monkeypatch: pytest.MonkeyPatch) -> Iterator[RedisServer]:
    with RedisServer() as server:
        monkeypatch.setenv("EXCHANGE__REDIS__URL", server.url)
        yield server


@pytest.mark.integration
@needs_server
def test_every_component_of_a_running_exchange_takes_a_change_and_says_so(
    tmp_path: Path, redis: RedisServer
) -> None:
    data = ("--data", str(tmp_path / "data"))
    with started("up", *data, "--port-base", "0"):
        assert ask("config", "apply", changes(tmp_path), *data, "--json").json["version"] == 1
        deadline = time.monotonic() + 60
        running: list[dict[str, Any]] = []
        while [each["version"] for each in running] != [1, 1, 1]:
            assert time.monotonic() < deadline, running
            running = ask("config", "running", *data, "--json").json
        assert [each["component"].split()[0] for each in running] == ["clearing", "engine", "reporter"]
