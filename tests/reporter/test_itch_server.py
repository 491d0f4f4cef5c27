"""ITCH over SoupBinTCP with real sockets: from any message on, live, over the day's end, and what ends a connection."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from exchange.domain import commands as c
from exchange.infra.config import ItchConfig
from exchange.infra.errors import InfraError
from exchange.reporter.itch_days import ItchDays
from exchange.reporter.itch_server import ItchServer
from exchange.wire import soupbintcp as soup
from tests.infra.event_streams import until
from tests.market_data.venue_flow import DATE, VenueFlow
from tests.reporter.soup_client import SoupClient

OPENING = 7
"""Messages with which the flow's first day begins."""
SMALL_BYTES = 16_384
"""A socket's buffer, so that the system does not hide that nobody reads."""


class Stand:
    """A server on a market that a test moves."""

    def __init__(self, folder: Path, config: ItchConfig) -> None:
        self.flow = VenueFlow()
        self.days = ItchDays(folder, 5)
        self.server = ItchServer(config, self.days)

    def hear(self, events: bytes) -> None:
        for run in self.days.take(events, 1):
            self.server.deliver(run)

    def move(self, count: int) -> int:
        """Make so many messages or more; return how many the day has."""
        while self.days.streams.last(DATE) < count:
            self.hear(self.flow.trade(1_000_000))
        return self.days.streams.last(DATE)


@pytest.fixture
def config() -> ItchConfig:
    return ItchConfig()


@pytest.fixture
async def stand(tmp_path: Path, config: ItchConfig) -> AsyncIterator[Stand]:
    stand = Stand(tmp_path, config)
    await stand.server.start("127.0.0.1", 0)
    stand.hear(stand.flow.open())
    yield stand
    await stand.server.stop()
    stand.days.close()


async def test_a_subscriber_gets_the_day_from_its_first_message_and_goes_on_live(stand: Stand) -> None:
    async with SoupClient(stand.server.port) as client:
        assert await client.log_in() == ""
        assert (client.session, client.first) == (f"{DATE}00", 1)
        await client.read(OPENING)
        count = stand.move(100)
        assert len(await client.read(count)) == count
        async with SoupClient(stand.server.port) as late:
            await late.log_in(sequence=51)
            assert await late.read(count - 50) == client.messages[50:]
        async with SoupClient(stand.server.port) as newest:
            await newest.log_in(sequence=0)
            assert newest.first == count + 1
            stand.move(count + 1)
            assert (await newest.read(1))[0] == (await client.read(count + 1))[count]


async def test_many_messages_come_out_of_the_file_while_more_happen(stand: Stand) -> None:
    count = stand.move(30_000)
    async with SoupClient(stand.server.port) as client:
        await client.log_in()
        await client.read(10)
        count = stand.move(count + 500)
        assert len(await client.read(count)) == count


async def test_the_end_of_the_date_ends_the_session_and_it_can_be_read_after(stand: Stand) -> None:
    async with SoupClient(stand.server.port) as client:
        await client.log_in()
        stand.move(20)
        stand.hear(stand.flow.do(c.StartBusinessDay(date=DATE + 1)))
        await client.until_closed()
        assert client.has_ended
        assert client.messages[-1][:1] + client.messages[-1][-1:] == b"SC"
    async with SoupClient(stand.server.port) as again:
        await again.log_in(session=f"{DATE}00", sequence=5)
        await again.until_closed()
        assert (again.messages, again.has_ended) == (client.messages[4:], True)
    async with SoupClient(stand.server.port) as today:
        await today.log_in()
        assert today.session == f"{DATE + 1}00"


@pytest.mark.parametrize(
    ("session", "sequence"), [("nonsense", 1), (f"{DATE}00", OPENING + 2), ("2026112299", 0)]
)
async def test_a_session_or_message_that_is_not_there_is_refused(
    stand: Stand, session: str, sequence: int
) -> None:
    async with SoupClient(stand.server.port) as client:
        assert await client.log_in(sequence, session) == "S"
        await client.until_closed()


