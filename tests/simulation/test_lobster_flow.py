"""Messages become what a member would have sent; the real ten minutes give the published quotes."""

from __future__ import annotations

import pytest

from exchange.domain.order import Side
from exchange.simulation.lobster import (
    LobsterError,
    Message,
    MessageType,
    OpeningOrder,
    QueueException,
    Quotes,
    read_exceptions,
    read_messages,
    read_opening_book,
    read_quotes,
)
from exchange.simulation.lobster_flow import Cancel, Enter, Execute, Halt, OrderFlow, Reduce, distinct_states
from tests.simulation.lobster_data import AAPL, needs_lobster

BUY, SELL = Side.BUY, Side.SELL


def message(
    kind: MessageType, order_id: int, size: int, price: int = 100, side: Side = BUY, row: int = 1
) -> Message:
    return Message(row, row, kind, order_id, size, price, side)


def flow_with(*orders: OpeningOrder, exceptions: dict[int, QueueException] | None = None) -> OrderFlow:
    flow = OrderFlow("messages.csv", exceptions)
    flow.open_with(orders)
    return flow


def test_the_opening_book_is_entered_first_in_its_order() -> None:
    flow = OrderFlow("messages.csv")
    entered = flow.open_with([OpeningOrder(BUY, 99, 50, 7), OpeningOrder(SELL, 101, 30, 8)])
    assert entered == [Enter(0, 7, BUY, 99, 50), Enter(0, 8, SELL, 101, 30)]
    assert flow.best.quotes() == Quotes(101, 30, 99, 50)


def test_a_new_order_is_entered_under_its_id() -> None:
    flow = flow_with()
    assert flow.action(message(MessageType.NEW, 7, 50)) == Enter(1, 7, BUY, 100, 50)


def test_a_reduction_amends_to_the_new_whole_quantity() -> None:
    flow = flow_with(OpeningOrder(BUY, 100, 50, 7))
    flow.action(message(MessageType.EXECUTE, 7, 10))
    assert flow.action(message(MessageType.REDUCE, 7, 15)) == Reduce(1, 7, 35)
    assert flow.orders[7].leaves == 25


def test_a_reduction_by_all_that_is_left_cancels() -> None:
    flow = flow_with(OpeningOrder(BUY, 100, 50, 7))
    assert flow.action(message(MessageType.REDUCE, 7, 50)) == Cancel(1, 7)
    assert flow.orders == {}


def test_a_deletion_cancels() -> None:
    flow = flow_with(OpeningOrder(BUY, 100, 50, 7))
    assert flow.action(message(MessageType.DELETE, 7, 50)) == Cancel(1, 7)
    assert flow.best.quotes() == Quotes(0, 0, 0, 0)


def test_an_execution_is_an_order_of_the_opposite_side_at_the_resting_price() -> None:
    flow = flow_with(OpeningOrder(BUY, 100, 50, 7))
    assert flow.action(message(MessageType.EXECUTE, 7, 50)) == Execute(1, 7, SELL, 100, 50)
    assert flow.orders == {}


def test_an_execution_out_of_turn_reduces_the_named_order_and_sends_nothing_against_it() -> None:
    exceptions = {4: QueueException(4, 7, 20), 5: QueueException(5, 7, 30)}
    flow = flow_with(OpeningOrder(BUY, 100, 50, 7), exceptions=exceptions)
    assert flow.action(message(MessageType.EXECUTE, 7, 20, row=4)) == Reduce(4, 7, 30)
    assert flow.action(message(MessageType.EXECUTE, 7, 30, row=5)) == Cancel(5, 7)
    assert (flow.counts.out_of_turn, flow.counts.out_of_turn_shares) == (2, 50)


@pytest.mark.parametrize(
    "seen",
    [
        message(MessageType.EXECUTE, 8, 20, row=4),
        message(MessageType.EXECUTE, 7, 19, row=4),
        message(MessageType.DELETE, 7, 20, row=4),
    ],
)
def test_an_exception_that_fits_no_execution_is_refused(seen: Message) -> None:
    flow = flow_with(OpeningOrder(BUY, 100, 50, 7), exceptions={4: QueueException(4, 7, 20)})
    with pytest.raises(LobsterError, match=r"messages\.csv, row 4: .* do both files belong together\?"):
        flow.action(seen)


def test_a_hidden_execution_is_nothing() -> None:
    flow = flow_with()
    assert flow.action(message(MessageType.EXECUTE_HIDDEN, 0, 5)) is None
    assert flow.counts.hidden == 1


def test_a_cancel_or_reduction_of_an_unknown_order_is_counted_and_ignored() -> None:
    flow = flow_with()
    assert flow.action(message(MessageType.DELETE, 7, 50)) is None
    assert flow.action(message(MessageType.REDUCE, 7, 50)) is None
    assert flow.counts.unknown == 2


def test_an_order_cannot_be_entered_twice() -> None:
    flow = flow_with(OpeningOrder(BUY, 100, 50, 7))
    with pytest.raises(LobsterError, match=r"messages\.csv, row 9: order 7 is entered, but it rests already"):
        flow.action(message(MessageType.NEW, 7, 50, row=9))


@pytest.mark.parametrize(("price", "suspended"), [(-1, True), (0, False), (1, False)])
def test_a_halt_suspends_and_both_resumptions_end_it(price: int, suspended: bool) -> None:
    assert flow_with().action(message(MessageType.HALT, 0, 0, price)) == Halt(1, suspended)


def test_only_states_that_differ_are_kept_and_the_first_always() -> None:
    first, second = Quotes(2, 1, 1, 1), Quotes(2, 5, 1, 1)
    assert distinct_states([(1, first), (2, first), (3, second), (4, first)]) == [
        (1, first),
        (3, second),
        (4, first),
    ]


@needs_lobster
def test_the_book_replay_of_the_real_ten_minutes_gives_every_published_state() -> None:
    flow = OrderFlow("messages", read_exceptions(AAPL.exceptions))
    flow.open_with(read_opening_book(AAPL.opening))
    states = []
    for seen in read_messages(AAPL.messages):
        flow.action(seen)
        states.append((seen.row, flow.best.quotes()))
    assert distinct_states(states) == [tuple(state) for state in read_quotes(AAPL.quotes)]
    assert (flow.counts.messages, flow.counts.unknown, flow.counts.hidden) == (15_296, 0, 624)
    buys = [order for order in flow.orders.values() if order.side == BUY]
    sells = [order for order in flow.orders.values() if order.side == SELL]
    assert (len(buys), sum(order.leaves for order in buys), len({order.price for order in buys})) == (
        144,
        21_784,
        85,
    )
    assert (len(sells), sum(order.leaves for order in sells), len({o.price for o in sells})) == (
        115,
        24_009,
        72,
    )
