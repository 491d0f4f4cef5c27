"""The cascade of a trade: the trades that came about because it reached the stop price of waiting orders, and so on.

All of it happens within the command that made the trade: triggered orders come in before the next command.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from exchange.domain import events as e


class Caused(msgspec.Struct, frozen=True):
    """A trade that another one caused. sequence, cause: of their events; order_id: the stop order between them."""

    sequence: int
    cause: int
    order_id: int
    stop_price: int
    depth: int
    """1: caused by the trade that was asked about."""


def cascade(events: Iterable[e.Event], root: int) -> list[Caused]:
    """Return what the trade of an event sequence caused, in order. events: of its command, from it on at least."""
    depths = {root: 0}
    reached: dict[tuple[int, int], int] = {}
    triggers: dict[int, tuple[int, int]] = {}
    found = []
    for event in events:
        if isinstance(event, e.OrderTriggered):
            cause = reached.get((event.symbol_id, event.last_price))
            if cause in depths:
                triggers[event.order_id] = cause, event.stop_price
        elif isinstance(event, e.TradeExecuted):
            if event.taker_order_id in triggers:
                cause, stop_price = triggers[event.taker_order_id]
                depths[event.sequence] = depths[cause] + 1
                found.append(
                    Caused(event.sequence, cause, event.taker_order_id, stop_price, depths[event.sequence])
                )
            reached.setdefault((event.symbol_id, event.price), event.sequence)
    return found
