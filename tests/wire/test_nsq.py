"""NSQ's protocol as bytes: commands as the specification writes them, frames however they are cut."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.wire import nsq
from exchange.wire.records import ProtocolError

ID = b"0123456789abcdef"


def frame(kind: int, data: bytes) -> bytes:
    return struct.pack(">ii", len(data) + 4, kind) + data


MESSAGE = frame(2, struct.pack(">qH16s", 1_700, 3, ID) + b"body\n")


def test_commands_are_written_as_the_specification_says() -> None:
    assert nsq.subscribe("exchange.events.0", "clearing") == b"SUB exchange.events.0 clearing\n"
    assert nsq.ready(64) == b"RDY 64\n"
    assert nsq.finish(ID) == b"FIN 0123456789abcdef\n"
    assert nsq.requeue(ID, 90) == b"REQ 0123456789abcdef 90\n"
    assert nsq.touch(ID) == b"TOUCH 0123456789abcdef\n"
    assert nsq.publish("t", b"\nx") == b"PUB t\n\x00\x00\x00\x02\nx"
    assert nsq.publish_many("t", [b"a", b"bc"]) == (
        b"MPUB t\n\x00\x00\x00\x0f\x00\x00\x00\x02\x00\x00\x00\x01a\x00\x00\x00\x02bc"
    )
    assert nsq.identify({"a": 1}) == b'IDENTIFY\n\x00\x00\x00\x07{"a":1}'


def test_each_kind_of_frame_is_read_as_what_it_is() -> None:
    data = frame(0, b"OK") + frame(1, b"E_BAD_TOPIC no such name") + MESSAGE
    assert list(nsq.FrameReader().feed(data)) == [
        nsq.Response(b"OK"),
        nsq.Failure("E_BAD_TOPIC", "no such name"),
        nsq.Message(1_700, 3, ID, b"body\n"),
    ]


@given(st.lists(st.integers(0, 120), max_size=8))
def test_frames_are_the_same_however_they_are_cut(cuts: list[int]) -> None:
    data = (frame(0, nsq.HEARTBEAT) + MESSAGE + frame(1, b"E_FIN_FAILED")) * 2
    reader, frames, start = nsq.FrameReader(), [], 0
    for end in [*sorted(cuts), len(data)]:
        frames += list(reader.feed(data[start:end]))
        start = max(start, end)
    assert frames == list(nsq.FrameReader().feed(data))
    assert len(frames) == 6


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (struct.pack(">ii", 2, 0), "frame length at offset 0: 2"),
        (struct.pack(">ii", nsq.FRAME_BYTES_MAX + 1, 0), "frame length at offset 0"),
        (b"HTTP/1.1 400 Bad Request", "frame length at offset 0"),
        (frame(7, b""), "frame kind at offset 4: 7"),
        (frame(2, b"short"), "message: 5 bytes"),
    ],
)
def test_what_is_no_frame_is_refused_with_its_place(data: bytes, what: str) -> None:
    with pytest.raises(ProtocolError, match=what):
        list(nsq.FrameReader().feed(data))


def test_an_error_about_one_message_is_told_from_one_about_the_connection() -> None:
    assert nsq.Failure("E_FIN_FAILED", "").is_of_one_message
    assert not nsq.Failure("E_INVALID", "").is_of_one_message


@pytest.mark.parametrize(
    ("name", "valid"),
    [
        ("exchange.events.0", True), ("engine-0-1a#ephemeral", True), ("a" * 64, True), ("a" * 65, False),
        ("", False), ("a b", False), ("a\n", False), ("a#b", False), ("é", False),
    ],
)  # fmt: skip
def test_names_of_topics_and_channels_are_checked(name: str, valid: bool) -> None:
    assert nsq.is_valid_name(name) is valid
