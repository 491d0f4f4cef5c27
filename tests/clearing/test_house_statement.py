"""The house's part of a statement, as JSON, CSV and a page to print."""

from __future__ import annotations

import pytest

from exchange.clearing.book_keeper import BookKeeper
from exchange.clearing.house_statement import HousePart, house_part
from exchange.clearing.statement_text import as_csv, as_html
from exchange.wire.rest.statements import StatementView
from tests.clearing.test_fee_store import desk_of
from tests.clearing.test_settlement_desk import MONDAY, TUESDAY, Desk


@pytest.fixture
def desk(keeper: BookKeeper) -> Desk:
    desk = desk_of(keeper)
    desk.stream.deposit(1, 100_000_0000)
    desk.stream.deposit(2, 60, 1)
    desk.stream.trade(1, 2, 100, price="189.00")
    desk.begin(TUESDAY)
    desk.settle()
    return desk


def part(desk: Desk, day: int) -> HousePart:
    return desk.keeper.within(
        lambda connection, books: house_part(connection, 0, 1, day, books.directory.symbols, lambda due: 3, 0)
    )


def test_it_tells_what_was_settled_charged_and_is_open(desk: Desk) -> None:
    found = part(desk, TUESDAY)
    assert [(line.qty, line.failed, line.symbol) for line in found.settled] == [("60", "40", "AAPL")]
    assert [(each.qty, each.days) for each in found.open] == [("40", 3)]
    assert (found.charged, found.margin) == ({}, None)
    assert [(each.asset, each.free) for each in found.house] == [("cash", "88659.80"), ("AAPL", "60")]
    assert part(desk, MONDAY).charged == {"trading": "0.30"}


def test_csv_and_page_have_its_sections(desk: Desk) -> None:
    found = part(desk, TUESDAY)._replace(charged={"=trading": "0.30"})
    view = StatementView(
        account="1", business_date="2026-11-24", currency="USD", made_at="t", seq=9, lines=[], fees={}, fills=[],
        fills_count=0, **found._asdict(),
    )  # fmt: skip
    rows = as_csv(view).decode().splitlines()
    assert "settled,2026-11-23,1,AAPL,2026-11-24,60,189.00,0.00,40" in rows
    assert "charged,'=trading,0.30" in rows
    page = as_html(view, "Venue").decode()
    assert "<h2>To be settled</h2>" in page
    assert "<h2>Margin</h2>" not in page
