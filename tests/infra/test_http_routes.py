"""Calls and errors as handlers see them."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.infra.http_routes import ApiError, Call


def call(**path: str) -> Call:
    raw: Any = None
    return Call(raw, "r-1", path=path)


@pytest.mark.parametrize("text", ["0", "17", str(2**64 - 1), "007"])
def test_a_path_id_is_a_64_bit_number(text: str) -> None:
    assert call(order_id=text).path_id("order_id") == int(text)


@pytest.mark.parametrize("text", ["x", "-1", "1.0", "１７", "0x1", " 1", "", "9" * 21, "9" * 100_000])
def test_another_text_is_no_path_id(text: str) -> None:
    with pytest.raises(ApiError, match="order_id must be a whole number") as caught:
        call(order_id=text).path_id("order_id")
    assert (caught.value.status, caught.value.field) == (400, "order_id")
    assert len(caught.value.message) < 200


def test_a_number_beyond_64_bits_is_an_id_of_nothing() -> None:
    with pytest.raises(ApiError) as caught:
        call(order_id=str(2**64)).path_id("order_id")
    assert caught.value.status == 404


def test_a_public_route_must_not_ask_who_calls() -> None:
    with pytest.raises(AssertionError, match="public"):
        _ = call().who
