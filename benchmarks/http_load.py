"""An open-loop HTTP client: requests leave by the clock, not when the last answer came, and none is left out.

Latency counts from the moment a request was due, so a stalled server cannot hide behind a waiting client.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from selectors import SelectSelector

QUEUED_MAX = 100_000


@dataclass
class LoadResult:
    """What a run gave. latencies_ms: from when each request was due to its whole answer."""

    sent: int = 0
    answered: int = 0
    seconds: float = 0.0
    statuses: dict[int, int] = field(default_factory=dict)
    latencies_ms: list[float] = field(default_factory=list)


class Connection(asyncio.Protocol):
    """One keep-alive connection with one request on its way at a time."""

    def __init__(self, done: Callable[[Connection, int], None]) -> None:
        self.done = done
        self.due = 0.0
        self.transport: asyncio.Transport | None = None
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def send(self, request: bytes, due: float) -> None:
        assert self.transport is not None
        self.due = due
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head_end = self._buffer.find(b"\r\n\r\n")
        if head_end < 0:
            return
        head = self._buffer[:head_end].lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(self._buffer) >= head_end + 4 + length:
            status = int(self._buffer[9:12])
            self._buffer = self._buffer[head_end + 4 + length :]
            self.done(self, status)


def request(host: str, port: int, path: str, key: str, body: bytes) -> bytes:
    """Write a POST request."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def run(
    host: str, port: int, requests: Iterator[bytes], *, rate: float, seconds: float, connections: int
) -> LoadResult:
    """Send requests at a rate for some seconds over so many connections; then wait for what is on its way."""
    # The usual selector rounds a sleep up to a whole millisecond, which would be part of every latency.
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(SelectSelector())) as runner:
        return runner.run(_run(host, port, requests, rate, seconds, connections))


async def _run(
    host: str, port: int, requests: Iterator[bytes], rate: float, seconds: float, connections: int
) -> LoadResult:
    loop = asyncio.get_running_loop()
    result = LoadResult()
    idle: deque[Connection] = deque()
    waiting: deque[tuple[bytes, float]] = deque(maxlen=QUEUED_MAX)
    last_answer = asyncio.Event()

    def done(connection: Connection, status: int) -> None:
        result.answered += 1
        result.statuses[status] = result.statuses.get(status, 0) + 1
        result.latencies_ms.append((time.perf_counter() - connection.due) * 1000)
        if waiting:
            connection.send(*waiting.popleft())
        else:
            idle.append(connection)
            if len(idle) == connections:
                last_answer.set()

    for _ in range(connections):
        _, protocol = await loop.create_connection(lambda: Connection(done), host, port)
        idle.append(protocol)
    started = time.perf_counter()
    while (now := time.perf_counter()) - started < seconds:
        while result.sent < (now - started) * rate:
            due = started + result.sent / rate
            result.sent += 1
            if idle:
                idle.popleft().send(next(requests), due)
            else:
                waiting.append((next(requests), due))
        await asyncio.sleep(max(0.0, started + result.sent / rate - time.perf_counter()))
    last_answer.clear()
    if result.answered < result.sent:
        await asyncio.wait_for(last_answer.wait(), timeout=30)
    result.seconds = time.perf_counter() - started
    return result
