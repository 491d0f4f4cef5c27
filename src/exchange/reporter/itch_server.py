"""ITCH over SoupBinTCP: who logs in gets a date's messages from the sequence it wants, out of the file, then live.

A subscriber only listens. One that does not read is disconnected, and goes on later where it was; none of them is a
burden for memory or for the others.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from hmac import compare_digest

import structlog

from exchange.infra.config import Address, ItchConfig, url_of
from exchange.infra.errors import InfraError
from exchange.infra.soup_connection import MS, SoupConnection, SoupLimits, Stage
from exchange.reporter.itch_days import ItchDays, Run
from exchange.wire import soupbintcp as soup

LOOK_S = 0.25
"""How often the silence of each connection is looked at."""
RECEIVED_BYTES_MAX = 4_096
"""What a subscriber may have sent that is not understood yet; it has nothing to say but logins and heartbeats."""
CATCH_UP_BYTES = 256 * 1024
"""Unsent bytes while a subscriber catches up; the rest stays in its file."""

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
            now_ms = int(self.loop.time() * MS)
            for connection in list(self.connections):
                connection.look(now_ms)


class ItchConnection(SoupConnection):
    """A subscriber. date: the one it listens to."""

    protocol = "itch"
    client = "subscriber"

    def __init__(self, server: ItchServer) -> None:
        self._server = server
        config = server.config
        super().__init__(server.loop, SoupLimits(config.dead_after_s, config.unsent_kib, CATCH_UP_BYTES))
        self.date = 0

    def _admit(self) -> str:
        self._server.connections.add(self)
        too_many = len(self._server.connections) > self._server.config.connections_max
        return "too many connections" if too_many else ""

    def _received(self) -> None:
        if self.stage is Stage.LOGIN:
            self._take_login()
        if self.stage is Stage.OPEN:
            self._take_packets()

    def _lost(self, reason: str) -> None:
        self._server.lost(self, reason)

    # --- what the server tells --------------------------------------------------------------------

    def deliver(self, run: Run) -> None:
        """Send what is new, unless the subscriber is behind: it gets it out of the file then."""
        if self.stage is not Stage.OPEN or run.date != self.date:
            return
        if self.next_sequence == run.first:
            self._send(run.packets)
            self.next_sequence += run.count
            self._server.sent_messages += run.count
            if self._is_overdue():
                self.end("slow reader", abort=True)
        self._end_session_if_read()

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
        self._log.info("itch_subscribed", user=login.user, address=self.address, date=date, sequence=first)
        self._send(soup.login_accepted(soup.LoginAccepted(days.session_name(date), first)))
        self._catch_up()

    def _take_packets(self) -> None:
        packets, size = soup.split(self._buffer, RECEIVED_BYTES_MAX)
        del self._buffer[:size]
        for packet in packets:
            self._control(packet)
            if self.stage is Stage.ENDED:
                return

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
            self._end_of_session()
