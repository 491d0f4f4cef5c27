"""The dashboard asks for figures that there are, in PromQL that Prometheus takes, and is well laid out."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from exchange.launch.metric_catalogue import GROUPS
from tests.deploy.expressions import Shown, mistakes, selectors
from tests.deploy.test_prometheus import PROMTOOL, needs_promtool

FOLDER = Path(__file__).parents[2] / "deploy" / "grafana"
GRID_COLUMNS = 24


@pytest.fixture(scope="module")
def dashboard() -> Any:
    return json.loads((FOLDER / "dashboards" / "exchange.json").read_text(encoding="utf-8"))


def expressions(dashboard: Any) -> Iterator[tuple[str, str]]:
    """Yield the title and each expression of panels and annotations."""
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"].replace("$__rate_interval", "1m")
    for annotation in dashboard["annotations"]["list"]:
        yield annotation["name"], annotation["expr"]


def test_every_expression_asks_for_figures_and_labels_that_there_are(dashboard: Any, shown: Shown) -> None:
    wrong = {
        (title, text): found for title, text in expressions(dashboard) if (found := mistakes(text, shown))
    }
    assert not wrong
    assert len(list(expressions(dashboard))) > 80


@needs_promtool
def test_prometheus_understands_every_expression(dashboard: Any, tmp_path: Path) -> None:
    rules = [
        {"record": f"panel:{number}", "expr": text} for number, (_, text) in enumerate(expressions(dashboard))
    ]
    file = tmp_path / "rules.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    assert PROMTOOL is not None
    ran = subprocess.run(
        [PROMTOOL, "check", "rules", "--lint=none", str(file)], capture_output=True, text=True, timeout=100
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_every_legend_names_labels_that_its_expression_leaves(dashboard: Any, shown: Shown) -> None:
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            named = {part.split("}}")[0].strip() for part in target.get("legendFormat", "").split("{{")[1:]}
            there = set().union(
                *(
                    shown.labels.get(name, set())
                    for name, _ in selectors(target["expr"].replace("$__rate_interval", "1m"))
                )
            )
            assert named <= there, (panel["title"], named - there)


def test_panels_are_named_numbered_and_side_by_side(dashboard: Any) -> None:
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len({panel["title"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= GRID_COLUMNS
        cells = {
            (column, line)
            for column in range(place["x"], place["x"] + place["w"])
            for line in range(place["y"], place["y"] + place["h"])
        }
        assert not taken & cells, panel["title"]
        taken |= cells
        if panel["type"] != "row":
            assert panel["datasource"] == {"type": "prometheus", "uid": "prometheus"}
            assert panel["targets"]


def test_grafana_finds_prometheus_and_the_dashboard_where_they_are(dashboard: Any) -> None:
    sources = yaml.safe_load((FOLDER / "provisioning/datasources/prometheus.yml").read_text())["datasources"]
    assert [source["uid"] for source in sources] == ["prometheus"]
    (provider,) = yaml.safe_load((FOLDER / "provisioning/dashboards/exchange.yml").read_text())["providers"]
    assert provider["options"]["path"] == "/var/lib/grafana/dashboards"
    assert dashboard["uid"] == "stock-exchange"
    assert "id" not in dashboard or dashboard["id"] is None


def test_no_part_of_the_exchange_is_left_out(dashboard: Any) -> None:
    asked = {name for _, text in expressions(dashboard) for name, _ in selectors(text)}
    for group in GROUPS:
        names = [family.name for family in group.families]
        assert any(used.startswith(name) for used in asked for name in names), group.title
