"""ITCH over SoupBinTCP: who logs in gets a date's messages from the sequence it wants, out of the file, then live.

A subscriber only listens. One that does not read is disconnected, and goes on later where it was; none of them is a
burden for memory or for the others.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from enum import Enum
from hmac import compare_digest
from typing import cast

import structlog

from exchange.infra.config import Address, ItchConfig, url_of
from exchange.infra.errors import InfraError
from exchange.reporter.itch_days import ItchDays, Run
from exchange.wire import soupbintcp as soup
from exchange.wire.records import ProtocolError

LOOK_S = 0.25
"""How often the silence of each connection is looked at."""
RECEIVED_BYTES_MAX = 4_096
"""What a subscriber may have sent that is not understood yet; it has nothing to say but logins and heartbeats."""
CATCH_UP_BYTES = 256 * 1024
"""Unsent bytes while a subscriber catches up; the rest stays in its file."""
_MS = 1_000
_KIB = 1 << 10

log = structlog.get_logger(component="itch")


class ItchServer:
    """Lives on one event loop."""

    def __init__(self, config: ItchConfig, days: ItchDays) -> None:
        self.config = config
        self.days = days
        self.connections: set[ItchConnection] = set()
        self.ended: Counter[str] = Counter()
        """Connections by why they ended."""
        self.logins = 0
        self.sent_messages = 0
        self.port = 0
        self.address = ""
        """Where it listens, as host:port for this machine."""
        self.loop: asyncio.AbstractEventLoop
        self._server: asyncio.Server | None = None
        self._watcher: asyncio.Task[None] | None = None

    async def start(self, host: str, port: int) -> None:
        """Listen. Raise `InfraError`."""
        self.loop = asyncio.get_running_loop()
        try:
            self._server = await self.loop.create_server(lambda: ItchConnection(self), host, port)
        except OSError as error:
            raise InfraError(
                f"ITCH cannot listen on {host} port {port}: {error.strerror or error}; choose another "
                "[reporter.itch] port, or set enabled = false there"
            ) from error
        self._watcher = asyncio.create_task(self._watch(), name="reporter watches ITCH")
        self.port = self._server.sockets[0].getsockname()[1]
        self.address = url_of(Address(host, self.port)).removeprefix("http://")
        log.info("itch_listening", host=host, port=self.port)

    async def stop(self) -> None:
        """Take no more connections and end those that are there."""
        if self._server is None or self._watcher is None:
            return
        self._server.close()
        self._watcher.cancel()
        await asyncio.gather(self._watcher, return_exceptions=True)
        for connection in list(self.connections):
            connection.end("the reporter stops")

    def deliver(self, run: Run) -> None:
        """Send what is new to those who have all that came before it."""
        for connection in list(self.connections):
            connection.deliver(run)

    def lost(self, connection: ItchConnection, reason: str) -> None:
        """Forget a connection that is gone."""
        self.connections.discard(connection)
        self.ended[reason.partition(":")[0]] += 1

    def accepts(self, login: soup.LoginRequest) -> bool:
        """Tell whether user and password are right; where none are configured, all are."""
        wanted, given = (self.config.user, self.config.password), (login.user, login.password)
        return not any(wanted) or all(
            compare_digest(right.encode(), said.encode()) for right, said in zip(wanted, given, strict=True)
        )

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            now_ms = int(self.loop.time() * _MS)
            for connection in list(self.connections):
                connection.look(now_ms)


class Stage(Enum):
    """Where a connection stands."""

    LOGIN = "login due"
    OPEN = "open"
    ENDED = "ended"


class ItchConnection(asyncio.Protocol):
    """A subscriber, as asyncio tells of it. date: the one it listens to."""

    def __init__(self, server: ItchServer) -> None:
        self.stage = Stage.LOGIN
        self.date = 0
        self.next_sequence = 0
        self.peer = ""
        self._server = server
        self._config = server.config
        self._buffer = bytearray()
        self._transport: asyncio.Transport
        self._silence = soup.Silence(self._now_ms(), dead_after_ms=self._config.dead_after_s * _MS)
        self._end_reason = ""
        self._is_full = False
        self._unsent_bytes = 0
        self._unsent_since_ms = 0

    # --- what asyncio tells -----------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, or refuse where there are too many."""
        self._transport = cast(asyncio.Transport, transport)
        self.peer = "{}:{}".format(*(transport.get_extra_info("peername") or ("?", 0))[:2])
        self._server.connections.add(self)
        self._transport.set_write_buffer_limits(high=CATCH_UP_BYTES)
        if len(self._server.connections) > self._config.connections_max:
            self.end("too many connections", abort=True)

    def data_received(self, data: bytes) -> None:
        """Take what one read gave."""
        self._silence.received_ms = self._now_ms()
        if self.stage is Stage.ENDED:
            return
        self._buffer += data
        try:
            if self.stage is Stage.LOGIN:
                self._take_login()
            if self.stage is Stage.OPEN:
                self._take_packets()
        except ProtocolError as error:
            self.end(f"protocol error: {error}")

    def pause_writing(self) -> None:
        """Send no more out of the file until the subscriber has read."""
        self._is_full = True

    def resume_writing(self) -> None:
        """Go on with what the subscriber has not got yet."""
        self._is_full = False
        self._catch_up()

    def eof_received(self) -> bool:
        """Close: a subscriber that sends no more gets no more."""
        self._end_reason = self._end_reason or "the subscriber left"
        return False

    def connection_lost(self, error: Exception | None) -> None:
        """Tell the server."""
        self.stage = Stage.ENDED
        self._server.lost(self, self._end_reason or "the connection was lost")

    # --- what the server tells --------------------------------------------------------------------

    def deliver(self, run: Run) -> None:
        """Send what is new, unless the subscriber is behind: it gets it out of the file then."""
        if self.stage is not Stage.OPEN or run.date != self.date:
            return
        if self.next_sequence == run.first:
            self._send(run.packets)
            self.next_sequence += len(run.messages)
            self._server.sent_messages += len(run.messages)
            if self._transport.get_write_buffer_size() > self._config.unsent_kib * _KIB:
                self.end("slow reader", abort=True)
        self._end_session_if_read()

    def look(self, now_ms: int) -> None:
        """Send a heartbeat where one is due; end a connection that is dead, or reads nothing."""
        if self._silence.is_dead(now_ms):
            self.end("nothing was heard from it", abort=True)
            return
        if self.stage is not Stage.OPEN:
            return
        unsent = self._transport.get_write_buffer_size()
        if not unsent or unsent < self._unsent_bytes:
            self._unsent_since_ms = now_ms
        elif now_ms - self._unsent_since_ms >= self._config.dead_after_s * _MS:
            self.end("slow reader", abort=True)
            return
        self._unsent_bytes = unsent
        if self._silence.heartbeat_is_due(now_ms):
            self._transport.write(soup.packet(soup.SERVER_HEARTBEAT))

    def end(self, reason: str, *, abort: bool = False) -> None:
        """Close, once what was written is sent; with abort at once."""
        if self.stage is Stage.ENDED:
            return
        was_open = self.stage is Stage.OPEN
        self.stage = Stage.ENDED
        self._end_reason = self._end_reason or reason
        log.info("itch_connection_ended", peer=self.peer, reason=reason)
        if abort:
            self._transport.abort()
            return
        if was_open:
            self._transport.write(soup.packet(soup.DEBUG, reason.encode("ascii", "replace")[:200]))
        self._transport.close()

    # --- from the subscriber ----------------------------------------------------------------------

    def _take_login(self) -> None:
        login = soup.first_login(self._buffer)
        if login is None:
            return
        del self._buffer[: soup.LOGIN_BYTES]
        if not self._server.accepts(login):
            self._refuse(soup.NOT_AUTHORISED, "user or password")
            return
        days = self._server.days
        dates = {days.session_name(date): date for date in days.dates()}
        date = dates.get(login.session, 0) if login.session else days.date
        first = soup.first_wanted(login.sequence, days.streams.last(date))
        if not date or first is None:
            self._refuse(soup.SESSION_NOT_AVAILABLE, f"session {login.session!r} from {login.sequence}")
            return
        self.date, self.next_sequence = date, first
        self.stage = Stage.OPEN
        self._server.logins += 1
        log.info("itch_subscribed", user=login.user, peer=self.peer, date=date, sequence=first)
        self._send(soup.login_accepted(soup.LoginAccepted(days.session_name(date), first)))
        self._catch_up()

    def _refuse(self, code: bytes, reason: str) -> None:
        self._transport.write(soup.packet(soup.LOGIN_REJECTED, code))
        self.end(f"login refused: {reason}")

    def _take_packets(self) -> None:
        packets, size = soup.split(self._buffer, RECEIVED_BYTES_MAX)
        del self._buffer[:size]
        for packet in packets:
            if packet.kind == soup.LOGOUT_REQUEST:
                self.end("the subscriber logged out")
                return
            if packet.kind not in (soup.CLIENT_HEARTBEAT, soup.DEBUG):
                raise ProtocolError(f"type {packet.kind!r} is nothing that a subscriber sends")

    # --- to the subscriber ------------------------------------------------------------------------

    def _catch_up(self) -> None:
        """Send out of the file until the subscriber has all, or has enough for now."""
        streams = self._server.days.streams
        while self.stage is Stage.OPEN and not self._is_full:
            packets, count = streams.read(self.date, self.next_sequence)
            if not count:
                self._end_session_if_read()
                return
            self._send(packets)
            self.next_sequence += count
            self._server.sent_messages += count

    def _end_session_if_read(self) -> None:
        """Say that the session is over, when its date is and the subscriber has everything."""
        days = self._server.days
        is_over = self.date != days.date
        if self.stage is Stage.OPEN and is_over and self.next_sequence > days.streams.last(self.date):
            self._send(soup.packet(soup.END_OF_SESSION))
            self.end("the business date ended")

    def _send(self, data: bytes) -> None:
        self._silence.sent_ms = self._now_ms()
        self._transport.write(data)

    def _now_ms(self) -> int:
        return int(self._server.loop.time() * _MS)
