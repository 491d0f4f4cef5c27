"""`exchange book` and `exchange tape` as people and machines see them."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Run
from tests.cli.stub_component import StubComponent

BOOK = {
    "symbol": "AAPL",
    "seq": 90,
    "at": "2026-11-23T05:00:00.000000000Z",
    "bids": [{"price": "189.19", "qty": "500", "orders": 3}, {"price": "189.18", "qty": "80", "orders": 1}],
    "asks": [{"price": "189.21", "qty": "1200", "orders": 2}],
}
TRADE = {
    "match_id": "88", "symbol": "AAPL", "seq": 88, "price": "189.20", "qty": "100", "taker_side": "buy",
    "executed_at": "2026-11-23T05:00:01.123456789Z", "status": "executed",
}  # fmt: skip


def test_asks_stand_above_bids_and_the_best_meet_in_the_middle(
    run: Run, component: StubComponent, data: Path
) -> None:
    component.answer("GET", "/api/v1/book", {"items": [BOOK]})
    assert run("book", "aapl", "--depth", "5").out.splitlines() == [
        "AAPL  after event 90",
        " price  shares  orders",
        "189.21    1200       2",
        "----------------------",
        "189.19     500       3",
        "189.18      80       1",
    ]
    assert component.asked[0].query == {"symbol": "AAPL", "depth": "5", "level": "2"}


def test_level_3_shows_every_order(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("GET", "/api/v1/book", {"items": [BOOK | {"bids": [], "asks": [
        {"id": "7", "price": "189.21", "qty": "100"}]}]})  # fmt: skip
    assert run("book", "AAPL", "--level", "3").out.splitlines()[2] == "189.21     100      7"


def test_an_empty_book_is_a_book(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("GET", "/api/v1/book", {"items": [BOOK | {"bids": [], "asks": []}]})
    assert run("book", "AAPL").code == 0


def test_a_book_in_json_is_one_object(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("GET", "/api/v1/book", {"items": [BOOK]})
    assert run("book", "AAPL", "--json").json == BOOK


def test_the_tape_runs_downwards_and_marks_busted_trades(
    run: Run, component: StubComponent, data: Path
) -> None:
    newest = TRADE | {"match_id": "89", "status": "busted"}
    component.answer("GET", "/api/v1/trades", {"items": [newest, TRADE], "next": None})
    header, first, second = run("tape", "aapl").out.splitlines()
    assert header.split() == ["time", "symbol", "price", "qty", "taker", "state", "match", "id"]
    assert first.split() == ["05:00:01.123456789", "AAPL", "189.20", "100", "buy", "88"]
    assert second.split() == ["05:00:01.123456789", "AAPL", "189.20", "100", "buy", "busted", "89"]


def test_a_symbol_that_never_traded_says_so(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("GET", "/api/v1/trades", {"items": [], "next": None})
    assert run("tape", "AAPL").out == "no trades in AAPL\n"
    assert run("tape", "AAPL", "--json").json == []
