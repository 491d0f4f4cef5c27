"""One connection of the HTTP server: aiohttp's own, with a header time-out, bounds, and our form of errors.

aiohttp closes an idle connection after its keep-alive time but gives headers that trickle in just as long. Here
the time runs from the first byte of a request (or from the connect) until its headers are complete; a sweep once
a second answers 408 and closes what is late. It leans on names of aiohttp 3.14 that are not public (`_messages`,
`_request_in_progress`, `_upgraded`, `_request_count`); the tests with raw sockets notice when they change.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Any, cast

from aiohttp import web

from exchange.infra.http_answer import Answer
from exchange.infra.http_errors import one_too_many
from exchange.infra.http_limits import HttpLimits
from exchange.infra.http_plain import PlainHead, PlainHeads, PlainRequest

MakeError = Callable[[int, str], Answer]
"""From a status and what the parser says to the answer in the one error form."""

LINGER_S = 2.0
"""How long the rest of an unwanted body is read and dropped, so that the client can read the answer."""
REFUSED_S = 1.0
"""How long one too many has time to read why; closed at once with a request unread, the answer would be lost."""
CLOSED_AT_ONCE = 10
LOOKED_AT_ONCE = 1_000
"""Connections that are closed, or looked at, in a sweep before others have their turn."""
PAUSE_S = 0.002


class HttpConnection(web.RequestHandler):
    """A connection that knows since when it waits for the rest of a request's headers."""

    __slots__ = (
        "_address",
        "_held",
        "_is_partial",
        "_is_refused",
        "_plain",
        "_plain_at",
        "_server",
        "waits_since",
    )

    def __init__(self, server: HttpServer, **options: Any) -> None:
        super().__init__(server, **options)
        self._server = server
        self._address = ""
        self.waits_since = 0.0
        self._is_refused = False
        self._is_partial = False
        """Whether the parser holds the beginning of a request."""
        self._plain: asyncio.Task[None] | None = None
        """What serves a plain request (`http_plain`) now."""
        self._plain_at = 0.0
        """When the last request was a plain one: when it was answered."""
        self._held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, or close it at once where there are too many."""
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        self._address = str(peer[0]) if peer else ""
        self.waits_since = self._loop.time()
        if not self._server.admit(self._address) and self.transport is not None:
            self._is_refused = True
            self.transport.write(one_too_many())
            self.transport.write_eof()
            self._loop.call_later(REFUSED_S, self.force_close)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget the connection."""
        self._server.forget(self._address)
        self._address = ""
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes in, and note whether they leave a request's headers unfinished."""
        if self._is_refused:
            return
        if self._plain is not None:
            self._hold(data)
            return
        if not self._is_partial and self.is_idle and (head := self._server.plain_heads.match(data)):
            self._serve_plainly(head, data)
            return
        requests = self._request_count
        super().data_received(data)
        self._is_partial = False
        self._plain_at = 0.0
        if requests != self._request_count or not self.is_idle:
            self.waits_since = 0.0
        else:
            self._is_partial = True
            self.waits_since = self.waits_since or self._loop.time()

    def _serve_plainly(self, head: PlainHead, data: bytes) -> None:
        self.waits_since = 0.0
        self.keep_alive(True)
        request = PlainRequest(head, data[head.body_at :], self, self.transport, self._loop)
        self._plain = self._loop.create_task(self._answer_plainly(request))

    async def _answer_plainly(self, request: PlainRequest) -> None:
        """Serve one plain request; then go on with what came meanwhile."""
        stays = False
        try:
            answer = await self._server.serve(cast(web.BaseRequest, request))
            await answer.prepare(cast(web.BaseRequest, request))
            stays = bool(answer.keep_alive)
        except ConnectionError:
            pass
        finally:
            self._plain = None
            if self.transport is not None:
                self._go_on() if stays else self.force_close()

    def _hold(self, data: bytes) -> None:
        """Keep what comes while a request is served, and read no more."""
        self._held += data
        if self.transport is not None:
            self.transport.pause_reading()

    def _go_on(self) -> None:
        self._plain_at = self._loop.time()
        if self._held and self.transport is not None:
            held, self._held = self._held, b""
            self.transport.resume_reading()
            self.data_received(held)

    @property
    def is_idle(self) -> bool:
        """Tell whether no request is being served."""
        return not (self._request_in_progress or self._messages or self._upgraded or self._plain)

    def close_if_late(self, before: float, make_answer: Callable[[], bytes]) -> bool:
        """Answer and close where the connection has waited for headers since before a time; tell whether it did."""
        is_late = 0 < self.waits_since < before and self.is_idle and self.transport is not None
        if is_late:
            assert self.transport is not None
            self.transport.write(make_answer())
            self.force_close()
        return is_late

    def close_if_unused(self, before: float) -> bool:
        """Close where the last request was a plain one and answered before a time; of others aiohttp takes care."""
        is_unused = 0 < self._plain_at < before and self.is_idle
        if is_unused:
            self.force_close()
        return is_unused

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is not HTTP in the one error form; let a client that is gone be gone."""
        if isinstance(exc, ConnectionError):
            raise exc
        answer = self._server.make_error(status, message or "")
        answer.close_after()
        return answer


class HttpServer(web.Server):
    """All connections of one service."""

    def __init__(
        self, handler: Any, make_error: MakeError, limits: HttpLimits, plain_paths: Collection[str] = ()
    ) -> None:
        """Prepare. plain_paths: of POST requests that are served plainly where they are plain."""
        super().__init__(handler)
        self.serve: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]] = handler
        self.plain_heads = PlainHeads(plain_paths)
        self.make_error = make_error
        self.limits = limits
        self.connections_count = 0
        self.refused_count = 0
        self._per_address: dict[str, int] = {}

    def __call__(self) -> HttpConnection:
        """Make the protocol of a new connection."""
        limits = self.limits
        return HttpConnection(
            self,
            loop=asyncio.get_running_loop(),
            access_log=None,
            auto_decompress=False,
            keepalive_timeout=limits.keep_alive_s,
            lingering_time=min(LINGER_S, limits.body_timeout_s),
            max_line_size=limits.header_line_bytes,
            max_field_size=limits.header_line_bytes,
            max_headers=limits.headers_max,
        )

    def admit(self, address: str) -> bool:
        """Count a new connection; tell whether it may stay."""
        self.connections_count += 1
        here = self._per_address[address] = self._per_address.get(address, 0) + 1
        limit = self.limits.connections_per_address_max
        fits = self.connections_count <= self.limits.connections_max and not 0 < limit < here
        self.refused_count += not fits
        return fits

    def forget(self, address: str) -> None:
        """Count a connection out."""
        self.connections_count -= 1
        self._per_address[address] -= 1
        if not self._per_address[address]:
            del self._per_address[address]

    async def sweep(self, now: float, make_answer: Callable[[], bytes]) -> None:
        """Close the connections whose headers are late, a few at once: a storm of them may have come together."""
        late, unused = now - self.limits.header_timeout_s, now - self.limits.keep_alive_s
        looked, closed = 0, 0
        for connection in self.connections:
            if isinstance(connection, HttpConnection):
                looked += 1
                closed += connection.close_if_late(late, make_answer) or connection.close_if_unused(unused)
                if closed >= CLOSED_AT_ONCE or looked >= LOOKED_AT_ONCE:
                    looked, closed = 0, 0
                    await asyncio.sleep(PAUSE_S)
