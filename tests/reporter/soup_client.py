"""A subscriber of ITCH over SoupBinTCP for tests: a socket, and what the server sent, in order."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from exchange.wire import soupbintcp as soup

WAIT_S = 60.0


class SoupClient:
    """`async with SoupClient(port) as client`. messages: of the stream; debug: what the server said at the end."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.session = ""
        self.first = 0
        self.messages: list[bytes] = []
        self.debug: list[bytes] = []
        self.heartbeats = 0
        self.has_ended = False
        self._buffer = bytearray()

    async def __aenter__(self) -> Self:
        self._reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.writer.close()

    async def log_in(self, sequence: int = 1, session: str = "", user: str = "", password: str = "") -> str:
        """Return the empty text, or the code of the refusal."""
        self.writer.write(soup.login_request(soup.LoginRequest(user, password, session, sequence)))
        packet = await self._packet()
        assert packet is not None
        if packet.kind == soup.LOGIN_REJECTED:
            return packet.payload.decode()
        accepted = soup.read_login_accepted(packet.payload)
        self.session, self.first = accepted.session, accepted.sequence
        return ""

    async def read(self, count: int) -> list[bytes]:
        """Return all messages so far, once there are so many."""
        while len(self.messages) < count:
            assert await self._step(), f"closed after {len(self.messages)} messages: {self.debug}"
        return self.messages

    async def heartbeat(self) -> None:
        """Wait for a heartbeat."""
        before = self.heartbeats
        while self.heartbeats == before:
            assert await self._step()

    async def until_closed(self) -> None:
        """Read until the server closes."""
        while await self._step():
            pass

    async def _step(self) -> bool:
        packet = await self._packet()
        if packet is None:
            return False
        match packet.kind:
            case soup.SEQUENCED:
                self.messages.append(packet.payload)
            case soup.SERVER_HEARTBEAT:
                self.heartbeats += 1
            case soup.DEBUG:
                self.debug.append(packet.payload)
            case _:
                assert packet.kind == soup.END_OF_SESSION
                self.has_ended = True
        return True

    async def _packet(self) -> soup.Packet | None:
        async with asyncio.timeout(WAIT_S):
            while True:
                size = 2 + int.from_bytes(self._buffer[:2]) if len(self._buffer) > 1 else 0
                packets, consumed = soup.split(self._buffer[:size])
                if packets:
                    del self._buffer[:consumed]
                    return packets[0]
                try:
                    data = await self._reader.read(65_536)
                except ConnectionError:
                    return None
                if not data:
                    return None
                self._buffer += data
