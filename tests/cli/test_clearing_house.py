"""`exchange clearing settle` and its neighbours say what the clearing house answers."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.cli.connection import LONG_ANSWER_S, Connection
from tests.cli.conftest import Run
from tests.cli.stub_component import StubComponent

pytestmark = pytest.mark.usefixtures("data")

ACT = {"number": "1", "kind": "buy-in", "source": "buy-in/2026-11-24/1", "entries": 2, "who": "otto", "why": "old",
       "detail": {"quantity": 30, "price": 1900000, "premium": 285}}  # fmt: skip
RUN = {"number": "1", "date": "2026-11-24", "state": "settled", "instructions": 2, "failed": 0, "paid": "9.00",
       "who": "otto"}  # fmt: skip
LISTS = [
    (["settlements"], "/api/v1/settlements", [RUN], "settled"),
    (["acts"], "/api/v1/house/acts", [ACT], "buy-in/2026-11-24/1"),
    (["house"], "/api/v1/house/balances", [dict.fromkeys(("holder", "account", "asset", "balance", "reserved", "free"),
     "here")], "here"),
    (["settled", "7"], "/api/v1/settlements/7", [dict.fromkeys(("cycle", "account", "symbol", "due", "qty", "price",
     "mark", "failed"), "here")], "here"),
    (["instructions"], "/api/v1/instructions", [dict.fromkeys(("cycle", "account", "symbol", "due", "qty", "cash",
     "days", "moved", "compensated", "settled_on"), "here")], "here"),
]  # fmt: skip


def test_what_an_officer_orders_is_sent_with_his_reason(run: Run, component: StubComponent) -> None:
    component.answer("POST", "/api/v1/settlements", RUN)
    component.answer("POST", "/api/v1/settlements/give-up", ACT)
    assert "settled" in run("clearing", "settle", "2026-11-24", "--reason", "night").out
    assert run("clearing", "give-up", "--reason", "wrong day").code == 0
    assert [asked.key for asked in component.asked] == ["xk_clearing"] * 2


@pytest.mark.parametrize(("refused", "code"), [([], 0), (["Account 2 has nothing."], 1)])
def test_buy_ins_that_are_refused_end_with_one(
    run: Run, component: StubComponent, refused: list[str], code: int
) -> None:
    component.answer("POST", "/api/v1/buy-ins", {"acts": [ACT], "refused": refused})
    ran = run("clearing", "buy-in", "2026-11-24", "--reason", "four days")
    assert ran.code == code
    assert "285" in ran.out
    assert all(sentence in ran.out for sentence in refused)


def test_margin_is_worked_out_first_where_a_reason_is_given(run: Run, component: StubComponent) -> None:
    component.answer("POST", "/api/v1/margin", ACT)
    component.answer("GET", "/api/v1/margin", {"items": []})
    assert "no margin is required" in run("clearing", "margin", "--run", "noon").out
    assert [asked.method for asked in component.asked] == ["POST", "GET"]


def test_payments_and_defaults_are_ordered(run: Run, component: StubComponent) -> None:
    component.answer("POST", "/api/v1/payments", ACT)
    component.answer("POST", "/api/v1/defaults", ACT)
    component.answer("GET", "/api/v1/defaults", {"items": []})
    paid = run("clearing", "pay", "5.00", "--account", "1", "--reference", "a", "--reason", "call")
    assert "act 1" in paid.out
    assert run("clearing", "default", "1", "--taker", "2", "--reason", "call not met").code == 0
    assert "nobody is in default" in run("clearing", "defaults").out


@pytest.mark.parametrize(("uncovered", "code"), [("0.00", 0), ("3.00", 1)])
def test_a_drill_that_leaves_something_ends_with_one(
    run: Run, component: StubComponent, uncovered: str, code: int
) -> None:
    borne = [{"step": "defaulter's cash", "account": "1", "amount": "9.00"}]
    drill = {"participant": "1", "worth": "-9.00", "loss": "9.00", "borne": borne, "uncovered": uncovered}
    component.answer("POST", "/api/v1/defaults/drill", drill)
    ran = run("clearing", "drill", "1")
    assert (ran.code, "defaulter's cash" in ran.out, f"uncovered: {uncovered}" in ran.out) == (
        code,
        True,
        True,
    )


@pytest.mark.parametrize(
    ("words", "path"),
    [
        (["settle", "2026-11-24", "--reason", "night"], "/api/v1/settlements"),
        (["buy-in", "2026-11-24", "--reason", "old"], "/api/v1/buy-ins"),
        (["default", "1", "--taker", "2", "--reason", "call"], "/api/v1/defaults"),
        (["drill", "1"], "/api/v1/defaults/drill"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_work_on_a_whole_house_is_waited_for(
    run: Run, component: StubComponent, monkeypatch: pytest.MonkeyPatch, words: list[str], path: str
) -> None:
    limits: list[float | None] = []
    ask = Connection.ask

    def noting(connection: Connection, *asked: Any) -> Any:
        limits.append(connection._http.timeout)
        return ask(connection, *asked)

    monkeypatch.setattr(Connection, "ask", noting)
    component.refuse("POST", path, 404, "no_such_day", "no such day")
    ran = run("clearing", *words)
    assert (ran.code, limits) == (1, [LONG_ANSWER_S])


@pytest.mark.parametrize(("words", "path", "items", "shown"), LISTS, ids=lambda value: str(value)[:20])
def test_lists_are_shown_as_tables(
    run: Run, component: StubComponent, words: list[str], path: str, items: list[dict[str, str]], shown: str
) -> None:
    component.answer("GET", path, {"items": items, "next": None})
    ran = run("clearing", *words)
    assert (ran.code, shown in ran.out) == (0, True), ran
