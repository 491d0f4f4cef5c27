"""The HTTP service of a component: one function from request to answer, and the server's life around it.

A request goes: path → method → draining? → key and role → rate → query → body → handler → answer. Whatever
refuses it on the way raises `ApiError`, and every refusal has the one error form.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from time import perf_counter_ns, time
from typing import Any

import structlog
from aiohttp import web

from exchange.infra.auth import KeyRing
from exchange.infra.errors import StoreUnavailable
from exchange.infra.http_answer import Answer
from exchange.infra.http_cors import Cors
from exchange.infra.http_endpoint import Endpoint
from exchange.infra.http_errors import late_headers, not_http, refusal
from exchange.infra.http_limits import Grant, HttpLimits, SharedRates, TokenBuckets
from exchange.infra.http_listener import HttpListener
from exchange.infra.http_protocol import HttpServer
from exchange.infra.http_router import PathEntry, Router
from exchange.infra.http_routes import ApiError, Call, Route, WsRoute
from exchange.infra.http_stats import RouteMeter
from exchange.infra.http_system import system_routes
from exchange.infra.log import REQUEST_ID
from exchange.infra.metrics import MetricFamilies
from exchange.infra.websocket import GOING_AWAY, POLICY, Connection, SocketLimits, is_origin_allowed
from exchange.wire.rest.engine_stats import RouteView
from exchange.wire.rest.errors import ERRORS, ErrorCode

log = structlog.get_logger(component="http")

SWEEP_S = 1.0
_REQUEST_ID = re.compile(r"[A-Za-z0-9._\-]{1,64}\Z", re.ASCII)


def no_metrics() -> MetricFamilies:
    """Return no metric families of a component's own."""
    return ()


def no_notes() -> list[str]:
    """Return no notes."""
    return []


