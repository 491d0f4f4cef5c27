"""Refusals as answers: the one error form for whatever goes wrong between the connection and the handler."""

from __future__ import annotations

import msgspec

from exchange.infra.api_error import ApiError
from exchange.infra.http_answer import Answer
from exchange.infra.http_routes import JSON
from exchange.wire.rest.errors import ERRORS, ErrorBody, ErrorCode

SAID_MAX = 200
_ENDS_CONNECTION = (ErrorCode.REQUEST_TIMEOUT, ErrorCode.BODY_TOO_LARGE)
"""After these the rest of the body may still be on its way; reading it only to drop it helps nobody."""
_encode = msgspec.json.Encoder().encode


def refusal(error: ApiError, request_id: str) -> Answer:
    """Answer an error in the one form."""
    detail = error.extra if error.extra is not None else msgspec.UNSET
    body = ErrorBody(error.code, error.reason, error.message, error.field, error.retry, request_id, detail)
    answer = Answer(error.status, _encode(body), JSON)
    if error.headers:
        answer.add_headers(error.headers)
    if error.code in _ENDS_CONNECTION:
        answer.close_after()
    return answer


def not_http(status: int, said: str, request_id: str) -> Answer:
    """Answer what the parser could not read, and close. said: its complaint."""
    code = ErrorCode.MALFORMED_REQUEST if status < 500 else ErrorCode.INTERNAL_ERROR
    text = f"{ERRORS[code].sentence} {' '.join(said.split())[:SAID_MAX]}".strip()
    answer = Answer(status, _encode(ErrorBody(code, code.name.lower(), text, request_id=request_id)), JSON)
    answer.identify(request_id)
    answer.close_after()
    return answer


def late_headers(limit_s: float, request_id: str) -> bytes:
    """Return the whole answer for a connection whose headers do not arrive."""
    text = f"the headers did not arrive within {limit_s:g} s"
    header = f"X-Request-ID: {request_id}"
    return _last_answer("408 Request Timeout", header, ErrorCode.REQUEST_TIMEOUT, text, request_id)


def one_too_many() -> bytes:
    """Return the whole answer for a connection that finds no room."""
    code = ErrorCode.TOO_MANY_CONNECTIONS
    return _last_answer("503 Service Unavailable", "Retry-After: 1", code, ERRORS[code].sentence)


def _last_answer(status: str, header: str, code: ErrorCode, text: str, request_id: str = "") -> bytes:
    """Write an answer after which the connection is closed, and the client may try again."""
    body = _encode(ErrorBody(code, code.name.lower(), text, retry=True, request_id=request_id))
    head = f"HTTP/1.1 {status}\r\nContent-Type: {JSON}\r\n{header}\r\n"
    return f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body
