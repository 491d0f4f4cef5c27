"""One side of a SoupBinTCP connection that serves: its stages, heartbeats, ends and unread bytes, whatever it carries.

States: a login is due → it may be checked for a while → open → ended. An end always has a reason, which stands in the
log and in the statistics. Nothing one connection does keeps another waiting.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from enum import Enum
from typing import Any, ClassVar, NamedTuple, cast

import structlog

from exchange.wire import soupbintcp as soup
from exchange.wire.records import ProtocolError

MS = 1_000
_KIB = 1 << 10
_DEBUG_BYTES_MAX = 200


class Stage(Enum):
    """Where a connection stands."""

    LOGIN = "login due"
    CHECKING = "login checked"
    OPEN = "open"
    ENDED = "ended"


class SoupLimits(NamedTuple):
    """What a connection may do. catch_up_bytes: unsent bytes above which it is not given more out of its file."""

    dead_after_s: float
    unsent_kib: int
    catch_up_bytes: int


class SoupConnection(asyncio.Protocol):
    """A client, as asyncio tells of it. next_sequence: of the message that it gets next."""

    protocol: ClassVar[str]
    """How the log calls what is carried."""
    client: ClassVar[str]
    """How reasons call the other side."""

    def __init__(self, loop: asyncio.AbstractEventLoop, limits: SoupLimits) -> None:
        self.stage = Stage.LOGIN
        self.address = ""
        self.next_sequence = 0
        self._loop = loop
        self._limits = limits
        self._buffer = bytearray()
        self._transport: asyncio.Transport
        self._silence = soup.Silence(self._now_ms(), dead_after_ms=int(limits.dead_after_s * MS))
        self._end_reason = ""
        self._is_full = False
        self._unsent_bytes = 0
        self._unsent_since_ms = 0
        self._log = structlog.get_logger(component=self.protocol)

    # --- what each protocol says ------------------------------------------------------------------

    @abstractmethod
    def _admit(self) -> str:
        """Count the connection in; return why it may not stay, or nothing."""

    @abstractmethod
    def _received(self) -> None:
        """Understand what is in the buffer. Raise `ProtocolError`."""

    @abstractmethod
    def _catch_up(self) -> None:
        """Send out of the file until the client has all, or has enough for now."""

    @abstractmethod
    def _lost(self, reason: str) -> None:
        """Forget the connection, which is gone."""

    # --- what asyncio tells -----------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, or refuse where there are too many."""
        self._transport = cast(asyncio.Transport, transport)
        self.address = "{}:{}".format(*(transport.get_extra_info("peername") or ("?", 0))[:2])
        self._transport.set_write_buffer_limits(high=self._limits.catch_up_bytes)
        if refusal := self._admit():
            self.end(refusal, abort=True)

    def data_received(self, data: bytes) -> None:
        """Take what one read gave."""
        self._silence.received_ms = self._now_ms()
        if self.stage is Stage.ENDED:
            return
        self._buffer += data
        try:
            self._received()
        except ProtocolError as error:
            self.end(f"protocol error: {error}")

    def pause_writing(self) -> None:
        """Send no more out of the file until the client has read."""
        self._is_full = True

    def resume_writing(self) -> None:
        """Go on with what the client has not got yet."""
        self._is_full = False
        self._catch_up()

    def eof_received(self) -> bool:
        """Close: a client that sends no more gets no more."""
        self._end_reason = self._end_reason or f"the {self.client} left"
        return False

    def connection_lost(self, error: Exception | None) -> None:
        """Tell that it is gone, and why."""
        self.stage = Stage.ENDED
        self._lost(self._end_reason or "the connection was lost")

    # --- what the server tells --------------------------------------------------------------------

    def look(self, now_ms: int) -> None:
        """Send a heartbeat where one is due; end a connection that is dead, or reads nothing."""
        if self._silence.is_dead(now_ms):
            self.end("nothing was heard from it", abort=True)
        elif self.stage is not Stage.OPEN:
            return
        elif self._reads_nothing(now_ms):
            self.end("slow reader", abort=True)
        elif self._silence.heartbeat_is_due(now_ms):
            self._transport.write(soup.packet(soup.SERVER_HEARTBEAT))

    def end(self, reason: str, *, abort: bool = False) -> None:
        """Close, once what was written is sent; with abort at once."""
        if self.stage is Stage.ENDED:
            return
        may_be_told = self._may_be_told()
        self.stage = Stage.ENDED
        self._end_reason = self._end_reason or reason
        self._log.info("connection_ended", **self._named(), reason=reason)
        if abort:
            self._transport.abort()
            return
        if may_be_told:
            told = reason.encode("ascii", "replace")[:_DEBUG_BYTES_MAX]
            self._transport.write(soup.packet(soup.DEBUG, told))
        self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()

    # --- for each protocol ------------------------------------------------------------------------

    def _named(self) -> dict[str, Any]:
        """Return what the log says of who it is."""
        return {"address": self.address}

    def _may_be_told(self) -> bool:
        """Tell whether the client may get a packet with the reason of the end."""
        return self.stage is Stage.OPEN

    def _refuse(self, code: bytes, reason: str) -> None:
        """Refuse a login."""
        self._transport.write(soup.packet(soup.LOGIN_REJECTED, code))
        self.end(f"login refused: {reason}")

    def _control(self, packet: soup.Packet) -> None:
        """Take a packet that carries nothing. Raise `ProtocolError` where it does not belong there."""
        if packet.kind == soup.LOGOUT_REQUEST:
            self.end(f"the {self.client} logged out")
        elif packet.kind not in (soup.CLIENT_HEARTBEAT, soup.DEBUG):
            raise ProtocolError(
                f"type at offset 2: {packet.kind!r} is nothing a {self.client} that is logged in sends"
            )

    def _is_overdue(self) -> bool:
        """Tell whether more is unsent than may be."""
        return self._transport.get_write_buffer_size() > self._limits.unsent_kib * _KIB

    def _end_of_session(self) -> None:
        """Say that the session is over, which the client has read to its end."""
        self._send(soup.packet(soup.END_OF_SESSION))
        self.end("the business date ended")

    def _send(self, data: bytes) -> None:
        self._silence.sent_ms = self._now_ms()
        self._transport.write(data)

    def _now_ms(self) -> int:
        return int(self._loop.time() * MS)

    def _reads_nothing(self, now_ms: int) -> bool:
        """Tell whether what is unsent has not become less for too long."""
        before, self._unsent_bytes = self._unsent_bytes, self._transport.get_write_buffer_size()
        if not before or self._unsent_bytes < before:
            self._unsent_since_ms = now_ms
        return bool(self._unsent_bytes) and now_ms - self._unsent_since_ms >= self._limits.dead_after_s * MS
