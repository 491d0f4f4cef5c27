"""Framing is checked before anything is numbered."""

from __future__ import annotations

import pytest

from exchange.domain.commands import CancelOrder, CreateParticipant
from exchange.domain.units import OrderId, ParticipantId
from exchange.engine.submission import check_framing
from exchange.wire.records import ProtocolError, encode_command

CANCEL = encode_command(CancelOrder(order_id=OrderId(7), participant_id=ParticipantId(1)))
CREATE = encode_command(CreateParticipant(name="Ann"))


@pytest.mark.parametrize("run", [(CANCEL,), (CREATE,), (CANCEL, CREATE, CANCEL)])
def test_whole_records_are_taken(run: tuple[bytes, ...]) -> None:
    check_framing(b"".join(run), len(run), 1000)


@pytest.mark.parametrize(
    ("commands", "count", "said"),
    [
        (b"", 0, "submission: 0 bytes"),
        (CANCEL * 50, 50, "submission: 1400 bytes, allowed are 1 to 1000"),
        (CANCEL, 2, "count: 2, the submission has 1 records"),
        (CANCEL + CREATE, 1, "count: 1, the submission has 2 records"),
        (CANCEL[:-1], 1, "length at offset 0: 28, with 27 bytes left"),
        (CANCEL + b"\0\0", 1, "length at offset 28"),
        (bytes(16), 1, "length at offset 0: 0"),
        (b"\x04\0\0\0", 1, "length at offset 0: 4"),
        (b"\xff\xff\xff\xff" + CANCEL, 1, "length at offset 0: 4294967295"),
    ],
)
def test_malformed_framing_is_refused_with_field_and_offset(commands: bytes, count: int, said: str) -> None:
    with pytest.raises(ProtocolError, match=said):
        check_framing(commands, count, 1000)
