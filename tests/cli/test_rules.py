"""`exchange rules …` shows, checks and tries the rules of clearing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.stub_component import StubComponent

FILE = """
[[clearing.rule]]
id = "BIG"
kind = "max_quantity"
limit = 1000
tests = [
    { trade = { quantity = 1000 }, verdict = "accept" },
    { trade = { quantity = 1001 }, verdict = "hold" },
]
"""
RUN = {
    "trades": 3, "rules_version": "1", "differences_count": 1,
    "present": {"accept": 3, "flag": 0, "hold": 0, "bust": 0},
    "proposed": {"accept": 2, "flag": 0, "hold": 1, "bust": 0},
    "rules": [{"id": "BIG", "hits": 1, "failures": 0}],
    "differences": [{"match_id": "88", "symbol": "AAPL", "price": "189.20", "qty": "2000", "executed_at": "t",
                     "present": "accept", "proposed": "hold", "hits": [{"rule_id": "BIG"}]}],
}  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "rules.toml"
    path.write_text(FILE)
    return path


def test_rules_of_a_file_are_checked_with_their_examples(run: Run, file: Path) -> None:
    assert run("rules", "check", str(file)).out == "1 rules are good\n"
    file.write_text(FILE.replace('"accept"', '"bust"'))
    failed = run("rules", "check", str(file))
    assert failed.code == 2
    assert (
        f"{file}: clearing rule 'BIG', key 'tests': example 1 wants bust, the rule says accept" in failed.err
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [("= 1", "is not TOML"), ("", "has no [[clearing.rule]]"), ("clearing = 1", "has no [[clearing.rule]]"),
     ("[clearing]\nrule = [1]", "has no [[clearing.rule]]")],
)  # fmt: skip
def test_a_file_without_rules_is_refused(run: Run, file: Path, text: str, message: str) -> None:
    file.write_text(text)
    assert message in run("rules", "check", str(file)).err


def test_a_dry_run_shows_what_differs(run: Run, component: StubComponent, data: Path, file: Path) -> None:
    component.answer("POST", "/api/v1/rules/dry-run", RUN)
    lines = run("rules", "dry-run", str(file), "--trades", "3").out.splitlines()
    assert lines[-1].split() == ["88", "AAPL", "189.20", "2000", "accept", "hold", "BIG"]
    (asked,) = component.asked
    assert (asked.body["trades"], asked.body["rules"][0]["id"]) == (3, "BIG")


def test_the_rules_in_force_are_listed(run: Run, component: StubComponent, data: Path) -> None:
    rule = {"id": "BIG", "kind": "max_quantity", "params_hash": "ab", "meaning": "Too big."}
    component.answer("GET", "/api/v1/rules", {"version": "2", "on_rule_error": "hold", "items": [rule]})
    out = run("rules", "show").out.splitlines()
    assert (out[0], out[-1].split()) == ("version 2", ["BIG", "max_quantity", "ab", "Too", "big."])


def test_a_shadow_run_is_begun_shown_and_ended(
    run: Run, component: StubComponent, data: Path, file: Path
) -> None:
    shadow = RUN | {"trades_wanted": 50, "done": False}
    component.answer("POST", "/api/v1/rules/shadow", shadow, 201)
    assert "goes on to 50 trades" in run("rules", "shadow-start", str(file), "--trades", "50").out
    assert component.asked[0].body["trades"] == 50
    component.answer("GET", "/api/v1/rules/shadow", shadow)
    assert run("rules", "shadow", "--json").json == shadow
    component.answer("DELETE", "/api/v1/rules/shadow", shadow | {"done": True})
    assert "done" in run("rules", "shadow", "--end").out.splitlines()[0]
