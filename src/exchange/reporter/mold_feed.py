"""ITCH over MoldUDP64: every message in a datagram to one address, and a server that sends again what was lost.

Datagrams get lost, come twice and out of order; their sequences show it, and a request brings back what is missing, as
much of it as fits into one datagram: who wants more asks again.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import cast

import structlog

from exchange.infra.config import Address
from exchange.infra.errors import InfraError
from exchange.reporter.itch_days import ItchDays, Run
from exchange.wire import itch_framing
from exchange.wire import moldudp64 as mold
from exchange.wire import soupbintcp as soup
from exchange.wire.records import ProtocolError

HEARTBEAT_S = 1.0
REQUESTS_PER_S = 10_000
"""Requests that are answered in a second; more are dropped, and the client asks again."""

log = structlog.get_logger(component="itch")


class MoldFeed:
    """Sends to one address, which may be a group's. sent_packets, requests: counted since the start."""

    def __init__(self, days: ItchDays, to: Address) -> None:
        self.sent_packets = 0
        self.requests = 0
        self.requests_dropped = 0
        self.request_port = 0
        self._days = days
        self._to = to
        self._date = 0
        self._next = 1
        self._last_sent_s = 0.0
        self._sender: asyncio.DatagramTransport
        self._requests: asyncio.DatagramTransport
        self._beating: asyncio.Task[None] | None = None

    async def start(self, request_host: str, request_port: int) -> None:
        """Open both sockets. Raise `InfraError`."""
        loop = asyncio.get_running_loop()
        try:
            address = ipaddress.ip_address(self._to.host)
            family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
            sender, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, family=family)
            if address.is_multicast:
                _send_to_this_machine_and_net(sender)
            requests, _ = await loop.create_datagram_endpoint(
                lambda: RequestServer(self), local_addr=(request_host, request_port)
            )
        except (OSError, ValueError) as error:
            raise InfraError(
                f"ITCH cannot be sent to {self._to.host} port {self._to.port}, with requests at {request_host} port "
                f"{request_port}: {error}; change [reporter.itch] udp_to or udp_request_port"
            ) from error
        self._sender = sender
        self._requests = requests
        self.request_port = requests.get_extra_info("sockname")[1]
        self._go_to(self._days.date)
        self._beating = asyncio.create_task(self._beat(), name="reporter beats over UDP")
        log.info("itch_multicasting", to=f"{self._to.host}:{self._to.port}", requests=self.request_port)

    async def stop(self) -> None:
        """Close both sockets."""
        if self._beating is None:
            return
        self._beating.cancel()
        await asyncio.gather(self._beating, return_exceptions=True)
        self._sender.close()
        self._requests.close()

    def deliver(self, run: Run) -> None:
        """Send what is new."""
        if run.date != self._date:
            self._go_to(run.date)
        session = self._days.session_name(run.date)
        for datagram in itch_framing.datagrams(session, run.first, run.packets):
            self._send(datagram)
        self._next = run.first + run.count
        if run.ends:
            self._send(mold.encode_end(session, self._next))

    def answer(self, packet: bytes) -> bytes:
        """Return what answers a request: as many of the messages wanted as fit, or nothing."""
        self.requests += 1
        try:
            request = mold.decode_request(packet)
        except ProtocolError:
            return b""
        dates = {self._days.session_name(date): date for date in self._days.dates()}
        date = dates.get(request.session)
        if date is None:
            return b""
        packets, _ = self._days.streams.read(date, request.sequence)
        messages = [packet.payload for packet in soup.split(packets[: 2 * mold.PAYLOAD_BYTES_MAX])[0]]
        count = min(request.count, mold.fitting(messages))
        return mold.encode(request.session, request.sequence, messages[:count]) if count else b""

    def _go_to(self, date: int) -> None:
        self._date, self._next = date, self._days.streams.last(date) + 1

    def _send(self, packet: bytes) -> None:
        self._sender.sendto(packet, self._to)
        self._last_sent_s = asyncio.get_running_loop().time()
        self.sent_packets += 1

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_S / 4)
            silent_s = asyncio.get_running_loop().time() - self._last_sent_s
            if self._date and silent_s >= HEARTBEAT_S:
                self._send(mold.encode(self._days.session_name(self._date), self._next, []))


class RequestServer(asyncio.DatagramProtocol):
    """Answers requests, so many in a second."""

    def __init__(self, feed: MoldFeed) -> None:
        self._feed = feed
        self._second = 0
        self._answered = 0
        self._transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, address: tuple[str | int, ...]) -> None:
        """Answer a request, unless there were too many in this second."""
        second = int(asyncio.get_running_loop().time())
        if second != self._second:
            self._second, self._answered = second, 0
        self._answered += 1
        if self._answered > REQUESTS_PER_S:
            self._feed.requests_dropped += 1
        elif reply := self._feed.answer(data):
            self._transport.sendto(reply, address)


def _send_to_this_machine_and_net(sender: asyncio.BaseTransport) -> None:
    """Let a group's datagrams reach subscribers on this machine, and go no further than the local network."""
    plug: socket.socket = sender.get_extra_info("socket")
    if plug.family == socket.AF_INET6:
        plug.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 1)
        plug.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 1)
    else:
        plug.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
        plug.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
