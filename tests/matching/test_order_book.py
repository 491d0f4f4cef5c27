"""The order book keeps price levels best first and queues oldest first, and adds up what they hold."""

from __future__ import annotations

import pytest

from exchange.domain.order import OrderType, Side, TimeInForce
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
        book.own_side(order.side).add(order)
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


def test_a_reduced_order_keeps_its_place_and_goes_at_zero(book: OrderBook) -> None:
    _, first, second = book.bids.orders()
    book.bids.reduce(first, 4)
    assert (first.leaves, first.filled, book.depth(10)[0][1]) == (6, 4, Level(100, 36, 2))
    assert next(iter(book.bids.levels[100].queue.values())) is first
    book.bids.reduce(first, 6)
    assert (first.leaves, book.depth(10)[0][1]) == (0, Level(100, 30, 1))
    assert book.place_in_queue(second) == QueuePlace(1, 0, 0)


def test_a_rank_rises_as_the_price_gets_better() -> None:
    bids, asks = BookSide(Side.BUY), BookSide(Side.SELL)
    assert bids.rank(101) > bids.rank(100) > NO_LEVEL
    assert asks.rank(100) > asks.rank(101) > NO_LEVEL
    assert bids.best_rank() == asks.best_rank() == NO_LEVEL


@pytest.mark.parametrize(
    ("side", "price", "trades"),
    [(Side.BUY, 103, True), (Side.BUY, 102, False), (Side.SELL, 102, True), (Side.SELL, 103, False)],
)
def test_an_order_would_trade_when_it_reaches_the_other_sides_best_price(
    book: OrderBook, side: Side, price: int, trades: bool
) -> None:
    assert book.would_trade(side, price) is trades


def test_nothing_would_trade_with_an_empty_side() -> None:
    assert not OrderBook().would_trade(Side.BUY, 1_999_999_900)
    assert not OrderBook().would_trade(Side.SELL, 1)


@pytest.mark.parametrize(
    ("worst_price", "wanted", "found"), [(103, 999, 50), (105, 999, 90), (105, 50, 50), (102, 1, 0)]
)
def test_what_rests_down_to_a_price_is_counted_no_further_than_wanted(
    book: OrderBook, worst_price: int, wanted: int, found: int
) -> None:
    assert book.asks.quantity_down_to(book.asks.rank(worst_price), wanted) == found
