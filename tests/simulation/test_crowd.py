"""The crowd of an auction sends orders that its phase takes, the same from the same seed."""

from __future__ import annotations

import pytest

from exchange.domain.phase import AuctionKind
from exchange.domain.units import parse_price
from exchange.simulation.crowd import Crowd, Gathering

KINDS = {
    AuctionKind.OPENING: "at_the_open",
    AuctionKind.CLOSING: "at_the_close",
    AuctionKind.REOPENING: "good_for_auction",
}


def gathering(kind: AuctionKind) -> Gathering:
    return Gathering("AAPL", 1_892_000, 100, 10, kind)


@pytest.mark.parametrize(("kind", "alone"), KINDS.items())
def test_orders_stay_for_the_day_or_are_for_this_auction_alone(kind: AuctionKind, alone: str) -> None:
    orders = Crowd(seed=7).orders(gathering(kind), 200)
    assert {order.time_in_force for order in orders} == {"day", alone}
    assert {order.side for order in orders} == {"buy", "sell"}
    for order in orders:
        assert (order.type == "market") == (order.price is None)
        assert order.type == "limit" or order.time_in_force == alone
        assert int(order.qty) % 10 == 0
        if order.price is not None:
            assert parse_price(str(order.price)) % 100 == 0


def test_the_same_seed_gives_the_same_orders() -> None:
    first, again, other = (Crowd(seed).orders(gathering(AuctionKind.OPENING), 50) for seed in (7, 7, 8))
    assert first == again
    assert first != other


def test_prices_lie_around_the_reference_and_never_at_nothing() -> None:
    cheap = Gathering("PENNY", 3, 1, 1, AuctionKind.OPENING)
    prices = [order.price for order in Crowd(seed=1).orders(cheap, 100) if order.price is not None]
    assert all(parse_price(str(price)) >= 1 for price in prices)
