"""A market full of resting orders and a flow that keeps it as full, to measure growth, memory and snapshots on."""

from __future__ import annotations

import random
from struct import Struct
from typing import Any

from exchange.domain import commands as c
from exchange.domain.symbol import TickRow
from exchange.domain.units import ParticipantId, Price
from exchange.engine.replay import VenueKind
from exchange.wire.records import VERSION, encode_command, number_of

SEED = 20261123
BATCH = 4_096
MIDDLE = 100_000
LEVELS = 1_000
"""Price levels on each side of each symbol, at most."""
BUY, SELL, LIMIT, DAY = 1, 2, 2, 0
ENTER = Struct("<IBBBBQIIBBBBII36s")
CANCEL = Struct("<IBBBBQQI")
ENTER_NUMBER, CANCEL_NUMBER = number_of(c.EnterOrder), number_of(c.CancelOrder)
NO_ID = bytes(36)


class Flow:
    """Seeded commands for a market of so many symbols. live: the ids of all resting orders."""

    def __init__(self, symbols: int, seed: int = SEED) -> None:
        self.random = random.Random(seed)
        self.symbols = symbols
        self.sequence = 0
        self.live: list[int] = []

    def opening(self) -> bytes:
        """Return the records that make the market."""
        opening: list[c.Command] = [
            c.StartEngine(epoch=1),
            c.CreateParticipant(name="benchmark"),
            c.CreateAccount(participant_id=ParticipantId(1), name="benchmark"),
        ]
        ticks = (TickRow(Price(0), Price(1)),)
        opening += [
            c.AddSymbol(symbol=f"S{n}", name=f"S{n}", reference_price=Price(MIDDLE), ticks=ticks)
            for n in range(self.symbols)
        ]
        records = [encode_command(command, sequence) for sequence, command in enumerate(opening, 1)]
        self.sequence = len(records)
        return b"".join(records)

    def passive(self, count: int) -> bytes:
        """Return records of so many orders that all rest, near the middle more often than far from it."""
        return b"".join(self._passive() for _ in range(count))

    def steady(self, count: int) -> bytes:
        """Return records of which every other one cancels any live order, and the rest enter one that rests."""
        return b"".join(self._cancel() if n % 2 else self._passive() for n in range(count))

    def _passive(self) -> bytes:
        chance = self.random.random
        side = BUY if chance() < 0.5 else SELL
        away = 1 + int(LEVELS * chance() ** 3)
        price = MIDDLE - away if side == BUY else MIDDLE + away
        self.sequence += 1
        self.live.append(self.sequence)
        return ENTER.pack(
            ENTER.size, ENTER_NUMBER, VERSION, 0, 0, self.sequence, 1, int(chance() * self.symbols) + 1,
            side, LIMIT, DAY, 0, price, 100, NO_ID,
        )  # fmt: skip

    def _cancel(self) -> bytes:
        place = int(self.random.random() * len(self.live))
        live = self.live
        live[place], live[-1] = live[-1], live[place]
        self.sequence += 1
        return CANCEL.pack(CANCEL.size, CANCEL_NUMBER, VERSION, 0, 0, self.sequence, live.pop(), 1)


def filled(kind: VenueKind, orders: int, symbols: int, flow: Flow | None = None) -> Any:
    """Return a venue in which so many orders rest."""
    flow, venue = flow or Flow(symbols), kind.new(0)
    venue.apply(flow.opening(), 1)
    for start in range(0, orders, BATCH):
        venue.apply(flow.passive(min(BATCH, orders - start)), 1)
    assert venue.live_orders == orders, f"{orders} orders were to rest, {venue.live_orders} do"
    return venue
