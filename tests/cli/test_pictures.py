"""A book and a trade as lines that traders can read."""

from __future__ import annotations

from typing import Any

from exchange.cli.pictures import TAPE_HEAD, book_lines, trade_line

TRADE: dict[str, Any] = {
    "match_id": "88", "symbol": "AAPL", "price": "189.20", "qty": "100", "taker_side": "buy",
    "executed_at": "2026-11-23T05:00:01.123456789Z", "status": "executed",
}  # fmt: skip


def test_columns_of_a_book_are_as_wide_as_their_widest_cell() -> None:
    book = {
        "symbol": "X",
        "seq": 1,
        "bids": [{"price": "9.99", "qty": "10", "orders": 1}],
        "asks": [{"price": "10.01", "qty": "123456", "orders": 12}],
    }
    assert book_lines(book) == [
        "X  after event 1",
        "price  shares  orders",
        "10.01  123456      12",
        "---------------------",
        " 9.99      10       1",
    ]


def test_trades_stand_under_their_heads() -> None:
    line = trade_line(TRADE)
    assert line == "05:00:01.123456789  AAPL            189.20         100  buy               88"
    for head, value in (("time", "05:00"), ("symbol", "AAPL"), ("taker", "buy"), ("match id", "88")):
        assert TAPE_HEAD.index(head) == line.index(value)


def test_a_busted_trade_says_so() -> None:
    assert "  busted  " in trade_line(TRADE | {"status": "busted"})
