"""Tests of exchange.wire.rest.orders: orders as JSON, and the way from the domain's numbers into it."""

from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import fields

from exchange.domain.order import CancelReason, OrderStatus
from exchange.wire.rest.orders import (
    ArrayedOrder,
    NewOrder,
    Order,
    OrderResult,
    average_price,
    cancel_status,
    order_status,
    price_or_none,
)

ORDER = Order(
    id="39", client_order_id="a1", account="1", symbol="AAPL", seq=39, side="buy", type="limit",
    time_in_force="day", qty="100", price="189.20", post_only=False, status="new", filled_qty="0",
    avg_price=None, leaves_qty="100", created_at="2026-11-23T00:00:00.000000000Z",
    updated_at="2026-11-23T00:00:00.000000000Z",
)  # fmt: skip


def test_quantities_come_as_text_or_number_and_prices_never_as_floats() -> None:
    decode = msgspec.json.Decoder(NewOrder).decode
    for qty in ('"100"', "100"):
        order = decode(f'{{"symbol":"AAPL","side":"buy","qty":{qty},"price":"189.20"}}')
        assert int(order.qty) == 100
    with pytest.raises(msgspec.ValidationError, match=r"\$\.price"):
        decode('{"symbol":"AAPL","side":"buy","qty":"1","price":189.2}')
    with pytest.raises(msgspec.ValidationError, match="colour"):
        decode('{"symbol":"AAPL","side":"buy","qty":"1","colour":"red"}')


def test_an_order_shows_rare_fields_only_where_they_are_set() -> None:
    shown = msgspec.json.decode(msgspec.json.encode(ORDER))
    assert "busted_qty" not in shown
    assert "reject" not in shown
    assert shown["avg_price"] is None
    assert msgspec.json.decode(msgspec.json.encode(ORDER), type=Order) == ORDER


def test_a_result_has_either_an_order_or_an_error() -> None:
    assert set(msgspec.to_builtins(OrderResult(status=201, order=ORDER))) == {"status", "order"}


def test_an_average_is_rounded_half_up_to_a_ten_thousandth() -> None:
    assert average_price(0, 0) is None
    assert average_price(3 * 10_000, 3) == "1.00"
    assert average_price(10_000 + 10_001, 2) == "1.0001"
    assert average_price(10_000 + 10_000 + 10_001, 3) == "1.00"


@pytest.mark.parametrize(
    ("quantity", "leaves", "ended", "status"),
    [
        (100, 100, 0, OrderStatus.NEW),
        (100, 40, 0, OrderStatus.PARTIALLY_FILLED),
        (100, 0, 0, OrderStatus.FILLED),
        (100, 0, OrderStatus.CANCELED, OrderStatus.CANCELED),
        (0, 0, OrderStatus.REJECTED, OrderStatus.REJECTED),
    ],
)
def test_the_status_follows_from_what_is_left(
    quantity: int, leaves: int, ended: int, status: OrderStatus
) -> None:
    assert order_status(quantity, leaves, ended) == status


def test_only_the_end_of_the_day_or_of_its_time_is_an_expiry() -> None:
    expired = [reason for reason in CancelReason if cancel_status(reason) == OrderStatus.EXPIRED]
    assert expired == [CancelReason.DAY_ENDED, CancelReason.EXPIRED]


def test_a_price_of_zero_is_none() -> None:
    assert (price_or_none(0), price_or_none(1_892_000)) == (None, "189.20")


def test_an_order_in_an_array_is_the_same_order_with_looser_texts() -> None:
    text = b'[{"symbol":"AAPL","side":"hold","qty":"1","price":"x"}]'
    (order,) = msgspec.json.decode(text, type=list[ArrayedOrder])
    assert isinstance(order, NewOrder)
    assert [field.name for field in fields(ArrayedOrder)] == [field.name for field in fields(NewOrder)]
