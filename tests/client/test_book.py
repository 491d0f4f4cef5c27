"""The client's book: what makes it live and stale, with the messages that docs/websocket.md shows."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from exchange.client.book import Book, Level
from exchange.wire.rest.stream import BookDelta, BookSnapshot

SNAPSHOT = BookSnapshot(
    symbol="AAPL", seq=118, checksum=3140420662,
    bids=[("189.19", "200", 2), ("189.18", "100", 1)], asks=[("189.21", "50", 1), ("189.22", "300", 1)],
)  # fmt: skip


def delta(**other: Any) -> BookDelta:
    fields: dict[str, Any] = {
        "symbol": "AAPL", "prev_seq": 118, "seq": 121, "at": "2026-11-23T14:30:00.000150000Z",
        "checksum": 2048526655, "bids": [("189.19", "150", 2)], "asks": [("189.21", "0", 0)],
    }  # fmt: skip
    return BookDelta(**fields | other)


def live_book() -> Book:
    book = Book("AAPL")
    assert book.take(SNAPSHOT)
    return book


def test_a_book_is_stale_until_a_snapshot_has_come() -> None:
    book = Book("AAPL")
    assert not book.is_live
    assert book.stale == "no snapshot has come yet"
    assert book.take(SNAPSHOT)
    assert book.is_live
    assert (book.seq, book.as_of) == (118, 118)
    assert book.bids.best(5) == [Level(Decimal("189.19"), 200, 2), Level(Decimal("189.18"), 100, 1)]


def test_a_delta_changes_levels_and_takes_one_away() -> None:
    book = live_book()
    assert book.take(delta())
    assert book.is_live
    assert book.bids.best() == [Level(Decimal("189.19"), 150, 2)]
    assert list(book.asks) == [Level(Decimal("189.22"), 300, 1)]
    assert (len(book.bids), len(book.asks), book.at) == (2, 1, "2026-11-23T14:30:00.000150000Z")
    assert repr(book) == "<Book AAPL 189.19 / 189.22 at 121, live>"


def test_a_delta_that_does_not_follow_makes_the_book_stale_and_leaves_its_levels() -> None:
    book = live_book()
    assert not book.take(delta(prev_seq=119))
    assert book.stale == "a message is missing: one follows 119, the book is at 118"
    assert book.asks.best() == [Level(Decimal("189.21"), 50, 1)]
    assert book.take(SNAPSHOT)
    assert book.is_live


def test_a_wrong_checksum_makes_the_book_stale() -> None:
    book = live_book()
    assert not book.take(delta(checksum=1))
    assert book.stale == "the checksum is 2048526655, the exchange's 1"


def test_a_delta_that_was_taken_before_changes_nothing() -> None:
    book = live_book()
    assert book.take(delta())
    assert book.take(delta(bids=[("1.00", "1", 1)]))
    assert len(book.bids) == 2


def test_a_source_that_is_behind_what_was_seen_keeps_the_book_stale_until_it_has_caught_up() -> None:
    book = live_book()
    book.confirm(500)
    assert book.as_of == 500
    book.take(SNAPSHOT, up_to=300)
    assert book.stale == "its source is at event 300, behind 500 that was seen before"
    book.confirm(501)
    assert book.is_live


def test_a_doubt_makes_it_stale_until_the_next_confirmation() -> None:
    book = live_book()
    book.doubt("the connection is lost")
    assert book.stale == "the connection is lost"
    book.confirm(118)
    assert book.is_live
