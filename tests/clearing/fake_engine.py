"""An engine as clearing sees it, for tests: a stream of events, and rulings over HTTP that add to it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from hashlib import sha256
from typing import Any

import msgspec
from aiohttp import web

from exchange.domain.events import KeyCreated
from exchange.domain.participant import Role
from exchange.domain.reasons import Reason
from exchange.infra.errors import SourceUnavailable
from exchange.wire.envelope import EventBatch
from exchange.wire.records import encode_event
from tests.post_trade.stream import Stream

EVENTS_PER_FETCH = 7
COMPONENT_KEY = "xk_component"
KEYS = {
    "operator": (0, Role.OPERATOR),
    "clearing": (0, Role.CLEARING),
    "auditor": (0, Role.AUDITOR),
    "alice": (1, Role.TRADER),
    "bob": (2, Role.VIEWER),
}


def key_of(name: str) -> str:
    return f"xk_{name}"


def stream_with_keys(participants: int = 3) -> Stream:
    """Begin a stream in which every name of `KEYS` has a key."""
    stream = Stream(participants)
    for number, (name, (participant_id, role)) in enumerate(KEYS.items(), 1):
        digest = sha256(key_of(name).encode()).digest()
        stream.add(
            KeyCreated, key_id=number, participant_id=participant_id, role=role, sha256=digest, label=name
        )
    return stream


class StreamSource:
    """The event log of a stream that may grow and be out of reach."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.epoch = 1
        self.is_down = False
        self._added = asyncio.Event()

    def wake(self) -> None:
        self._added.set()
        self._added = asyncio.Event()

    async def fetch(self, after: int, wait_s: float = 0) -> EventBatch:
        if self.is_down:
            raise SourceUnavailable("the engine is down")
        if after == len(self.stream.events) and wait_s:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._added.wait(), min(wait_s, 1))
        events = self.stream.events[after : after + EVENTS_PER_FETCH]
        first = after + 1 if events else len(self.stream.events) + 1
        records = b"".join(map(encode_event, events))
        return EventBatch(self.stream.partition, self.epoch, first, len(events), records)


class FakeEngine:
    """Serves rulings. answers: called instead of carrying a ruling out, where it is set."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.source = StreamSource(stream)
        self.asked: list[tuple[str, int, dict[str, Any]]] = []
        self.answer: Callable[[], tuple[int, dict[str, Any]]] | None = None
        self.emits = True
        self.blocked: list[dict[str, Any]] = []
        self.url = ""
        self._busted: set[int] = set()
        self._runner: web.AppRunner | None = None

    async def start(self, port: int = 0) -> None:
        app = web.Application()
        app.add_routes(
            [
                web.post("/api/v1/trades/{match_id}/{kind}", self._rule),
                web.post("/api/v1/risk/blocks", self._block),
            ]
        )
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    async def _block(self, request: web.Request) -> web.Response:
        body = await request.json()
        if body in self.blocked:
            return reply(
                409, {"code": int(Reason.ALREADY_BLOCKED), "reason": "x", "message": "It is blocked."}
            )
        self.blocked.append(body)
        return reply(201, {"canceled_orders": 2, "seq": 77})

    async def _rule(self, request: web.Request) -> web.Response:
        match_id, kind = int(request.match_info["match_id"]), request.match_info["kind"]
        body = await request.json()
        self.asked.append((kind, match_id, body))
        if request.headers.get("Authorization") != f"Bearer {COMPONENT_KEY}":
            return reply(401, {"code": 1011, "reason": "key_unknown", "message": "This key is unknown."})
        if self.answer is not None:
            return reply(*self.answer())
        if kind == "bust":
            if match_id in self._busted:
                return reply(200, {"status": "busted", "seq": 0, "already": True})
            self._busted.add(match_id)
            if not self.emits:
                return reply(200, {"status": "busted", "seq": 99})
            seq = self.stream.bust(match_id, ruling_id=int(body["ruling_id"])).sequence
        else:
            seq = self.stream.correct(
                match_id, body["price"], int(body["qty"]), int(body["ruling_id"])
            ).sequence
        self.source.wake()
        return reply(200, {"status": "busted", "seq": seq})


def reply(status: int, body: dict[str, Any]) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(body), content_type="application/json")


async def eventually(check: Callable[[], Awaitable[Any]], limit_s: float = 20) -> Any:
    """Ask again and again until the answer is true, and return it; fail at the limit with the last answer."""
    ends_s = asyncio.get_running_loop().time() + limit_s
    while not (found := await check()):
        assert asyncio.get_running_loop().time() < ends_s, f"still {found!r} after {limit_s} s"
        await asyncio.sleep(0.02)
    return found
