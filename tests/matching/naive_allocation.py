"""Whose trade it is, rulebook 6.1 and 6.2, once more: a pot from which shares go to the orders, one by one."""

from __future__ import annotations

from exchange.domain.allocation import AllocationStep, LeadMaker, Rounding, StepKind
from tests.matching.naive_values import Order


class Pot:
    """A quantity on its way to the orders shown at a price, oldest first. by_size: who got something pro rata."""

    def __init__(self, quantity: int, orders: list[Order], lot: int) -> None:
        self.left = quantity
        self.orders = orders
        self.lot = lot
        self.got = {order.id: 0 for order in orders}
        self.by_size: set[int] = set()
        self.set_aside: dict[StepKind, int] = {}

    def give(self, order: Order, quantity: int) -> int:
        """Give an order so much, or what there is, or what it has room for."""
        quantity = min(quantity, self.left, self.room(order))
        self.got[order.id] += quantity
        self.left -= quantity
        return quantity

    def room(self, order: Order) -> int:
        """Return what an order could still get."""
        return order.in_queue - self.got[order.id]

    def give_to_all(self, quantity: int, orders: list[Order]) -> None:
        """Give so much to these orders, each as much as it takes."""
        for order in orders:
            quantity -= self.give(order, quantity)

    def part(self, basis_points: int) -> int:
        """Return a share of what is left, in whole lots."""
        return self.whole_lots(self.left * basis_points, 10_000)

    def whole_lots(self, number: int, divisor: int) -> int:
        """Divide, rounding down to whole lots."""
        return number // (divisor * self.lot) * self.lot

    def for_step(self, kind: StepKind) -> int:
        """Return what a split set aside for this kind, once; else all that is left."""
        return min(self.set_aside.pop(kind, self.left), self.left)

    def pro_rata(self, step: AllocationStep) -> None:
        """Give each order the part that it has of what still stands there."""
        quantity = self.for_step(StepKind.PRO_RATA)
        rooms = {order.id: self.room(order) for order in self.orders}
        up = step.rounding == Rounding.UP
        left = quantity
        for order in sorted(self.orders, key=lambda order: -rooms[order.id] if up else 0):
            share = self.whole_lots(quantity * rooms[order.id], sum(rooms.values()))
            if up and share * sum(rooms.values()) < quantity * rooms[order.id]:
                share += self.lot
            if share and share >= step.minimum:
                got = self.give(order, min(share, left))
                left -= got
                self.by_size |= {order.id} if got else set()


def shares(
    quantity: int,
    orders: list[Order],
    steps: tuple[AllocationStep, ...],
    makers: tuple[LeadMaker, ...],
    top: int,
    lot: int,
) -> list[tuple[Order, int]]:
    """Return who gets how much, in the sequence of the queue."""
    pot = Pot(quantity, orders, lot)
    if quantity >= sum(order.in_queue for order in orders):
        return [(order, order.in_queue) for order in orders]
    for step in steps:
        if step.kind == StepKind.FIFO:
            pot.give_to_all(pot.for_step(StepKind.FIFO), orders)
        elif step.kind == StepKind.PRO_RATA:
            pot.pro_rata(step)
        elif step.kind == StepKind.TOP:
            most = pot.part(step.share_bps)
            pot.give_to_all(min(most, step.maximum or most), [order for order in orders if order.id == top])
        elif step.kind == StepKind.LEAD:
            parts = [pot.part(maker.share_bps) for maker in makers]
            for maker, part in zip(makers, parts, strict=True):
                pot.give_to_all(part, [order for order in orders if order.account == maker.account_id])
        elif step.kind == StepKind.SPLIT:
            for_fifo = pot.part(step.share_bps)
            pot.set_aside = {StepKind.FIFO: for_fifo, StepKind.PRO_RATA: pot.left - for_fifo}
        else:
            for order in orders:
                if order.id not in pot.by_size:
                    pot.give(order, lot)
    pot.give_to_all(pot.left, orders)
    return [(order, pot.got[order.id]) for order in orders if pot.got[order.id]]