@pytest.mark.parametrize("config", [ItchConfig(user="feed", password="right")])
async def test_a_wrong_password_is_refused(stand: Stand) -> None:
    for user, password in (("feed", "wrong"), ("", ""), ("other", "right")):
        async with SoupClient(stand.server.port) as client:
            assert await client.log_in(user=user, password=password) == "A"
            await client.until_closed()
    async with SoupClient(stand.server.port) as client:
        assert await client.log_in(user="feed", password="right") == ""


@pytest.mark.parametrize(
    "garbage",
    [b"GET / HTTP/1.1\r\n\r\n", b"\0\0\0", b"\0\x2fX" + b" " * 46, b"\xff" * 5_000, b"\0\x2fL" + b"x" * 46],
)
async def test_garbage_ends_a_connection_and_no_other(stand: Stand, garbage: bytes) -> None:
    async with SoupClient(stand.server.port) as other, SoupClient(stand.server.port) as client:
        await other.log_in()
        client.writer.write(garbage)
        await client.until_closed()
        count = stand.move(50)
        assert len(await other.read(count)) == count
    assert stand.server.ended["protocol error"] == 1


@pytest.mark.parametrize(
    "packet", [soup.packet(soup.UNSEQUENCED, b"order"), soup.packet(soup.SEQUENCED), b"\0\0"]
)
async def test_a_subscriber_that_says_more_than_it_may_is_told_and_closed(
    stand: Stand, packet: bytes
) -> None:
    async with SoupClient(stand.server.port) as client:
        await client.log_in()
        client.writer.write(packet)
        await client.until_closed()
        (said,) = client.debug
        assert said.startswith(b"protocol error: ")


async def test_heartbeats_come_in_silence_and_keep_nothing_from_ending_at_a_logout(stand: Stand) -> None:
    async with SoupClient(stand.server.port) as client:
        await client.log_in()
        await client.heartbeat()
        client.writer.write(soup.packet(soup.CLIENT_HEARTBEAT) + soup.packet(soup.LOGOUT_REQUEST))
        await client.until_closed()
        assert client.debug == [b"the subscriber logged out"]


@pytest.mark.parametrize("config", [ItchConfig(dead_after_s=2)])
async def test_a_subscriber_that_is_silent_for_too_long_is_disconnected(stand: Stand) -> None:
    async with SoupClient(stand.server.port) as client:
        await client.log_in()
        await client.until_closed()
    assert stand.server.ended["nothing was heard from it"] == 1


@pytest.mark.parametrize("config", [ItchConfig(connections_max=2)])
async def test_one_connection_too_many_is_closed_at_once(stand: Stand) -> None:
    async with SoupClient(stand.server.port) as a, SoupClient(stand.server.port) as b:
        assert (await a.log_in(), await b.log_in()) == ("", "")
        async with SoupClient(stand.server.port) as third:
            await third.until_closed()
        count = stand.move(20)
        assert len(await b.read(count)) == count


@pytest.mark.parametrize("config", [ItchConfig(unsent_kib=256, dead_after_s=3_600)])
async def test_a_reader_that_does_not_read_is_disconnected_and_goes_on_where_it_was(stand: Stand) -> None:
    plug = socket.socket()
    plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BYTES)
    plug.connect(("127.0.0.1", stand.server.port))
    _, writer = await asyncio.open_connection(sock=plug, limit=SMALL_BYTES)
    writer.write(soup.login_request(soup.LoginRequest("", "", "", 0)))
    await until(lambda: bool(stand.server.logins))
    (connection,) = stand.server.connections
    sending: socket.socket = connection._transport.get_extra_info("socket")
    sending.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL_BYTES)
    count = OPENING
    while "slow reader" not in stand.server.ended:
        count = stand.move(count + 2_000)
        await asyncio.sleep(0)
    writer.close()
    async with SoupClient(stand.server.port) as again:
        await again.log_in(sequence=connection.next_sequence)
        missed = count + 1 - connection.next_sequence
        assert len(await again.read(missed)) == missed


async def test_a_port_that_is_taken_is_told_with_what_to_change(stand: Stand, tmp_path: Path) -> None:
    other = ItchServer(ItchConfig(), stand.days)
    with pytest.raises(InfraError, match=r"choose another \[reporter.itch\] port"):
        await other.start("127.0.0.1", stand.server.port)
