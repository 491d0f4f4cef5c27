"""The border of the venue: records in, records out, numbers, queries and what must never happen."""

from __future__ import annotations

from random import Random

import pytest
from msgspec import structs

from exchange.domain import commands as c
from exchange.domain.order import Side, TimeInForce
from exchange.matching.order_book import Level, QueuePlace
from exchange.matching.venue import RULES_VERSION, Venue
from exchange.wire.records import decode_events, encode_command
from tests.matching.desk import ANN, BOB, OPENING, START_NS, XYZ, Desk, kinds, order


def numbered(*commands: c.Command, first: int = 1) -> bytes:
    return b"".join(encode_command(command, sequence) for sequence, command in enumerate(commands, first))


def fixed_command(sequence: int) -> c.Command:
    """Make always the same command of the same sequence: mostly orders, about a third of which trade."""
    drawn = Random(sequence)
    order_id, price = sequence - drawn.randrange(1, 20), 99_000 + 100 * drawn.randrange(20)
    quantity, account = drawn.randrange(1, 500), drawn.randrange(1, 4)
    match drawn.randrange(10):
        case 0 | 1:
            return c.CancelOrder(order_id=order_id, participant_id=0)
        case 2:
            return c.AmendOrder(order_id=order_id, participant_id=0, quantity=quantity, price=price)
        case 3:
            text = f"r{quantity % 50}"
            return c.ReplaceOrder(
                order_id=order_id, participant_id=0, quantity=quantity, price=price, client_order_id=text
            )
        case 4:
            side, terms = (
                Side(1 + quantity % 2),
                [{"display_quantity": 1 + quantity // 4}, {"minimum_quantity": 40}, {}],
            )
            entry = order(side, quantity, price, account, flags=[0, 0, 8][quantity % 3])
            return c.EnterSpecialOrder(**structs.asdict(entry), **terms[quantity % 3])
        case _:
            text = f"e{quantity}" if quantity % 3 == 0 else ""
            time_in_force = (TimeInForce.DAY, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK)[
                drawn.randrange(4)
            ]
            side = Side.BUY if drawn.randrange(2) else Side.SELL
            return order(side, quantity, price, account, time_in_force=time_in_force, client_order_id=text)


def test_a_new_venue_stands_at_zero() -> None:
    venue = Venue(partition=7)
    assert (venue.partition, venue.epoch, venue.time_ns, venue.business_date) == (7, 0, 0, 0)
    assert (venue.command_sequence, venue.event_sequence, venue.running_hash, venue.live_orders) == (
        0,
        0,
        0,
        0,
    )


def test_a_start_begins_an_epoch_that_all_events_carry() -> None:
    venue = Venue()
    (started,) = decode_events(venue.apply(numbered(c.StartEngine(epoch=3)), START_NS))
    assert (started.epoch, started.rules_version) == (3, RULES_VERSION)
    (admitted,) = decode_events(venue.apply(numbered(c.CreateParticipant(name="ann"), first=2), START_NS))
    assert (admitted.epoch, venue.epoch) == (3, 3)


def test_an_empty_batch_changes_nothing_but_the_time() -> None:
    desk = Desk()
    before = (desk.venue.command_sequence, desk.venue.running_hash)
    assert desk.venue.apply(b"", START_NS + 5) == b""
    assert (desk.venue.command_sequence, desk.venue.running_hash) == before
    assert desk.venue.time_ns == START_NS + 5


def test_broken_invariants_of_the_sequencer_are_asserted() -> None:
    desk = Desk()
    with pytest.raises(AssertionError, match="time went back"):
        desk.venue.apply(b"", START_NS - 1)
    with pytest.raises(AssertionError, match="command 7 came where 10 was due"):
        desk.venue.apply(numbered(c.Tick(), first=7), START_NS)
    with pytest.raises(AssertionError, match="record of 28 bytes with 27 left"):
        desk.venue.apply(numbered(c.CancelOrder(order_id=1, participant_id=1), first=10)[:-1], START_NS)


def test_queries_show_book_orders_and_places() -> None:
    desk = Desk()
    desk.enter(Side.BUY, 10, 100_000, ANN)
    desk.enter(Side.BUY, 20, 100_000, BOB, client_order_id="mine")
    desk.enter(Side.SELL, 30, 100_100, ANN)
    venue = desk.venue
    assert venue.depth(XYZ, 5) == ([Level(100_000, 30, 2)], [Level(100_100, 30, 1)])
    assert [[resting.order_id for resting in side] for side in venue.orders(XYZ)] == [[10, 11], [12]]
    assert venue.place_in_queue(11) == QueuePlace(place=2, orders_ahead=1, quantity_ahead=10)
    live = venue.order(11)
    assert live is not None
    assert (live.account_id, live.client_order_id, live.entered_ns) == (BOB, "mine", START_NS)
    assert venue.live_orders == 3


def test_queries_about_what_is_not_there_answer_nothing() -> None:
    venue = Desk().venue
    assert venue.depth(9, 5) == venue.orders(9) == ([], [])
    assert (venue.order(9), venue.place_in_queue(9), venue.trade_state(9)) == (None, None, None)
    assert (venue.balance(9, 9), venue.reference_price(9)) == (0, 0)


def test_the_digest_changes_with_the_state_and_not_with_a_look() -> None:
    desk = Desk()
    before = desk.venue.digest()
    desk.venue.depth(XYZ, 5)
    assert desk.venue.digest() == before
    desk.send(c.Tick())
    assert desk.venue.digest() != before


def test_what_the_same_commands_lead_to_changes_only_with_the_rules_version() -> None:
    """A failure here means: journals of this rules version replay differently. Raise RULES_VERSION."""
    venue = Desk().venue
    for sequence in range(venue.command_sequence + 1, 3_000):
        if sequence % 500 == 0:
            command: c.Command = c.StartBusinessDay(date=20270101 + 20 * sequence)
        else:
            command = fixed_command(sequence)
        venue.apply(encode_command(command, sequence), START_NS + sequence)
    assert RULES_VERSION == 9
    assert venue.counters.trades > 500
    assert (venue.event_sequence, f"{venue.running_hash:016x}", venue.digest()) == (
        5128,
        "3f0e07d33369ece5",
        "f32a47941c8528eae19a34b99c245c6a",
    )


def test_the_opening_of_a_desk_is_accepted() -> None:
    assert len(Desk().opened) == len(OPENING)
    assert kinds(Desk().send(order(Side.BUY, 1, 100_000))) == ["OrderAccepted"]
