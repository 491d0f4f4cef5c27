"""Announcements, rulings and dead letters: what is written is read, and what is not ours is refused clearly."""

from __future__ import annotations

import pytest

from exchange.wire.bus_messages import (
    DEAD_BODY_BYTES_MAX,
    Announcement,
    DeadLetter,
    RulingNews,
    Rulings,
    dead_letter,
    decode_message,
    encode_message,
)
from exchange.wire.records import ProtocolError

SAID = Announcement(
    component="engine", instance="engine-0-1", partition=0, number=7, state="not_ready", started_ns=5, time_ns=9,
    every_ms=5_000, url="http://127.0.0.1:8001", release="1", reasons=("halted",), position=12,
)  # fmt: skip
RULED = Rulings(
    partition=0, items=(RulingNews(ruling_id="1", match_id="4", verdict="bust", code=2, time_ns=9),)
)


def test_messages_are_read_as_they_were_written() -> None:
    letter = dead_letter("t", "c", "magic", 2, 9, b"\x00\xff")
    assert decode_message(encode_message(SAID), Announcement) == SAID
    assert decode_message(encode_message(RULED), Rulings) == RULED
    assert decode_message(encode_message(letter), DeadLetter) == letter


def test_a_dead_letter_keeps_the_beginning_of_a_long_message() -> None:
    letter = dead_letter("t", "c", "magic", 2, 9, bytes(DEAD_BODY_BYTES_MAX + 1))
    assert (len(letter.body), letter.size_bytes) == (DEAD_BODY_BYTES_MAX, DEAD_BODY_BYTES_MAX + 1)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "no announcement"),
        (b"{}", "version"),
        (b'{"version": 2}', "version: 2, this version reads 1; upgrade"),
        (encode_message(SAID)[:-3], "no announcement"),
        (encode_message(RULED), "no announcement: Invalid value 'rulings'"),
        (encode_message(SAID).replace(b"not_ready", b"asleep"), r"state"),
    ],
)
def test_what_is_no_announcement_is_refused_with_the_reason(data: bytes, what: str) -> None:
    with pytest.raises(ProtocolError, match=what):
        decode_message(data, Announcement)