class HttpService:
    """A server for a list of routes; health, readiness, metrics and the API's description come with it.

    keyring: None for a service that knows no keys and looks at none. ready: the reasons why the component is not
    ready, empty when it is; notes: what operators should know of a ready one. metrics: the component's own metric
    families. closing: set when a stop begins; whoever holds a request open (a long poll) ends it then.
    """

    def __init__(
        self,
        title: str,
        routes: Sequence[Route | WsRoute],
        keyring: KeyRing | None,
        *,
        ready: Callable[[], list[str]],
        version: str,
        cors_origins: Iterable[str] = (),
        limits: HttpLimits | None = None,
        socket_limits: SocketLimits | None = None,
        metrics: Callable[[], MetricFamilies] = no_metrics,
        description: str = "",
        notes: Callable[[], list[str]] = no_notes,
        shared_rates: SharedRates | None = None,
    ) -> None:
        self.title = title
        self.version = version
        self.description = description
        self.keyring = keyring
        self.ready = ready
        self.notes = notes
        self.component_metrics = metrics
        self.limits = limits or HttpLimits()
        self.socket_limits = socket_limits or SocketLimits()
        self.cors = Cors(cors_origins)
        self.closing = asyncio.Event()
        self.sockets: set[Connection] = set()
        self.in_flight = 0
        self.unmatched = RouteMeter("*", "(no route)")
        self.routes: list[Route | WsRoute] = [*routes]
        self.routes += system_routes(self)
        self._endpoints = [Endpoint(route) for route in self.routes]
        self._router: Router[Endpoint] = Router()
        for endpoint in self._endpoints:
            self._router.add(endpoint.meter.method, endpoint.route.path, endpoint)
        rate, burst = self.limits.rate_per_s, self.limits.rate_burst
        self._buckets = TokenBuckets(rate, burst) if rate else None
        self._shared_rates = shared_rates
        self._ids = secrets.token_hex(4)
        self._id_count = 0
        self._drained = asyncio.Event()
        self.port = 0
        self._http: HttpServer | None = None
        self._listener: HttpListener | None = None
        self._sweeper: asyncio.Task[None] | None = None

    def set_rates(self, rate_per_s: int, burst: int, shared_rates: SharedRates | None) -> None:
        """Take so many requests from now on, 0 for any number; buckets begin full where the rate is another one."""
        before = (self._buckets.rate_per_s, self._buckets.burst) if self._buckets else (0, 0)
        if (rate_per_s, burst or rate_per_s if rate_per_s else 0) != before:
            self._buckets = TokenBuckets(rate_per_s, burst) if rate_per_s else None
        self._shared_rates = shared_rates

    # --- life -------------------------------------------------------------------------------------

    async def start(self, host: str, port: int) -> int:
        """Listen; return the port, which the system chose where 0 was given. Raise `OSError`."""
        loop = asyncio.get_running_loop()
        plain = [endpoint.route.path for endpoint in self._endpoints if endpoint.is_hot]
        server = HttpServer(self._serve, self._refuse_garbage, self.limits, plain)
        self._listener = await HttpListener.open(host, port, server)
        self._http = server
        self._sweeper = loop.create_task(self._sweep_on())
        self.port = self._listener.port
        log.info("http_listening", title=self.title, host=host, port=self.port)
        return self.port

    async def stop(self) -> None:
        """Stop listening, refuse new requests, give running ones `drain_s`, then close every connection."""
        if self._http is None or self._listener is None or self._sweeper is None:
            return
        self.closing.set()
        await self._listener.close()
        for socket in tuple(self.sockets):
            socket.close(GOING_AWAY, ApiError.of(ErrorCode.DRAINING))
        if self.in_flight:
            with suppress(TimeoutError):
                async with asyncio.timeout(self.limits.drain_s):
                    await self._drained.wait()
        self._sweeper.cancel()
        with suppress(asyncio.CancelledError):
            await self._sweeper
        cut_off = self.in_flight
        await self._http.shutdown(timeout=0.1)
        self._http = None
        log.info("http_stopped", title=self.title, cut_off=cut_off)

    async def _sweep_on(self) -> None:
        loop = asyncio.get_running_loop()
        while self._http is not None:
            await asyncio.sleep(SWEEP_S)
            for meter in self.meters:
                meter.sample()
            await self._http.sweep(loop.time(), self._refuse_late)

    # --- what it tells about itself ---------------------------------------------------------------

    @property
    def draining(self) -> bool:
        """Tell whether a stop has begun."""
        return self.closing.is_set()

    @property
    def stats(self) -> list[RouteView]:
        """Return how each route that was called fares, and the requests that found none."""
        return [meter.stats() for meter in self.meters if meter.count]

    @property
    def meters(self) -> list[RouteMeter]:
        """List the meters of all routes."""
        return [*(endpoint.meter for endpoint in self._endpoints), self.unmatched]

    @property
    def connections_count(self) -> int:
        """Return the number of open connections."""
        return self._http.connections_count if self._http is not None else 0

    # --- one request ------------------------------------------------------------------------------

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request: the whole way in one function, because every order takes it."""
        started = perf_counter_ns()
        meter = self.unmatched
        grant: Grant | None = None
        answer: Answer
        request_id = self._identify(request)
        REQUEST_ID.set(request_id)
        self.in_flight += 1
        try:
            path = request.raw_path
            if not path.startswith("/"):
                path = request.rel_url.raw_path
            entry, parameters = self._router.find(path.partition("?")[0] if "?" in path else path)
            endpoint = self._choose(request, entry)
            if endpoint is None:
                answer = self._tell_options(request, entry)
            else:
                meter = endpoint.meter
                if self.closing.is_set() and not endpoint.is_open:
                    raise ApiError.of(ErrorCode.DRAINING, headers={"Retry-After": "1"})
                call = Call(request, request_id, None, parameters)
                if self._buckets is None or endpoint.is_open:
                    call.principal = endpoint.authorize(request, self.keyring)
                else:
                    grant = await self._admit(self._buckets, endpoint, call)
                call.query = endpoint.read_query(request)
                if endpoint.is_socket:
                    return await self._serve_socket(endpoint, call)
                if endpoint.takes_body:
                    call.body = await endpoint.read_body(request, self.limits.body_timeout_s)
                result = await endpoint.handle(call)
                if isinstance(result, web.StreamResponse):
                    meter.observe(result.status, perf_counter_ns() - started)
                    return result
                answer = endpoint.answer(result)
        except ApiError as error:
            answer = refusal(error, request_id)
        except StoreUnavailable as error:
            log.warning("store_unavailable", path=request.path, reason=str(error))
            answer = refusal(ApiError.of(ErrorCode.STORE_UNREACHABLE), request_id)
        except web.HTTPException as error:
            text = error.text or error.reason
            answer = refusal(ApiError(error.status, ErrorCode.MALFORMED_REQUEST, text), request_id)
        except ConnectionError:
            raise
        except Exception as error:
            log.exception("request_failed", path=request.path, error=repr(error))
            answer = refusal(ApiError.of(ErrorCode.INTERNAL_ERROR), request_id)
        finally:
            self.in_flight -= 1
            REQUEST_ID.set("")
            if not self.in_flight and self.closing.is_set():
                self._drained.set()
        answer.identify(request_id)
        if grant is not None:
            answer.add_headers(_rate_headers(grant))
        if self.cors.origins:
            answer.add_headers(self.cors.headers(request.headers.get("Origin")))
        if self.closing.is_set():
            answer.close_after()
        meter.observe(answer.status, perf_counter_ns() - started)
        return answer

    def _identify(self, request: web.BaseRequest) -> str:
        """Return the request's id: the client's own where it is a short plain word, else a new one."""
        given = request.headers.get("X-Request-ID")
        if given is not None and _REQUEST_ID.match(given):
            return given
        return self._new_id()

    def _new_id(self) -> str:
        self._id_count += 1
        return f"{self._ids}-{self._id_count:x}"

    def _choose(self, request: web.BaseRequest, entry: PathEntry[Endpoint] | None) -> Endpoint | None:
        """Return the endpoint of a request; None for OPTIONS. Raise `ApiError` 404 or 405."""
        if entry is None:
            near = self._router.near(request.path)
            hint = f"near: {', '.join(near)}" if near else "/docs lists what there is"
            text = f"there is nothing at {request.path[:200]}; {hint}"
            raise ApiError.of(ErrorCode.UNKNOWN_PATH, text, extra={"near": near})
        endpoint = entry.methods.get(request.method)
        if endpoint is None and request.method == "HEAD":
            endpoint = entry.methods.get("GET")
        if endpoint is None and request.method != "OPTIONS":
            text = f"{entry.path} takes {entry.allow}, got {request.method[:20]}"
            raise ApiError.of(ErrorCode.METHOD_NOT_ALLOWED, text, headers={"Allow": entry.allow})
        return endpoint

    def _tell_options(self, request: web.BaseRequest, entry: PathEntry[Endpoint] | None) -> Answer:
        assert entry is not None
        answer = Answer(204, b"", "")
        answer.add_headers(self.cors.preflight(request.headers.get("Origin"), entry.allow))
        return answer

    async def _admit(self, buckets: TokenBuckets, endpoint: Endpoint, call: Call) -> Grant:
        """Find out who calls, and take a token of the key, or of the address where no good key is sent."""
        refused: ApiError | None = None
        try:
            call.principal = endpoint.authorize(call.raw, self.keyring)
        except ApiError as error:
            refused = error
        owner = call.principal.key_id if call.principal else call.raw.remote
        grant = buckets.take(owner, asyncio.get_running_loop().time())
        if grant.taken and self._shared_rates is not None:
            grant = await self._shared_rates.take(str(owner), grant)
        if not grant.taken:
            headers = {"Retry-After": str(int(grant.retry_after_s) + 1), **_rate_headers(grant)}
            text = f"more than {buckets.rate_per_s} requests per second; wait {grant.retry_after_s:.3f} s"
            raise ApiError.of(ErrorCode.TOO_MANY_REQUESTS, text, headers=headers)
        if refused is not None:
            raise refused
        return grant

    async def _serve_socket(self, endpoint: Endpoint, call: Call) -> web.StreamResponse:
        """Open a WebSocket and let its handler run. Raise `ApiError` where it may not be opened."""
        assert isinstance(endpoint.route, WsRoute)
        if call.raw.headers.get("Upgrade", "").lower() != "websocket":
            raise ApiError.of(ErrorCode.UPGRADE_REQUIRED, headers={"Upgrade": "websocket"})
        if not is_origin_allowed(call.raw, self.cors.origins):
            raise ApiError.of(ErrorCode.ORIGIN_NOT_ALLOWED)
        if len(self.sockets) >= self.limits.sockets_max:
            raise ApiError.of(ErrorCode.TOO_MANY_CONNECTIONS, headers={"Retry-After": "10"})
        connection = Connection(call.raw, self.socket_limits)
        await connection.open()
        endpoint.meter.observe(101, 0)
        self.sockets.add(connection)
        failed = True
        try:
            await endpoint.route.handler(connection, call)
            failed = False
        except ApiError as error:
            connection.close(POLICY, error)
        finally:
            await connection.finish(failed)
            self.sockets.discard(connection)
        return connection.response

    def _refuse_garbage(self, status: int, said: str) -> Answer:
        self.unmatched.observe(status, 0)
        return not_http(status, said, self._new_id())

    def _refuse_late(self) -> bytes:
        self.unmatched.observe(ERRORS[ErrorCode.REQUEST_TIMEOUT].status, 0)
        return late_headers(self.limits.header_timeout_s, self._new_id())


def _rate_headers(grant: Grant) -> dict[str, Any]:
    return {
        "X-RateLimit-Limit": str(grant.limit),
        "X-RateLimit-Remaining": str(grant.remaining),
        "X-RateLimit-Reset": str(int(time() + grant.reset_s) + 1),
    }
