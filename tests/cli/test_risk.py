"""The kill switch, limits and the cancel timer from the command line."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Run
from tests.cli.stub_component import StubComponent

BLOCK = {
    "scope": "account",
    "subject": "1",
    "by": "operator",
    "key_id": "1",
    "cause": "ordered",
    "reason": "news",
}
LIMIT = {"scope": "account", "subject": "1", "kind": "max_notional", "value": "1000.00"}


def test_the_switch_is_pulled_and_lifted_by_the_role_that_may(
    run: Run, component: StubComponent, data: Path
) -> None:
    component.answer("POST", "/api/v1/risk/blocks", {**BLOCK, "canceled_orders": 2, "seq": 9}, 201)
    component.answer("GET", "/api/v1/risk/blocks", {"items": [BLOCK]})
    component.answer("POST", "/api/v1/risk/blocks/lift", {"scope": "account", "subject": "1", "seq": 10})
    assert "2" in run("risk", "block", "account", "1", "--reason", "news", "--keep-orders").out
    assert component.asked[-1].body == {
        "scope": "account", "subject": "1", "cancel_orders": False, "reason": "news",
    }  # fmt: skip
    assert run("risk", "blocks").out.splitlines()[1].split() == [
        "account",
        "1",
        "operator",
        "ordered",
        "news",
    ]
    assert run("risk", "unblock", "account", "1").code == 0
    assert component.asked[-1].key == "xk_risk"
    component.answer("GET", "/api/v1/risk/blocks", {"items": [{**BLOCK, "by": "risk"}]})
    assert run("risk", "unblock", "account", "1").code == 0
    assert component.asked[-1].key == "xk_operator"


def test_limits_are_set_listed_and_taken_away(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("PUT", "/api/v1/risk/limits", LIMIT)
    component.answer("GET", "/api/v1/risk/limits", {"items": [LIMIT]})
    row = ["account", "1", "max_notional", "1000.00"]
    assert run("risk", "set", "account", "1", "max_notional", "1000.00").out.splitlines()[1].split() == row
    assert component.asked[-1].body == {
        "scope": "account", "subject": "1", "kind": "max_notional", "symbol": "", "span": 0, "value": "1000.00",
    }  # fmt: skip
    assert run("risk", "limits").out.splitlines()[1].split() == row
    run("risk", "set", "account", "1", "max-notional", "none")
    assert "value" not in component.asked[-1].body


def test_a_kind_that_is_none_is_answered_with_those_that_there_are(run: Run, data: Path) -> None:
    outcome = run("risk", "set", "account", "1", "max-price", "1")
    assert outcome.code == 2
    assert "one of symbol_barred, max_quantity" in outcome.err


def test_usage_shows_what_is_measured(run: Run, component: StubComponent, data: Path) -> None:
    used = {
        "scope": "account", "subject": "1", "open_buys": "1.00", "open_sells": "2.00", "gross": "3.00",
        "loss": "0.00", "limits": [LIMIT],
    }  # fmt: skip
    component.answer("GET", "/api/v1/risk/usage/account/1", used)
    out = run("risk", "usage", "account", "1").out
    assert "open buys   1.00" in out
    assert "max_notional" in out


def test_a_cancel_timer_is_given_in_seconds(run: Run, component: StubComponent, data: Path) -> None:
    component.answer(
        "POST", "/api/v1/cancel-on-timeout", {"participant": "1", "expires_at": "2026-11-23T10:00:00Z"}
    )
    assert "2026-11-23T10:00:00Z" in run("order", "cancel-after", "1.5").out
    assert component.asked[-1].body == {"timeout_ms": 1_500}
