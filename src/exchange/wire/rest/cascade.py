"""Cascades as JSON: a trade and the trades that it caused."""

from __future__ import annotations

from msgspec import Struct

from exchange.wire.rest.clearing import ClearedTrade
from exchange.wire.rest.texts import Id, PriceText


class CausedTrade(Struct, kw_only=True):
    """A trade that came about because another one reached the stop price of its incoming order.

    caused_by: that other one; depth: 1 where it is the trade that was asked about.
    """

    trade: ClearedTrade
    caused_by: Id
    order_id: Id
    stop_price: PriceText
    depth: int


class Cascade(Struct, kw_only=True):
    """A trade with everything that it caused, in the order in which it happened."""

    trade: ClearedTrade
    caused: list[CausedTrade]
