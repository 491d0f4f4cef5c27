"""The checks by themselves; `tests/scenarios/reasons.txt` walks through all of them in their precedence."""

from __future__ import annotations

import pytest

from exchange.domain.order import OrderType, Side, TimeInForce
from exchange.domain.reasons import Reason
from exchange.domain.symbol import Symbol, SymbolState, TickTable
from exchange.domain.units import NOTIONAL_MAX, PRICE_MAX
from exchange.matching.market import Market
from exchange.matching.order_checks import (
    Refusal,
    read_client_order_id,
    refusal_of_handling,
    refusal_of_kind,
    refusal_of_post_only,
    refusal_of_terms,
)  # fmt: skip

LIMIT, MARKET = OrderType.LIMIT, OrderType.MARKET


def market() -> Market:
    return Market(Symbol(1, "XYZ", "Xyzzy", 10, 100_000, SymbolState.ACTIVE, TickTable()))


@pytest.mark.parametrize(
    ("padded", "text"),
    [
        (b"a".ljust(36, b"\0"), "a"),
        (b"~" * 36, "~" * 36),
        (b"!".ljust(36, b"\0"), "!"),
        (b"\0" * 36, None),
        (b"a b".ljust(36, b"\0"), None),
        (b"a\0b".ljust(36, b"\0"), None),
        (b"\xe4".ljust(36, b"\0"), None),
        (b"\x7f".ljust(36, b"\0"), None),
        (b"\0a".ljust(36, b"\0"), None),
    ],
)
def test_a_client_order_id_is_printable_ascii_without_blanks(padded: bytes, text: str | None) -> None:
    assert read_client_order_id(padded) == text


@pytest.mark.parametrize("time_in_force", list(TimeInForce))
def test_known_kinds_of_orders_pass(time_in_force: int) -> None:
    assert refusal_of_kind(Side.SELL, LIMIT, time_in_force, 1) is None


@pytest.mark.parametrize(
    ("price", "quantity", "refusal"),
    [
        (PRICE_MAX, 10, None),
        (PRICE_MAX, 500_000_020, None),
        (PRICE_MAX, 500_000_030, Refusal(Reason.NOTIONAL_OVERFLOW, 500_000_030, NOTIONAL_MAX // PRICE_MAX)),
        (PRICE_MAX + 1, 10, Refusal(Reason.PRICE_TOO_HIGH, PRICE_MAX + 1, PRICE_MAX)),
        (9_999, 10, None),
        (10_001, 10, Refusal(Reason.PRICE_NOT_ON_TICK, 10_001, 100)),
        (10_000, 5, Refusal(Reason.QUANTITY_NOT_IN_LOTS, 5, 10)),
    ],
)
def test_terms_are_refused_with_what_was_seen_and_the_limit(
    price: int, quantity: int, refusal: Refusal | None
) -> None:
    assert refusal_of_terms(market(), LIMIT, price, quantity) == refusal


def test_without_a_market_only_what_holds_for_every_symbol_is_checked() -> None:
    assert refusal_of_terms(None, LIMIT, 10_001, 5) is None
    assert refusal_of_terms(None, LIMIT, 0, 5) == Refusal(Reason.PRICE_MISSING)


@pytest.mark.parametrize("time_in_force", [TimeInForce.DAY, TimeInForce.IOC, TimeInForce.FOK])
def test_a_market_order_may_have_any_time_in_force_that_does_not_rest(time_in_force: int) -> None:
    assert refusal_of_handling(MARKET, time_in_force, 0) is None


def test_a_post_only_order_meets_no_empty_side() -> None:
    assert refusal_of_post_only(market(), Side.BUY, 1, PRICE_MAX, 10) is None
