"""Listens to a reporter's unconflated stream in one symbol and keeps its best quotes and trades."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

import aiohttp
import msgspec

from exchange.simulation.lobster_check import QuoteRecorder
from exchange.simulation.rest import CONNECT_S, ConnectionFailed
from exchange.wire.rest.market import TradeView
from exchange.wire.rest.stream import BookDelta, BookSnapshot, Operation, TradeMessage

STREAM_PATH = "/api/v1/stream"
MESSAGE_BYTES_MAX = 64 << 20
KNOWN_WITHIN_S = 10
"""How long a reporter may need to hear of a new symbol."""
CAUGHT_UP_WITHIN_S = 60
PING_EVERY_S = 0.05
TRADES_MAX = 10_000_000


class _Head(msgspec.Struct):
    type: str
    channel: str = ""
    seq: int = 0
    message: str = ""


_HEAD = msgspec.json.Decoder(_Head)
_SNAPSHOT = msgspec.json.Decoder(BookSnapshot)
_DELTA = msgspec.json.Decoder(BookDelta)
_TRADE = msgspec.json.Decoder(TradeMessage)


class FeedRecorder:
    """One connection to a reporter. quotes: of its book channel; trades: of its trades channel, oldest first."""

    def __init__(self, url: str, symbol: str) -> None:
        self.url = url.rstrip("/")
        self.symbol = symbol
        self.quotes = QuoteRecorder()
        self.trades: list[TradeView] = []
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None, connect=CONNECT_S))
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._reader: asyncio.Task[None] | None = None
        self._stands: asyncio.Event = asyncio.Event()
        self._seen = 0
        self._running = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Connect and wait until both channels stand."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._end)
            await self._connect()
            self._running = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect."""
        await self._running.aclose()

    async def _end(self) -> None:
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
        await self._http.close()

    async def caught_up(self, sequence: int) -> None:
        """Wait until everything up to a sequence has been heard. Raise `ConnectionFailed` where it does not come."""
        assert self._socket is not None
        assert self._reader is not None
        for _ in range(int(CAUGHT_UP_WITHIN_S / PING_EVERY_S)):
            if self._seen >= sequence:
                return
            if self._reader.done():
                raise ConnectionFailed(f"{self.url} ended the stream after event {self._seen}")
            await self._say(Operation(op="ping"))
            await asyncio.sleep(PING_EVERY_S)
        raise ConnectionFailed(f"{self.url} is still at event {self._seen}, the engine at {sequence}")

    async def _connect(self) -> None:
        address = self.url.replace("http", "ws", 1) + STREAM_PATH
        try:
            self._socket = await self._http.ws_connect(address, max_msg_size=MESSAGE_BYTES_MAX)
        except (aiohttp.ClientError, OSError) as error:
            raise ConnectionFailed(f"{address} does not answer: {error}") from error
        self._reader = asyncio.create_task(self._read(self._socket))
        for _ in range(int(KNOWN_WITHIN_S / PING_EVERY_S)):
            for channel in ("trades", "book"):
                await self._say(Operation(op="subscribe", channel=channel, symbols=[self.symbol]))
            try:
                async with asyncio.timeout(PING_EVERY_S * 4):
                    await self._stands.wait()
            except TimeoutError:
                continue
            return
        raise ConnectionFailed(f"{self.url} does not know {self.symbol}; does it follow this engine?")

    async def _say(self, operation: Operation) -> None:
        assert self._socket is not None
        try:
            await self._socket.send_str(msgspec.json.encode(operation).decode())
        except (aiohttp.ClientError, OSError) as error:
            raise ConnectionFailed(f"{self.url} closed the stream: {error}") from error

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            if message.type == aiohttp.WSMsgType.TEXT:
                self._take(message.data)

    def _take(self, text: str) -> None:
        head = _HEAD.decode(text)
        match head.channel, head.type:
            case "book", "snapshot":
                self.quotes.take_snapshot(_SNAPSHOT.decode(text))
                self._stands.set()
            case "book", "delta":
                self.quotes.take_delta(_DELTA.decode(text))
            case "trades", "trade" if len(self.trades) < TRADES_MAX:
                self.trades.append(_TRADE.decode(text).trade)
            case _, "pong" | "heartbeat":
                self._seen = max(self._seen, head.seq)
