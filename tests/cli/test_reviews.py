"""`exchange reviews …` carries what sides and officers say, with the right key, and shows what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.cli.stub_component import StubComponent

BUST = {"kind": "bust", "price": None, "qty": None}
PART = {"kind": "correct", "price": "189.20", "qty": "60"}
REVIEW: dict[str, Any] = {
    "review_id": "3", "match_id": "88", "symbol": "AAPL", "state": "granted", "you": "", "applicant": "1",
    "counterparty": "2", "basis": "typed", "wanted": PART, "agreed": True, "remedy": BUST, "code": "E",
    "waits_for_second": None, "due_at": "t", "overdue": False, "related": [],
    "steps": [{"at": "t", "what": "filed", "state": "filed", "who": "alice", "why": "typed"}],
}  # fmt: skip

# the words                                                  who asks      where                        with what
ACTS: list[tuple[list[str], str, str, dict[str, Any]]] = [
    (["ask", "88", "--basis", "typed"], "xk_alice", "trades/88/review", {"basis": "typed", "remedy": "bust"}),
    (
        ["ask", "88", "--basis", "typed", "--price", "189.20", "--quantity", "60", "--as", "alice"],
        "xk_alice", "trades/88/review", {"basis": "typed", "remedy": "correct", "price": "189.20", "qty": "60"},
    ),
    (["agree", "3", "--reason", "so it was"], "xk_alice", "reviews/3/agree", {"reason": "so it was"}),
    (["withdraw", "3", "--reason", "found"], "xk_alice", "reviews/3/withdraw", {"reason": "found"}),
    (["appeal", "3", "--reason", "news"], "xk_alice", "reviews/3/appeal", {"reason": "news"}),
    (
        ["rule", "3", "bust", "--reason", "off"],
        "xk_clearing", "reviews/3/rule", {"reason": "off", "remedy": "bust", "code": "E"},
    ),
    (
        ["rule", "3", "correct", "--reason", "both", "--quantity", "60", "--code", "C", "--as", "operator"],
        "xk_operator", "reviews/3/rule", {"reason": "both", "remedy": "correct", "code": "C", "qty": "60"},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("words", "key", "path", "body"), ACTS)
def test_what_is_said_reaches_clearing_with_the_speakers_key(
    run: Run,
    component: StubComponent,
    data: Path,
    words: list[str],
    key: str,
    path: str,
    body: dict[str, Any],
) -> None:
    component.answer("POST", f"/api/v1/{path}", REVIEW)
    out = run("reviews", *words).out
    assert "correct price 189.20 quantity 60" in out
    (asked,) = component.asked
    assert (asked.key, asked.body) == (key, body)


def test_reviews_are_listed_and_shown(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("GET", "/api/v1/reviews", {"items": [REVIEW], "next": None})
    component.answer("GET", "/api/v1/reviews/3", REVIEW)
    assert run("reviews", "list", "--state", "granted").out.splitlines()[1].split()[:4] == [
        "3",
        "88",
        "AAPL",
        "granted",
    ]
    assert component.asked[0].query == {"state": "granted", "limit": "50"}
    assert run("reviews", "show", "3").out.splitlines()[-1].split() == [
        "t",
        "filed",
        "filed",
        "alice",
        "typed",
    ]


def test_the_audit_trail_is_listed(run: Run, component: StubComponent, data: Path) -> None:
    entry = {
        "number": "1",
        "at": "t",
        "what": "bust",
        "subject": "trade 88",
        "who": "otto",
        "why": "off",
        "detail": "",
    }
    component.answer("GET", "/api/v1/audit", {"items": [entry], "next": None})
    assert run("reviews", "audit").out.splitlines()[1].split() == [
        "1",
        "t",
        "bust",
        "trade",
        "88",
        "otto",
        "off",
    ]
