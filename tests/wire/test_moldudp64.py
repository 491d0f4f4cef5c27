"""Packets and requests of MoldUDP64: what comes back, what fits, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.wire import moldudp64
from exchange.wire.moldudp64 import END_OF_SESSION, PAYLOAD_BYTES_MAX, Packet, Request
from exchange.wire.records import ProtocolError

MESSAGES = st.lists(st.binary(min_size=1, max_size=50), max_size=60)


@given(MESSAGES)
def test_a_packet_comes_back(messages: list[bytes]) -> None:
    packet = moldudp64.encode("20261123", 5, messages)
    assert moldudp64.decode(packet) == Packet("20261123", 5, messages)


@given(MESSAGES)
def test_as_much_as_fits_goes_into_one_packet(messages: list[bytes]) -> None:
    count = moldudp64.fitting(messages)
    size = len(moldudp64.encode("x", 1, messages[:count])) - moldudp64.HEADER.size
    assert size <= PAYLOAD_BYTES_MAX
    if count < len(messages):
        assert size + 2 + len(messages[count]) > PAYLOAD_BYTES_MAX


def test_the_end_of_a_session_carries_the_next_sequence() -> None:
    packet = moldudp64.encode_end("20261123", 9)
    assert packet.hex(" ") == "32 30 32 36 31 31 32 33 20 20 00 00 00 00 00 00 00 09 ff ff"
    assert moldudp64.decode(packet) == Packet("20261123", 9, [], is_end=True)


def test_a_request_comes_back() -> None:
    request = Request("20261123", 5, 100)
    assert moldudp64.decode_request(moldudp64.encode_request(request)) == request


@pytest.mark.parametrize("wrong", [Request("x", 0, 1), Request("x", 1, 0), Request("x", 1, END_OF_SESSION)])
def test_a_request_for_nothing_is_refused(wrong: Request) -> None:
    with pytest.raises(ProtocolError, match="request of"):
        moldudp64.decode_request(moldudp64.encode_request(wrong))


@given(st.binary(max_size=80))
def test_no_bytes_do_more_than_be_refused(data: bytes) -> None:
    for decode in (moldudp64.decode, moldudp64.decode_request):
        try:
            decode(data)
        except ProtocolError:
            continue


def test_a_session_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ProtocolError, match="11 characters"):
        moldudp64.encode("ABCDEFGHIJK", 1, [])
