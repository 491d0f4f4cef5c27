"""The orders, trades and symbols of the naive model, and what it says of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from exchange.domain.allocation import AllocationStep, LeadMaker
from exchange.domain.order import AUCTION_TIMES, OrderFlag, OrderType
from exchange.domain.phase import Phase

TERMS = ("minimum_quantity", "display_quantity", "expires_ns", "stop_price", "trail_amount", "trail_bps")
Fact = tuple[object, ...]
"""What happened, in the sequence in which it did: a word, then ids and numbers; `facts.py` makes the same of events."""


@dataclass
class Order:
    """An order that was accepted once. place: rises whenever an order joins a queue.

    part: of it that is shown at a time, 0 for all; shown: how much of the part is left; reached: the trade that
    triggered it, until it comes in; came: when it was entered.
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
    def for_auction(self) -> bool:
        """Tell whether it trades in an auction only."""
        return not self.waits and (self.type == OrderType.MARKET or self.tif in AUCTION_TIMES)

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
class Print:
    """A trade as it happened, whatever becomes of it."""

    symbol: int
    price: int
    quantity: int
    buyer: int
    seller: int


@dataclass
class Symbol:
    """A symbol's terms; every price is a multiple of one tick here. history: prices set and trades, in order.

    phase: where it is; scheduled: where the schedule has got; ends: when the phase ends by itself, 0 for not;
    indicated: what was told last of its auction; top: the top order of each side.
    """

    lot: int
    tick: int
    history: list[int | Trade]
    suspended: bool = False
    band_bps: int = 0
    phase: Phase = Phase.CONTINUOUS
    scheduled: Phase = Phase.CONTINUOUS
    ends: int = 0
    extensions: int = 0
    collar_bps: int = 0
    extension_ns: int = 0
    extensions_max: int = 0
    indicated: Fact = ()
    steps: tuple[AllocationStep, ...] = ()
    makers: tuple[LeadMaker, ...] = ()
    top: dict[int, int] = field(default_factory=dict)


@dataclass
class Subject:
    """A participant or an account with limits: what they have measured since its first one.

    since: how many prints there were when the day, or its first limit, began; alerted: what was told last, by kind.
    full_again_ns: when the bucket of messages is full again; same, executions: (when the window began, what came).
    """

    since: int
    alerted: dict[int, int] = field(default_factory=dict)
    full_again_ns: int = 0
    same: tuple[int, list[Fact]] = (-(10**18), [])
    executions: tuple[int, list[int]] = (-(10**18), [])
