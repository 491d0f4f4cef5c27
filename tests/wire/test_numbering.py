"""Numbering fills in sequences and partition, and nothing else; only whole records are counted."""

from __future__ import annotations

import pytest

from exchange.domain.commands import CancelOrder, CreateParticipant
from exchange.domain.units import OrderId, ParticipantId
from exchange.wire.numbering import count, number
from exchange.wire.records import COMMAND_HEADER, ProtocolError, decode_commands, encode_command

CANCEL = encode_command(CancelOrder(order_id=OrderId(7), participant_id=ParticipantId(1)))
CREATE = encode_command(CreateParticipant(name="Ann"))


def test_numbering_fills_in_sequences_and_partition_and_nothing_else() -> None:
    run = CANCEL + CREATE + CANCEL
    numbered = number(run, 41, 9)
    assert [sequence for sequence, _ in decode_commands(numbered)] == [41, 42, 43]
    assert [command for _, command in decode_commands(numbered)] == [
        command for _, command in decode_commands(run)
    ]
    assert COMMAND_HEADER.unpack_from(numbered, len(CANCEL))[4] == 9


def test_records_are_counted_and_what_is_none_is_refused_with_its_place() -> None:
    assert count(CANCEL + CREATE + CANCEL) == 3
    assert count(b"") == 0
    with pytest.raises(ProtocolError, match="length at offset 28: 28, with 27 bytes left"):
        count(CANCEL + CANCEL[:-1])
