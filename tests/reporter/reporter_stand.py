"""A reporter that runs against a venue in this process, and what tests ask it with."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

import aiohttp
import msgspec

from exchange.infra.config import Config, load_config
from exchange.infra.errors import EventsGone
from exchange.reporter.app import ReporterApp
from exchange.reporter.store import ReporterStore
from exchange.wire.envelope import EventBatch
from exchange.wire.records import decode_events, encode_event
from tests.market_data.venue_flow import VenueFlow

WITHIN_S = 60


class VenueSource:
    """An event source that holds what a venue has said. gone: events up to this one are not kept."""

    def __init__(self) -> None:
        self.batches: list[EventBatch] = []
        self.gone = 0
        self._came = asyncio.Event()

    @property
    def last_sequence(self) -> int:
        return self.batches[-1].last_sequence if self.batches else 0

    def add(self, events: bytes) -> None:
        """Publish events of whole commands, each command a batch of its own."""
        command: list[bytes] = []
        for event in decode_events(events):
            command.append(encode_event(event))
            if event.last_of_command:
                first = event.sequence - len(command) + 1
                self.batches.append(
                    EventBatch(event.partition, event.epoch, first, len(command), b"".join(command))
                )
                command = []
        self._came.set()
        self._came = asyncio.Event()

    async def fetch(self, after: int, wait_s: float = 0) -> EventBatch:
        if after < self.gone:
            raise EventsGone(self.gone + 1)
        if after >= self.last_sequence and wait_s:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._came.wait(), wait_s)
        found = [batch for batch in self.batches if batch.last_sequence > after]
        if not found:
            epoch = self.batches[-1].epoch if self.batches else 0
            return EventBatch(0, epoch, self.last_sequence + 1, 0, b"")
        events = b"".join(batch.events for batch in found)
        count = sum(batch.count for batch in found)
        return EventBatch(0, found[-1].epoch, found[0].first_sequence, count, events)


@cache
def _empty_store() -> bytes:
    """Return a store of the newest version: migrating each test's own would take most of its time."""
    with TemporaryDirectory() as folder:
        ReporterStore(f"sqlite:///{folder}/reporter.sqlite", 0, (1, 86_400)).close()
        return Path(folder, "reporter.sqlite").read_bytes()


def _lay_out(file: Path) -> None:
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(_empty_store())


def batch_of(events: bytes) -> EventBatch:
    """Put events of whole commands into one batch."""
    found = decode_events(events)
    return EventBatch(found[0].partition, found[-1].epoch, found[0].sequence, len(found), events)


def reporter_config(folder: Path, **reporter: Any) -> Config:
    """Return a configuration that keeps everything in a folder and lets the system choose ports."""
    overrides = {"data": str(folder), "port_base": 0, "bus.kind": "none"}
    return load_config(None, {}, overrides | {f"reporter.{name}": value for name, value in reporter.items()})


class Stand:
    """A running reporter, the venue behind it, and a client session."""

    def __init__(self, folder: Path, flow: VenueFlow | None = None, **reporter: Any) -> None:
        self.flow = flow or VenueFlow()
        self.source = VenueSource()
        self.config = reporter_config(folder, **reporter)
        if not self.config.reporter.store_url:
            _lay_out(Path(self.config.store_url_for("reporter").removeprefix("sqlite:///")))
        self.app = ReporterApp(self.config, source=self.source)
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        await self.app.start()
        self._http = aiohttp.ClientSession(self.app.url)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.http.close()
        await self.app.stop()

    @property
    def http(self) -> aiohttp.ClientSession:
        assert self._http is not None
        return self._http

    async def publish(self, *events: bytes) -> None:
        """Publish events and wait until the reporter has published them too."""
        for each in events:
            self.source.add(each)
        async with asyncio.timeout(WITHIN_S):
            while self.app.market.sequence < self.source.last_sequence:
                assert not self.app._problem, self.app._problem
                assert self.app._following is not None
                if self.app._following.done():
                    self.app._following.result()
                await asyncio.sleep(0.002)

    async def restart(self) -> None:
        """Stop the reporter and start another on the same store."""
        await self.http.close()
        await self.app.stop()
        self.app = ReporterApp(self.config, source=self.source)
        await self.__aenter__()

    async def get(self, path: str, status: int = 200, **query: Any) -> Any:
        """Ask by GET; return the JSON of the answer."""
        async with self.http.get(path, params=query) as answer:
            body = await answer.read()
            assert answer.status == status, body
            return msgspec.json.decode(body)

    async def listen(self) -> Listening:
        """Open a connection to the stream."""
        socket = await self.http.ws_connect("/api/v1/stream", max_msg_size=64 << 20)
        return Listening(socket)


class Listening:
    """A client of the stream."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def ask(self, **operation: Any) -> None:
        """Send an operation."""
        await self.socket.send_str(msgspec.json.encode(operation).decode())

    async def receive(self, heartbeats: bool = False) -> dict[str, Any]:
        """Return the next message."""
        while True:
            async with asyncio.timeout(WITHIN_S):
                message = await self.socket.receive()
            assert message.type is aiohttp.WSMsgType.TEXT, message
            found: dict[str, Any] = msgspec.json.decode(message.data)
            if heartbeats or found["type"] != "heartbeat":
                return found

    async def until(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Return the next message of a type, and let others go by."""
        while True:
            message = await self.receive(heartbeats=True)
            if message["type"] == kind and all(message.get(name) == value for name, value in fields.items()):
                return message

    async def subscribe(self, channel: str, symbols: list[str], **fields: Any) -> dict[str, Any]:
        """Subscribe to one symbol and return its first message."""
        await self.ask(op="subscribe", id="s", channel=channel, symbols=symbols, **fields)
        answer = await self.until("subscribed", channel=channel)
        assert answer["id"] == "s"
        return await self.receive()

    async def everything(self) -> list[dict[str, Any]]:
        """Return every message up to now."""
        await self.ask(op="ping", id="up to here")
        found = []
        while (message := await self.receive())["type"] != "pong":
            found.append(message)
        return found
