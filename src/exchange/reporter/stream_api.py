"""The market data stream: what a client asks on its WebSocket and is answered; `docs/websocket.md` has it all."""

from __future__ import annotations

import msgspec
from msgspec import UNSET

from exchange.infra.http_routes import ApiError, Call, WsRoute
from exchange.infra.json_body import JsonBody
from exchange.infra.websocket import Connection
from exchange.market_data.candles import IntervalError, format_interval, parse_interval
from exchange.reporter.announcements import WHOLE_EXCHANGE
from exchange.reporter.queries import Queries
from exchange.reporter.stream_hub import Selection, StreamHub, Subscriber, unknown_symbol
from exchange.reporter.stream_resume import Resumption, wait_for_room
from exchange.wire.rest.errors import ErrorCode
from exchange.wire.rest.stream import (
    CHANNELS,
    CONFLATED_MS_DEFAULT,
    CONFLATED_MS_MAX,
    CONFLATED_MS_MIN,
    OPERATIONS,
    STREAM_VERSION,
    Operation,
    Pong,
    Subscribed,
    Unsubscribed,
    Welcome,
)

STREAM_PATH = "/api/v1/stream"
EVERYTHING = "*"
CHANNEL_FIELDS = {"depth": ("book",), "conflated": ("book", "ticker", "candles"), "interval": ("candles",)}
"""Which channels take a field."""


class _Identified(msgspec.Struct):
    id: str = ""


