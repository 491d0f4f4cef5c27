"""The orders, trades and outcomes of the naive model."""

from __future__ import annotations

from dataclasses import dataclass, field

from exchange.domain.order import OrderFlag, OrderType
from exchange.domain.reasons import Reason

TERMS = ("minimum_quantity", "display_quantity", "expires_ns", "stop_price", "trail_amount", "trail_bps")


@dataclass
class Order:
    """An order that was accepted once. place: rises whenever an order joins a queue.

    part: of it that is shown at a time, 0 for all; shown: how much of the part is left; reached: the trade that
    triggered it, until it comes in.
    """

    id: int
    account: int
    symbol: int
    side: int
    type: int
    tif: int
    flags: int
    price: int
    quantity: int
    place: int
    filled: int = 0
    live: bool = True
    asked_minimum: int = 0
    part: int = 0
    shown: int = 0
    expires: int = 0
    stop: int = 0
    trail: int = 0
    trail_bps: int = 0
    reached: int = 0

    @property
    def waits(self) -> bool:
        return self.type in (OrderType.STOP, OrderType.STOP_LIMIT)

    @property
    def left(self) -> int:
        return self.quantity - self.filled

    @property
    def minimum(self) -> int:
        return self.left if self.flags & OrderFlag.ALL_OR_NONE else min(self.asked_minimum, self.left)

    @property
    def hidden(self) -> bool:
        return self.flags & OrderFlag.HIDDEN != 0

    @property
    def in_queue(self) -> int:
        """What may trade before the order goes to the back."""
        return min(self.shown, self.left) if self.part else self.left


@dataclass
class Trade:
    """A trade as it stands now. counts: it may be a reference price; compared: the reference before it."""

    maker: int
    taker: int
    symbol: int
    buyer: int
    seller: int
    price: int
    quantity: int
    compared: int
    counts: bool
    busted: bool = False


@dataclass
class Outcome:
    """What a command led to. fills: (maker, taker, price, quantity, reference); cancelled: (order, quantity).

    repriced: (order, price); refreshed: (order, shown, left); triggered: (order, stop price, price that reached it);
    prevented: (maker, taker, quantity).
    """

    refused: Reason | None = None
    duplicate_of: int = 0
    fills: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    cancelled: list[tuple[int, int]] = field(default_factory=list)
    repriced: list[tuple[int, int]] = field(default_factory=list)
    refreshed: list[tuple[int, int, int]] = field(default_factory=list)
    triggered: list[tuple[int, int, int]] = field(default_factory=list)
    prevented: list[tuple[int, int, int]] = field(default_factory=list)


@dataclass
class Symbol:
    """A symbol's terms; every price is a multiple of one tick here. history: prices set and trades, in order."""

    lot: int
    tick: int
    history: list[int | Trade]
    suspended: bool = False
    band_bps: int = 0
