"""One TCP connection to one nsqd: opened, watched by its heartbeat, and gone for good at the first fault.

It never reconnects itself: whoever uses it decides that. A peer that falls silent for two heartbeats is taken for
dead, so a half-open connection ends like a closed one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress

import msgspec
import structlog

from exchange import __version__
from exchange.infra.errors import InfraError
from exchange.wire import nsq
from exchange.wire.records import ProtocolError

READ_BYTES = 256 << 10
UNSENT_BYTES_MAX = 16 << 20
"""A peer that takes nothing while this much waits to be sent is taken for dead."""
HEARTBEATS_MISSED_MAX = 2
CLOSE_S = 1.0
"""How long a closing connection may take to send what was told."""

log = structlog.get_logger(component="nsq")


class NsqUnavailable(InfraError):
    """An nsqd cannot be reached, or went away."""


class NsqRefused(InfraError):
    """An nsqd did not take a command."""


class NsqTimes(msgspec.Struct, frozen=True, kw_only=True):
    """How long things may take. message: after which nsqd delivers a message again that was not finished."""

    connect_s: float = 3.0
    answer_s: float = 5.0
    heartbeat_s: float = 5.0
    message_s: float = 60.0


class NsqConnection:
    """A connection that is open until `ended` is set; problem: why it ended; features: what nsqd said of itself."""

    def __init__(
        self,
        address: str,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        times: NsqTimes,
        take: Callable[[NsqConnection, nsq.Message], None] | None,
    ) -> None:
        self.address = address
        self.ended = asyncio.Event()
        self.problem = ""
        self.features = b""
        self.late = 0
        self._reader = reader
        self._writer = writer
        self._times = times
        self._take = take
        self._answers: deque[asyncio.Future[bytes]] = deque()
        self._reading = asyncio.create_task(self._read(), name=f"nsq {address}")

    @classmethod
    async def open(
        cls,
        address: str,
        times: NsqTimes,
        take: Callable[[NsqConnection, nsq.Message], None] | None = None,
    ) -> NsqConnection:
        """Connect and say who we are. take: called on the loop with each message. Raise `NsqUnavailable`."""
        host, _, port = address.rpartition(":")
        try:
            async with asyncio.timeout(times.connect_s):
                reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
        except (OSError, TimeoutError) as error:
            why = str(error) or f"no answer within {times.connect_s:g} s"
            raise NsqUnavailable(f"nsqd at {address} cannot be reached: {why}") from error
        connection = cls(address, reader, writer, times, take)
        is_known = False
        try:
            connection.features = await connection.ask(nsq.MAGIC + nsq.identify(_features(times)))
            is_known = True
        finally:
            if not is_known:
                await connection.close()
        return connection

    async def ask(self, command: bytes) -> bytes:
        """Send a command and wait for its answer. Raise `NsqUnavailable` or `NsqRefused`."""
        if self.ended.is_set():
            raise NsqUnavailable(self.problem)
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._answers.append(answer)
        self.tell(command)
        try:
            async with asyncio.timeout(self._times.answer_s):
                return await asyncio.shield(answer)
        except TimeoutError:
            answer.cancel()
            self._end(f"nsqd at {self.address} did not answer within {self._times.answer_s:g} s")
            raise NsqUnavailable(self.problem) from None

    def tell(self, command: bytes) -> None:
        """Send a command that has no answer; on a connection that ended, nothing happens."""
        if self.ended.is_set():
            return
        self._writer.write(command)
        if self._writer.transport.get_write_buffer_size() > UNSENT_BYTES_MAX:
            self._end(f"nsqd at {self.address} takes nothing: {UNSENT_BYTES_MAX} bytes wait to be sent")

    async def close(self) -> None:
        """Send what was told, then end the connection; a second time changes nothing."""
        if not self.ended.is_set():
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(CLOSE_S):
                    self._writer.close()
                    await self._writer.wait_closed()
        self._end(f"the connection to nsqd at {self.address} was closed")
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)

    async def _read(self) -> None:
        """Take in frames until the connection ends, whoever ends it."""
        frames = nsq.FrameReader()
        silence_s = HEARTBEATS_MISSED_MAX * self._times.heartbeat_s
        try:
            while not self.ended.is_set():
                async with asyncio.timeout(silence_s):
                    data = await self._reader.read(READ_BYTES)
                if not data:
                    self._end(f"nsqd at {self.address} closed the connection")
                for frame in frames.feed(data):
                    self._take_frame(frame)
        except TimeoutError:
            self._end(f"nsqd at {self.address} was silent for {silence_s:g} s")
        except (OSError, ProtocolError) as error:
            self._end(f"the connection to nsqd at {self.address} broke: {error}")

    def _take_frame(self, frame: nsq.Frame) -> None:
        if isinstance(frame, nsq.Message):
            if self._take is not None:
                self._take(self, frame)
        elif isinstance(frame, nsq.Response):
            if frame.data == nsq.HEARTBEAT:
                self.tell(nsq.NOP)
            elif self._answers:
                _settle(self._answers.popleft(), frame.data)
        elif frame.is_of_one_message:
            self.late += 1
        else:
            refused = NsqRefused(f"nsqd at {self.address} refused: {frame.code} {frame.text}")
            if self._answers:
                _fail(self._answers.popleft(), refused)
            self._end(str(refused))

    def _end(self, problem: str) -> None:
        """Be gone: whoever waits for an answer is told."""
        if self.ended.is_set():
            return
        self.problem = problem
        self.ended.set()
        with suppress(OSError, RuntimeError):
            self._writer.transport.abort()
        while self._answers:
            _fail(self._answers.popleft(), NsqUnavailable(problem))


def _settle(answer: asyncio.Future[bytes], data: bytes) -> None:
    if not answer.done():
        answer.set_result(data)


def _fail(answer: asyncio.Future[bytes], error: InfraError) -> None:
    if not answer.done():
        answer.set_exception(error)
        answer.exception()  # Marks it as seen, for the asker may have been cancelled.


def _features(times: NsqTimes) -> dict[str, object]:
    return {
        "client_id": "stock-exchange",
        "user_agent": f"stock-exchange/{__version__}",
        "feature_negotiation": True,
        "heartbeat_interval": round(times.heartbeat_s * 1_000),
        "msg_timeout": round(times.message_s * 1_000),
        "output_buffer_timeout": 25,
    }
