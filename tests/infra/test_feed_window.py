"""The window for early batches, and the checks on batches, as pure functions."""

from __future__ import annotations

from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.infra.feed_window import (
    BATCH_OVERHEAD_BYTES,
    ReorderWindow,
    check_batch,
    epoch_of,
    merge,
    record_of,
    trim,
)
from exchange.wire.envelope import EventBatch
from exchange.wire.records import ProtocolError
from tests.infra.event_streams import make_commands, records_of

SIZES = st.lists(st.integers(1, 4), min_size=1, max_size=20)


@given(SIZES, st.integers(0, 2**32), st.integers(1, 5))
def test_batches_in_any_order_and_repeated_come_out_once_in_order(
    sizes: list[int], seed: int, copies: int
) -> None:
    commands = make_commands(sizes)
    shuffled = commands * copies
    Random(seed).shuffle(shuffled)
    window = ReorderWindow()
    for batch in shuffled:
        assert window.put(batch)
    taken, duplicates = window.take(0, bytes_max=1 << 20)
    assert taken is not None
    assert (taken.first_sequence, taken.last_sequence) == (1, sum(sizes))
    assert taken.events == records_of(commands)
    assert duplicates == len(commands) * (copies - 1)
    assert (len(window), window.bytes) == (0, 0)


@given(SIZES, st.data())
def test_what_was_seen_is_cut_off_at_any_command(sizes: list[int], data: st.DataObject) -> None:
    commands = make_commands(sizes)
    seen = data.draw(st.integers(0, len(commands)))
    position = sum(sizes[:seen])
    rest = trim(merge(commands), position)
    assert rest.events == records_of(commands[seen:])
    assert rest.count == sum(sizes[seen:])
    assert rest.first_sequence == position + 1


def test_nothing_is_taken_over_a_gap() -> None:
    commands = make_commands([1, 2, 1])
    window = ReorderWindow()
    window.put(commands[2])
    window.put(commands[0])
    taken, _ = window.take(0)
    assert taken == commands[0]
    assert window.take(1) == (None, 0)
    assert not window.continues(1)
    assert not window.continues(4)
    assert window.continues(3)


def test_a_full_window_drops_the_batch_farthest_ahead() -> None:
    commands = make_commands([1] * 6)
    room = sum(len(batch.events) + BATCH_OVERHEAD_BYTES for batch in commands[1:4])
    window = ReorderWindow(room)
    assert [window.put(batch) for batch in (commands[5], commands[3], commands[2])] == [True] * 3
    assert not window.put(commands[1])
    assert window.is_filling
    taken, _ = window.take(1)
    assert taken is not None
    assert taken.last_sequence == 4
    assert len(window) == 0


def test_neighbours_are_joined_up_to_the_size_of_a_batch() -> None:
    commands = make_commands([1] * 5)
    window = ReorderWindow()
    for batch in commands:
        window.put(batch)
    taken, _ = window.take(0, bytes_max=len(commands[0].events) + 1)
    assert taken is not None
    assert taken.count == 2
    assert len(window) == 3


def test_overlapping_batches_come_out_once() -> None:
    commands = make_commands([1, 1, 1, 1])
    window = ReorderWindow()
    window.put(merge(commands[0:3]))
    window.put(merge(commands[1:4]))
    taken, duplicates = window.take(0)
    assert taken is not None
    assert (taken.events, duplicates) == (records_of(commands), 0)


def test_the_epoch_of_each_event_is_that_of_its_record() -> None:
    batch = merge(make_commands([2, 1], epoch=1) + make_commands([1], epoch=2, first=4))
    assert [epoch_of(batch, sequence) for sequence in (1, 2, 3, 4)] == [1, 1, 1, 2]


def test_an_empty_batch_is_in_order() -> None:
    check_batch(EventBatch(0, 1, 5, 0, b""))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"count": 4}, "count: 4 in the envelope, 3 events in it"),
        ({"first_sequence": 2}, "event 1 of partition 0, 2 of 0 should follow"),
        ({"partition": 1}, "event 1 of partition 0, 1 of 1 should follow"),
        ({"events": make_commands([3])[0].events[:-1]}, "length at offset"),
        ({"events": b"\x10\0\0\0" + bytes(12), "count": 1}, "header at offset 0: 16 bytes are left"),
        ({"events": b"\x10\0\0\0" + bytes(40), "count": 1}, "length at offset 0: 16, with 44 bytes left"),
        ({"events": make_commands([3])[0].events[:54], "count": 1}, "ends within a command"),
    ],
)
def test_a_batch_that_is_not_what_it_says_is_refused(change: dict[str, object], message: str) -> None:
    batch = msgspec.structs.replace(make_commands([3])[0], **change)
    with pytest.raises(ProtocolError, match=message):
        check_batch(batch)


def test_the_record_of_an_event_is_cut_out_of_its_batch() -> None:
    commands = make_commands([1, 2, 1])
    batch = EventBatch(0, 1, 1, 4, records_of(commands))
    assert b"".join(record_of(batch, sequence) for sequence in (1, 2, 3, 4)) == batch.events
    assert record_of(batch, 4) == commands[2].events
