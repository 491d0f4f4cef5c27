"""The order book keeps price levels best first and queues oldest first, and adds up what they hold."""

from __future__ import annotations

import pytest

from exchange.domain.order import OrderFlag, OrderType, Side, SpecialTerms, TimeInForce
from exchange.matching.order_book import NO_LEVEL, BookSide, Level, OrderBook, QueuePlace, RestingOrder


def resting(order_id: int, side: Side, price: int, quantity: int) -> RestingOrder:
    return RestingOrder(
        order_id, 1, 1, side, OrderType.LIMIT, TimeInForce.DAY, 0, price, quantity, quantity, "", 0
    )


@pytest.fixture
def book() -> OrderBook:
    book = OrderBook()
    for order in (
        resting(1, Side.BUY, 100, 10),
        resting(2, Side.BUY, 102, 20),
        resting(3, Side.BUY, 100, 30),
        resting(4, Side.SELL, 105, 40),
        resting(5, Side.SELL, 103, 50),
    ):
        book.home_of(order).add(order)
    return book


def test_depth_has_the_best_price_first_on_both_sides(book: OrderBook) -> None:
    assert book.depth(10) == ([Level(102, 20, 1), Level(100, 40, 2)], [Level(103, 50, 1), Level(105, 40, 1)])
    assert book.depth(1) == ([Level(102, 20, 1)], [Level(103, 50, 1)])
    assert book.depth(0) == ([], [])


def test_orders_come_in_the_sequence_in_which_they_would_trade(book: OrderBook) -> None:
    assert [order.order_id for order in book.bids.orders()] == [2, 1, 3]
    assert [order.order_id for order in book.asks.orders()] == [5, 4]


def test_the_place_in_the_queue_counts_what_stands_ahead_at_the_price(book: OrderBook) -> None:
    bids = {order.order_id: order for order in book.bids.orders()}
    assert book.place_in_queue(bids[1]) == QueuePlace(1, 0, 0)
    assert book.place_in_queue(bids[3]) == QueuePlace(2, 1, 10)


def test_an_order_that_is_nowhere_has_no_place(book: OrderBook) -> None:
    with pytest.raises(AssertionError, match="order 9 is not in the queue"):
        book.place_in_queue(resting(9, Side.BUY, 100, 1))


def test_the_last_order_of_a_price_takes_the_level_with_it(book: OrderBook) -> None:
    best = next(book.bids.orders())
    book.bids.remove(best)
    assert book.depth(10)[0] == [Level(100, 40, 2)]
    assert book.bids.best_rank() == 100


def test_a_filled_order_keeps_its_place_and_goes_at_zero(book: OrderBook) -> None:
    _, first, second = book.bids.orders()
    book.bids.fill(first, 4)
    assert (first.leaves, first.filled, book.depth(10)[0][1]) == (6, 4, Level(100, 36, 2))
    assert next(iter(book.bids.levels[100].queue.values())) is first
    book.bids.fill(first, 6)
    assert (first.leaves, book.depth(10)[0][1]) == (0, Level(100, 30, 1))
    assert book.place_in_queue(second) == QueuePlace(1, 0, 0)


def test_a_reduced_order_gives_up_what_is_not_shown_first(book: OrderBook) -> None:
    iceberg = resting(6, Side.BUY, 100, 50)
    iceberg.terms, iceberg.reserve = SpecialTerms(display_quantity=20), 30
    book.bids.add(iceberg)
    assert book.depth(10)[0][1] == Level(100, 60, 3)
    book.bids.reduce(iceberg, 25)
    assert (iceberg.displayed, iceberg.reserve, book.depth(10)[0][1]) == (20, 5, Level(100, 60, 3))
    book.bids.reduce(iceberg, 10)
    assert (iceberg.displayed, iceberg.reserve, book.depth(10)[0][1]) == (15, 0, Level(100, 55, 3))


def test_a_refreshed_order_stands_last_with_its_next_part(book: OrderBook) -> None:
    iceberg = resting(6, Side.SELL, 103, 50)
    iceberg.terms, iceberg.reserve = SpecialTerms(display_quantity=20), 30
    book.asks.add(iceberg)
    book.asks.add(resting(7, Side.SELL, 103, 5))
    book.asks.fill(iceberg, 20)
    book.asks.refresh(iceberg)
    assert list(book.asks.best_level().queue) == [5, 7, 6]
    assert (iceberg.displayed, iceberg.reserve, book.depth(1)[1]) == (20, 10, [Level(103, 75, 3)])


def test_what_is_shown_at_a_price_is_asked_before_what_is_hidden(book: OrderBook) -> None:
    hidden = resting(6, Side.SELL, 103, 50)
    hidden.flags = OrderFlag.HIDDEN
    book.home_of(hidden).add(hidden)
    first = book.willing(Side.BUY, 1)
    assert first is not None
    assert first.order_id == 5
    assert [list(level.queue) for level in book.opposite_queues(Side.BUY)] == [[5], [6], [4]]
    better = resting(7, Side.SELL, 102, 50)
    better.flags, better.terms = OrderFlag.HIDDEN, SpecialTerms(minimum_quantity=10)
    book.home_of(better).add(better)
    assert [
        order and order.order_id for order in (book.willing(Side.BUY, 9), book.willing(Side.BUY, 10))
    ] == [5, 7]
    assert OrderBook().willing(Side.SELL, 1) is None


def test_a_rank_rises_as_the_price_gets_better() -> None:
    bids, asks = BookSide(Side.BUY), BookSide(Side.SELL)
    assert bids.rank(101) > bids.rank(100) > NO_LEVEL
    assert asks.rank(100) > asks.rank(101) > NO_LEVEL
    assert bids.best_rank() == asks.best_rank() == NO_LEVEL


@pytest.mark.parametrize(
    ("side", "limit", "reaches"),
    [(Side.BUY, 103, True), (Side.BUY, 102, False), (Side.SELL, 103, True), (Side.SELL, 104, False)],
)
def test_a_limit_reaches_a_price_that_is_no_worse(
    book: OrderBook, side: Side, limit: int, reaches: bool
) -> None:
    assert book.reaches(side, limit, 103) is reaches
