"""The OUCH gateway: takes connections, hands what one read gave to the sequencer as one batch, sends what is durable.

A session's answers are its stream (`ouch_sessions`); a connection sends the stream from where its client wants it,
out of the files until it has caught up, then each batch as it is released. So an answer never leaves before its
command is on disk, and who reads slowly is never a burden for memory.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

import structlog

from exchange.domain.directory import Directory
from exchange.engine.ouch_connection import OuchConnection, OuchCounters
from exchange.engine.ouch_sessions import OuchSessions
from exchange.engine.sequencer import EngineBusy, EngineHalted, Sequencer
from exchange.infra.auth import session_digest
from exchange.infra.config import Address, OuchConfig, url_of
from exchange.infra.errors import InfraError
from exchange.wire.envelope import EventBatch
from exchange.wire.ouch_session import Session
from exchange.wire.records import split
from exchange.wire.soupbintcp import LoginRequest

LOOK_S = 0.25
"""How often the silence of each connection is looked at."""
RETRY_S = 0.005
LOGIN_CHECKS_MAX = 2
"""Passwords that are checked at a time; each takes a thread some hundredths of a second."""
STOP_WAIT_S = 2.0

log = structlog.get_logger(component="ouch")


class OuchAcceptor:
    """Lives on one event loop. `start` it when the sequencer takes commands, `stop` it before it stops."""

    def __init__(
        self, config: OuchConfig, sessions: OuchSessions, sequencer: Sequencer, directory: Directory
    ) -> None:
        self.config = config
        self.sessions = sessions
        self.sequencer = sequencer
        self.counters = OuchCounters()
        self.connections: set[OuchConnection] = set()
        self.by_session: dict[int, OuchConnection] = {}
        self.problem = ""
        self.is_resting = False
        self.heard: list[OuchConnection] = []
        """Connections that were read since the gateway rested last, perhaps more than once."""
        self.port = 0
        self.address = ""
        """Where it listens, as host:port for this machine."""
        self._directory = directory
        self._cancelling: dict[int, asyncio.Task[None]] = {}
        self._login_checks = asyncio.Semaphore(LOGIN_CHECKS_MAX)
        self._nobody = asyncio.Event()
        """Set when a connection ends and none is left."""
        self._server: asyncio.Server | None = None
        self._watcher: asyncio.Task[None] | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; return the port, which the system chose where 0 was given. Raise `InfraError`."""
        self.loop = asyncio.get_running_loop()
        self.sequencer.pace(self)
        for session in list(self.sessions.translator.state.sessions.values()):
            self._cancel_after_disconnect(session)
        try:
            self._server = await self.loop.create_server(lambda: OuchConnection(self), host, port)
        except OSError as error:
            raise InfraError(
                f"OUCH cannot listen on {host} port {port}: {error.strerror or error}; choose another [engine.ouch]"
                " port, or set enabled = false there"
            ) from error
        self._watcher = asyncio.create_task(self._watch())
        actual: int = self._server.sockets[0].getsockname()[1]
        self.port = actual
        self.address = url_of(Address(host, actual)).removeprefix("http://")
        log.info("ouch_listening", host=host, port=actual, session=self.sessions.name)
        return actual

    async def stop(self) -> None:
        """Take no more connections and end those that are there; their streams stay."""
        if self._server is None or self._watcher is None:
            return
        self._server.close()
        self._watcher.cancel()
        self._nobody.clear()
        for connection in list(self.connections):
            connection.end("the engine stops")
        if self.connections:
            with suppress(TimeoutError):
                async with asyncio.timeout(STOP_WAIT_S):
                    await self._nobody.wait()
        for connection in list(self.connections):
            connection.abort()
        for task in list(self._cancelling.values()):
            task.cancel()
        await asyncio.gather(self._watcher, *self._cancelling.values(), return_exceptions=True)
        self._server = None

    def take(self, batch: EventBatch) -> None:
        """Take a durable batch: a subscriber of the sequencer."""
        if self.problem:
            return
        try:
            for run in self.sessions.take(batch):
                if not run.session:
                    self._end_day()
                elif (reader := self.by_session.get(run.session)) is not None:
                    reader.deliver(run.packets, run.message_count)
        except OSError as error:
            self.problem = (
                f"OUCH streams cannot be written: {error.strerror or error}; free space and restart"
            )
            log.critical("ouch_failed", problem=self.problem)
            for connection in list(self.connections):
                connection.end("the streams cannot be written")
            return
        for commands in self.sessions.translator.follow_ups():
            self.offer(commands, sum(1 for _ in split(commands)))
        self._drop_revoked()
        for connection in list(self.by_session.values()):
            connection.answered()

    def rest(self) -> None:
        """Read no more: see `pacing`. Only connections that send anything are touched."""
        self.is_resting = True
        for connection in self.heard:
            connection.rest()

    def go_on(self) -> None:
        """Read again."""
        self.is_resting = False
        heard, self.heard = self.heard, []
        for connection in heard:
            connection.go_on()

    def offer(self, commands: bytes, count: int) -> bool:
        """Hand commands to the sequencer; tell whether it took them."""
        try:
            self.sequencer.offer(commands, count, _ignore)
        except EngineBusy:
            return False
        self.counters.commands += count
        return True

    async def authenticate(self, login: LoginRequest) -> Session | None:
        """Return the session that a login opens, None where user and password do not fit."""
        async with self._login_checks:
            digest = await asyncio.to_thread(session_digest, login.user, login.password)
        key_id = self._directory.key_ids.get(digest, 0)
        session = self.sessions.translator.session(key_id)
        if session is None or session.user != login.user:
            return None
        if cancelling := self._cancelling.get(key_id):
            await asyncio.wait({cancelling})
        return session

    def lost(self, connection: OuchConnection, session: Session | None, reason: str) -> None:
        """Forget a connection that is gone."""
        self.connections.discard(connection)
        if not self.connections:
            self._nobody.set()
        kind = reason.partition(":")[0]
        self.counters.ended[kind] = self.counters.ended.get(kind, 0) + 1
        if session is not None and self.by_session.get(session.session) is connection:
            del self.by_session[session.session]
            log.info("ouch_session_left", user=session.user, reason=reason)
            self._cancel_after_disconnect(session)

    async def expel(self, session: Session) -> None:
        """End a session's connection and cancel its orders."""
        if connection := self.by_session.get(session.session):
            connection.end("the session was removed")
        await self._cancel_all(session.session)

    # --- parts ------------------------------------------------------------------------------------

    def _cancel_after_disconnect(self, session: Session) -> None:
        number = session.session
        if session.cancel_on_disconnect and number not in self._cancelling and not self.sequencer.halted:
            task = self._cancelling[number] = asyncio.create_task(self._cancel_all(number))
            task.add_done_callback(lambda _: self._cancelling.pop(number, None))

    async def _cancel_all(self, session: int) -> None:
        """Cancel a session's live orders, those too whose acceptance is under way."""
        translator = self.sessions.translator
        commands, count = b"", 0
        while translator.session(session) and (
            translator.live_orders(session) or translator.waiting(session)
        ):
            if not count:
                commands, count = translator.cancel_some(session)
            try:
                if count and self.offer(commands, count):
                    count = 0
            except EngineHalted:
                return
            await asyncio.sleep(RETRY_S)

    def _end_day(self) -> None:
        for connection in list(self.by_session.values()):
            connection.end_of_session()

    def _drop_revoked(self) -> None:
        known = self.sessions.translator.state.sessions
        if any(number not in known for number in self.by_session):
            for number, connection in list(self.by_session.items()):
                if number not in known:
                    connection.end("the session was removed")

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            now_ms = int(self.loop.time() * 1_000)
            for connection in list(self.connections):
                connection.look(now_ms)


def _ignore(_: int) -> None:
    """Need nothing when commands are matched: their events tell."""
