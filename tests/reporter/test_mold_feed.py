"""ITCH over MoldUDP64: a receiver that loses datagrams gets them back by requests, until it has all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import cast

import pytest

from exchange.domain import commands as c
from exchange.infra.config import Address
from exchange.infra.errors import InfraError
from exchange.reporter.itch_days import ItchDays
from exchange.reporter.mold_feed import MoldFeed
from exchange.wire import moldudp64 as mold
from tests.market_data.venue_flow import DATE, VenueFlow
from tests.reporter.test_itch_days import messages

WAIT_S = 60.0
HELD_MAX = 5
"""Datagrams that others overtake at a time."""


class Receiver(asyncio.DatagramProtocol):
    """Takes datagrams, asks for what is missing, a second time where the answer is missing too.

    loss, late, twice: the shares of datagrams that do not arrive, arrive behind others, or arrive again.
    messages: by sequence.
    """

    def __init__(self, chance: Random, loss: float, late: float, twice: float) -> None:
        self.chance = chance
        self.loss, self.late, self.twice = loss, late, twice
        self.held: list[bytes] = []
        self.overtaken = 0
        self.messages: dict[int, bytes] = {}
        self.next = 1
        self.known = 1
        self.ended = ""
        self.heartbeats = 0
        self.requests: Address
        self.transport: asyncio.DatagramTransport
        self.came = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, address: tuple[str | int, ...]) -> None:
        if self.chance.random() < self.loss:
            return
        if self.chance.random() < self.late and len(self.held) < HELD_MAX:
            self.held.append(data)
            return
        self.take(data)
        if self.chance.random() < self.twice:
            self.take(data)
        self.overtaken += len(self.held)
        while self.held:
            self.take(self.held.pop())

    def take(self, data: bytes) -> None:
        """Take a datagram in, whichever it is."""
        packet = mold.decode(data)
        self.heartbeats += not packet.messages
        if packet.is_end:
            self.ended = packet.session
        for sequence, message in enumerate(packet.messages, packet.sequence):
            self.messages[sequence] = message
        self.known = max(self.known, packet.sequence + len(packet.messages))
        while self.next in self.messages:
            self.next += 1
        if self.next < self.known:
            count = min(self.known - self.next, mold.COUNT_MAX)
            self.transport.sendto(
                mold.encode_request(mold.Request(packet.session, self.next, count)), self.requests
            )
        self.came.set()


class Stand:
    """A market, its days, and a feed that sends to a receiver."""

    def __init__(self, folder: Path) -> None:
        self.flow = VenueFlow()
        self.days = ItchDays(folder, 5)
        self.feed: MoldFeed

    def hear(self, events: bytes) -> None:
        for run in self.days.take(events, 1):
            self.feed.deliver(run)

    async def receiver(self, loss: float = 0.0, late: float = 0.0, twice: float = 0.0) -> Receiver:
        receiver = Receiver(Random(1), loss, late, twice)
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: receiver, local_addr=("127.0.0.1", 0)
        )
        self.feed = MoldFeed(self.days, Address("127.0.0.1", transport.get_extra_info("sockname")[1]))
        await self.feed.start("127.0.0.1", 0)
        receiver.requests = Address("127.0.0.1", self.feed.request_port)
        return receiver

    async def until_it_has_all(self, receiver: Receiver) -> None:
        async with asyncio.timeout(WAIT_S):
            while receiver.next <= self.days.streams.last(self.days.date):
                receiver.came.clear()
                await receiver.came.wait()


@pytest.fixture
async def stand(tmp_path: Path) -> AsyncIterator[Stand]:
    stand = Stand(tmp_path)
    yield stand
    await stand.feed.stop()
    stand.days.close()


@pytest.mark.parametrize(("loss", "late", "twice"), [(0, 0, 0), (0.3, 0, 0), (0, 0.3, 0.2), (0.2, 0.3, 0.2)])
async def test_a_receiver_has_every_message_however_datagrams_are_lost_overtaken_or_doubled(
    stand: Stand, loss: float, late: float, twice: float
) -> None:
    receiver = await stand.receiver(loss, late, twice)
    stand.hear(stand.flow.open())
    while stand.days.streams.last(DATE) < 600:
        stand.hear(stand.flow.trade(1_000_000))
        await asyncio.sleep(0)
    await stand.until_it_has_all(receiver)
    assert [receiver.messages[at] for at in range(1, receiver.next)] == messages(stand.days, DATE)
    assert bool(receiver.overtaken) == bool(late)
    receiver.transport.close()


async def test_the_end_of_a_session_is_told_and_the_next_begins_with_one(stand: Stand) -> None:
    receiver = await stand.receiver()
    stand.hear(stand.flow.open())
    stand.hear(stand.flow.do(c.StartBusinessDay(date=DATE + 1)))
    async with asyncio.timeout(WAIT_S):
        while not receiver.ended:
            receiver.came.clear()
            await receiver.came.wait()
    assert receiver.ended == f"{DATE}00"
    receiver.transport.close()


async def test_silence_is_filled_with_heartbeats_that_name_the_next_message(stand: Stand) -> None:
    receiver = await stand.receiver()
    stand.hear(stand.flow.open())
    async with asyncio.timeout(WAIT_S):
        while not receiver.heartbeats:
            receiver.came.clear()
            await receiver.came.wait()
    assert receiver.known == stand.days.streams.last(DATE) + 1
    receiver.transport.close()


async def test_a_request_for_nothing_is_left_unanswered(stand: Stand) -> None:
    receiver = await stand.receiver()
    stand.hear(stand.flow.open())
    name = stand.days.session_name(DATE)
    last = stand.days.streams.last(DATE)
    for wrong in (b"", b"x" * 19, mold.encode_request(mold.Request("other", 1, 1))):
        assert stand.feed.answer(wrong) == b""
    assert stand.feed.answer(mold.encode_request(mold.Request(name, last + 1, 1))) == b""
    answer = mold.decode(stand.feed.answer(mold.encode_request(mold.Request(name, last - 1, 50))))
    assert (answer.sequence, answer.messages) == (last - 1, messages(stand.days, DATE)[-2:])
    receiver.transport.close()


async def test_an_address_that_is_none_is_told_with_the_key(stand: Stand) -> None:
    receiver = await stand.receiver()
    feed = MoldFeed(stand.days, Address("no address", 1))
    with pytest.raises(InfraError, match="udp_to"):
        await feed.start("127.0.0.1", 0)
    receiver.transport.close()
