"""When a decline restricts short sales: prices and days, without orders."""

from __future__ import annotations

import pytest

from exchange.domain.symbol import ShortSaleTerms
from exchange.matching.short_sales import RESTRICTED_DAYS, ShortSales


def armed(trigger_bps: int = 1_000, closing_price: int = 100_000) -> ShortSales:
    short_sales = ShortSales()
    short_sales.set(ShortSaleTerms(trigger_bps), closing_price)
    return short_sales


@pytest.mark.parametrize(
    ("trigger_bps", "closing_price", "trigger_price"),
    [(1_000, 100_000, 90_000), (1_000, 99_999, 89_999), (9_999, 100_000, 10), (0, 100_000, 0)],
)
def test_the_trigger_price_is_the_close_less_the_decline_rounded_down(
    trigger_bps: int, closing_price: int, trigger_price: int
) -> None:
    assert armed(trigger_bps, closing_price).trigger_price == trigger_price


def test_other_terms_measure_from_the_same_close() -> None:
    short_sales = armed()
    short_sales.set(ShortSaleTerms(500), 50_000)
    assert (short_sales.closing_price, short_sales.trigger_price) == (100_000, 95_000)


def test_a_restriction_lasts_this_day_and_the_next() -> None:
    short_sales = armed()
    short_sales.restrict()
    assert (short_sales.days, short_sales.trigger_price) == (RESTRICTED_DAYS, 0)
    assert short_sales.begin_day(80_000)
    assert (short_sales.days, short_sales.trigger_price) == (1, 72_000)
    assert short_sales.begin_day(80_000)
    assert short_sales.days == 0
    assert not short_sales.begin_day(80_000)


def test_without_a_trigger_there_is_neither_restriction_nor_close() -> None:
    short_sales = armed()
    short_sales.restrict()
    short_sales.set(ShortSaleTerms(needs_locate=True), 100_000)
    assert (short_sales.days, short_sales.closing_price, short_sales.trigger_price) == (0, 0, 0)
