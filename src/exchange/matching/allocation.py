"""Who gets what: shares a quantity out among the orders that stand at one price, by a list of steps.

Each step takes from what the steps before left, and gives no order more than it has; all that is left after the last
step goes to the oldest first. Where at least as much is wanted as stands there, everybody gets all. The steps are those
of CME Globex ("CME Globex Matching Algorithm Steps", "Supported Matching Algorithms"):

- *TOP*: the order that bettered the price gets its share of the quantity, at most so much.
- *LEAD*: each lead market maker's orders at the price get its share of what is left, oldest first.
- *SPLIT*: a share of what is left is set aside for the next FIFO step, all else for the next pro-rata step.
- *FIFO*: the oldest first, of what was set aside for it, else of all that is left.
- *PRO_RATA*: each order gets the part of the quantity that it has of all that still stands there; less than the
  minimum is nothing.
- *LEVELING*: one lot each, oldest first, for orders that the pro-rata steps gave nothing.

Shares and parts are whole round lots, rounded down, or up where a pro-rata step says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from exchange.domain.allocation import SHARE_MAX, Allocation, AllocationStep, Rounding, StepKind


class Standing(NamedTuple):
    """An order at the price, oldest first. quantity: what of it is shown; is_top: whether it bettered the price."""

    quantity: int
    order_id: int = 0
    account_id: int = 0
    entered_ns: int = 0
    is_top: bool = False


class Allocator(Protocol):
    """Decides who gets what at one price. A rule of your own is any object with this method."""

    def allocate(self, quantity: int, orders: Sequence[Standing], lot: int) -> Sequence[int]:
        """Return how much each order gets, in the sequence of the orders.

        quantity: what the incoming order has left; orders: what stands at the price, oldest first; lot: the symbol's
        round lot. The answer adds up to the quantity, or to all that stands there where that is less, and gives no
        order more than it has.
        """
        ...


class AllocationError(ValueError):
    """An allocator gave what cannot be; the message says which order and how much."""


class StepList:
    """The allocator of a list of steps. top_minimum: how large an order must be to become the top order."""

    def __init__(self, allocation: Allocation) -> None:
        self._allocation = allocation
        self.top_minimum = allocation.top.minimum if allocation.top else 0

    def allocate(self, quantity: int, orders: Sequence[Standing], lot: int) -> list[int]:
        """Share a quantity out by the steps."""
        return allocate(quantity, orders, self._allocation, lot)


def allocate(
    quantity: int,
    orders: Sequence[Standing],
    allocation: Allocation,
    lot: int = 1,
    told: Callable[[AllocationStep | None, Sequence[int]], None] | None = None,
) -> list[int]:
    """Return how much of a quantity each order gets, in the sequence of the orders, which is that of their age.

    told: is told after each step what each order has by then; after the last one, None and what the oldest got too.
    """
    if quantity >= sum(order.quantity for order in orders):
        return [order.quantity for order in orders]
    sharing = _Sharing(quantity, orders, lot)
    for step in allocation.steps:
        match step.kind:
            case StepKind.FIFO:
                sharing.fifo()
            case StepKind.PRO_RATA:
                sharing.pro_rata(step)
            case StepKind.TOP:
                sharing.top(step)
            case StepKind.LEAD:
                sharing.lead(allocation)
            case StepKind.SPLIT:
                sharing.split(step)
            case StepKind.LEVELING:
                sharing.level()
        if told:
            told(step, tuple(sharing.given))
    sharing.give_oldest_first(sharing.left)
    if told:
        told(None, tuple(sharing.given))
    return sharing.given


def checked(quantity: int, orders: Sequence[Standing], given: Sequence[int]) -> Sequence[int]:
    """Return what an allocator gave. Raise `AllocationError` where it cannot be."""
    if len(given) != len(orders):
        raise AllocationError(
            f"allocate() was asked about {len(orders)} orders and answered for {len(given)}"
        )
    for order, got in zip(orders, given, strict=True):
        if type(got) is not int or not 0 <= got <= order.quantity:
            raise AllocationError(
                f"allocate() gave {got!r} to order {order.order_id}; it must be a whole number from 0 to the"
                f" {order.quantity} that stand there"
            )
    wanted = min(quantity, sum(order.quantity for order in orders))
    if sum(given) != wanted:
        raise AllocationError(f"allocate() gave {sum(given)} in all, {wanted} were to be given")
    return given


class _Sharing:
    """A quantity on its way to the orders. left: what nobody has yet; given: what each order has."""

    def __init__(self, quantity: int, orders: Sequence[Standing], lot: int) -> None:
        self.left = quantity
        self.given = [0] * len(orders)
        self._orders = orders
        self._lot = lot
        self._for_fifo: int | None = None
        self._for_pro_rata: int | None = None
        self._by_size = [0] * len(orders)
        """What of `given` came from pro-rata steps."""

    def give_oldest_first(self, quantity: int) -> None:
        for place in range(len(self._orders)):
            if not quantity:
                return
            quantity -= self._give(place, quantity)

    def fifo(self) -> None:
        quantity, self._for_fifo = self._for_fifo, None
        self.give_oldest_first(self.left if quantity is None else min(quantity, self.left))

    def top(self, step: AllocationStep) -> None:
        quantity = self._share(step.share_bps)
        for place, order in enumerate(self._orders):
            if order.is_top:
                self._give(place, min(quantity, step.maximum) if step.maximum else quantity)

    def lead(self, allocation: Allocation) -> None:
        shares = [self._share(maker.share_bps) for maker in allocation.lead_makers]
        for maker, share in zip(allocation.lead_makers, shares, strict=True):
            for place, order in enumerate(self._orders):
                if order.account_id == maker.account_id:
                    share -= self._give(place, share)

    def split(self, step: AllocationStep) -> None:
        self._for_fifo = self._share(step.share_bps)
        self._for_pro_rata = self.left - self._for_fifo

    def pro_rata(self, step: AllocationStep) -> None:
        set_aside, self._for_pro_rata = self._for_pro_rata, None
        quantity = self.left if set_aside is None else min(set_aside, self.left)
        sizes = [order.quantity - given for order, given in zip(self._orders, self.given, strict=True)]
        total = sum(sizes)
        places = list(range(len(sizes)))
        if step.rounding == Rounding.UP:
            places.sort(key=lambda place: -sizes[place])
        budget = quantity
        for place in places:
            part = quantity * sizes[place]
            if step.rounding == Rounding.UP:
                share = -(-part // (total * self._lot)) * self._lot
            else:
                share = part // (total * self._lot) * self._lot
            if share and share >= step.minimum:
                got = self._give(place, min(share, budget))
                self._by_size[place] += got
                budget -= got

    def level(self) -> None:
        for place, by_size in enumerate(self._by_size):
            if not by_size:
                self._give(place, self._lot)

    def _share(self, share_bps: int) -> int:
        return self.left * share_bps // (SHARE_MAX * self._lot) * self._lot

    def _give(self, place: int, quantity: int) -> int:
        """Give an order so much, as far as there is something left and it has room; return how much it got."""
        got = min(quantity, self.left, self._orders[place].quantity - self.given[place])
        self.given[place] += got
        self.left -= got
        return got
