"""How an order book and a trade look as lines of text."""

from __future__ import annotations

from typing import Any

from exchange.cli.output import colour

TAPE_HEAD = "time                symbol           price         qty  taker  state      match id"


def book_lines(book: dict[str, Any]) -> list[str]:
    """Lay out a book as lines, asks above bids, as traders have it."""
    is_level_2 = not any("id" in row for row in [*book["bids"], *book["asks"]])
    asks = [_book_cells(row, is_level_2) for row in reversed(book["asks"])]
    bids = [_book_cells(row, is_level_2) for row in book["bids"]]
    header = ("price", "shares", "orders" if is_level_2 else "order")
    widths = [max(len(row[at]) for row in [header, *asks, *bids]) for at in range(3)]

    def line(cells: tuple[str, ...]) -> str:
        return "  ".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True))

    title = f"{book['symbol']}  after event {book['seq']}"
    middle = "-" * len(line(header))
    return [
        title,
        line(header),
        *(colour(line(row), "red") for row in asks),
        middle,
        *(colour(line(row), "green") for row in bids),
    ]


def trade_line(trade: dict[str, Any]) -> str:
    """Write one trade as a line of the tape; a busted one says so."""
    state = "" if trade["status"] == "executed" else trade["status"]
    columns = (
        f"{trade['executed_at'][11:29]:<18}",
        f"{trade['symbol']:<8}",
        f"{trade['price']:>12}",
        f"{trade['qty']:>10}",
        f"{trade['taker_side']:<5}",
        f"{state:<9}",
        trade["match_id"],
    )
    line = "  ".join(columns)
    return colour(line, "dim") if state == "busted" else line


def _book_cells(row: dict[str, Any], is_level_2: bool) -> tuple[str, str, str]:
    return row["price"], row["qty"], str(row["orders"]) if is_level_2 else row["id"]
