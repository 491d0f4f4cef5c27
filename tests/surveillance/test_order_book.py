"""A side counts what is shown at each price, and forgets prices with nothing."""

from __future__ import annotations

from exchange.surveillance.order_book import BUY, SELL, BookSide, SymbolBook, opposite


def test_prices_come_and_go_with_what_is_shown() -> None:
    side = BookSide()
    for price, quantity in ((100, 5), (98, 3), (102, 1), (100, 2), (98, -3), (97, 0)):
        side.add(price, quantity)
    assert side.quantities == {100: 7, 102: 1}
    assert side.prices == [100, 102]


def test_best_and_depth_are_those_of_each_side() -> None:
    book = SymbolBook(BookSide(), BookSide())
    assert (book.best(BUY), book.best(SELL), book.depth(BUY, 5)) == (0, 0, 0)
    for price in range(1, 8):
        book.bids.add(price, 10)
        book.asks.add(price + 10, 10)
    assert (book.best(BUY), book.best(SELL)) == (7, 11)
    assert (book.top(BUY, 2), book.top(SELL, 2)) == ([6, 7], [11, 12])
    assert book.depth(SELL, 5) == 50


def test_the_other_side_of_the_other_side_is_the_side() -> None:
    assert opposite(opposite(6)) == 6
    assert opposite(6) == 7
