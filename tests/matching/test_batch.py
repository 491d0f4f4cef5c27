"""A batch of submissions is what they are one after the other, and says where the events of each end."""

from __future__ import annotations

from exchange.domain.commands import CancelOrder, CreateParticipant, StartEngine
from exchange.domain.units import OrderId, ParticipantId
from exchange.matching.batch import apply_batch
from exchange.matching.venue import Venue
from exchange.wire.numbering import number
from exchange.wire.records import decode_commands, decode_events, encode_command

START = encode_command(StartEngine(epoch=1))
CANCEL = encode_command(CancelOrder(order_id=OrderId(7), participant_id=ParticipantId(0)))
CREATE = encode_command(CreateParticipant(name="Ann"))
SUBMISSIONS = [START, CANCEL + CREATE, CANCEL * 3]


def test_a_batch_gives_what_its_submissions_give_one_after_the_other() -> None:
    together, alone = Venue(3), Venue(3)
    applied = apply_batch(together, SUBMISSIONS, 5)
    events = alone.apply(number(b"".join(SUBMISSIONS), 1, 3), 5)
    assert applied.events == events
    assert Venue(3).apply_batch(SUBMISSIONS, 5) == applied
    assert together.running_hash == alone.running_hash
    assert [sequence for sequence, _ in decode_commands(applied.commands)] == [1, 2, 3, 4, 5, 6]


def test_the_ends_tell_whose_events_are_whose() -> None:
    applied = apply_batch(Venue(), SUBMISSIONS, 5)
    starts = [0, *applied.ends]
    commands = [
        [event.command_sequence for event in decode_events(applied.events[start:end])]
        for start, end in zip(starts, applied.ends, strict=False)
    ]
    assert commands == [[1], [2, 3], [4, 5, 6]]
    assert applied.ends[-1] == len(applied.events)


def test_a_batch_of_nothing_is_empty() -> None:
    assert apply_batch(Venue(), [], 5) == (b"", b"", [])
