"""Try a rule of allocation: the same flow of commands through a venue of its own, and what came of it.

    class LargestFirst:
        def allocate(self, quantity, orders, lot):
            ...

    outcome = run(flow, LargestFirst())

The commands stay what they were, whoever gets what: a cancel of an order that is filled by now is refused, as it is in
a market. The rule must answer the same to the same question, and is not asked about hidden orders.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from exchange.domain import events as e
from exchange.matching.allocation import Allocator
from exchange.matching.venue import Venue
from exchange.wire.records import decode_events

Flow = Iterable[tuple[bytes, int]]
"""Runs of numbered command records, from command 1 on, each with its time."""


class Maker(msgspec.Struct):
    """What the resting orders of an account got. orders: how many of them traded."""

    account_id: int
    shares: int = 0
    trades: int = 0
    orders: int = 0


class Outcome(msgspec.Struct):
    """What came of a flow. makers: by account id; filled: orders with nothing left; smallest: shares of a trade."""

    trades: int = 0
    shares: int = 0
    filled: int = 0
    live: int = 0
    makers: dict[int, Maker] = {}
    running_hash: int = 0

    @property
    def shares_a_trade(self) -> int:
        """Return the mean size of a trade in shares, rounded down."""
        return self.shares // self.trades if self.trades else 0


class Fill(NamedTuple):
    """A resting order's part of a trade."""

    order_id: int
    account_id: int
    price: int
    quantity: int


def run(flow: Flow, allocator: Allocator | None = None, partition: int = 0) -> Outcome:
    """Send a flow through a new reference venue; without an allocator each symbol has the allocation that it sets.

    Raise `AllocationError` where the allocator gives what cannot be.
    """
    venue, outcome = Venue(partition, allocator=allocator), Outcome()
    traded: set[int] = set()
    for commands, time_ns in flow:
        for event in decode_events(venue.apply(commands, time_ns)):
            if isinstance(event, e.TradeExecuted):
                _note(outcome, event, is_first=event.maker_order_id not in traded)
                traded.add(event.maker_order_id)
    outcome.live, outcome.running_hash = venue.live_orders, venue.running_hash
    outcome.makers = dict(sorted(outcome.makers.items()))
    return outcome


def fills(flow: Flow, allocator: Allocator | None = None) -> list[Fill]:
    """Return what each resting order got, trade by trade. Raise as `run` does."""
    venue = Venue(allocator=allocator)
    return [
        Fill(event.maker_order_id, event.maker_account_id, event.price, event.quantity)
        for commands, time_ns in flow
        for event in decode_events(venue.apply(commands, time_ns))
        if isinstance(event, e.TradeExecuted)
    ]


def _note(outcome: Outcome, trade: e.TradeExecuted, *, is_first: bool) -> None:
    maker = outcome.makers.setdefault(trade.maker_account_id, Maker(trade.maker_account_id))
    outcome.trades += 1
    outcome.shares += trade.quantity
    outcome.filled += (trade.maker_leaves == 0) + (trade.taker_leaves == 0)
    maker.shares += trade.quantity
    maker.trades += 1
    maker.orders += is_first
