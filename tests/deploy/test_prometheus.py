"""The configuration of Prometheus, its alarms, their tests and their places in the runbook belong together."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from exchange.infra.config import Config
from tests.deploy.expressions import Shown, mistakes, selectors

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "prometheus"
RUNBOOK = ROOT / "docs" / "operations.md"
PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(
    PROMTOOL is None, reason="promtool is not here; on Debian: apt-get install prometheus"
)


def read(name: str) -> Any:
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))


def alarms() -> list[dict[str, Any]]:
    return [rule for group in read("rules.yml")["groups"] for rule in group["rules"]]


def promtool(*words: str) -> str:
    assert PROMTOOL is not None
    ran = subprocess.run([PROMTOOL, *words], cwd=FOLDER, capture_output=True, text=True, timeout=100)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@needs_promtool
def test_prometheus_takes_its_configuration_and_rules() -> None:
    said = promtool("check", "config", "prometheus.yml")
    assert f"{len(alarms())} rules found" in said


@needs_promtool
def test_the_alarms_fire_when_they_should_and_only_then() -> None:
    assert "SUCCESS" in promtool("test", "rules", "rules_test.yml")


def test_every_alarm_has_a_test_in_which_it_fires() -> None:
    fires = set(re.findall(r'alertname="(\w+)"}', (FOLDER / "rules_test.yml").read_text(encoding="utf-8")))
    assert fires == {alarm["alert"] for alarm in alarms()}


def test_alarms_speak_of_figures_that_there_are(shown: Shown) -> None:
    wrong = {alarm["alert"]: found for alarm in alarms() if (found := mistakes(alarm["expr"], shown))}
    assert not wrong


def test_a_wrong_name_or_label_is_noticed(shown: Shown) -> None:
    assert mistakes("sum(rate(exchange_order_total[5m]))", shown) == ["no figure exchange_order_total"]
    assert mistakes('exchange_ready{part="x"}', shown) == ["exchange_ready has no label part"]
    assert mistakes("sum by (route) (exchange_ready)", shown) == ["no label route to group by"]
    assert mistakes("1 + 2", shown) == ["names no figure"]
    assert [*selectors('rate(a_total{x="{y}", z!~"b"}[5m]) / on () group_left () max(b offset 5m) > 1e3')] == [
        ("a_total", {"x", "z"}), ("b", set()),
    ]  # fmt: skip


def test_the_tests_of_alarms_use_series_that_there_are(shown: Shown) -> None:
    text = (FOLDER / "rules_test.yml").read_text(encoding="utf-8")
    wrong = {
        series: found
        for series in set(re.findall(r"- series: '(.*)'", text))
        if (found := mistakes(series, shown))
    }
    assert not wrong


def test_every_alarm_has_its_place_in_the_runbook_and_points_to_it() -> None:
    page = RUNBOOK.read_text(encoding="utf-8")
    told = re.findall(r"^#### (\w+)$", page, re.MULTILINE)
    assert sorted(told) == sorted(alarm["alert"] for alarm in alarms())
    for alarm in alarms():
        assert alarm["annotations"]["runbook"] == f"docs/operations.md#{alarm['alert'].lower()}"
        assert alarm["labels"]["severity"] in ("warning", "critical")
        assert alarm["annotations"]["summary"]


def test_each_place_in_the_runbook_says_what_to_do() -> None:
    page = RUNBOOK.read_text(encoding="utf-8")
    for alarm in alarms():
        text = page.partition(f"#### {alarm['alert']}\n")[2].partition("\n#")[0]
        assert "**Do:**" in text, f"{alarm['alert']} says nowhere what to do"


def test_the_components_are_scraped_where_they_listen() -> None:
    jobs = {
        job["job_name"]: job["static_configs"][0]["targets"]
        for job in read("prometheus.yml")["scrape_configs"]
    }
    config = Config()
    assert jobs["engine"] == [f"engine:{config.engine_address().port}"]
    assert jobs["reporter"] == [f"reporter:{config.reporter_address().port}"]
    assert jobs["clearing"] == [f"clearing:{config.clearing_address().port}"]
