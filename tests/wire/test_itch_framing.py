"""Frames hold every message once and in order, and the compiled module makes them as the definition does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from exchange.wire import binary_file, itch_framing
from exchange.wire import moldudp64 as mold
from exchange.wire import soupbintcp as soup

MESSAGES = st.lists(st.binary(min_size=1, max_size=60), max_size=200)


def packets_of(messages: list[bytes]) -> bytes:
    return b"".join(soup.packet(soup.SEQUENCED, message) for message in messages)


@given(MESSAGES)
def test_blocks_hold_every_message(messages: list[bytes]) -> None:
    blocks = itch_framing.blocks(packets_of(messages))
    assert list(binary_file.split(blocks)) == messages
    assert blocks == itch_framing.blocks_of(packets_of(messages))


@given(MESSAGES, st.integers(1, 2**40))
def test_datagrams_hold_every_message_with_its_sequence(messages: list[bytes], first: int) -> None:
    packets = packets_of(messages)
    datagrams = itch_framing.datagrams("2026112300", first, packets)
    read = [mold.decode(datagram) for datagram in datagrams]
    assert [message for packet in read for message in packet.messages] == messages
    assert datagrams == itch_framing.datagrams_of("2026112300", first, packets)
    assert all(len(datagram) <= mold.HEADER.size + mold.PAYLOAD_BYTES_MAX for datagram in datagrams)
    for packet in read:
        assert packet.sequence == first
        first += len(packet.messages)
