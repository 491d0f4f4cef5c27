"""`exchange stats` shows nested figures so that people can read them."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Run
from tests.cli.stub_component import StubComponent

STATS = {
    "uptime_s": 12,
    "counters": {"orders": 5, "rejects": {"price_missing": 2}},
    "routes": [{"path": "/api/v1/order", "count": 3, "latency": {"p50_us": 400}}],
    "warnings": [],
}


def test_figures_are_grouped_and_routes_are_a_table(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("GET", "/api/v1/stats", STATS)
    out = run("stats", "reporter").out
    assert out.startswith("uptime s  12\n\ncounters\n  orders   5\n  rejects  price missing 2\n\nroutes\n")
    assert "/api/v1/order      3  p50 us 400" in out


def test_figures_in_json_are_as_they_came(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("GET", "/api/v1/stats", STATS)
    assert run("stats", "--json").json == STATS
    assert component.asked[0].key == "xk_operator"
