"""A watched book is rebuilt from the stream, and the tape goes on without a trade shown twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from exchange.cli.watch import WatchedBook, trades_in
from tests.cli.conftest import Run

SNAPSHOT: dict[str, Any] = {
    "channel": "book", "type": "snapshot", "symbol": "AAPL", "seq": 5,
    "bids": [["9.99", "10", 1], ["10.00", "20", 2]], "asks": [["10.01", "5", 1]],
}  # fmt: skip


def test_a_book_is_rebuilt_from_snapshot_and_deltas() -> None:
    book = WatchedBook("AAPL")
    assert book.take(SNAPSHOT)
    assert book.picture(10)["bids"][0] == {"price": "10.00", "qty": "20", "orders": 2}
    assert book.take({**SNAPSHOT, "type": "delta", "seq": 7, "bids": [["10.00", "0", 0]], "asks": []})
    picture = book.picture(10)
    assert [row["price"] for row in picture["bids"]] == ["9.99"]
    assert [row["price"] for row in picture["asks"]] == ["10.01"]
    assert picture["seq"] == 7


def test_a_picture_is_no_deeper_than_asked() -> None:
    book = WatchedBook("AAPL")
    book.take(SNAPSHOT)
    assert len(book.picture(1)["bids"]) == 1


def test_other_messages_are_not_of_the_book() -> None:
    assert not WatchedBook("AAPL").take({"channel": "book", "type": "resumed"})


def test_trades_that_were_shown_are_not_shown_again() -> None:
    old, new = {"seq": 5}, {"seq": 9}
    assert trades_in({"channel": "trades", "type": "snapshot", "trades": [old, new]}, after=5) == [new]
    assert trades_in({"channel": "trades", "type": "trade", "trade": new}, after=5) == [new]
    assert trades_in({"channel": "trades", "type": "bust", "trade": old}, after=5) == [old]
    assert trades_in({"type": "heartbeat"}, after=5) == []


@pytest.mark.parametrize("words", [("book", "AAPL", "--watch"), ("book", "AAPL", "--watch", "--json")])
def test_where_no_reporter_is_watching_says_so(run: Run, words: tuple[str, ...], tmp_path: Path) -> None:
    ran = run(*words, "--url", "http://127.0.0.1:1")
    assert ran.code == 3
    assert "cannot reach the reporter at http://127.0.0.1:1" in ran.err
