"""Tests of exchange.engine.order_results: events of one's own commands become what REST answers."""

from __future__ import annotations

import pytest

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain.order import Side, TimeInForce
from exchange.domain.units import OrderId, ParticipantId, Price, Quantity
from exchange.engine import order_results
from exchange.engine.order_results import Duplicate
from exchange.infra.http_routes import ApiError
from exchange.wire.records import decode_event
from exchange.wire.rest.orders import AmendedOrder, CanceledOrder, CanceledOrders, Order
from tests.engine.own_commands import Desk, order

MAIN = 1_892_000


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_several_orders_of_one_submission_are_told_apart(desk: Desk) -> None:
    events = desk.do(
        order(1, Side.BUY, 10, MAIN, client_order_id="one"),
        order(2, Side.SELL, 30, MAIN),
        order(1, Side.BUY, 10, MAIN, client_order_id="one"),
        order(1, Side.BUY, 5, MAIN + 1),
        order(1, Side.BUY, 50, MAIN, time_in_force=TimeInForce.IOC),
    )
    outcomes, offset = [], 0
    while offset < len(events):
        outcome, offset = order_results.entered(events, offset, desk.symbols)
        outcomes.append(outcome)
    first, second, third, fourth, fifth = outcomes
    assert isinstance(first, Order)
    assert (first.id, first.status, first.leaves_qty) == ("8", "new", "10")
    assert isinstance(second, Order)
    assert (second.status, second.filled_qty, second.avg_price, second.leaves_qty) == (
        "partially_filled", "10", "189.20", "20",
    )  # fmt: skip
    assert third == Duplicate(8)
    assert isinstance(fourth, ApiError)
    assert (fourth.reason, fourth.extra) == ("price_not_on_tick", {"order_id": "11", "seq": 12})
    assert isinstance(fifth, Order)
    assert (fifth.status, fifth.cancel_reason, fifth.filled_qty) == ("canceled", "immediate_or_cancel", "20")


def test_a_replacement_is_told_as_the_new_order_with_its_fills(desk: Desk) -> None:
    desk.do(order(2, Side.SELL, 10, MAIN + 1_000), order(1, Side.BUY, 30, MAIN))
    change = c.ReplaceOrder(
        order_id=OrderId(9), participant_id=ParticipantId(1), quantity=Quantity(30), price=Price(MAIN + 1_000)
    )
    told = order_results.replaced(desk.do(change), desk.symbols)
    assert isinstance(told, Order)
    assert (told.id, told.replaces, told.status, told.filled_qty, told.avg_price) == (
        "10", "9", "partially_filled", "10", "189.30",
    )  # fmt: skip
    refused = order_results.replaced(desk.do(change), desk.symbols)
    assert isinstance(refused, ApiError)
    assert refused.reason == "unknown_order"


def test_an_amendment_tells_what_is_left_after_its_fills(desk: Desk) -> None:
    desk.do(order(2, Side.SELL, 10, MAIN + 1_000), order(1, Side.BUY, 30, MAIN))
    change = c.AmendOrder(
        order_id=OrderId(9), participant_id=ParticipantId(1), quantity=Quantity(30), price=Price(MAIN + 1_000)
    )
    told = order_results.amended(desk.do(change), desk.symbols)
    assert isinstance(told, AmendedOrder)
    assert (told.status, told.filled_qty, told.leaves_qty, told.kept_priority) == (
        "partially_filled", "10", "20", False,
    )  # fmt: skip
    refused = order_results.amended(desk.do(change), desk.symbols)
    assert isinstance(refused, ApiError)
    assert refused.reason == "nothing_to_amend"


def test_a_cancel_tells_what_was_left(desk: Desk) -> None:
    desk.do(order(1, Side.BUY, 30, MAIN))
    cancel = c.CancelOrder(order_id=OrderId(8), participant_id=ParticipantId(1))
    told = order_results.cancelled(desk.do(cancel), desk.symbols)
    assert isinstance(told, CanceledOrder)
    assert (told.id, told.canceled_qty, told.cancel_reason) == ("8", "30", "requested")
    assert isinstance(order_results.cancelled(desk.do(cancel), desk.symbols), ApiError)


def test_a_mass_cancel_tells_the_ids_in_order(desk: Desk) -> None:
    desk.do(order(1, Side.BUY, 30, MAIN), order(1, Side.BUY, 30, MAIN))
    told = order_results.all_cancelled(desk.do(c.CancelOrders(participant_id=ParticipantId(1))))
    assert told == CanceledOrders(count=2, ids=["8", "9"], seq=12)
    unknown = order_results.all_cancelled(desk.do(c.CancelOrders(participant_id=ParticipantId(99))))
    assert isinstance(unknown, ApiError) or unknown.count == 0


def test_a_refused_command_becomes_its_error_with_figures(desk: Desk) -> None:
    events = desk.do(c.CreateParticipant(name="alice"))
    assert order_results.is_refused(events)
    assert order_results.command_refusal(events).status == 409
    assert not order_results.is_refused(desk.do(c.CreateParticipant(name="carol")))


def test_the_last_event_of_a_type_is_found_whatever_follows_from_it(desk: Desk) -> None:
    events = desk.do(order(1, Side.BUY, 30, MAIN), order(2, Side.SELL, 30, MAIN))
    trade = decode_event(events, order_results.last_of(events, e.TradeExecuted))
    assert trade.sequence == desk.venue.event_sequence
    accepted = decode_event(events, order_results.last_of(events, e.OrderAccepted))
    assert accepted.sequence == trade.sequence - 1
