"""Tests of exchange.infra.soup_connection: heartbeats, ends and unread bytes, on a transport that writes down."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from exchange.infra.soup_connection import MS, SoupConnection, SoupLimits, Stage
from exchange.wire import soupbintcp as soup

DEAD_AFTER_S = 15


class Pipe(asyncio.Transport):
    """Holds what was written; unsent_bytes: what the other side has not read."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 5_000)})
        self.written = b""
        self.unsent_bytes = 0
        self.end = ""

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.high = high

    def get_write_buffer_size(self) -> int:
        return self.unsent_bytes

    def write(self, data: Any) -> None:
        self.written += data

    def close(self) -> None:
        self.end = self.end or "closed"

    def abort(self) -> None:
        self.end = "aborted"


class Listener(SoupConnection):
    """Takes whatever comes for a login."""

    protocol = "test"
    client = "listener"
    refusal = ""
    why_lost = ""
    catch_ups = 0

    def _admit(self) -> str:
        return self.refusal

    def _received(self) -> None:
        if self.stage is Stage.LOGIN:
            self.stage = Stage.OPEN
            self._buffer.clear()
            return
        for packet in soup.split(self._buffer, 1_000)[0]:
            self._control(packet)
        self._buffer.clear()

    def _catch_up(self) -> None:
        self.catch_ups += 1

    def _lost(self, reason: str) -> None:
        self.why_lost = reason


@pytest.fixture
def listener() -> Iterator[Listener]:
    loop = asyncio.new_event_loop()
    yield Listener(loop, SoupLimits(DEAD_AFTER_S, 1, 4_096))
    loop.close()


def connect(listener: Listener) -> Pipe:
    pipe = Pipe()
    listener.connection_made(pipe)
    listener.data_received(b"login")
    return pipe


def now_ms(listener: Listener, after_s: float = 0) -> int:
    return int((listener._loop.time() + after_s) * MS)


def test_unread_bytes_count_from_the_look_that_finds_them(listener: Listener) -> None:
    pipe = connect(listener)
    pipe.unsent_bytes = 100
    listener.look(now_ms(listener, 10))
    assert listener.stage is Stage.OPEN, "however long it was connected before"
    listener.data_received(soup.packet(soup.CLIENT_HEARTBEAT))
    listener._silence.received_ms = now_ms(listener, 24)
    listener.look(now_ms(listener, 24))
    assert listener.stage is Stage.OPEN
    listener.look(now_ms(listener, 26))
    listener.connection_lost(None)
    assert (pipe.end, listener.why_lost) == ("aborted", "slow reader")


def test_who_reads_a_little_is_no_slow_reader(listener: Listener) -> None:
    pipe = connect(listener)
    for second in range(0, 100, 10):
        pipe.unsent_bytes = 1_000 - second
        listener._silence.received_ms = now_ms(listener, second)
        listener.look(now_ms(listener, second))
    assert (listener.stage, pipe.end) == (Stage.OPEN, "")


def test_a_silent_side_gets_heartbeats_and_is_ended_when_nothing_comes(listener: Listener) -> None:
    pipe = connect(listener)
    listener.look(now_ms(listener, 2))
    assert pipe.written == soup.packet(soup.SERVER_HEARTBEAT)
    listener.look(now_ms(listener, DEAD_AFTER_S + 1))
    listener.connection_lost(None)
    assert (pipe.end, listener.why_lost) == ("aborted", "nothing was heard from it")


def test_an_end_is_told_and_the_first_reason_stands(listener: Listener) -> None:
    pipe = connect(listener)
    listener.data_received(soup.packet(soup.LOGOUT_REQUEST))
    listener.end("another reason")
    listener.connection_lost(None)
    assert pipe.written == soup.packet(soup.DEBUG, b"the listener logged out")
    assert (pipe.end, listener.why_lost) == ("closed", "the listener logged out")


def test_what_does_not_belong_there_is_said(listener: Listener) -> None:
    pipe = connect(listener)
    listener.data_received(soup.packet(soup.LOGIN_ACCEPTED, b" " * 30))
    assert (
        b"protocol error: type at offset 2: b'A' is nothing a listener that is logged in sends"
        in pipe.written
    )
    left = bytes(listener._buffer)
    listener.data_received(b"more")
    assert listener._buffer == left, "nothing is taken after the end"


def test_one_that_may_not_stay_gets_nothing(listener: Listener) -> None:
    listener.refusal = "too many connections"
    pipe = connect(listener)
    listener.connection_lost(None)
    assert (pipe.written, pipe.end, listener.why_lost) == (b"", "aborted", "too many connections")


def test_a_reader_that_catches_up_is_given_more(listener: Listener) -> None:
    connect(listener)
    listener.pause_writing()
    assert (listener._is_full, listener.catch_ups) == (True, 0)
    listener.resume_writing()
    assert (listener._is_full, listener.catch_ups) == (False, 1)
