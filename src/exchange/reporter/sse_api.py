"""The stream as server-sent events: one channel of some symbols in a plain HTTP answer, for browsers and for curl.

The messages are those of the WebSocket. Once everything up to now has been sent comes the event `begun`; from then on
each message has its sequence as id. Who comes back with `Last-Event-ID` gets that message again and all that followed:
again, because one event may change several symbols, and a client that keeps to the chain of `prev_seq` lets it go by.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from exchange.infra.event_stream import MEDIA, EventStream
from exchange.infra.http_cors import Cors
from exchange.infra.http_routes import ApiError, Call, Route
from exchange.infra.websocket import SocketLimits, error_message
from exchange.reporter.stream_api import StreamApi
from exchange.wire.rest.errors import ErrorCode
from exchange.wire.rest.stream import CONFLATED_MS_MAX, DEPTH_MAX, SYMBOLS_PER_OPERATION_MAX, Operation

PATH = "/api/v1/sse"
LAST_EVENT_ID = "Last-Event-ID"
ID_DIGITS_MAX = 18


class EventsQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What to hear: as in the operation `subscribe` of the WebSocket. symbols: names with commas between, or `*`."""

    channel: Annotated[str, Meta(max_length=64, examples=["trades"])]
    symbols: Annotated[str, Meta(max_length=9 * SYMBOLS_PER_OPERATION_MAX, examples=["AAPL,MSFT"])] = ""
    from_seq: Annotated[int, Meta(ge=0, lt=10**18)] | None = None
    depth: Annotated[int, Meta(ge=0, le=DEPTH_MAX)] = 0
    conflated: Annotated[int, Meta(ge=0, le=CONFLATED_MS_MAX)] = 0
    interval: Annotated[str, Meta(max_length=8)] = "1m"


class SseApi:
    """Serves server-sent events. closing: set when the service stops; clients_max: of this process."""

    def __init__(
        self,
        stream: StreamApi,
        limits: SocketLimits,
        clients_max: int,
        cors_origins: Iterable[str],
    ) -> None:
        self._stream = stream
        self._limits = limits
        self._clients_max = clients_max
        self._cors = Cors(cors_origins)
        self._clients: set[EventStream] = set()

    def routes(self) -> list[Route]:
        """List the routes."""
        return [
            Route(
                "GET", PATH, self.hear, "Stream market data as server-sent events", "stream",
                query=EventsQuery, returns=str, media=MEDIA, errors=(422, 503),
                description="The messages of the WebSocket, one channel per request. Come back with Last-Event-ID.",
            )
        ]  # fmt: skip

    def close(self) -> None:
        """End all answers; their clients come back by themselves."""
        for client in tuple(self._clients):
            client.close()

    async def hear(self, call: Call) -> Any:
        """Answer GET /sse until the client is gone."""
        operation = _operation(call)
        self._stream.check(operation)
        if len(self._clients) >= self._clients_max:
            raise ApiError.of(ErrorCode.TOO_MANY_CONNECTIONS, headers={"Retry-After": "10"})
        headers = {"X-Request-ID": call.request_id, **self._cors.headers(call.raw.headers.get("Origin"))}
        client = EventStream(call.raw, self._limits, headers)
        await client.open()
        self._clients.add(client)
        hub = self._stream.hub
        subscriber = hub.enter(client)
        writing = asyncio.create_task(client.write(), name="server-sent events")
        try:
            await self._stream.subscribe(subscriber, operation)
            client.begin_ids(hub.market.sequence)
            await writing
        except ApiError as error:
            client.send_json(error_message(error))
            client.close()
            await writing
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
            hub.leave(subscriber)
            self._clients.discard(client)
        return client.response


def _operation(call: Call) -> Operation:
    query: EventsQuery = call.query
    symbols = [name for name in query.symbols.split(",") if name]
    if len(symbols) > SYMBOLS_PER_OPERATION_MAX:
        text = f"symbols must be at most {SYMBOLS_PER_OPERATION_MAX}, got {len(symbols)}"
        raise ApiError.of(ErrorCode.INVALID_PARAMETER, text, "symbols")
    from_seq = query.from_seq
    if (last := call.raw.headers.get(LAST_EVENT_ID)) is not None:
        if not (last.isascii() and last.isdigit() and len(last) <= ID_DIGITS_MAX):
            text = f"{LAST_EVENT_ID} must be the id of a message, a number such as 1042, got {last[:40]!r}"
            raise ApiError.of(ErrorCode.INVALID_PARAMETER, text, LAST_EVENT_ID)
        from_seq = int(last)
    return Operation(
        "subscribe", "", query.channel, symbols, from_seq, query.depth, query.conflated, query.interval
    )
