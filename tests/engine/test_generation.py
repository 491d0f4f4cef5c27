"""What gathers for one batch: only what was matched, with the proofs before and after it."""

from __future__ import annotations

import asyncio

from exchange.domain.commands import CancelOrder
from exchange.domain.units import OrderId, ParticipantId
from exchange.engine.generation import Generation
from exchange.engine.submission import Submission
from exchange.matching.venue import Venue
from exchange.wire.records import decode_commands, decode_events, encode_command

CANCEL = encode_command(CancelOrder(order_id=OrderId(7), participant_id=ParticipantId(1)))


def submission(count: int) -> Submission:
    return Submission(CANCEL * count, count, asyncio.get_running_loop().create_future())


async def test_a_batch_holds_exactly_what_was_matched_with_hashes_before_and_after() -> None:
    venue = Venue()
    venue.apply(encode_command(CancelOrder(order_id=OrderId(1), participant_id=ParticipantId(0)), 1), 5)
    before = venue.running_hash
    generation = Generation(venue, 9)
    generation.take([submission(2)])
    generation.take([submission(1)])
    batch = generation.batch()
    assert [sequence for sequence, _ in decode_commands(batch.payload)] == [2, 3, 4]
    assert (batch.first_sequence, batch.count, batch.time_ns) == (2, 3, 9)
    assert (batch.hash_before, batch.hash_after) == (before, venue.running_hash)
    assert (batch.events_before, batch.events_after) == (1, 4)


async def test_everybody_gets_the_events_of_his_own_commands_and_who_left_gets_none() -> None:
    generation = Generation(Venue(), 9)
    first, left, last = submission(1), submission(2), submission(1)
    generation.take([first, left])
    generation.take([last])
    generation.batch()
    assert left.answer
    left.answer.cancel()
    generation.release()
    assert first.answer
    assert [e.command_sequence for e in decode_events(first.answer.result())] == [1]
    assert last.answer
    assert [e.command_sequence for e in decode_events(last.answer.result())] == [4]
    events = generation.events(epoch=3)
    assert (events.first_sequence, events.count, events.epoch) == (1, 4, 3)
    assert [event.command_sequence for event in decode_events(events.events)] == [1, 2, 3, 4]


async def test_who_listens_to_the_stream_hears_its_first_sequence_when_matched_and_has_no_answer() -> None:
    venue = Venue()
    generation = Generation(venue, 9)
    heard: list[tuple[int, int]] = []
    generation.take(
        [
            submission(2),
            Submission(CANCEL * 3, 3, matched=lambda first: heard.append((first, venue.command_sequence))),
            Submission(CANCEL, 1, matched=lambda first: heard.append((first, venue.command_sequence))),
        ]
    )
    assert heard == [(3, 6), (6, 6)]
    assert len(generation.waiting()) == 1
    assert generation.pending == 6
