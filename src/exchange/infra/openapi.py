"""The description of an API in OpenAPI 3.1, made from the same routes and types that serve it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from inspect import cleandoc
from typing import Any

import msgspec

from exchange.infra.http_routes import JSON, PATH_ID_DIGITS_MAX, Route, WsRoute
from exchange.wire.rest.errors import ERRORS, ErrorBody

VERSION = "3.1.1"
CONVENTIONS = """
Ids, prices and other decimals are texts; quantities are texts going out and texts or whole numbers coming in; numbers
have at most 18 digits; times are RFC 3339 in UTC with nanoseconds. Unknown fields and parameters are refused, and of a
key given twice in an object the last one counts. Every refusal has one form, `ErrorBody`: below 1000 its `code` is a
reason of the market, from 1000 on an error of the transport. Every answer carries `X-Request-ID`, the client's own
where it sent one. After a 5xx or a lost connection the outcome is unknown, not failed: look, then try again.
""".strip()
SCHEMA_PATH = "#/components/schemas/{name}"
RESPONSE_PATH = "#/components/responses/{status}"
_REQUEST_ID_HEADER = {"X-Request-ID": {"$ref": "#/components/headers/X-Request-ID"}}
_REQUEST_ID = {
    "description": "The request's id: the client's own if it sent one, else the server's.",
    "schema": {"type": "string"},
}
_KEY_SCHEME = {"type": "http", "scheme": "bearer", "description": "A key as the exchange gave it: `xk_…`."}
_PARAMETER = re.compile(r"\{(\w+)\}")
_ID = {
    "type": "string",
    "pattern": f"^[0-9]{{1,{PATH_ID_DIGITS_MAX}}}$",
    "description": "A 64-bit id.",
    "example": "1042",
}
_RETRY = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
_HEADERS = {
    401: {"WWW-Authenticate": {"description": "The scheme: Bearer.", "schema": {"type": "string"}}},
    429: _RETRY,
    503: _RETRY,
}
_TITLES = {200: "Done.", 201: "Created.", 202: "Taken; not finished yet.", 204: "Done; no content."}
_SENTENCES = {
    400: "Malformed: the request is not what this operation takes; `field` names the part.",
    401: "No key, or an unknown or revoked one.",
    403: "The key's role does not allow this.",
    404: "There is no such thing.",
    408: "The body did not arrive in time.",
    409: "The request contradicts an earlier one.",
    410: "No longer kept.",
    413: "The body is too large.",
    415: "The body is not JSON, or is compressed.",
    422: "Refused by the rules of the market; `code` and `reason` say which.",
    429: "Too many requests.",
    500: "The server failed: the outcome is unknown, not failed.",
    503: "Not ready, busy or shutting down; the outcome is unknown unless `code` says otherwise.",
}


class _Schemas:
    """The JSON schemas of an API's types, each named once."""

    def __init__(self, routes: Sequence[Route]) -> None:
        kinds: list[Any] = [ErrorBody]
        for route in routes:
            kinds += [route.body, route.returns, *route.also.values(), *route.path_types.values()]
        described = [kind for kind in kinds if kind is not None and kind is not bytes]
        schemas, self.components = msgspec.json.schema_components(
            described, schema_hook=_schema_of_object, ref_template=SCHEMA_PATH
        )
        outdent(self.components)
        self._schemas = {repr(kind): schema for kind, schema in zip(described, schemas, strict=True)}

    def of(self, kind: Any) -> dict[str, Any]:
        """Return the schema of a type, by reference where it has a name."""
        return self._schemas[repr(kind)]

    def of_query(self, query: type[msgspec.Struct]) -> tuple[dict[str, Any], list[str]]:
        """Return the schemas of a query's parameters, and the names of those that must be given."""
        (reference,), components = msgspec.json.schema_components(
            [query], schema_hook=_schema_of_object, ref_template=SCHEMA_PATH
        )
        outdent(components)
        schema = components.pop(reference["$ref"].rpartition("/")[2])
        self.components.update(components)
        return schema.get("properties", {}), schema.get("required", [])


