"""A small HTTP service for tests: routes of every kind, keys of every role, and a bare socket to speak with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Any

import msgspec
from aiohttp import ClientSession
from msgspec import Meta

from exchange.domain.directory import Directory
from exchange.domain.participant import Key, Role
from exchange.infra.auth import KeyRing
from exchange.infra.errors import StoreUnavailable
from exchange.infra.http import ApiError, Call, HttpService, Reply, Route, WsRoute
from exchange.infra.http_limits import HttpLimits
from exchange.infra.json_body import JsonBody
from exchange.infra.websocket import Connection
from exchange.wire.rest.errors import ErrorCode

TRADER = frozenset({Role.TRADER})
RISK = frozenset({Role.RISK})
ORDER = {"symbol": "AAPL", "side": "buy", "qty": "100"}


class Side(StrEnum):
    """Buy or sell."""

    BUY = "buy"
    SELL = "sell"


class Leg(msgspec.Struct, forbid_unknown_fields=True):
    """A part of an order."""

    symbol: str
    ratio: int = 1


class NewOrder(msgspec.Struct, forbid_unknown_fields=True):
    """An order to enter."""

    symbol: str
    side: Side
    qty: str | int
    price: str | None = None
    legs: list[Leg] = []


class Taken(msgspec.Struct):
    """What became of it."""

    id: str
    order: NewOrder


class Page(msgspec.Struct, forbid_unknown_fields=True):
    """Which part of a list."""

    limit: Annotated[int, Meta(ge=1, le=100, description="Items per page.")] = 10
    after: int = 0
    side: Side | None = None
    symbol: list[str] = []


class Echo(msgspec.Struct, forbid_unknown_fields=True, tag_field="op", tag="echo"):
    """Send the text back."""

    text: str


class Leave(msgspec.Struct, forbid_unknown_fields=True, tag_field="op", tag="leave"):
    """Close the connection."""


def key_text(role: Role) -> str:
    """Return the text of a role's key."""
    return f"xk_{role.name.lower()}"


def bearer(role: Role) -> dict[str, str]:
    """Return the header that sends a role's key."""
    return {"Authorization": f"Bearer {key_text(role)}"}


def make_keyring() -> KeyRing:
    """Make a key ring with one key per role; the key's id is the role's number."""
    directory = Directory()
    for role in Role:
        digest = sha256(key_text(role).encode()).digest()
        directory.keys[role] = Key(role, 1, role, digest, role.name.lower())  # type: ignore[arg-type]
        directory.key_ids[digest] = role
    return KeyRing(directory)


class Handlers:
    """The handlers of the test service, and what they noticed."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.gate = asyncio.Event()
        self.entered = asyncio.Event()
        self.connected: asyncio.Queue[Connection] = asyncio.Queue()
        self.ended: asyncio.Queue[Connection] = asyncio.Queue()

    async def enter_order(self, call: Call) -> Taken:
        self.calls.append(call)
        return Taken(str(len(self.calls)), call.body)

    async def list_orders(self, call: Call) -> dict[str, Any]:
        return {"items": [], "next": None, "query": msgspec.to_builtins(call.query), "who": label(call)}

    async def get_order(self, call: Call) -> Reply:
        order_id = call.path_id("order_id")
        if order_id == 404:
            raise ApiError.of(
                ErrorCode.NOT_FOUND, "There is no such order.", "order_id", extra={"order_id": "404"}
            )
        return Reply(body={"id": str(order_id)}, headers={"ETag": '"1"'})

    async def suspend(self, call: Call) -> None:
        assert call.who.is_any(Role.RISK)

    async def no_store(self, _: Call) -> Reply:
        raise StoreUnavailable("the address of the store, and why")

    async def fail(self, call: Call) -> None:
        raise ZeroDivisionError("secret of the house")

    async def wait(self, call: Call) -> dict[str, str]:
        self.entered.set()
        await self.gate.wait()
        return {"waited": "yes"}

    async def take_bytes(self, call: Call) -> bytes:
        return bytes(reversed(call.body))

    async def stream(self, connection: Connection, call: Call) -> None:
        self.connected.put_nowait(connection)
        async for command in connection.commands(JsonBody(Echo | Leave)):
            match command:
                case Echo(text="fail"):
                    raise ZeroDivisionError
                case Echo(text="refuse"):
                    raise ApiError.of(ErrorCode.TOO_MANY_SUBSCRIPTIONS)
                case Echo():
                    connection.send_json({"type": "echo", "text": command.text})
                case Leave():
                    break
        self.ended.put_nowait(connection)

    def routes(self) -> list[Route | WsRoute]:
        order_errors = (404,)
        return [
            Route(
                "POST", "/api/v1/order", self.enter_order, "Enter an order", "orders", TRADER,
                body=NewOrder, returns=Taken, status=201, body_limit=1000, example=ORDER, is_hot=True,
            ),
            Route("GET", "/api/v1/orders", self.list_orders, "List orders", "orders", query=Page, returns=dict),
            Route(
                "GET", "/api/v1/order/{order_id}", self.get_order, "Show an order", "orders",
                returns=dict, errors=order_errors, path_examples={"order_id": "7"},
            ),
            Route("PUT", "/api/v1/symbol/{symbol}/suspend", self.suspend, "Suspend", "symbols", RISK, status=204),
            Route("GET", "/fail", self.fail, "Fail", "tests"),
            Route("GET", "/no_store", self.no_store, "Fail for the store", "tests"),
            Route("GET", "/wait", self.wait, "Wait", "tests", returns=dict),
            Route("POST", "/hot_wait", self.wait, "Wait", "tests", body=bytes, returns=dict, is_hot=True),
            Route("POST", "/hot_fail", self.fail, "Fail", "tests", body=bytes, returns=dict, is_hot=True),
            Route("POST", "/bytes", self.take_bytes, "Reverse", "tests", body=bytes, returns=bytes, body_limit=2**20),
            WsRoute("/stream", self.stream, "Echo"),
        ]  # fmt: skip


def label(call: Call) -> str:
    """Return the label of the caller's key, or nothing."""
    return call.principal.label if call.principal else ""


class Served:
    """A running service with its handlers and a client."""

    def __init__(self, service: HttpService, handlers: Handlers, port: int, client: ClientSession) -> None:
        self.service = service
        self.handlers = handlers
        self.port = port
        self.client = client
        self.reasons: list[str] = []

    async def raw(self, sent: bytes, *, more: bytes = b"") -> bytes:
        """Send bytes as they are and return all that comes back until the server closes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(sent)
        if more:
            await asyncio.sleep(0.05)
            writer.write(more)
        try:
            async with asyncio.timeout(10):
                return await reader.read()
        finally:
            writer.close()


@asynccontextmanager
async def serving(limits: HttpLimits | None = None, **options: Any) -> AsyncIterator[Served]:
    """Run the test service on a free port."""
    handlers = Handlers()
    reasons: list[str] = []
    service = HttpService(
        "test", handlers.routes(), make_keyring(), ready=lambda: reasons, version="1.2.3",
        limits=limits, **options,
    )  # fmt: skip
    port = await service.start("127.0.0.1", 0)
    async with ClientSession(f"http://127.0.0.1:{port}") as client:
        served = Served(service, handlers, port, client)
        served.reasons = reasons
        try:
            yield served
        finally:
            await service.stop()
