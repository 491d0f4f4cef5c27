"""An event batch as a message, whole and damaged, and several joined to one."""

from __future__ import annotations

import msgspec
import pytest

from exchange.wire.envelope import HEADER, EventBatch, decode_batch, encode_batch, join_batches
from exchange.wire.records import ProtocolError

BATCH = EventBatch(partition=3, epoch=2, first_sequence=11, count=2, events=b"01234\x016789")


def test_a_batch_comes_back_whole() -> None:
    assert decode_batch(encode_batch(BATCH)) == BATCH
    assert BATCH.last_sequence == 12


def test_an_empty_batch_ends_before_it_begins() -> None:
    empty = EventBatch(0, 1, 11, 0, b"")
    assert decode_batch(encode_batch(empty)) == empty
    assert empty.last_sequence == 10


@pytest.mark.parametrize("at", range(HEADER.size + len(BATCH.events)))
def test_a_message_cut_anywhere_is_refused(at: int) -> None:
    with pytest.raises(ProtocolError):
        decode_batch(encode_batch(BATCH)[:at])


@pytest.mark.parametrize("at", [0, 4, 24, 28, HEADER.size])
def test_a_damaged_message_is_refused_by_field(at: int) -> None:
    message = bytearray(encode_batch(BATCH))
    message[at] ^= 0xFF
    with pytest.raises(ProtocolError, match=r"magic|version|length|checksum"):
        decode_batch(bytes(message))


@pytest.mark.parametrize(
    ("version", "said"), [(0, "older: upgrade the sender"), (2, "newer: upgrade the reader")]
)
def test_a_sender_of_another_version_is_told_from_its_envelope_and_its_records(
    version: int, said: str
) -> None:
    message = bytearray(encode_batch(BATCH))
    message[4] = version
    with pytest.raises(ProtocolError, match=rf"envelope: .* {version}, this version reads 1; .* {said}"):
        decode_batch(bytes(message))
    other = encode_batch(msgspec.structs.replace(BATCH, events=b"01234" + bytes([version]) + b"6789"))
    with pytest.raises(ProtocolError, match=rf"record: .* {version}, this version reads 1; .* {said}"):
        decode_batch(other)


def test_batches_that_follow_each_other_make_one_with_the_last_epoch() -> None:
    following = EventBatch(3, 5, 13, 1, b"ab")
    assert join_batches([BATCH, following]) == EventBatch(3, 5, 11, 3, b"01234\x016789ab")
    assert join_batches([BATCH]) is BATCH
