"""SoupBinTCP: packets, both kinds of padding, logins, and the two clocks of silence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.wire import soupbintcp as soup
from exchange.wire.records import ProtocolError


def test_a_heartbeat_is_three_bytes() -> None:
    assert soup.packet(soup.SERVER_HEARTBEAT) == b"\x00\x01H"


def test_packets_are_split_whole_and_the_rest_is_left() -> None:
    data = soup.packet(b"S", b"one") + soup.packet(b"H") + b"\x00\x05Sx"
    packets, consumed = soup.split(data)
    assert packets == [soup.Packet(b"S", b"one"), soup.Packet(b"H", b"")]
    assert data[consumed:] == b"\x00\x05Sx"


@given(st.lists(st.tuples(st.sampled_from([b"S", b"U", b"+"]), st.binary(max_size=60))), st.integers(0, 80))
def test_packets_come_back_wherever_the_bytes_are_cut(sent: list[tuple[bytes, bytes]], cut: int) -> None:
    data = b"".join(soup.packet(kind, payload) for kind, payload in sent)
    first, consumed = soup.split(data[:cut])
    second, end = soup.split(data[consumed:])
    assert [(packet.kind, packet.payload) for packet in first + second] == sent
    assert consumed + end == len(data)


def test_a_packet_without_a_type_or_longer_than_allowed_is_refused() -> None:
    with pytest.raises(ProtocolError, match="length at offset 0: 0"):
        soup.split(b"\x00\x00")
    with pytest.raises(ProtocolError, match="length at offset 3: 101"):
        soup.split(soup.packet(b"H") + soup.packet(b"U", b"x" * 100), length_max=100)


@pytest.mark.parametrize(
    ("text", "sequence"),
    [
        (b"                   1", 1),
        (b"1                   ", 1),
        (b"00000000000000000001", 1),
        (b"12000000000000000000", 12 * 10**18),
        (b"                    ", 0),
        (b"0                   ", 0),
        (b"         7          ", 7),
    ],
)
def test_a_sequence_may_stand_left_or_right_with_blanks_or_zeroes(text: bytes, sequence: int) -> None:
    assert soup.read_sequence(text) == sequence


@pytest.mark.parametrize("text", [b"one", b"1 2", b"-1", b"+1", b"\xb2"])
def test_what_is_no_sequence_is_refused(text: bytes) -> None:
    with pytest.raises(ProtocolError, match="sequence"):
        soup.read_sequence(text.ljust(20))


def test_a_login_is_49_bytes_and_comes_back() -> None:
    login = soup.LoginRequest("ALICE", "secret", "2026112300", 17)
    data = soup.login_request(login)
    assert len(data) == soup.LOGIN_BYTES == 49
    assert data[3:19] == b"ALICE secret    "
    assert soup.first_login(data) == login
    assert soup.read_login_request(data[3:]) == login


def test_a_session_to_the_left_is_the_same_session() -> None:
    payload = b"BOB   pw        2026112300" + b"5".ljust(20)
    assert soup.read_login_request(payload) == soup.LoginRequest("BOB", "pw", "2026112300", 5)


def test_a_login_is_waited_for_and_nothing_else_is_taken() -> None:
    data = soup.login_request(soup.LoginRequest("ALICE", "secret"))
    assert soup.first_login(b"") is None
    assert soup.first_login(data[:48]) is None
    assert soup.first_login(data + soup.packet(b"U", b"x" * 900)) == soup.LoginRequest("ALICE", "secret")
    for wrong in (b"GET / HTTP/1.1", soup.packet(b"R"), b"\x00\x2fX"):
        with pytest.raises(ProtocolError, match="it must be a login request"):
            soup.first_login(wrong)


def test_a_login_that_is_not_ascii_or_of_another_length_is_refused() -> None:
    with pytest.raises(ProtocolError, match="user"):
        soup.read_login_request(b"\xff" * 6 + b" " * 40)
    with pytest.raises(ProtocolError, match="login request: 3 bytes"):
        soup.read_login_request(b"abc")


def test_the_answer_of_a_login_comes_back() -> None:
    data = soup.login_accepted(soup.LoginAccepted("2026112300", 42))
    assert data == b"\x00\x1fA2026112300" + b"42".rjust(20)
    assert soup.read_login_accepted(data[3:]) == soup.LoginAccepted("2026112300", 42)
    assert soup.read_login_accepted(b"2026112300" + b"42".ljust(20)).sequence == 42
    with pytest.raises(ProtocolError, match="login accepted: 1 bytes"):
        soup.read_login_accepted(b"x")


@pytest.mark.parametrize(
    ("requested", "last", "first"),
    [(0, 9, 10), (1, 9, 1), (9, 9, 9), (10, 9, 10), (11, 9, None), (1, 0, 1), (2, 0, None)],
)
def test_where_a_stream_begins(requested: int, last: int, first: int | None) -> None:
    assert soup.first_wanted(requested, last) == first


def test_a_heartbeat_is_due_after_a_second_of_own_silence_and_counts_as_sent() -> None:
    silence = soup.Silence(0)
    assert not silence.heartbeat_is_due(999)
    assert silence.heartbeat_is_due(1_000)
    assert not silence.heartbeat_is_due(1_999)
    silence.sent_ms = 1_900
    assert not silence.heartbeat_is_due(2_800)


def test_the_other_side_is_dead_after_fifteen_seconds_without_a_byte() -> None:
    silence = soup.Silence(0)
    assert not silence.is_dead(14_999)
    assert silence.is_dead(15_000)
    silence.received_ms = 10_000
    assert not silence.is_dead(24_999)
