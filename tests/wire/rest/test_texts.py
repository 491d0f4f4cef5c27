"""Tests of exchange.wire.rest.texts: what fits a declaration can be read, and what is written fits it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.domain.order import CLIENT_ORDER_ID_PATTERN
from exchange.domain.symbol import SYMBOL_PATTERN
from exchange.domain.units import (
    MONEY_MAX,
    PRICE_MAX,
    QUANTITY_MAX,
    SCALE,
    format_date,
    format_money,
    format_price,
    format_time,
    parse_money,
    parse_price,
    parse_quantity,
    parse_time,
)
from exchange.wire.rest import texts

TIME_NS_MAX = 7 * 10**18


def pattern_of(kind: Any) -> str:
    """Return the pattern that a text is declared with."""
    pattern: str = get_args(kind)[1].extra_json_schema["pattern"]
    return pattern


def fits(kind: Any, text: str) -> bool:
    return re.fullmatch(pattern_of(kind), text) is not None


READ = [
    (texts.AmountText, parse_money),
    (texts.ClientOrderIdText, lambda text: text == "" or CLIENT_ORDER_ID_PATTERN.match(text)),
    (texts.DateText, date.fromisoformat),
    (texts.Id, lambda text: int(text) < 2**64),
    (texts.SymbolText, SYMBOL_PATTERN.match),
    (texts.TimeText, lambda text: parse_time(text) >= 0),
]


@pytest.mark.parametrize(("kind", "read"), READ, ids=[pattern_of(kind)[:30] for kind, _ in READ])
@given(st.data())
def test_what_fits_its_pattern_can_be_read(
    kind: Any, read: Callable[[str], object], data: st.DataObject
) -> None:
    text = data.draw(st.from_regex(pattern_of(kind).removesuffix("$") + r"\Z", fullmatch=True))
    assert read(text)


@given(st.from_regex(pattern_of(texts.PriceText).removesuffix("$") + r"\Z", fullmatch=True))
def test_a_price_that_fits_is_a_price_up_to_the_last_cent(text: str) -> None:
    assert fits(texts.PriceOrZero, text)
    assert text.startswith("199999.99") or parse_price(text) > 0


@given(st.integers(0, 10**10 - 1).map(str))
def test_a_quantity_that_fits_is_one_up_to_the_largest(text: str) -> None:
    assert fits(texts.SharesIn, text) == (text != "0")
    assert not 0 < int(text) <= QUANTITY_MAX or parse_quantity(text) == int(text)


@given(st.integers(1, PRICE_MAX), st.integers(-MONEY_MAX, MONEY_MAX), st.integers(0, TIME_NS_MAX))
def test_what_is_written_fits_its_pattern(price: int, money: int, time_ns: int) -> None:
    assert fits(texts.PriceText, format_price(price))
    assert fits(texts.PriceOrZero, format_price(price))
    assert fits(texts.MoneyText, format_money(money))
    assert fits(texts.TimeText, format_time(time_ns))


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (texts.PriceText, "0"),
        (texts.PriceText, "0.0000"),
        (texts.PriceText, "-1"),
        (texts.PriceText, "1e5"),
        (texts.PriceText, "1.23456"),
        (texts.PriceText, ".5"),
        (texts.PriceText, "1."),
        (texts.PriceText, "200000"),
        (texts.AmountText, "0.00"),
        (texts.SharesIn, "0"),
        (texts.SharesIn, "1.0"),
        (texts.SymbolText, "aapl"),
        (texts.SymbolText, ""),
        (texts.ClientOrderIdText, "my order"),
        (texts.DateText, "2026-02-30"),
        (texts.DateText, "2026-04-31"),
        (texts.DateText, "2026-1-1"),
        (texts.TimeText, "2026-11-22T24:00:00Z"),
        (texts.TimeText, "2026-11-22T14:30:00"),
        (texts.TimeText, "2026-11-22T14:30:00+01:00"),
        (texts.TimeText, "2026-11-22T14:30:00.1234567890Z"),
        (texts.Id, "-1"),
        (texts.CandleCursor, "9000000000000000000.20261122"),
    ],
)
def test_what_cannot_be_does_not_fit(kind: Any, text: str) -> None:
    assert not fits(kind, text)


def test_optional_texts_may_be_empty_and_zero_may_begin_a_tick_table() -> None:
    empty = (texts.IdOrEmpty, texts.SymbolOrEmpty, texts.Cursor, texts.PairCursor, texts.CandleCursor)
    assert all(fits(kind, "") for kind in (*empty, texts.TimeOrEmpty, texts.DateOrEmpty, texts.TimeOrNever))
    assert fits(texts.TimeOrNever, "never")
    assert fits(texts.PriceOrZero, "0")
    assert fits(texts.DateText, format_date(20_261_122))


def test_numbers_end_where_the_units_end() -> None:
    bounds = [get_args(kind)[1].extra_json_schema for kind in (texts.PriceNumber, texts.AmountNumber)]
    assert [bound["maximum"] * SCALE for bound in bounds] == [PRICE_MAX - PRICE_MAX % SCALE, MONEY_MAX]
