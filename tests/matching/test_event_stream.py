"""The event stream numbers without gaps, marks the last event of each command and chains its hash."""

from __future__ import annotations

import pytest
from xxhash import xxh3_64_intdigest

from exchange.domain import commands as c
from exchange.domain.order import Side
from exchange.domain.reasons import Reason
from exchange.matching.event_stream import EventStream, int64
from exchange.matching.venue import Venue
from exchange.wire.records import decode_events, encode_command, encode_event
from tests.matching.desk import OPENING, START_NS, Desk, order

FLOW = (
    *OPENING,
    order(Side.BUY, 100, 100_000, client_order_id="first"),
    order(Side.SELL, 30, 99_900, 2),
    order(Side.SELL, 90, 99_900, 2),
    c.ReplaceOrder(order_id=12, participant_id=2, quantity=5, price=99_800, client_order_id="r"),
    c.CancelOrder(order_id=13, participant_id=0),
    c.CancelOrder(order_id=13, participant_id=0),
    c.Tick(),
    c.CancelOrders(participant_id=0),
)


def test_directly_packed_records_are_those_of_the_codec() -> None:
    venue = Venue()
    records = b"".join(encode_command(command, sequence) for sequence, command in enumerate(FLOW, 1))
    events = venue.apply(records, START_NS)
    assert b"".join(encode_event(event) for event in decode_events(events)) == events


def test_the_running_hash_chains_the_bytes_of_each_command() -> None:
    venue = Venue()
    running_hash = 0
    for sequence, command in enumerate(FLOW, 1):
        events = venue.apply(encode_command(command, sequence), START_NS)
        if events:
            running_hash = xxh3_64_intdigest(events, seed=running_hash)
        assert venue.running_hash == running_hash


def test_a_command_without_events_leaves_numbers_and_hash() -> None:
    desk = Desk()
    before = (desk.venue.event_sequence, desk.venue.running_hash)
    assert desk.send(c.Tick()) == []
    assert (desk.venue.event_sequence, desk.venue.running_hash) == before
    assert desk.venue.command_sequence == len(OPENING) + 1


def test_counters_tell_orders_cancels_trades_and_rejects_by_reason() -> None:
    desk = Desk(opening=FLOW)
    counters = desk.venue.counters
    assert (counters.orders, counters.cancels, counters.trades) == (4, 1, 2)
    assert counters.rejects == {Reason.UNKNOWN_ORDER.value: 1}


def test_events_are_taken_once() -> None:
    events = EventStream(0)
    events.begin_command(1)
    events.command_rejected(99, Reason.UNKNOWN_COMMAND)
    events.end_command()
    assert len(decode_events(events.take())) == 1
    assert events.take() == b""


@pytest.mark.parametrize(
    ("number", "fitted"),
    [(2**64 - 1, 2**63 - 1), (-(2**70), -(2**63)), (0, 0), (-5, -5), (2**63 - 1, 2**63 - 1)],
)
def test_a_figure_that_is_too_large_becomes_the_largest(number: int, fitted: int) -> None:
    assert int64(number) == fitted
