"""A route made ready to serve: what depends on the route alone is worked out once, at the start."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from aiohttp import web

from exchange.infra.auth import AuthError, KeyRing, Principal, admitted
from exchange.infra.http_answer import Answer
from exchange.infra.http_routes import JSON, ApiError, Call, Reply, Route, WsRoute
from exchange.infra.http_stats import RouteMeter
from exchange.infra.json_body import JsonBody, shown
from exchange.infra.query_string import QueryString, unknown_parameter
from exchange.wire.rest.errors import ErrorCode

_encode = msgspec.json.Encoder().encode
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="exchange"'}
_CHALLENGE_WRONG = {"WWW-Authenticate": 'Bearer realm="exchange", error="invalid_token"'}


class Endpoint:
    """One route with its readers, its roles and its meter."""

    def __init__(self, route: Route | WsRoute) -> None:
        self.route = route
        self.admitted = None if route.roles is None else admitted(route.roles)
        self.is_socket = isinstance(route, WsRoute)
        method = "GET" if isinstance(route, WsRoute) else route.method
        self.meter = RouteMeter(method, route.path)
        self._body: JsonBody | None = None
        self._query: QueryString | None = None
        self.is_open = isinstance(route, Route) and route.ignores_key
        """Health and figures: for everybody, at any rate, and while the server shuts down."""
        self.is_hot = isinstance(route, Route) and route.is_hot
        self.takes_body = False
        self.body_limit = 0
        if isinstance(route, Route):
            self.takes_body = route.body is not None
            self.body_limit = route.body_limit
            self._body = JsonBody(route.body) if self.takes_body and route.body is not bytes else None
            self._check_example(route)
            self._query = QueryString(route.query) if route.query is not None else None

    def _check_example(self, route: Route) -> None:
        if route.example is None or self._body is None:
            return
        try:
            self._body.read(_encode(route.example))
        except ApiError as error:
            raise ValueError(f"the example of {route.method} {route.path} is not valid: {error}") from None

    def authorize(self, request: web.BaseRequest, keyring: KeyRing | None) -> Principal | None:
        """Return who sends the request. Raise `ApiError` 401 or 403."""
        header = request.headers.get("Authorization")
        if header is None or keyring is None or self.is_open:
            if self.admitted is None:
                return None
            raise ApiError.of(ErrorCode.KEY_MISSING, headers=_CHALLENGE)
        try:
            principal = keyring.authenticate(header)
        except AuthError as error:
            raise ApiError.of(ErrorCode.KEY_UNKNOWN, str(error), headers=_CHALLENGE_WRONG) from None
        if self.admitted is not None and principal.role not in self.admitted:
            assert self.route.roles is not None
            wanted = " or ".join(sorted(role.name.lower() for role in self.route.roles))
            text = f"this needs a key of role {wanted}; yours is {principal.role.name.lower()}"
            raise ApiError.of(ErrorCode.ROLE_NOT_ALLOWED, text)
        return principal

    def read_query(self, request: web.BaseRequest) -> Any:
        """Return the query as the route's type. Raise `ApiError` 400."""
        if self._query is not None:
            return self._query.read(request.rel_url.query.items())
        if "?" in request.raw_path and not self.is_socket:
            for name in request.rel_url.query:
                raise unknown_parameter(name, [])
        return None

    async def read_body(self, request: web.BaseRequest, timeout_s: float) -> Any:
        """Return the body as the route's type. Raise `ApiError` 400, 408, 413 or 415."""
        _check_media(request, self._body is not None)
        size = request.content_length
        if size is not None and size > self.body_limit:
            raise _too_large(self.body_limit)
        content = request.content
        body = content.read_nowait(-1) if content.is_eof() else await self._receive(request, timeout_s)
        if len(body) > self.body_limit:
            raise _too_large(self.body_limit)
        return body if self._body is None else self._body.read(body)

    async def handle(self, call: Call) -> Any:
        """Let the route's handler run."""
        assert isinstance(self.route, Route)
        return await self.route.handler(call)

    def answer(self, result: Any) -> Answer:
        """Turn what a handler returns into an answer."""
        route = self.route
        assert isinstance(route, Route)
        if not isinstance(result, Reply):
            return _answer(route.status, result, route.media)
        answer = _answer(result.status or route.status, result.body, result.content_type or route.media)
        if result.headers:
            answer.add_headers(result.headers)
        return answer

    async def _receive(self, request: web.BaseRequest, timeout_s: float) -> bytes:
        if request.headers.get("Expect", "").lower() == "100-continue" and request.version >= (1, 1):
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = bytearray()
        try:
            async with asyncio.timeout(timeout_s):
                while chunk := await request.content.readany():
                    body += chunk
                    if len(body) > self.body_limit:
                        raise _too_large(self.body_limit)
        except TimeoutError:
            text = f"the body did not arrive within {timeout_s:g} s; {len(body)} bytes did"
            raise ApiError.of(ErrorCode.REQUEST_TIMEOUT, text) from None
        return bytes(body)


def _answer(status: int, body: Any, media: str) -> Answer:
    if body is None:
        return Answer(status, b"", "")
    return Answer(status, body if isinstance(body, bytes) else _encode(body), media)


def _check_media(request: web.BaseRequest, must_be_json: bool) -> None:
    media = request.headers.get("Content-Type")
    if (
        must_be_json
        and media is not None
        and media != JSON
        and media.partition(";")[0].strip().lower() != JSON
    ):
        text = f"the body must be JSON: send the header `Content-Type: {JSON}`, got {shown(media)}"
        raise ApiError.of(ErrorCode.MEDIA_TYPE_NOT_SUPPORTED, text)
    coding = request.headers.get("Content-Encoding")
    if coding is not None and coding.lower() != "identity":
        text = f"the body must not be compressed, got Content-Encoding {shown(coding)}"
        raise ApiError.of(ErrorCode.MEDIA_TYPE_NOT_SUPPORTED, text)


def _too_large(limit: int) -> ApiError:
    return ApiError.of(
        ErrorCode.BODY_TOO_LARGE, f"the body must be at most {limit} bytes; send less, or in parts"
    )
