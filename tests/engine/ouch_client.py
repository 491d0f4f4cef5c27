"""A client of the OUCH gateway for tests: a socket, our codecs, and what the server sent, in order."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any, Self

from exchange.wire import ouch, soupbintcp
from exchange.wire import ouch_messages as m

WAIT_S = 60.0


class OuchClient:
    """`async with OuchClient(port) as client`: log in, send, take the messages in their order."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.session = ""
        self.next_sequence = 0
        self.last_number = 0
        self.messages: list[m.Outbound] = []
        self.raw: list[bytes] = []
        self.debug: list[bytes] = []
        self.heartbeats = 0
        self.ended = False
        self._buffer = b""
        self._taken = 0

    async def __aenter__(self) -> Self:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.writer.close()

    async def log_in(self, user: str, password: str, sequence: int = 1, session: str = "") -> str:
        """Return the empty text, or the reason of the refusal."""
        self.write(soupbintcp.login_request(soupbintcp.LoginRequest(user, password, session, sequence)))
        kind, payload = await self.packet()
        if kind == soupbintcp.LOGIN_REJECTED:
            return payload.decode()
        accepted = soupbintcp.read_login_accepted(payload)
        self.session, self.next_sequence = accepted.session, accepted.sequence
        return ""

    def write(self, data: bytes) -> None:
        self.writer.write(data)

    def send(self, *messages: m.Inbound) -> None:
        """Send messages in one write."""
        self.write(
            b"".join(soupbintcp.packet(soupbintcp.UNSEQUENCED, ouch.encode(message)) for message in messages)
        )

    def order(self, side: str = "B", quantity: int = 100, price: int = 1_892_000, **more: Any) -> int:
        """Enter an order in AAPL; return its number."""
        self.last_number += 1
        self.send(
            m.EnterOrder(
                user_ref_num=self.last_number,
                side=side,
                quantity=quantity,
                symbol="AAPL",
                price=price,
                **more,
            )
        )
        return self.last_number

    async def packet(self) -> soupbintcp.Packet:
        """Return the next packet; raise `EOFError` where the server has closed."""
        async with asyncio.timeout(WAIT_S):
            while True:
                packets, consumed = soupbintcp.split(self._buffer[: self._first_end()])
                if packets:
                    self._buffer = self._buffer[consumed:]
                    return packets[0]
                data = await self.reader.read(65_536)
                if not data:
                    raise EOFError
                self._buffer += data

    def _first_end(self) -> int:
        return 2 + int.from_bytes(self._buffer[:2]) if len(self._buffer) > 1 else 0

    async def message(self) -> m.Outbound:
        """Return the next sequenced message; raise `EOFError` where the server has ended."""
        while True:
            kind, payload = await self.packet()
            if kind == soupbintcp.SEQUENCED:
                self.next_sequence += 1
                self.raw.append(payload)
                self.messages.append(ouch.decode_outbound(payload))
                return self.messages[-1]
            if kind == soupbintcp.DEBUG:
                self.debug.append(payload)
            elif kind == soupbintcp.END_OF_SESSION:
                self.ended = True
            else:
                assert kind == soupbintcp.SERVER_HEARTBEAT, kind
                self.heartbeats += 1

    async def expect(self, *kinds: type[m.Outbound]) -> list[Any]:
        """Return the next messages, which must be of these kinds."""
        found = [await self.message() for _ in kinds]
        assert [type(message) for message in found] == list(kinds), found
        return found

    async def until_closed(self) -> list[m.Outbound]:
        """Return the messages that come until the server closes."""
        found = []
        try:
            while True:
                found.append(await self.message())
        except (EOFError, ConnectionResetError):
            return found
