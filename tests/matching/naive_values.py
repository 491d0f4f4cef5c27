"""The orders, trades and symbols of the naive model, and what it says of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from exchange.domain.allocation import AllocationStep, LeadMaker
from exchange.domain.order import AUCTION_TIMES, OrderFlag, OrderType
from exchange.domain.phase import Phase

TERMS = ("minimum_quantity", "display_quantity", "expires_ns", "stop_price", "trail_amount", "trail_bps")
Fact = tuple[object, ...]
"""What happened, in the sequence in which it did: a word, then ids and numbers; `facts.py` makes the same of events."""


class Pegging(NamedTuple):
    """How an order gets its price. offset: added to what it is pegged to; limit: of its price, 0 for none."""

    kind: int
    offset: int
    limit: int


@dataclass
class Order:
    """An order that was accepted once. place: rises whenever an order joins a queue.

    part: of it that is shown at a time, 0 for all; shown: how much of the part is left; reached: the trade that
    triggered it, until it comes in; session: the key by whose session it came, 0 for
    none; peg: to what its price is pegged; quoted: whether it is a side of a quote.
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
    session: int = 0
    peg: Pegging | None = None
    quoted: bool = False

    @property
    def waits(self) -> bool:
        return self.type in (OrderType.STOP, OrderType.STOP_LIMIT)

    @property
    def for_auction(self) -> bool:
        """Tell whether it trades in an auction only."""
        return not self.waits and (self.type == OrderType.MARKET or self.tif in AUCTION_TIMES)

    @property
    def aside(self) -> bool:
        """Tell whether it is pegged, and has no price for now."""
        return self.peg is not None and self.price == 0

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
class Listing:
    """An order list that lives. entry: its id while others wait for it, 0 in a pair; limit, stop: ids of a pair's.

    waiting: the orders that wait for the entry; filled: by entries so far.
    """

    id: int
    kind: int
    symbol: int
    entry: int
    limit: int
    stop: int
    waiting: list[Order]
    filled: int = 0

    @property
    def ids(self) -> list[int]:
        """The ids of its orders."""
        return [id for id in (self.entry, self.limit, self.stop, *(order.id for order in self.waiting)) if id]


class Note(NamedTuple):
    """What happened to an order on which others may depend: a trade, or with a reason its end.

    left: after it; whole: the order's quantity at the time.
    """

    order: Order
    traded: int
    left: int
    reason: int
    whole: int


@dataclass
class Trade:
    """A trade as it stands now. counts: it may be a reference price; compared: the reference before it; time: of it.

    measured_at: when it counts for the mean that moves bands.
    """

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
    before_split: bool = False
    time: int = 0
    measured_at: int = 0

    def __post_init__(self) -> None:
        self.measured_at = self.time


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
    """A symbol's terms. ticks: (from this price, tick); tickers: all that it had, its own last.

    history: prices set and trades, in order.

    phase: where it is; scheduled: where the schedule has got; ends: when the phase ends by itself, 0 for not;
    indicated: what was told last of its auction; top: the top order of each side.
    closing: what a decline is measured from, 0 without a trigger; restricted_dates: of short sales, this one included.
    """

    lot: int
    ticks: list[tuple[int, int]]
    history: list[int | Trade]
    tickers: list[str]
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
    trigger_bps: int = 0
    needs_locate: bool = False
    needs_marking: bool = False
    closing: int = 0
    restricted_dates: int = 0

    def tick_at(self, price: int) -> int:
        """Return the tick at a price."""
        return [tick for first, tick in self.ticks if first <= max(price, 0)][-1]

    def tick_down(self, price: int) -> int:
        """Go down to the nearest price on a tick; below 1 there is none."""
        while price > 0 and price % self.tick_at(price):
            price -= 1
        return price

    def tick_up(self, price: int) -> int:
        """Go up to the nearest price on a tick."""
        while price % self.tick_at(price):
            price += 1
        return price


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
    splits: list[tuple[int, int, int]] = field(default_factory=list)
    """(symbol, shares, money) that splits of the day added to what its trades bought and sold."""
