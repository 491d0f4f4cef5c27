"""The ends of orders, soonest first; ended orders drop out."""

from __future__ import annotations

from exchange.matching.expiries import ENDED_KEPT, Expiries


def test_orders_come_soonest_first_and_of_one_moment_the_oldest_first() -> None:
    expiries = Expiries(lambda _: True)
    for expires_ns, order_id in ((30, 1), (20, 3), (20, 2), (0, 4)):
        expiries.add(expires_ns, order_id)
    assert (expiries.next_ns(), expiries.take_due(19)) == (20, 0)
    assert [expiries.take_due(30) for _ in range(4)] == [2, 3, 1, 0]
    assert expiries.next_ns() == 0


def test_an_order_that_is_no_longer_live_does_not_end() -> None:
    live = {1, 2}
    expiries = Expiries(live.__contains__)
    expiries.add(10, 1)
    expiries.add(20, 2)
    live.remove(1)
    assert (expiries.next_ns(), expiries.take_due(99)) == (20, 2)


def test_ends_of_many_ended_orders_are_not_kept() -> None:
    live: set[int] = set()
    expiries = Expiries(live.__contains__)
    for order_id in range(10_000):
        live.add(order_id)
        expiries.add(1_000_000, order_id)
        live.remove(order_id)
    assert len(expiries._queue) <= 2 * ENDED_KEPT
