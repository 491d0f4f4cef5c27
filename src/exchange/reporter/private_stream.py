"""The private stream: a participant hears over a WebSocket everything that happens to its own orders, as it happens.

What is new comes with the batch that the reporter has just published; what was missed is read again from the engine's
events. Who cannot send a header logs in with a signature, so that its key never goes over the wire.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets

from exchange.infra.auth import KeyRing, Principal
from exchange.infra.errors import AccessRefused, EventsGone, SourceUnavailable
from exchange.infra.event_source import EventSource
from exchange.infra.http_routes import ApiError, Call, WsRoute
from exchange.infra.json_body import JsonBody
from exchange.infra.websocket import POLICY, Connection
from exchange.reporter.drop_copy_api import participant_named
from exchange.reporter.live_market import LiveMarket
from exchange.reporter.private_events import private_messages
from exchange.reporter.stream_resume import wait_for_room
from exchange.wire.envelope import EventBatch
from exchange.wire.rest.errors import ErrorCode
from exchange.wire.rest.private_stream import (
    Challenge,
    LoggedIn,
    PrivateBegun,
    PrivateHeartbeat,
    PrivateOperation,
)

PATH = "/api/v1/private/stream"
NONCE_BYTES = 24


class _Listener:
    """One subscription. position: everything up to it was sent; is_live: what is published is sent at once."""

    def __init__(self, connection: Connection, accounts: frozenset[int], position: int) -> None:
        self.connection = connection
        self.accounts = accounts
        self.position = position
        self.is_live = False


class PrivateStream:
    """Serves the private stream. source: where events are read again; None before the reporter follows the engine."""

    def __init__(self, market: LiveMarket, keys: KeyRing, heartbeat_s: float) -> None:
        self.source: EventSource | None = None
        self._market = market
        self._keys = keys
        self._heartbeat_s = heartbeat_s
        self._listeners: dict[Connection, _Listener] = {}
        self._reader = JsonBody(PrivateOperation)

    def routes(self) -> list[WsRoute]:
        """List the route."""
        text = "docs/private-stream.md has the protocol; without a key, log in with a signature."
        return [
            WsRoute(PATH, self.stream, "Stream what happens to a participant's own orders", description=text)
        ]

    def published(self, batch: EventBatch) -> None:
        """Send what a batch says to those who listen."""
        for listener in self._listeners.values():
            if listener.is_live:
                self._send(listener, batch, batch.last_sequence)

    async def stream(self, connection: Connection, call: Call) -> None:
        """Serve one connection to its end: it logs in if it must, and subscribes."""
        try:
            who = call.principal or await self._log_in(connection)
            operation = await self._operation(connection) if who is not None else None
            if who is None or operation is None:
                return
            if operation.op != "subscribe":
                raise ApiError.of(ErrorCode.CONFLICT, "you are logged in; subscribe now")
            participant_id = participant_named(who, operation.participant, self._market)
        except ApiError as error:
            connection.close(POLICY, error)
            return
        after = self._market.sequence if operation.from_seq is None else max(0, operation.from_seq - 1)
        connection.send_json(PrivateBegun(str(participant_id), after + 1))
        listener = _Listener(connection, self._accounts(participant_id), after)
        self._listeners[connection] = listener
        feeding = asyncio.create_task(self._feed(listener, participant_id), name="private stream")
        try:
            while await connection.receive() is not None:
                text = "this stream takes one subscription; open another connection"
                connection.refuse(ApiError.of(ErrorCode.CONFLICT, text))
        finally:
            del self._listeners[connection]
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)

    # --- who is it --------------------------------------------------------------------------------

    async def _operation(self, connection: Connection) -> PrivateOperation | None:
        message = await connection.receive()
        if message is None:
            return None
        operation: PrivateOperation = self._reader.read(message)
        return operation

    async def _log_in(self, connection: Connection) -> Principal | None:
        """Challenge, and check the signature; None where the connection ends. Raise `ApiError`."""
        nonce = secrets.token_hex(NONCE_BYTES)
        connection.send_json(Challenge(nonce))
        operation = await self._operation(connection)
        if operation is None:
            return None
        if operation.op != "login":
            text = "there is no key: send it in the header Authorization, or log in with a signature first"
            raise ApiError.of(ErrorCode.KEY_MISSING, text)
        key_id = int(operation.key_id) if operation.key_id.isascii() and operation.key_id.isdigit() else 0
        key = self._keys.directory.keys.get(key_id)
        secret = key.sha256 if key is not None else bytes(32)
        expected = hmac.new(secret, nonce.encode(), "sha256").hexdigest()
        is_right = hmac.compare_digest(expected.encode(), operation.signature.lower().encode())
        if key is None or not is_right:
            text = "key_id is unknown or revoked, or signature is not HMAC-SHA256 of the nonce with the key's SHA-256"
            raise ApiError.of(ErrorCode.KEY_UNKNOWN, text)
        connection.send_json(LoggedIn(str(key.key_id), str(key.participant_id)))
        return Principal(key.key_id, key.participant_id, key.role, key.label)

    def _accounts(self, participant_id: int) -> frozenset[int]:
        return frozenset(each.account_id for each in self._market.directory.accounts_of(participant_id))

    # --- what is sent -----------------------------------------------------------------------------

    async def _feed(self, listener: _Listener, participant_id: int) -> None:
        """Send what was missed, then heartbeats and new accounts, until it is cancelled."""
        connection = listener.connection
        try:
            await self._catch_up(listener)
        except ApiError as error:
            connection.close(POLICY, error)
            return
        loop = asyncio.get_running_loop()
        while not connection.is_closing:
            await asyncio.sleep(self._heartbeat_s)
            listener.accounts = self._accounts(participant_id)
            if loop.time() - connection.last_sent_s >= self._heartbeat_s:
                connection.send_json(PrivateHeartbeat(listener.position))

    async def _catch_up(self, listener: _Listener) -> None:
        """Send everything up to now; then it is live, in the same turn of the loop. Raise `ApiError`."""
        connection = listener.connection
        while listener.position < self._market.sequence and not connection.is_closing:
            if self.source is None:
                await asyncio.sleep(self._heartbeat_s)
                continue
            try:
                batch = await self.source.fetch(listener.position)
            except EventsGone as error:
                text = f"events after {listener.position} are no longer kept by the engine; take drop copies: {error}"
                raise ApiError.of(ErrorCode.GONE, text, "from_seq") from error
            except (SourceUnavailable, AccessRefused) as error:
                raise ApiError.of(ErrorCode.ENGINE_UNREACHABLE, str(error)) from error
            self._send(listener, batch, min(batch.last_sequence, self._market.sequence))
            await wait_for_room(connection)
        listener.is_live = True

    def _send(self, listener: _Listener, batch: EventBatch, upto: int) -> None:
        """Send what a batch says between the listener's position and a sequence."""
        after = listener.position
        directory = self._market.directory
        for message in private_messages(batch.events, listener.accounts, directory, after, upto):
            listener.connection.send_json(message, message.seq)
        listener.position = max(after, upto)
