"""Statements as text: names that could do harm are made harmless, and what is left out is said."""

from __future__ import annotations

from exchange.clearing.statement_text import as_csv, as_html
from exchange.wire.rest.statements import StatementFill, StatementView


def statement(fills_count: int = 1) -> StatementView:
    fill = StatementFill(
        match_id="7", at="t", symbol="A.B", side="buy", liquidity="taker", qty="5", price="1.00", notional="5.00",
        fees="-0.01",
    )  # fmt: skip
    return StatementView(
        account="1", business_date="2026-11-23", currency="USD", made_at="t", seq=9, lines=[],
        fees={"<b>&": "-0.01"}, fills=[fill], fills_count=fills_count,
    )  # fmt: skip


def test_the_page_escapes_names_and_says_what_is_left_out() -> None:
    page = as_html(statement(3), "<Venue>").decode()
    assert "&lt;Venue&gt;: statement of account 1" in page
    assert "&lt;b&gt;&amp;" in page
    assert "2 more fills are in the sums" in page
    assert "more fills" not in as_html(statement(), "Venue").decode()


def test_csv_keeps_amounts_as_they_are() -> None:
    assert b"fee,<b>&,-0.01" in as_csv(statement())
    assert as_csv(statement()).splitlines()[-1] == b"fill,7,t,A.B,buy,taker,5,1.00,5.00,-0.01"
