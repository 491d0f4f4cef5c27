"""The words of an order: numbers are those of FIX, and final is final."""

from __future__ import annotations

import pytest

from exchange.domain.order import (
    CLIENT_ORDER_ID_PATTERN,
    FINAL_STATUSES,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
)  # fmt: skip
from exchange.domain.participant import is_valid_name


def test_numbers_are_those_of_fix() -> None:
    assert {side.name: side.value for side in Side} == {"BUY": 1, "SELL": 2}
    assert {kind.name: kind.value for kind in OrderType} == {
        "MARKET": 1,
        "LIMIT": 2,
        "STOP": 3,
        "STOP_LIMIT": 4,
        "MARKET_TO_LIMIT": ord("K"),
    }
    assert {tif.name: tif.value for tif in TimeInForce} == {"DAY": 0, "GTC": 1, "IOC": 3, "FOK": 4, "GTD": 6}


def test_an_order_is_open_or_final() -> None:
    open_statuses = [status for status in OrderStatus if status not in FINAL_STATUSES]
    assert open_statuses == [OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED]


@pytest.mark.parametrize("text", ["a", "!", "~" * 36, "order-1/2"])
def test_a_client_order_id_is_printable_ascii(text: str) -> None:
    assert CLIENT_ORDER_ID_PATTERN.match(text)


@pytest.mark.parametrize("text", ["", " ", "a b", "a" * 37, "ä", "a\n", "\x7f"])
def test_anything_else_is_no_client_order_id(text: str) -> None:
    assert not CLIENT_ORDER_ID_PATTERN.match(text)


@pytest.mark.parametrize(
    ("name", "valid"),
    [("ann", True), ("Ann & Söhne", True), ("x" * 64, True), ("x" * 65, False), ("ü" * 33, False), ("", False),
     (" ann", False), ("ann ", False), ("a\tb", False), ("a\x00", False), ("a\u2028b", False)],
)  # fmt: skip
def test_a_name_is_printable_and_short(name: str, valid: bool) -> None:
    assert is_valid_name(name) is valid
