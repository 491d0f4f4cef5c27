"""Order lists are checked as a whole."""

from __future__ import annotations

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain.order import Side
from exchange.domain.order_list import Contingency
from exchange.domain.reasons import Reason
from tests.matching.desk import Desk, kinds
from tests.matching.test_order_lists import pair


def test_a_refused_list_names_the_place_of_the_order_at_fault_and_changes_nothing() -> None:
    desk = Desk()
    (refused,) = desk.send(*pair(Side.SELL, 100_300, 99_750))
    assert isinstance(refused, e.CommandRejected)
    assert (refused.reason, refused.subject) == (Reason.PRICE_NOT_ON_TICK, 2)
    assert (desk.venue.live_orders, desk.venue.order_lists()) == (0, [])


def test_ids_that_are_reserved_serve_the_next_command_only() -> None:
    desk = Desk()
    reserved, entered = pair(Side.SELL, 100_300, 99_700)
    (refused,) = desk.send(reserved, c.Tick(), entered)
    assert isinstance(refused, e.CommandRejected)
    assert refused.reason is Reason.ORDER_IDS_MISSING
    events = desk.send(reserved, entered)
    assert kinds(events)[0] == "OrderListAccepted"
    (order_list,) = desk.venue.order_lists()
    assert (order_list.first - order_list.second, order_list.contingency) == (
        1,
        Contingency.ONE_CANCELS_OTHER,
    )
