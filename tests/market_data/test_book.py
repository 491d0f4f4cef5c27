"""A book's levels, queues and checksum."""

from __future__ import annotations

import struct
from zlib import crc32

from hypothesis import given
from hypothesis import strategies as st

from exchange.domain.order import Side
from exchange.market_data.book import Book, BookOrder, checksum_of


def order(number: int, side: Side, price: int, leaves: int = 100) -> BookOrder:
    return BookOrder(1, side, number, price, leaves)


def filled(*orders: BookOrder) -> Book:
    book = Book(1)
    for each in orders:
        book.side(each.side).add(each)
    return book


def test_levels_stand_best_first_on_both_sides() -> None:
    book = filled(*[order(at, side, price) for side in Side for at, price in enumerate((101, 103, 102))])
    assert book.totals() == (
        [(103, 100, 1), (102, 100, 1), (101, 100, 1)],
        [(101, 100, 1), (102, 100, 1), (103, 100, 1)],
    )
    assert book.totals(1) == ([(103, 100, 1)], [(101, 100, 1)])


def test_a_queue_keeps_the_order_of_arrival_when_one_is_reduced() -> None:
    first, second = order(1, Side.BUY, 100), order(2, Side.BUY, 100)
    book = filled(first, second)
    book.bids.reduce(first, 40)
    assert [(each.order_id, each.leaves) for each in book.queues()[0]] == [(1, 40), (2, 100)]
    assert book.totals()[0] == [(100, 140, 2)]


def test_a_level_goes_with_its_last_order() -> None:
    only = order(1, Side.SELL, 100)
    book = filled(only)
    book.asks.take_changes()
    book.asks.reduce(only, 0)
    assert book.asks.take_changes() == [(100, 0, 0)]
    assert book.totals() == ([], [])
    assert book.asks.best is None


def test_the_checksum_is_that_of_the_protocol_page() -> None:
    book = filled(order(1, Side.BUY, 1_891_900, 200), order(2, Side.SELL, 1_892_100, 50))
    assert book.checksum() == 0, "changes are not taken yet"
    book.bids.take_changes()
    book.asks.take_changes()
    assert book.checksum() == crc32(struct.pack("<4q", 1_891_900, 200, 1_892_100, 50))


ORDERS = st.lists(st.tuples(st.sampled_from(list(Side)), st.integers(1, 40), st.booleans()), max_size=60)


@given(ORDERS)
def test_the_checksum_is_that_of_the_ten_best_levels_after_any_change(
    steps: list[tuple[Side, int, bool]],
) -> None:
    book, resting = Book(1), list[BookOrder]()
    for number, (side, value, adds) in enumerate(steps):
        if adds or not resting:
            resting.append(order(number, side, value))
            book.side(side).add(resting[-1])
        else:
            gone = resting.pop(value % len(resting))
            book.side(gone.side).reduce(gone, 0)
        book.bids.take_changes()
        book.asks.take_changes()
        bids, asks = book.totals()
        assert book.checksum() == checksum_of(bids, asks)
        assert (book.bids.best, book.asks.best) == (bids[0] if bids else None, asks[0] if asks else None)
