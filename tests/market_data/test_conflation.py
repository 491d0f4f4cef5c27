"""Books seen whole or from the top, after each command or now and then."""

from __future__ import annotations

from exchange.domain.order import Side
from exchange.market_data.book import Book, BookOrder, LevelTotal
from exchange.market_data.book_builder import BookUpdate
from exchange.market_data.conflation import BestLevels, WholeBook


def update(bids: list[LevelTotal], asks: list[LevelTotal]) -> BookUpdate:
    return BookUpdate(1, 2, 1, 0, bids, asks, None, None, 0)


def book_of(*bids: int) -> Book:
    book = Book(1)
    for number, price in enumerate(bids):
        book.bids.add(BookOrder(1, Side.BUY, number, price, 10))
    return book


def test_a_whole_book_merges_updates_to_the_last_state_of_each_level() -> None:
    view = WholeBook()
    view.add(update([(100, 10, 1)], []))
    view.add(update([(100, 0, 0), (99, 5, 1)], [(101, 7, 2)]))
    assert view.take(Book(1)) == ([(100, 0, 0), (99, 5, 1)], [(101, 7, 2)])
    assert view.take(Book(1)) == ([], [])


def test_a_level_that_leaves_the_view_brings_the_one_behind_it() -> None:
    view = BestLevels(2, book_of(100, 99, 98))
    assert view.take(book_of(100, 98)) == ([(99, 0, 0), (98, 10, 1)], [])


def test_a_level_pushed_out_of_the_view_is_told_as_gone() -> None:
    view = BestLevels(2, book_of(100, 99))
    assert view.take(book_of(101, 100, 99)) == ([(99, 0, 0), (101, 10, 1)], [])


def test_a_change_below_the_view_is_none() -> None:
    view = BestLevels(1, book_of(100, 99))
    assert view.take(book_of(100)) == ([], [])
