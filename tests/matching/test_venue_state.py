"""The state of a venue by itself."""

from __future__ import annotations

import pytest

from exchange.domain import commands as c
from exchange.domain.order import Side
from exchange.matching.venue_state import LIMITS, PARTITIONS_MAX, VenueState
from tests.matching.desk import ANN, Desk


@pytest.mark.parametrize("partition", [-1, PARTITIONS_MAX])
def test_a_partition_that_makes_ids_too_large_is_refused(partition: int) -> None:
    with pytest.raises(AssertionError, match="partition must be 0 to 127"):
        VenueState(partition, LIMITS)


def test_live_orders_come_by_id_whatever_became_of_them() -> None:
    desk = Desk()
    for _ in range(3):
        desk.enter(Side.BUY, 10, 100_000)
    desk.send(c.AmendOrder(order_id=10, participant_id=ANN, quantity=20, price=100_000))
    assert [order.order_id for order in desk.venue.orders(1)[0]] == [11, 12, 10]
    live = desk.venue._state.live_orders
    assert [order.order_id for order in live(lambda order: True)] == [10, 11, 12]
    assert [order.order_id for order in live(lambda order: order.quantity == 20)] == [10]


def test_an_account_belongs_to_its_participant() -> None:
    desk = Desk()
    desk.send(c.CreateAccount(participant_id=2, name="second"))
    assert desk.venue._state.owner_of(4) == 2