def outdent(components: dict[str, Any]) -> None:
    """Take the indentation out of named schemas' descriptions, which are docstrings; Python 3.13 does so itself."""
    for schema in components.values():
        if "description" in schema:
            schema["description"] = cleandoc(schema["description"])


def _schema_of_object(kind: type) -> dict[str, Any]:
    if kind is object:
        return {"description": "Any value."}
    raise NotImplementedError


def document(
    title: str,
    version: str,
    routes: Sequence[Route | WsRoute],
    *,
    description: str = "",
    rate_limited: bool = False,
) -> dict[str, Any]:
    """Describe an API. rate_limited: whether every operation can answer 429."""
    plain = [route for route in routes if isinstance(route, Route)]
    schemas = _Schemas(plain)
    paths: dict[str, dict[str, Any]] = {}
    names: set[str] = set()
    for route in plain:
        method, made = route.method.lower(), _operation(route, schemas, rate_limited)
        made["operationId"] = _unique(made["operationId"], method, route.path, names)
        paths.setdefault(route.path, {})[method] = made
    tags = dict.fromkeys(tag for path in paths.values() for made in path.values() for tag in made["tags"])
    return {
        "openapi": VERSION,
        "info": {
            "title": title,
            "version": version,
            "description": f"{description} {CONVENTIONS}".strip(),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in tags],
        "paths": paths,
        "x-websockets": [_socket(route) for route in routes if isinstance(route, WsRoute)],
        "components": {
            "schemas": schemas.components,
            "responses": {str(status): _error_response(status) for status in _statuses_in(paths)},
            "headers": {"X-Request-ID": _REQUEST_ID},
            "securitySchemes": {"key": _KEY_SCHEME},
        },
    }


def _statuses_in(paths: Mapping[str, Mapping[str, Any]]) -> list[int]:
    """List the statuses whose answer is the shared one in the error form."""
    answers = [
        answer for path in paths.values() for made in path.values() for answer in made["responses"].items()
    ]
    return sorted({int(status) for status, answer in answers if "$ref" in answer})


def _operation(route: Route, schemas: _Schemas, rate_limited: bool) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": route.operation or _name_of(route.handler),
        "summary": route.summary,
        "tags": [route.tag],
        "security": _security(route),
    }
    text = " ".join(part for part in (route.description, _roles_sentence(route)) if part)
    if text:
        made["description"] = text
    if parameters := [*_path_parameters(route, schemas), *_query_parameters(route, schemas)]:
        made["parameters"] = parameters
    if route.body is not None:
        made["requestBody"] = _request_body(route, schemas)
    made["responses"] = _responses(route, schemas, rate_limited)
    return made


def _socket(route: WsRoute) -> dict[str, Any]:
    """Describe a WebSocket, for which OpenAPI has no words of its own."""
    text = " ".join(part for part in (route.description, _roles_sentence(route)) if part)
    return {"path": route.path, "summary": route.summary or "Open a WebSocket", "description": text}


def _security(route: Route) -> list[dict[str, list[str]]]:
    if route.ignores_key:
        return []
    return [{"key": []}] if route.roles is not None else [{}, {"key": []}]


def _roles_sentence(route: Route | WsRoute) -> str:
    if route.roles is None:
        return ""
    names = ", ".join(sorted(role.name.lower() for role in route.roles))
    return f"Needs a key of role {names}, or of one that includes it."


def _path_parameters(route: Route, schemas: _Schemas) -> list[dict[str, Any]]:
    made = []
    for name in _PARAMETER.findall(route.path):
        is_id = name == "id" or name.endswith("_id")
        schema = dict(_ID) if is_id else {"type": "string"}
        if name in route.path_types:
            schema = schemas.of(route.path_types[name])
        parameter: dict[str, Any] = {"name": name, "in": "path", "required": True, "schema": schema}
        example = route.path_examples.get(name) or schema.pop("example", None)
        made.append(parameter | ({"example": example} if example is not None else {}))
    return made


