"""What holds whatever happens: the book, the numbers, the sums, the hash and the snapshot, under random commands."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.matching.venue import RULES_VERSION, Venue
from exchange.wire.records import BY_NUMBER, decode_events, encode_command, split
from tests.matching.desk import OPENING, START_NS, Desk, numbered_record
from tests.matching.small_world import WORLD, SmallWorld, runs_of_commands

BUDGET = settings(max_examples=60, deadline=None)
BORDERS = st.lists(st.integers(1, 9), min_size=1, max_size=8)


def perform(drawn: list[bytes]) -> Iterator[tuple[Desk, c.Command, list[e.Event]]]:
    """Send random commands to a venue of the small world; give each with its events."""
    desk, world = Desk(opening=WORLD), SmallWorld()
    for eight in drawn:
        command = world.any_command(eight)
        events = desk.send(command)
        world.note(events)
        yield desk, command, events


def records_of(drawn: list[bytes]) -> list[bytes]:
    """Return the numbered records of the world and of random commands."""
    commands = [*WORLD, *(command for _, command, _ in perform(drawn))]
    return [encode_command(command, sequence) for sequence, command in enumerate(commands, 1)]


def in_batches(venue: Venue, records: list[bytes], sizes: list[int]) -> bytes:
    """Apply records in batches of these sizes, again and again."""
    events = b""
    while records:
        for size in sizes:
            events += venue.apply(b"".join(records[:size]), START_NS)
            records = records[size:]
    return events


@given(runs_of_commands)
@BUDGET
def test_the_book_is_never_crossed_and_levels_add_up(drawn: list[bytes]) -> None:
    for desk, _, _ in perform(drawn):
        for symbol_id in (1, 2):
            bids, asks = desk.venue.depth(symbol_id, 1_000)
            assert not (bids and asks) or bids[0].price < asks[0].price
            assert all(better.price > worse.price for better, worse in pairwise(bids))
            assert all(better.price < worse.price for better, worse in pairwise(asks))
            resting = [order for side in desk.venue.orders(symbol_id) for order in side]
            assert all(0 < order.displayed <= order.leaves <= order.quantity for order in resting)
            assert all(level.quantity > 0 for level in bids + asks)
            assert sum(level.quantity for level in bids + asks) == sum(order.displayed for order in resting)
            assert sum(level.orders for level in bids + asks) == len(resting)


@given(runs_of_commands)
@BUDGET
def test_cash_and_shares_sum_to_what_was_deposited(drawn: list[bytes]) -> None:
    brought = [0, 0, 0]
    for desk, _, events in perform(drawn):
        for event in events:
            if isinstance(event, e.Deposited):
                brought[event.symbol_id] += event.amount
            elif isinstance(event, e.Withdrawn):
                brought[event.symbol_id] -= event.amount
        held = [
            sum(desk.venue.balance(account_id, symbol_id) for account_id in desk.venue.directory.accounts)
            for symbol_id in (0, 1, 2)
        ]
        assert held == brought


@given(runs_of_commands)
@BUDGET
def test_every_share_of_an_order_is_filled_cancelled_or_left(drawn: list[bytes]) -> None:
    whole: dict[int, int] = {}
    gone: dict[int, int] = {}
    for desk, _, events in perform(drawn):
        for event in events:
            match event:
                case e.OrderAccepted():
                    whole[event.order_id] = event.quantity
                case e.OrderAmended():
                    whole[event.order_id] = event.quantity
                case e.OrderReplaced():
                    whole[event.new_order_id] = event.quantity
                    gone[event.order_id] = gone.get(event.order_id, 0) + event.cancelled_quantity
                case e.OrderCancelled():
                    gone[event.order_id] = gone.get(event.order_id, 0) + event.quantity
                case e.TradeExecuted():
                    for order_id, leaves in (
                        (event.maker_order_id, event.maker_leaves),
                        (event.taker_order_id, event.taker_leaves),
                    ):
                        gone[order_id] = gone.get(order_id, 0) + event.quantity
                        assert leaves == whole[order_id] - gone[order_id]
        for order_id, quantity in whole.items():
            live = desk.venue.order(order_id)
            assert quantity == gone.get(order_id, 0) + (live.leaves if live else 0)


@given(runs_of_commands)
@BUDGET
def test_sequences_have_no_gap_and_every_command_is_answered(drawn: list[bytes]) -> None:
    next_event = Desk(opening=WORLD).venue.event_sequence + 1
    for desk, _, events in perform(drawn):
        assert [event.sequence for event in events] == list(range(next_event, next_event + len(events)))
        assert [event.last_of_command for event in events] == [False] * (len(events) - 1) + [True]
        assert {event.command_sequence for event in events} == {desk.venue.command_sequence}
        assert {(event.epoch, event.partition, event.time_ns) for event in events} == {(1, 0, START_NS)}
        next_event += len(events)
    assert RULES_VERSION == 9


@given(runs_of_commands, BORDERS)
@BUDGET
def test_borders_of_batches_change_neither_events_nor_hash(drawn: list[bytes], sizes: list[int]) -> None:
    records = records_of(drawn)
    one_by_one, in_one, mixed = Venue(), Venue(), Venue()
    events = b"".join(one_by_one.apply(record, START_NS) for record in records)
    assert in_one.apply(b"".join(records), START_NS) == events
    assert in_batches(mixed, records, sizes) == events
    assert one_by_one.running_hash == in_one.running_hash == mixed.running_hash
    assert one_by_one.snapshot() == in_one.snapshot() == mixed.snapshot()


@given(runs_of_commands, st.integers(0, 80))
@BUDGET
def test_a_restored_venue_goes_on_as_if_nothing_had_been(drawn: list[bytes], stop_after: int) -> None:
    records = records_of(drawn)
    straight, first_half = Venue(), Venue()
    events = straight.apply(b"".join(records), START_NS)
    before = first_half.apply(b"".join(records[:stop_after]), START_NS)
    second_half = Venue.restore(first_half.snapshot())
    assert second_half.snapshot() == first_half.snapshot()
    assert before + second_half.apply(b"".join(records[stop_after:]), START_NS) == events
    assert (second_half.running_hash, second_half.digest()) == (straight.running_hash, straight.digest())


BODY_BYTES = {number: layout.struct.size - 16 for number, layout in BY_NUMBER.items() if not layout.is_event}
right_sizes = st.sampled_from(sorted(BODY_BYTES)).flatmap(
    lambda number: st.tuples(
        st.just(number), st.binary(min_size=BODY_BYTES[number], max_size=BODY_BYTES[number])
    )
)
any_sizes = st.tuples(st.integers(0, 255), st.binary(max_size=120))
few_bits = st.tuples(
    st.sampled_from(sorted(BODY_BYTES)),
    st.lists(st.sampled_from([0, 0, 0, 0, 0, 1, 2, 3, 69, 255]), min_size=80, max_size=80).map(bytes),
).map(lambda drawn: (drawn[0], drawn[1][: BODY_BYTES[drawn[0]]]))
any_records = st.builds(
    lambda typed, version: (
        (16 + len(typed[1])).to_bytes(4, "little") + bytes([typed[0], version, 0, 0]) + bytes(8) + typed[1]
    ),
    any_sizes | right_sizes | few_bits,
    st.sampled_from([1, 1, 1, 1, 1, 1, 0, 2]),
)


@given(st.lists(any_records, max_size=30))
@settings(max_examples=150, deadline=None)
@example([])
def test_any_well_framed_record_is_answered_by_events_that_can_be_read(records: list[bytes]) -> None:
    venue = Venue()
    opening = [encode_command(command, sequence) for sequence, command in enumerate(OPENING, 1)]
    venue.apply(b"".join(opening), START_NS)
    for record in records:
        events = venue.apply(numbered_record(record, venue.command_sequence + 1), START_NS)
        assert decode_events(events) or record[4] in (2, 76), (
            "only a Tick or a ReserveOrderId may have no event"
        )
        assert sum(length for _, length in split(events)) == len(events)
    assert Venue.restore(venue.snapshot()).snapshot() == venue.snapshot()
