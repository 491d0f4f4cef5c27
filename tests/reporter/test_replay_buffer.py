"""The latest messages, within a bound, for whoever comes back."""

from __future__ import annotations

from typing import NamedTuple

from exchange.reporter.replay_buffer import ReplayBuffer


class Message(NamedTuple):
    sequence: int


def test_messages_are_given_from_a_sequence_on_by_symbol() -> None:
    buffer: ReplayBuffer[Message] = ReplayBuffer(10, since=4)
    for symbol_id, sequence in ((1, 5), (2, 6), (1, 7)):
        buffer.add(symbol_id, Message(sequence))
    assert buffer.since(1, 5) == [Message(5), Message(7)]
    assert buffer.since(1, 6) == [Message(7)]
    assert buffer.since(1, 8) == []
    assert buffer.since(3, 5) == []


def test_what_came_before_the_buffer_began_is_not_there() -> None:
    buffer: ReplayBuffer[Message] = ReplayBuffer(10, since=4)
    assert buffer.since(1, 4) is None


def test_when_it_is_full_the_oldest_of_all_symbols_goes() -> None:
    buffer: ReplayBuffer[Message] = ReplayBuffer(2, since=0)
    for symbol_id, sequence in ((1, 1), (2, 2), (2, 3)):
        buffer.add(symbol_id, Message(sequence))
    assert len(buffer) == 2
    assert buffer.since(1, 1) is None
    assert buffer.since(1, 2) == []
    assert buffer.since(2, 1) == [Message(2), Message(3)]


def test_a_buffer_of_nothing_keeps_nothing() -> None:
    buffer: ReplayBuffer[Message] = ReplayBuffer(0, since=0)
    buffer.add(1, Message(1))
    assert (len(buffer), buffer.since(1, 1), buffer.since(1, 2)) == (0, None, [])
