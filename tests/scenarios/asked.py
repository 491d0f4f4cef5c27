"""Read what a step says of an order: its price, its type, and what it asks for."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from exchange.domain.order import OrderFlag, OrderType, TimeInForce
from exchange.domain.units import parse_money, parse_time

UNPRICED = {"market": OrderType.MARKET, "market-to-limit": OrderType.MARKET_TO_LIMIT}
STOP_TERMS = {"stop_price", "trail_amount", "trail_bps"}
FLAGS = {
    "post-only": OrderFlag.POST_ONLY, "reprice": OrderFlag.REPRICE, "all-or-none": OrderFlag.ALL_OR_NONE,
    "hidden": OrderFlag.HIDDEN, "do-not-reduce": OrderFlag.DO_NOT_REDUCE, "short": OrderFlag.SHORT,
    "short-exempt": OrderFlag.SHORT_EXEMPT, "located": OrderFlag.LOCATED,
}  # fmt: skip
TERMS: dict[str, tuple[str, Callable[[str], int]]] = {
    "min": ("minimum_quantity", int), "show": ("display_quantity", int), "until": ("expires_ns", parse_time),
    "stop": ("stop_price", parse_money),
    "trail": ("trail_amount", parse_money), "trail-bps": ("trail_bps", int),
}  # fmt: skip


def step(pattern: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Say which steps a method performs."""

    def mark(method: Callable[..., Any]) -> Callable[..., Any]:
        method.pattern = re.compile(pattern)
        return method

    return mark


def type_of(price: str, terms: dict[str, int]) -> OrderType:
    """Return the type of an order: one with a stop price or a trail is a stop order."""
    if STOP_TERMS & terms.keys():
        return OrderType.STOP if price == "market" else OrderType.STOP_LIMIT
    return UNPRICED.get(price, OrderType.LIMIT)


def asked_of(words: list[str]) -> tuple[dict[str, Any], dict[str, int]]:
    """Read what stands between price and account: time in force and flags, and the special terms."""
    asked: dict[str, Any] = {"time_in_force": TimeInForce.DAY, "flags": 0}
    terms: dict[str, int] = {}
    left = iter(words)
    for word in left:
        if word in FLAGS:
            asked["flags"] |= FLAGS[word]
        elif word in TERMS:
            field, read = TERMS[word]
            terms[field] = read(next(left))
        else:
            asked["time_in_force"] = TimeInForce[word.upper().replace("-", "_")]
    return asked, terms


def price_of(text: str) -> int:
    """Read a price; unlike a customer's it may be 0 or too high."""
    return parse_money(text)
