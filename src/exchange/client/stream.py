"""The market data stream over a WebSocket that comes back by itself: books that are kept, and messages to read.

One task reads. Books move on by themselves; messages of `subscribe` wait for the program in a queue of at most
`MESSAGES_MAX`, and while it is full nothing more is read: the books say that they are stale, and an exchange that gives
such a reader up is asked later for what was missed. A lost connection is made again after 0.1 s, then up to 5 s.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from types import TracebackType
from typing import Self

import aiohttp
import msgspec

from exchange.client.book import Book
from exchange.client.errors import StreamClosed, Unreachable
from exchange.client.stream_session import Message, StreamSession, Wanted

PATH = "/api/v1/stream"
MESSAGES_MAX = 10_000
MESSAGE_BYTES_MAX = 64 << 20
PAUSE_FIRST_S, PAUSE_MAX_S = 0.1, 5.0
SILENT_BEATS = 4
"""Heartbeats that may fail to come before a connection counts as dead."""
SILENT_S = 10.0
"""The same before the exchange has said how often it beats."""
OPERATIONS_AT_ONCE, OPERATION_S = 100, 0.025
"""More operations than so many are sent one after such a pause: the exchange takes 50 a second."""
SETTLE_S = 30.0
"""How long `book` and `subscribe` wait for an exchange that cannot be reached, by default."""


class MarketStream:
    """A connection to one of several reporters. Use it as an asynchronous context; read what comes by `async for`."""

    def __init__(self, http: aiohttp.ClientSession, urls: Sequence[str], settle_s: float = SETTLE_S) -> None:
        self._http = http
        self._urls = list(urls)
        self._settle_s = settle_s
        self._session = StreamSession()
        self._messages: asyncio.Queue[Message] = asyncio.Queue(MESSAGES_MAX)
        self._turned = asyncio.Event()
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._reading: asyncio.Task[None] | None = None
        self.connections = 0
        """How many connections were made."""
        self.problem = "not connected yet"
        """Why there is no connection; empty while there is one."""

    async def __aenter__(self) -> Self:
        """Begin to connect."""
        self._reading = asyncio.create_task(self._run(), name="exchange.client stream")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the stream."""
        await self.close()

    async def close(self) -> None:
        """Close the connection and end the task."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        self._session.doubt("the stream is closed")
        self._turn()

    # --- what it is used for ----------------------------------------------------------------------

    async def book(self, symbol: str) -> Book:
        """Return a symbol's book, which is kept from now on; wait until it is live.

        Raise `Refused`, or `Unreachable` where it is not live in time.
        """
        wanted = self._session.keep_book(symbol)
        book = wanted.book
        assert book is not None
        await self._send_soon()
        await self._until(lambda: wanted.refused is not None or book.is_live, f"the book of {symbol}")
        if wanted.refused is not None:
            raise wanted.refused
        return book

    async def changed(self, book: Book) -> Book:
        """Wait until a book has another event, or is live or stale for another reason; return it."""
        seen = book.seq, book.stale
        while (book.seq, book.stale) == seen:
            self._check_open()
            await self._turned.wait()
        return book

    async def subscribe(
        self, channel: str, *symbols: str, depth: int = 0, conflated: int = 0, interval: str = ""
    ) -> None:
        """Subscribe to a channel of symbols, or of "*"; its messages are read by `async for`.

        conflated: milliseconds, 0 for each change. Raise `Refused`, or `Unreachable` where nobody answers in time.
        """
        several = [
            self._session.subscribe(channel, symbol, depth=depth, conflated=conflated, interval=interval)
            for symbol in symbols or ("",)
        ]
        await self._send_soon()
        await self._until(
            lambda: all(each.refused is not None or each.is_settled for each in several),
            f"the subscription to {channel}",
        )
        for each in several:
            if each.refused is not None:
                raise each.refused

    async def unsubscribe(self, channel: str, *symbols: str, interval: str = "") -> None:
        """End subscriptions; what has come already can still be read."""
        for symbol in symbols or ("",):
            self._session.unsubscribe(self._session.subscribe(channel, symbol, interval=interval))
        await self._send_soon()

    async def __aiter__(self) -> AsyncIterator[Message]:
        """Give each message of `subscribe` as it comes, across connections, until the stream is closed."""
        while not self._is_closed() or not self._messages.empty():
            while not self._messages.empty():
                yield self._messages.get_nowait()
                self._turn()
            if not self._is_closed():
                await self._turned.wait()

    async def next(self) -> Message:
        """Wait for the next message. Raise `StreamClosed`."""
        async for message in self:
            return message
        raise StreamClosed("the stream is closed")

    # --- the task ---------------------------------------------------------------------------------

    async def _run(self) -> None:
        pause_s = PAUSE_FIRST_S
        while True:
            url = self._urls[self.connections % len(self._urls)]
            before = self._session.seq
            try:
                await self._read(url)
            except (aiohttp.ClientError, OSError, TimeoutError, msgspec.DecodeError) as error:
                self.problem = f"{url}: {str(error) or type(error).__name__}"
            self.connections += 1
            self._socket = None
            self._session.disconnected(self.problem)
            self._turn()
            pause_s = PAUSE_FIRST_S if self._session.seq > before else min(2 * pause_s, PAUSE_MAX_S)
            await asyncio.sleep(pause_s)

    async def _read(self, url: str) -> None:
        """Read one connection to its end, and say why it ended in `problem`."""
        async with self._http.ws_connect(url + PATH, max_msg_size=MESSAGE_BYTES_MAX, heartbeat=30) as socket:
            self._socket = socket
            self._session.connected()
            self.problem = ""
            await self._send()
            while True:
                async with asyncio.timeout(self._silent_s()):
                    message = await socket.receive()
                if message.type is not aiohttp.WSMsgType.TEXT:
                    break
                for each in self._session.take(message.data.encode()):
                    await self._give(each)
                if self._session.outgoing:
                    await self._send()
                self._turn()
            self.problem = f"{url} closed with {socket.close_code} {message.extra or ''}".rstrip()

    def _silent_s(self) -> float:
        beats_s = self._session.heartbeat_ms / 1_000
        return beats_s * SILENT_BEATS + 1 if beats_s else SILENT_S

    async def _give(self, message: Message) -> None:
        if self._messages.full():
            self._session.doubt(f"{MESSAGES_MAX} messages wait to be read, so nothing more is taken in")
            self._turn()
        await self._messages.put(message)

    async def _send_soon(self) -> None:
        self._check_open()
        if self._socket is not None and not self._socket.closed:
            try:
                await self._send()
            except (aiohttp.ClientError, OSError):
                return

    async def _send(self) -> None:
        """Send what is due, not faster than the exchange takes it."""
        assert self._socket is not None
        sent = 0
        while self._session.outgoing:
            operation = self._session.outgoing.popleft()
            await self._socket.send_str(msgspec.json.encode(operation).decode())
            sent += 1
            if sent > OPERATIONS_AT_ONCE:
                await asyncio.sleep(OPERATION_S)

    # --- waiting ----------------------------------------------------------------------------------

    def _turn(self) -> None:
        """Wake up whoever waits for anything."""
        self._turned.set()
        self._turned = asyncio.Event()

    def _is_closed(self) -> bool:
        return self._reading is None or self._reading.done()

    def _check_open(self) -> None:
        if self._is_closed():
            raise StreamClosed("the stream is closed, or was not begun by `async with`")

    async def _until(self, holds: Callable[[], bool], what: str) -> None:
        try:
            async with asyncio.timeout(self._settle_s):
                while not holds():
                    self._check_open()
                    await self._turned.wait()
        except TimeoutError:
            text = (
                f"{what} did not come within {self._settle_s:g} s: {self.problem or 'the exchange is silent'}"
            )
            raise Unreachable(text) from None


__all__ = ["MarketStream", "Message", "Wanted"]
