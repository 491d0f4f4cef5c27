"""What a component says about its HTTP interface: routes, and the call, reply and error of a handler."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiohttp import web

from exchange.domain.participant import Role
from exchange.infra.api_error import ApiError as ApiError
from exchange.infra.auth import Principal
from exchange.infra.websocket import Connection
from exchange.wire.rest.errors import ErrorCode

JSON = "application/json"
BODY_BYTES_MAX = 64 * 1024
PATH_ID_MAX = 2**64 - 1
PATH_ID_DIGITS_MAX = 20


class Reply(msgspec.Struct):
    """An answer other than the route's plain one. body: what msgspec can encode, or bytes as they are.

    status 0 and content_type "" stand for those of the route.
    """

    status: int = 0
    body: Any = None
    headers: dict[str, str] = {}
    content_type: str = ""


@dataclass(slots=True)
class Call:
    """One request as its handler sees it. body, query: of the route's types, or None where it has none."""

    raw: web.BaseRequest
    request_id: str
    principal: Principal | None = None
    path: dict[str, str] = field(default_factory=dict)
    body: Any = None
    query: Any = None

    @property
    def who(self) -> Principal:
        """Return the principal of a route that needs a key."""
        assert self.principal is not None, "the route is public: it has roles=None"
        return self.principal

    def path_id(self, name: str) -> int:
        """Return the path parameter as a 64-bit id. Raise `ApiError` 400, or 404 beyond 64 bits."""
        text = self.path[name]
        if not (text.isascii() and text.isdigit() and len(text) <= PATH_ID_DIGITS_MAX):
            shown = text if len(text) <= 40 else text[:39] + "…"
            message = f"{name} must be a whole number such as 1042, got {shown!r}"
            raise ApiError.of(ErrorCode.INVALID_PARAMETER, message, name)
        if int(text) > PATH_ID_MAX:
            raise ApiError.of(ErrorCode.NOT_FOUND, f"{name} {text} is above every id there can be", name)
        return int(text)


Handler = Callable[[Call], Awaitable[Any]]
SocketHandler = Callable[[Connection, Call], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Route:
    """One method on one path, and everything that its handler need not check itself."""

    method: str
    path: str
    """With its parameters: `/api/v1/order/{order_id}`."""
    handler: Handler
    summary: str
    """One imperative sentence without a full stop."""
    tag: str
    roles: frozenset[Role] | None = None
    """Who is admitted, with the roles that include them; None: everybody, and a given key is recognised."""
    body: Any = None
    """The type of the JSON body, or `bytes` for the body as it is; None: no body is read."""
    query: type[msgspec.Struct] | None = None
    returns: Any = None
    """The type of the reply, for the API's description."""
    status: int = 200
    errors: tuple[int, ...] = ()
    """Statuses of errors that the handler itself answers, beside those of the transport."""
    example: Any = None
    """A body to show and try; must be valid."""
    body_limit: int = BODY_BYTES_MAX
    description: str = ""
    media: str = JSON
    """Content type of the reply."""
    also: Mapping[int, Any] = field(default_factory=dict)
    """Other statuses the handler answers, that are not in the error form, with their types."""
    other_media: tuple[str, ...] = ()
    """Other content types the reply can have."""
    path_types: Mapping[str, Any] = field(default_factory=dict)
    """Types of path parameters, for the description; by default an id where the name ends so, else a text."""
    path_examples: Mapping[str, str] = field(default_factory=dict)
    operation: str = ""
    """The operation's id; the handler's name by default."""
    ignores_key: bool = False
    """Not even a wrong key is refused: for health and metrics."""
    is_hot: bool = False
    """A POST without path parameters whose handler never looks at `Call.raw`: `http_plain` serves it where it can."""


@dataclass(frozen=True, slots=True)
class WsRoute:
    """A path that speaks WebSocket. roles: as in `Route`."""

    path: str
    handler: SocketHandler
    summary: str = ""
    roles: frozenset[Role] | None = None
    description: str = ""
