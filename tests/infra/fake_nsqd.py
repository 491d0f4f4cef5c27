"""A tiny nsqd on a socket, whose manners a test decides: what it answers, when it falls silent, how it goes."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from exchange.wire import nsq

Answer = Callable[[bytes, bytes], bytes | None]
SIZED = (b"IDENTIFY", b"PUB", b"MPUB")


def frame(kind: int, data: bytes) -> bytes:
    """Make a frame of nsqd: kind 0 response, 1 error, 2 message."""
    return struct.pack(">ii", len(data) + 4, kind) + data


def message_frame(body: bytes, message_id: bytes = b"0123456789abcdef", attempts: int = 1) -> bytes:
    """Make the frame of a message."""
    return frame(2, struct.pack(">qH16s", 1, attempts, message_id) + body)


def polite(command: bytes, _: bytes) -> bytes | None:
    """Answer OK to whatever wants an answer."""
    name = command.split()[0]
    return frame(0, nsq.OK) if name in (*SIZED, b"SUB", b"CLS") else None


class FakeNsqd:
    """A listener; answer: called with each command line and its body; what it returns is sent."""

    def __init__(self, answer: Answer = polite) -> None:
        self.answer = answer
        self.commands: list[bytes] = []
        self.writers: list[asyncio.StreamWriter] = []
        self.server: asyncio.Server | None = None
        self.port = 0

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def start(self) -> None:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self.server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Be gone, with a reset on every connection, as a killed process is."""
        assert self.server is not None
        self.server.close()
        for writer in self.writers:
            if not writer.is_closing():
                linger = struct.pack("ii", 1, 0)
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                writer.transport.abort()
        self.writers.clear()
        await asyncio.sleep(0)

    def send(self, data: bytes) -> None:
        """Send something on every connection."""
        for writer in self.writers:
            writer.write(data)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        try:
            assert await reader.readexactly(4) == nsq.MAGIC
            while line := (await reader.readline()).strip():
                body = b""
                if line.split()[0] in SIZED:
                    body = await reader.readexactly(struct.unpack(">i", await reader.readexactly(4))[0])
                self.commands.append(line)
                if (answer := self.answer(line, body)) is not None:
                    writer.write(answer)
        except (OSError, EOFError):
            pass
        finally:
            writer.transport.abort()
            if writer in self.writers:
                self.writers.remove(writer)


@asynccontextmanager
async def fake_nsqd(answer: Answer = polite) -> AsyncIterator[FakeNsqd]:
    """Run a fake nsqd."""
    fake = FakeNsqd(answer)
    await fake.start()
    try:
        yield fake
    finally:
        await fake.stop()