def _query_parameters(route: Route, schemas: _Schemas) -> list[dict[str, Any]]:
    if route.query is None:
        return []
    properties, required = schemas.of_query(route.query)
    made = []
    for name, schema in properties.items():
        parameter: dict[str, Any] = {"name": name, "in": "query", "required": name in required}
        if text := schema.get("description"):
            parameter["description"] = text
        made.append({**parameter, "schema": schema})
    return made


def _request_body(route: Route, schemas: _Schemas) -> dict[str, Any]:
    if route.body is bytes:
        content: dict[str, Any] = {"application/octet-stream": {}}
    else:
        content = {JSON: {"schema": schemas.of(route.body)}}
        if route.example is not None:
            content[JSON]["example"] = msgspec.to_builtins(route.example)
    return {
        "required": route.body is not bytes,
        "content": content,
        "description": f"At most {route.body_limit} bytes.",
    }


def _responses(route: Route, schemas: _Schemas, rate_limited: bool) -> dict[str, Any]:
    has_body = route.method != "HEAD"
    made = {
        status: _error_reference(status) if has_body else _error_response(status, has_body=False)
        for status in _error_statuses(route, rate_limited)
    }
    for status, kind in {route.status: route.returns, **route.also}.items():
        made[status] = {"description": _TITLES.get(status, "See the body."), "headers": _REQUEST_ID_HEADER}
        if kind is not None and has_body:
            media_types = (route.media, *route.other_media)
            made[status]["content"] = {media: _content(media, kind, schemas) for media in media_types}
    return {str(status): made[status] for status in sorted(made)}


def _error_statuses(route: Route, rate_limited: bool) -> set[int]:
    statuses = {400, 500, 503, *route.errors}
    if not route.ignores_key:
        statuses.add(401)
    if route.roles is not None:
        statuses.add(403)
    if any(name == "id" or name.endswith("_id") for name in _PARAMETER.findall(route.path)):
        statuses.add(404)
    if route.body is not None:
        statuses |= {408, 413, 415}
    if rate_limited:
        statuses.add(429)
    return statuses


def _content(media: str, kind: Any, schemas: _Schemas) -> dict[str, Any]:
    if media.startswith("text/"):
        return {"schema": {"type": "string"}}
    if media != JSON or kind is bytes:
        return {}
    return {"schema": schemas.of(kind)}


def _error_reference(status: int) -> dict[str, Any]:
    return {"$ref": RESPONSE_PATH.format(status=status)}


def _error_response(status: int, has_body: bool = True) -> dict[str, Any]:
    made: dict[str, Any] = {
        "description": _SENTENCES.get(status, "See `code` and `reason`."),
        "headers": {**_REQUEST_ID_HEADER, **_HEADERS.get(status, {})},
    }
    if has_body:
        content: dict[str, Any] = {"schema": {"$ref": SCHEMA_PATH.format(name=ErrorBody.__name__)}}
        if example := _error_example(status):
            content["example"] = example
        made["content"] = {JSON: content}
    return made


def _error_example(status: int) -> Any:
    for code, text in ERRORS.items():
        if text.status == status:
            body = ErrorBody(code, code.name.lower(), text.sentence, "", text.retry, "45cfd6e3-1")
            return msgspec.to_builtins(body)
    return None


def _name_of(handler: object) -> str:
    return getattr(handler, "__name__", "").strip("_")


def _unique(name: str, method: str, path: str, names: set[str]) -> str:
    if not name.isidentifier() or name in names:
        name = f"{method}_{re.sub(r'[^a-z0-9]+', '_', path.lower()).strip('_')}"
    names.add(name)
    return name
