"""Numbers become text and text numbers exactly, or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.domain.units import (
    MONEY_MAX,
    PRICE_MAX,
    QUANTITY_MAX,
    UnitError,
    date_number,
    format_date,
    format_money,
    format_price,
    format_time,
    next_date,
    parse_money,
    parse_price,
    parse_quantity,
    parse_time,
    public_id,
    sequence_of,
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "price"),
    [
        ("189.20", 1_892_000), ("189.2", 1_892_000), ("189", 1_890_000), ("0.0001", 1), ("00189.2000", 1_892_000),
        ("189.20000000", 1_892_000), ("199999.99", PRICE_MAX),
    ],
)  # fmt: skip
def test_a_price_is_read_exactly(text: str, price: int) -> None:
    assert parse_price(text) == price


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "plain decimal such as 189.20, got ''"),
        ("1e5", "plain decimal"),
        ("NaN", "plain decimal"),
        ("Infinity", "plain decimal"),
        ("+1", "plain decimal"),
        (" 1", "plain decimal"),
        ("1.", "plain decimal"),
        (".5", "plain decimal"),
        ("1,5", "plain decimal"),
        ("1_000", "plain decimal"),
        ("١", "plain decimal"),
        ("1\n", "plain decimal"),
        ("1" * 19, "plain decimal"),
        ("1.00001", "at most 4 decimals, got '1.00001'"),
        ("0", "above 0 and at most 199999.99, got '0'"),
        ("-1", "above 0"),
        ("199999.9901", "at most 199999.99"),
        ("9" * 18, "at most 199999.99"),
    ],
)
def test_a_text_that_is_no_price_is_refused_with_what_was_seen(text: str, message: str) -> None:
    with pytest.raises(UnitError, match=message):
        parse_price(text)


@given(st.integers(1, PRICE_MAX))
def test_a_price_survives_its_text(price: int) -> None:
    assert parse_price(format_price(price)) == price


@given(st.integers(-MONEY_MAX, MONEY_MAX))
def test_money_survives_its_text(money: int) -> None:
    assert parse_money(format_money(money)) == money


@pytest.mark.parametrize(
    ("money", "text"),
    [(0, "0.00"), (1, "0.0001"), (-1, "-0.0001"), (10_000, "1.00"), (-12_345, "-1.2345"), (100_500, "10.05")],
)
def test_money_is_written_with_at_least_two_decimals(money: int, text: str) -> None:
    assert format_money(money) == text


@pytest.mark.parametrize("text", ["100000000000000.0001", "-100000000000000.0001"])
def test_money_beyond_the_limit_is_refused(text: str) -> None:
    with pytest.raises(UnitError, match=r"within ±100000000000000\.00"):
        parse_money(text)


@pytest.mark.parametrize(
    ("given_as", "quantity"), [("1", 1), (1, 1), ("0100", 100), (QUANTITY_MAX, QUANTITY_MAX)]
)
def test_a_quantity_may_be_a_text_or_a_number(given_as: str | int, quantity: int) -> None:
    assert parse_quantity(given_as) == quantity


@pytest.mark.parametrize(
    ("given_as", "message"),
    [
        (0, "1 to 4294967295, got 0"),
        (-5, "1 to 4294967295"),
        (QUANTITY_MAX + 1, "1 to 4294967295"),
        ("1.0", "whole number such as 100, got '1.0'"),
        ("-1", "whole number"),
        ("", "whole number"),
        ("1" * 19, "whole number"),
        (True, "got a boolean"),
    ],
)
def test_what_is_no_quantity_is_refused(given_as: str | int, message: str) -> None:
    with pytest.raises(UnitError, match=message):
        parse_quantity(given_as)


def test_an_error_shows_no_more_than_a_line_of_what_was_seen() -> None:
    with pytest.raises(UnitError) as raised:
        parse_price("x" * 1_000)
    assert len(str(raised.value)) < 130


@pytest.mark.parametrize(
    ("text", "time_ns"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.000000001Z", 1),
        ("1970-01-01T00:00:01.5Z", 1_500_000_000),
        ("2026-11-23T09:00:00Z", 1_795_424_400_000_000_000),
    ],
)
def test_a_time_is_read_to_the_nanosecond(text: str, time_ns: int) -> None:
    assert parse_time(text) == time_ns


@pytest.mark.parametrize(
    "text",
    ["", "2026-11-23", "2026-11-23 09:00:00Z", "2026-11-23T09:00:00", "2026-11-23T09:00:00+00:00",
     "2026-02-30T09:00:00Z", "2026-11-23T24:00:00Z", "2026-11-23T09:00:00.0123456789Z"],
)  # fmt: skip
def test_what_is_no_time_in_utc_is_refused(text: str) -> None:
    with pytest.raises(UnitError, match="time "):
        parse_time(text)


@given(st.integers(0, 2**63 - 1))
def test_a_time_survives_its_text(time_ns: int) -> None:
    assert parse_time(format_time(time_ns)) == time_ns


@given(st.integers(0, 2**63 - 1))
def test_the_date_of_a_time_is_the_one_in_its_text(time_ns: int) -> None:
    assert format_date(date_number(time_ns)) == format_time(time_ns)[:10]


@pytest.mark.parametrize(
    ("number", "following"),
    [(20261123, 20261124), (20261231, 20270101), (20240228, 20240229), (20260228, 20260301)],
)
def test_the_next_date_is_the_calendars(number: int, following: int) -> None:
    assert next_date(number) == following


@given(st.integers(0, 255), st.integers(0, 2**56 - 1))
def test_a_public_id_holds_partition_and_sequence(partition: int, sequence: int) -> None:
    public = public_id(partition, sequence)
    assert (public >> 56, sequence_of(public)) == (partition, sequence)
    assert public < 2**64
