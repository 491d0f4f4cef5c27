"""`exchange volatility …` shows limits and does what operators do with bands, corridors and the breaker."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Run
from tests.cli.stub_component import StubComponent

LIMITS = {
    "symbol": "AAPL", "mode": "bands", "tier": 1, "dynamic_bps": 0, "static_bps": 0, "lowest_price": "179.74",
    "highest_price": "198.66", "reference_price": "189.20", "state": "normal", "pause_at": None,
}  # fmt: skip


def test_limits_are_shown_without_a_key(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("GET", "/api/v1/symbols/AAPL/limits", LIMITS)
    header, row = run("volatility", "limits", "aapl").out.splitlines()
    assert header.split()[:2] == ["symbol", "protection"]
    assert row.split() == ["AAPL", "bands", "of", "tier", "1", "179.74", "198.66", "189.20", "normal", "-"]
    assert component.asked[0].key == ""


def test_an_operator_sets_bands_and_corridors(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("PUT", "/api/v1/symbols/AAPL/bands", LIMITS | {"mode": "none", "tier": 0})
    component.answer(
        "PUT", "/api/v1/symbols/AAPL/corridor", LIMITS | {"mode": "corridor", "dynamic_bps": 200}
    )
    assert "none" in run("volatility", "bands", "aapl", "0").out
    assert "corridor 200 bps" in run("volatility", "corridor", "aapl", "--dynamic-bps", "200").out
    assert [asked.body for asked in component.asked] == [
        {"tier": 0}, {"dynamic_bps": 200, "static_bps": 0, "call_s": 120, "random_end_s": 30}
    ]  # fmt: skip


def test_the_breaker_is_shown_set_and_told_of_its_index(
    run: Run, component: StubComponent, data: Path
) -> None:
    component.answer("GET", "/api/v1/market/breaker", {"close_level": None})
    component.answer("PUT", "/api/v1/market/breaker", {"close_level": "5123.45"})
    component.answer("POST", "/api/v1/market/index", {"close_level": "5123.45"})
    assert "no breaker" in run("volatility", "breaker").out
    assert "5123.45" in run("volatility", "breaker", "5123.45").out
    run("volatility", "index", "5080.10")
    assert [asked.body for asked in component.asked][1:] == [{"close_level": "5123.45"}, {"level": "5080.10"}]
