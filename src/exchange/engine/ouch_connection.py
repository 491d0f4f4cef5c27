"""One connection of the OUCH gateway: login, then bytes to commands and a stream to bytes, within its limits."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from typing import Any, Protocol

import msgspec

from exchange.engine.ouch_sessions import OuchSessions
from exchange.engine.sequencer import EngineHalted, Sequencer
from exchange.infra.config_sections import OuchConfig
from exchange.infra.soup_connection import SoupConnection, SoupLimits, Stage
from exchange.wire import soupbintcp as soup
from exchange.wire.ouch_reference import is_note
from exchange.wire.ouch_session import Session
from exchange.wire.records import ProtocolError, split

LOGIN_BYTES_MAX = 4_096
"""What may come before a login is answered."""
RECEIVED_BYTES_MAX = 256 * 1024
"""Received and not understood yet; more stays in the socket."""
CATCH_UP_BYTES = 128 * 1024
"""Unsent bytes while a client catches up; the rest stays in its file."""
COMMANDS_ROOM = 8_192
"""Room in the sequencer without which nothing more is understood: more commands than one call of the decoder gives."""
HELD_S = 0.002


class OuchCounters(msgspec.Struct):
    """What happened since the start of the process."""

    logins: int = 0
    logins_refused: int = 0
    connections_refused: int = 0
    messages: int = 0
    commands: int = 0
    sent_messages: int = 0
    ended: dict[str, int] = {}
    """Connections by why they ended."""


class Acceptor(Protocol):
    """What a connection needs of the gateway that took it; see `ouch_acceptor.OuchAcceptor`."""

    config: OuchConfig
    sessions: OuchSessions
    sequencer: Sequencer
    counters: OuchCounters
    connections: set[OuchConnection]
    by_session: dict[int, OuchConnection]
    loop: asyncio.AbstractEventLoop
    is_resting: bool
    heard: list[OuchConnection]

    def offer(self, commands: bytes, count: int) -> bool:
        """Hand commands to the sequencer; tell whether it took them."""

    async def authenticate(self, login: soup.LoginRequest) -> Session | None:
        """Return the session that a login opens."""

    def lost(self, connection: OuchConnection, session: Session | None, reason: str) -> None:
        """Forget a connection that is gone."""


class OuchConnection(SoupConnection):
    """A client with orders."""

    protocol = "ouch"
    client = "client"

    def __init__(self, acceptor: Acceptor) -> None:
        self._acceptor = acceptor
        self._config = config = acceptor.config
        super().__init__(acceptor.loop, SoupLimits(config.dead_after_s, config.unsent_kib, CATCH_UP_BYTES))
        self.session: Session | None = None
        self.is_past = False
        """Whether it reads the stream of a business date that is over, to its end."""
        self.received_messages = 0
        self._streams = acceptor.sessions.streams
        self._untaken: deque[tuple[bytes, int]] = deque()
        """Commands that were understood and wait for room in the sequencer: at most what one decode gives."""
        self._is_blocked = False
        self._is_held = False
        self._is_reading = True
        self._is_late = False
        """Whether something came while the gateway rests."""
        self._allowance = float(config.messages_per_s)
        self._allowance_at = self._loop.time()
        self._login: asyncio.Task[None] | None = None

    def _admit(self) -> str:
        if len(self._acceptor.connections) >= self._config.connections_max:
            self._acceptor.counters.connections_refused += 1
            return "too many connections"
        self._acceptor.connections.add(self)
        return ""

    def _received(self) -> None:
        if self.stage is Stage.OPEN:
            acceptor = self._acceptor
            acceptor.heard.append(self)
            if acceptor.is_resting:
                self._is_late = True
                self.rest()
            else:
                self._advance()
        elif len(self._buffer) > LOGIN_BYTES_MAX:
            self.end("too much before the login")
        elif self.stage is Stage.LOGIN:
            self._take_login()

    def _lost(self, reason: str) -> None:
        if self._login is not None:
            self._login.cancel()
        self._acceptor.lost(self, self.session, reason)

    def _named(self) -> dict[str, Any]:
        return {"user": self.session.user if self.session else "", "address": self.address}

    def _may_be_told(self) -> bool:
        return self.stage is Stage.OPEN and not self.is_past

    # --- what the acceptor tells ------------------------------------------------------------------

    def deliver(self, packets: bytes, count: int) -> None:
        """Send new messages of the stream, unless the client is behind: it gets them out of the file then."""
        if self.stage is not Stage.OPEN or self.session is None:
            return
        if self.next_sequence + count != self._streams.last(self.session.session) + 1:
            return
        if self._is_overdue():
            self.end("slow reader", abort=True)
            return
        self._send(packets)
        self.next_sequence += count
        self._acceptor.counters.sent_messages += count

    def answered(self) -> None:
        """Go on where something waited for answers that may have come now."""
        if self._is_blocked and not self._is_held:
            self._advance()

    def look(self, now_ms: int) -> None:
        """Send a heartbeat where one is due; a client that is not read does not count as silent."""
        if not self._is_reading:
            self._silence.received_ms = now_ms
        super().look(now_ms)

    def rest(self) -> None:
        """Leave what the client sends in its socket."""
        if self.stage is Stage.OPEN:
            self._read_on(False)

    def go_on(self) -> None:
        """Read again, and understand what came late."""
        if self.stage is not Stage.OPEN:
            return
        if self._is_late:
            self._is_late = False
            self._advance()
        else:
            self._read_on(len(self._buffer) < RECEIVED_BYTES_MAX)

    def end_of_session(self) -> None:
        """Send what is left of the stream, tell the client that the session is over, and close."""
        self.is_past = True
        self._catch_up()

    # --- login ------------------------------------------------------------------------------------

    def _take_login(self) -> None:
        login = soup.first_login(self._buffer)
        if login is None:
            return
        del self._buffer[: soup.LOGIN_BYTES]
        self.stage = Stage.CHECKING
        self._login = asyncio.create_task(self._check(login))

    async def _check(self, login: soup.LoginRequest) -> None:
        session = await self._acceptor.authenticate(login)
        self._login = None
        if self.stage is not Stage.CHECKING:
            return
        if session is None:
            self._turn_away(login, soup.NOT_AUTHORISED, "user or password is wrong")
            return
        sessions = self._acceptor.sessions
        past = sessions.past
        self._streams = sessions.streams
        if past is not None and login.session == past.folder.name:
            self._streams, self.is_past = past, True
        elif login.session and login.session != sessions.name:
            self._turn_away(login, soup.SESSION_NOT_AVAILABLE, f"there is no session {login.session}")
            return
        if session.session in self._acceptor.by_session:
            self._turn_away(login, soup.SESSION_NOT_AVAILABLE, "the user is logged in already")
            return
        wanted = soup.first_wanted(login.sequence, self._streams.last(session.session))
        if wanted is None:
            self._turn_away(login, soup.SESSION_NOT_AVAILABLE, f"sequence {login.sequence} was never sent")
            return
        self._open(session, wanted)

    def _turn_away(self, login: soup.LoginRequest, code: bytes, reason: str) -> None:
        self._acceptor.counters.logins_refused += 1
        self._log.warning("ouch_login_refused", user=login.user, address=self.address, reason=reason)
        self._refuse(code, reason)

    def _open(self, session: Session, sequence: int) -> None:
        self.session = session
        self.stage = Stage.OPEN
        self.next_sequence = sequence
        self._acceptor.by_session[session.session] = self
        self._acceptor.counters.logins += 1
        self._log.info("ouch_session_open", user=session.user, address=self.address, sequence=sequence)
        self._send(soup.login_accepted(soup.LoginAccepted(self._streams.folder.name, sequence)))
        self._catch_up()
        self._advance()

    # --- from the client --------------------------------------------------------------------------

    def _advance(self) -> None:
        """Understand what was received, as far as limits and answers allow, and hand it on."""
        if self.is_past:
            self._buffer.clear()
            return
        try:
            while self.stage is Stage.OPEN and not self._is_held and self._step():
                pass
        except ProtocolError as error:
            self.end(f"protocol error: {error}")
        except EngineHalted:
            self.end("the engine has stopped")
        if self.stage is Stage.OPEN:
            self._read_on(len(self._buffer) < RECEIVED_BYTES_MAX)

    def _step(self) -> bool:
        """Take one batch; tell whether there may be another."""
        session = self.session
        assert session is not None
        if not self._may_take():
            return False
        decoded = self._acceptor.sessions.translator.decode(
            session.session, self._buffer, self._config.waiting_orders_max
        )
        del self._buffer[: decoded.consumed]
        self._is_blocked = decoded.blocked
        self.received_messages += decoded.messages
        self._acceptor.counters.messages += decoded.messages
        self._allowance -= decoded.messages
        if decoded.command_count:
            limit = self._acceptor.sequencer.limits.pending_commands_max
            self._untaken.extend(pieces_of(decoded.commands, decoded.command_count, limit))
            self._offer()
        for packet in decoded.packets:
            self._control(packet)
        return bool(decoded.consumed and (self._buffer or self._untaken)) and not decoded.blocked

    def _may_take(self) -> bool:
        """Tell whether the sequencer and the session's rate have room; call `_advance` again later if not."""
        wait_s = 0.0 if self._offer() else HELD_S
        sequencer = self._acceptor.sequencer
        if sequencer.room < min(COMMANDS_ROOM, sequencer.limits.pending_commands_max):
            wait_s = HELD_S
        rate = self._config.messages_per_s
        if rate:
            now = self._loop.time()
            self._allowance = min(self._allowance + (now - self._allowance_at) * rate, float(rate))
            self._allowance_at = now
            if self._allowance < 0:
                wait_s = max(wait_s, -self._allowance / rate)
        if wait_s:
            self._is_held = True
            self._loop.call_later(wait_s, self._let_go)
        return not wait_s

    def _offer(self) -> bool:
        """Hand on what the sequencer has not taken yet; tell whether nothing of it is left."""
        while self._untaken and self._acceptor.offer(*self._untaken[0]):
            self._untaken.popleft()
        return not self._untaken

    def _let_go(self) -> None:
        self._is_held = False
        if self.stage is Stage.OPEN:
            self._advance()

    def _read_on(self, wanted: bool) -> None:
        if wanted != self._is_reading:
            self._is_reading = wanted
            (self._transport.resume_reading if wanted else self._transport.pause_reading)()

    # --- to the client ----------------------------------------------------------------------------

    def _catch_up(self) -> None:
        """Send out of the file until the client has all, or has enough for now."""
        session = self.session
        if session is None:
            return
        streams, number = self._streams, session.session
        while self.stage is Stage.OPEN and not self._is_full and self.next_sequence <= streams.last(number):
            try:
                packets, count = streams.read(number, self.next_sequence)
            except OSError as error:
                self.end(f"the stream cannot be read: {error.strerror or error}")
                return
            self._send(packets)
            self.next_sequence += count
            self._acceptor.counters.sent_messages += count
        if self.is_past and self.stage is Stage.OPEN and self.next_sequence > streams.last(number):
            self._end_of_session()


def pieces_of(commands: bytes, count: int, count_max: int) -> Iterator[tuple[bytes, int]]:
    """Cut commands into pieces of at most so many, but never between a note and the command that it announces."""
    if count <= count_max:
        yield commands, count
        return
    begin = size = 0
    of_note = False
    for offset, _ in split(commands):
        if size >= count_max - 1 and not of_note:
            yield commands[begin:offset], size
            begin, size = offset, 0
        size += 1
        of_note = is_note(commands, offset)
    yield commands[begin:], size
