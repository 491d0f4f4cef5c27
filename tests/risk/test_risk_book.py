"""What a risk book adds up: rates, windows, and what a day has lost."""

from __future__ import annotations

import pytest

from exchange.domain.order import Side
from exchange.domain.risk import DUPLICATES_KINDS_MAX, RiskScope
from exchange.risk.risk_book import MS_NS, RiskBook

NOW_NS = 10**18


@pytest.fixture
def book() -> RiskBook:
    return RiskBook(RiskScope.ACCOUNT, 1)


def test_a_burst_passes_then_one_message_each_interval(book: RiskBook) -> None:
    early = [book.count_message(NOW_NS, 10, 3, must_pass=False) for _ in range(4)]
    assert early == [0, 0, 0, 100 * MS_NS]
    assert book.count_message(NOW_NS + 100 * MS_NS, 10, 3, must_pass=False) == 0


def test_what_must_pass_leaves_nothing_of_the_burst_and_no_debt(book: RiskBook) -> None:
    for _ in range(100):
        assert book.count_message(NOW_NS, 10, 3, must_pass=True) == 0
    assert book.count_message(NOW_NS, 10, 3, must_pass=False) == 100 * MS_NS


def test_different_orders_beyond_the_maximum_of_a_window_are_not_counted(book: RiskBook) -> None:
    for price in range(DUPLICATES_KINDS_MAX + 1):
        assert book.count_order((1, 1, price, 10), NOW_NS, 1_000) == 1
    assert book.count_order((1, 1, DUPLICATES_KINDS_MAX, 10), NOW_NS, 1_000) == 1
    assert book.count_order((1, 1, 0, 10), NOW_NS, 1_000) == 2
    assert book.count_order((1, 1, 0, 10), NOW_NS + 1_000 * MS_NS, 1_000) == 1


def test_executions_are_counted_by_side_and_window(book: RiskBook) -> None:
    assert [book.count_execution(side, NOW_NS, 5) for side in (Side.BUY, Side.BUY, Side.SELL)] == [1, 2, 1]
    assert book.count_execution(Side.BUY, NOW_NS + 5 * MS_NS, 5) == 1


def test_a_loss_is_what_the_days_trades_cost_at_the_price_now(book: RiskBook) -> None:
    book.trade(Side.BUY, 1, 100, 10)
    book.trade(Side.SELL, 1, 110, 4)
    assert book.loss(lambda _: 90) == 1_000 - 440 - 6 * 90
    assert book.gross == 1_440
    book.begin_day()
    assert (book.gross, book.loss(lambda _: 90)) == (0, 0)


def test_the_limit_of_a_symbol_goes_before_that_of_any(book: RiskBook) -> None:
    book.limits = {(7, 0): (100, 0), (7, 2): (10, 0)}
    assert [book.limit(7, symbol_id) for symbol_id in (0, 1, 2)] == [(100, 0), (100, 0), (10, 0)]  # type: ignore[arg-type]
    assert book.limit(8) is None  # type: ignore[arg-type]
