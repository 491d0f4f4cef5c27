"""`exchange replay allocation …` tries rules on one flow, side by side."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from exchange.engine.engine_folder import EngineFolder
from exchange.infra.journal_segments import list_segments
from exchange.matching.trial import run as run_flow
from exchange.simulation.allocation_flow import example_flow
from tests.cli.conftest import Run
from tests.engine.stored_engine import StoredEngine

OWN = """
class NewestFirst:
    def allocate(self, quantity, orders, lot):
        given = [0] * len(orders)
        for place in reversed(range(len(orders))):
            given[place] = min(quantity, orders[place].quantity)
            quantity -= given[place]
        return given

class Nothing:
    def allocate(self, quantity, orders, lot):
        return [0] * len(orders)

rule = NewestFirst()
no_rule = 5
"""


@pytest.fixture
def own_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "trial_rules.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))


def test_rules_are_compared_on_an_example(run: Run, own_rules: None) -> None:
    words = ("replay", "allocation", "price_time", "top pro_rata,min=2", "trial_rules:NewestFirst")
    shown = run(*words, "trial_rules:rule", "--example", "7", "--rounds", "30")
    assert shown.code == 0, shown.err
    header, first = shown.out.splitlines()[:2]
    assert header.split()[0] == "rule"
    assert first.split()[0] == "price_time"
    told = json.loads(run(*words, "--example", "7", "--rounds", "30", "--json").out)
    expected = run_flow(example_flow(7, 30))
    assert told["price_time"]["running_hash"] == f"{expected.running_hash:016x}"
    assert {name: each["shares"] for name, each in told.items()} == dict.fromkeys(told, expected.shares)
    assert told["price_time"]["makers"] != told["trial_rules:NewestFirst"]["makers"]


def test_lead_market_makers_are_named_for_the_steps_that_have_them(run: Run) -> None:
    words = ("replay", "allocation", "fifo", "lead fifo", "--example", "1", "--rounds", "30")
    told = json.loads(run(*words, "--lead", "2:5000", "--json").out)
    assert told["lead fifo"]["makers"]["2"]["shares"] > told["fifo"]["makers"]["2"]["shares"]
    assert "'lead fifo' needs --lead" in run(*words).err


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("lifo", "begins with one of fifo"),
        ("leveling", "step 1 of 'leveling' cannot be"),
        ("trial_rules:Missing", "has no attribute 'Missing'; it is looked for from"),
        ("no_such_module:Rule", "No module named 'no_such_module'"),
        ("trial_rules:no_rule", "has no method allocate(quantity, orders, lot)"),
        ("trial_rules:Nothing", "trial_rules:Nothing: allocate() gave 0 in all"),
    ],
)
def test_a_rule_that_is_none_is_told(run: Run, own_rules: None, rule: str, message: str) -> None:
    refused = run("replay", "allocation", rule, "--example", "1", "--rounds", "5")
    assert refused.code == 2
    assert message in refused.err


def test_more_rules_or_rounds_than_there_may_be_are_refused(run: Run) -> None:
    assert "at most 20 rules" in run("replay", "allocation", *["fifo"] * 21, "--example", "1").err
    assert "rounds must be 1 to" in run("replay", "allocation", "--example", "1", "--rounds", "0").err


async def written(folder: Path) -> None:
    engine = await StoredEngine.start(folder)
    await engine.fill(3)
    await engine.stop(snapshot=True)


@pytest.fixture
async def journal(tmp_path: Path) -> Path:
    await written(tmp_path / "data" / "engine")
    return tmp_path / "data"


async def test_the_flow_is_the_journal_where_no_example_is_named(run: Run, journal: Path) -> None:
    shown = run("replay", "allocation", "as_it_is", "--data", str(journal))
    assert shown.code == 0, shown.err
    assert "nobody traded" in shown.out


async def test_a_journal_without_its_beginning_is_refused(run: Run, journal: Path) -> None:
    folder = EngineFolder(journal / "engine").journal
    first = list_segments(folder)[0].path
    first.rename(first.with_name(first.name.replace("1", "2", 1)))
    refused = run("replay", "allocation", "--data", str(journal))
    assert refused.code != 0
    assert "journal" in refused.err