class StreamApi:
    """Serves the connections of the stream. intervals_s: of which there are candles."""

    def __init__(
        self, hub: StreamHub, queries: Queries, intervals_s: tuple[int, ...], subscriptions_max: int
    ) -> None:
        self.hub = hub
        self._partition = queries.partition
        self._resumption = Resumption(hub, queries)
        self._intervals_s = intervals_s
        self._subscriptions_max = subscriptions_max
        self._reader = JsonBody(Operation)
        self._read_id = msgspec.json.Decoder(_Identified).decode

    def routes(self) -> list[WsRoute]:
        """List the routes."""
        text = "Channels trades, book, ticker, candles and status; docs/websocket.md has the protocol."
        return [WsRoute(STREAM_PATH, self.stream, "Stream market data", description=text)]

    async def stream(self, connection: Connection, _: Call) -> None:
        """Serve one connection to its end."""
        market = self.hub.market
        subscriber = self.hub.enter(connection)
        heartbeat_ms = round(self.hub.heartbeat_s * 1_000)
        connection.send_json(
            Welcome(
                STREAM_VERSION,
                self._partition,
                market.epoch,
                market.sequence,
                heartbeat_ms,
                self._subscriptions_max,
            )
        )
        try:
            while (message := await connection.receive()) is not None:
                try:
                    await self._obey(subscriber, self._reader.read(message))
                except ApiError as error:
                    connection.refuse(error, self._id_of(message))
        finally:
            self.hub.leave(subscriber)

    async def _obey(self, subscriber: Subscriber, operation: Operation) -> None:
        match operation.op:
            case "ping":
                subscriber.connection.send_json(Pong(operation.id, self.hub.market.sequence))
            case "subscribe":
                await self.subscribe(subscriber, operation)
            case "unsubscribe":
                self._unsubscribe(subscriber, operation)
            case _:
                text = f"op must be one of {', '.join(OPERATIONS)}, got {operation.op!r}"
                raise ApiError.of(ErrorCode.UNKNOWN_OPERATION, text, "op")

    def _id_of(self, message: bytes) -> str:
        """Return the id of an operation that cannot be read otherwise."""
        try:
            return self._read_id(message).id[:64]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return ""

    # --- subscribe --------------------------------------------------------------------------------

    def check(self, operation: Operation) -> None:
        """Raise `ApiError` where a subscription does not make sense."""
        symbol_ids = self._symbol_ids(operation, self._selection(operation))
        self._check_count(operation, symbol_ids, 0)

    async def subscribe(self, subscriber: Subscriber, operation: Operation) -> None:
        """Subscribe to what is asked for, and send what it begins with. Raise `ApiError`."""
        selection = self._selection(operation)
        symbol_ids = self._symbol_ids(operation, selection)
        self._check_is_new(subscriber, operation, selection, symbol_ids)
        is_book = selection.channel == "book"
        subscriber.connection.send_json(
            Subscribed(
                operation.id,
                selection.channel,
                operation.symbols,
                selection.depth if is_book else UNSET,
                selection.conflated_ms or UNSET,
                format_interval(selection.interval_s) if selection.interval_s else UNSET,
            )
        )
        if EVERYTHING in operation.symbols:
            subscriber.everything[selection.channel, selection.interval_s] = selection
        try:
            for symbol_id in symbol_ids:
                await self._begin(subscriber, selection, symbol_id, operation.from_seq)
        except ApiError:
            self._end(subscriber, selection, symbol_ids)
            raise

    async def _begin(
        self, subscriber: Subscriber, selection: Selection, symbol_id: int, from_seq: int | None
    ) -> None:
        """Subscribe to one symbol; to the whole exchange's status one may be subscribed already."""
        await wait_for_room(subscriber.connection)
        if (selection.channel, selection.interval_s, symbol_id) in subscriber.groups:
            return
        if from_seq is None:
            self.hub.join(subscriber, selection, symbol_id)
        else:
            await self._resumption.resume(subscriber, selection, symbol_id, from_seq)

    def _selection(self, operation: Operation) -> Selection:
        """Return what is asked for. Raise `ApiError` where it does not make sense."""
        channel = operation.channel
        if channel not in CHANNELS:
            text = f"channel must be one of {', '.join(CHANNELS)}, got {channel!r}"
            raise ApiError.of(ErrorCode.UNKNOWN_CHANNEL, text, "channel")
        for name, channels in CHANNEL_FIELDS.items():
            given = getattr(operation, name)
            if channel not in channels and given != getattr(_DEFAULTS, name):
                raise _wrong(name, f"is for {' and '.join(channels)} only, not for {channel}")
        interval_s = 0
        if channel == "candles":
            interval_s = self._interval(operation.interval)
        return Selection(channel, operation.depth, _conflated_ms(operation.conflated), interval_s)

    def _interval(self, text: str) -> int:
        try:
            interval_s = parse_interval(text)
        except IntervalError as error:
            raise _wrong("interval", f"is wrong: {error}") from None
        if interval_s not in self._intervals_s:
            known = ", ".join(map(format_interval, self._intervals_s))
            raise _wrong("interval", f"must be one of {known}, got {text!r}")
        return interval_s

    def _symbol_ids(self, operation: Operation, selection: Selection) -> list[int]:
        symbols, directory = operation.symbols, self.hub.market.directory
        if not symbols:
            if selection.channel == "status":
                return [WHOLE_EXCHANGE]
            raise _wrong("symbols", 'must name a symbol, or "*" for all, got none')
        if EVERYTHING in symbols:
            if len(symbols) > 1:
                raise _wrong("symbols", 'must be "*" alone, or names')
            return list(self.hub.symbol_ids(selection))
        for name in symbols:
            if name not in directory.symbol_ids:
                raise unknown_symbol(name, directory.present_name(name))
        ids = list(dict.fromkeys(directory.symbol_ids[name] for name in symbols))
        return [WHOLE_EXCHANGE, *ids] if selection.channel == "status" else ids

    def _check_is_new(
        self, subscriber: Subscriber, operation: Operation, selection: Selection, symbol_ids: list[int]
    ) -> None:
        channel, interval_s = selection.channel, selection.interval_s
        if (channel, interval_s) in subscriber.everything:
            raise _wrong("symbols", f"of {channel} are all subscribed to already; unsubscribe first")
        for symbol_id in symbol_ids:
            if symbol_id != WHOLE_EXCHANGE and (channel, interval_s, symbol_id) in subscriber.groups:
                name = self.hub.market.directory.symbols[symbol_id].symbol
                raise _wrong("symbols", f"has {name}, which is subscribed to already; unsubscribe first")
        self._check_count(operation, symbol_ids, subscriber.count)

    def _check_count(self, operation: Operation, symbol_ids: list[int], has: int) -> None:
        count = 1 if EVERYTHING in operation.symbols else len(symbol_ids)
        if has + count > self._subscriptions_max:
            text = f"a connection has at most {self._subscriptions_max} subscriptions; it has {has}, got {count} more"
            raise ApiError.of(ErrorCode.TOO_MANY_SUBSCRIPTIONS, text, "symbols")

    def _unsubscribe(self, subscriber: Subscriber, operation: Operation) -> None:
        selection = self._selection(operation)
        channel, interval_s = selection.channel, selection.interval_s
        if EVERYTHING in operation.symbols:
            symbol_ids = [key[2] for key in subscriber.groups if key[:2] == (channel, interval_s)]
        elif (channel, interval_s) in subscriber.everything:
            raise _wrong("symbols", f'of {channel} are all subscribed to; unsubscribe from "*"')
        else:
            symbol_ids = self._symbol_ids(operation, selection)
            for symbol_id in symbol_ids:
                if (channel, interval_s, symbol_id) not in subscriber.groups:
                    raise _wrong("symbols", f"of {channel} has one that is not subscribed to")
        self._end(subscriber, selection, symbol_ids)
        subscriber.connection.send_json(Unsubscribed(operation.id, channel, operation.symbols))

    def _end(self, subscriber: Subscriber, selection: Selection, symbol_ids: list[int]) -> None:
        """End subscriptions; the whole exchange's status goes with that of the last symbol."""
        channel, interval_s = selection.channel, selection.interval_s
        subscriber.everything.pop((channel, interval_s), None)
        for symbol_id in sorted(symbol_ids, reverse=True):
            left = sum(key[:2] == (channel, interval_s) for key in subscriber.groups)
            is_needed = symbol_id == WHOLE_EXCHANGE and left > 1
            if (channel, interval_s, symbol_id) in subscriber.groups and not is_needed:
                self.hub.part(subscriber, channel, interval_s, symbol_id)


_DEFAULTS = Operation("")


def _wrong(field: str, text: str) -> ApiError:
    return ApiError.of(ErrorCode.INVALID_FIELD, f"{field} {text}", field)


def _conflated_ms(value: bool | int) -> int:
    if value is True:
        return CONFLATED_MS_DEFAULT
    if value and value < CONFLATED_MS_MIN:
        text = f"must be false, true or {CONFLATED_MS_MIN} to {CONFLATED_MS_MAX} milliseconds, got {value}"
        raise _wrong("conflated", text)
    return int(value)
