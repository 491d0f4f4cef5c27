"""The one form of every error, and the table of errors that come from the transport, not from the market.

A number below 1000 is a business reason (`domain/reasons.py`); from 1000 on it is one of `ErrorCode`. A
number is never reused.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, NamedTuple

import msgspec

from exchange.domain.reasons import REASONS, Reason


class ErrorBody(msgspec.Struct, gc=False):
    """What every refusal answers. retry: whether the same request can succeed later without being changed."""

    code: int
    reason: str
    message: str
    field: str = ""
    retry: bool = False
    request_id: str = ""
    detail: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


class ErrorCode(IntEnum):
    """The number of a transport error; `ERRORS` has its status and sentence."""

    MALFORMED_REQUEST = 1000
    MALFORMED_JSON = 1001
    INVALID_FIELD = 1002
    UNKNOWN_FIELD = 1003
    MISSING_FIELD = 1004
    TOO_DEEP = 1005
    NUMBER_TOO_LONG = 1006
    INVALID_PARAMETER = 1007
    UNKNOWN_PARAMETER = 1008
    MISSING_PARAMETER = 1009
    KEY_MISSING = 1010
    KEY_UNKNOWN = 1011
    ROLE_NOT_ALLOWED = 1012
    ORIGIN_NOT_ALLOWED = 1013
    UNKNOWN_PATH = 1020
    NOT_FOUND = 1021
    METHOD_NOT_ALLOWED = 1022
    CONFLICT = 1023
    GONE = 1024
    REQUEST_TIMEOUT = 1030
    BODY_TOO_LARGE = 1031
    MEDIA_TYPE_NOT_SUPPORTED = 1032
    TOO_MANY_REQUESTS = 1033
    TOO_MANY_CONNECTIONS = 1034
    UPGRADE_REQUIRED = 1035
    INTERNAL_ERROR = 1040
    DRAINING = 1041
    NOT_READY = 1042
    ENGINE_BUSY = 1043
    ENGINE_HALTED = 1044
    ENGINE_UNREACHABLE = 1045
    STORE_UNREACHABLE = 1046
    SLOW_READER = 1050
    UNKNOWN_OPERATION = 1051
    UNKNOWN_CHANNEL = 1052
    TOO_MANY_SUBSCRIPTIONS = 1053


class ErrorText(NamedTuple):
    """status: of HTTP; sentence: the whole sentence; retry: see `ErrorBody`."""

    status: int
    sentence: str
    retry: bool = False


ERRORS: dict[ErrorCode, ErrorText] = {
    ErrorCode.MALFORMED_REQUEST: ErrorText(400, "This is not a request of HTTP/1.1."),
    ErrorCode.MALFORMED_JSON: ErrorText(400, "The body is not well-formed JSON."),
    ErrorCode.INVALID_FIELD: ErrorText(400, "A field of the body has the wrong type or value."),
    ErrorCode.UNKNOWN_FIELD: ErrorText(400, "The body has a field that this request does not take."),
    ErrorCode.MISSING_FIELD: ErrorText(400, "The body lacks a field that this request needs."),
    ErrorCode.TOO_DEEP: ErrorText(400, "The body is nested too deeply."),
    ErrorCode.NUMBER_TOO_LONG: ErrorText(400, "A number has more than 18 digits."),
    ErrorCode.INVALID_PARAMETER: ErrorText(400, "A parameter of the path or query has the wrong value."),
    ErrorCode.UNKNOWN_PARAMETER: ErrorText(400, "The query has a parameter that this request does not take."),
    ErrorCode.MISSING_PARAMETER: ErrorText(400, "The query lacks a parameter that this request needs."),
    ErrorCode.KEY_MISSING: ErrorText(
        401, "This request needs a key: send the header `Authorization: Bearer KEY`."
    ),
    ErrorCode.KEY_UNKNOWN: ErrorText(401, "This key is unknown or revoked."),
    ErrorCode.ROLE_NOT_ALLOWED: ErrorText(403, "The role of this key does not allow this request."),
    ErrorCode.ORIGIN_NOT_ALLOWED: ErrorText(403, "Pages of this origin may not connect."),
    ErrorCode.UNKNOWN_PATH: ErrorText(404, "There is nothing at this path."),
    ErrorCode.NOT_FOUND: ErrorText(404, "There is no such thing."),
    ErrorCode.METHOD_NOT_ALLOWED: ErrorText(405, "This path does not take this method."),
    ErrorCode.CONFLICT: ErrorText(409, "The request contradicts an earlier one."),
    ErrorCode.GONE: ErrorText(410, "This is no longer kept."),
    ErrorCode.REQUEST_TIMEOUT: ErrorText(408, "The request took too long to arrive.", retry=True),
    ErrorCode.BODY_TOO_LARGE: ErrorText(413, "The body is larger than this request takes."),
    ErrorCode.MEDIA_TYPE_NOT_SUPPORTED: ErrorText(415, "The body must be JSON, not compressed."),
    ErrorCode.TOO_MANY_REQUESTS: ErrorText(429, "Too many requests; wait and try again.", retry=True),
    ErrorCode.TOO_MANY_CONNECTIONS: ErrorText(
        503, "Too many connections; close some or try later.", retry=True
    ),
    ErrorCode.UPGRADE_REQUIRED: ErrorText(426, "This path speaks WebSocket only."),
    ErrorCode.INTERNAL_ERROR: ErrorText(
        500,
        "The server failed; whether the request took effect is unknown, so look before trying again.",
        retry=True,
    ),
    ErrorCode.DRAINING: ErrorText(503, "The server is shutting down; try again soon.", retry=True),
    ErrorCode.NOT_READY: ErrorText(503, "The component is not ready; /readyz says why.", retry=True),
    ErrorCode.ENGINE_BUSY: ErrorText(
        503, "The engine has its maximum of pending commands; try again.", retry=True
    ),
    ErrorCode.ENGINE_HALTED: ErrorText(
        503, "The engine is halted and takes no commands; /readyz says why.", retry=True
    ),
    ErrorCode.ENGINE_UNREACHABLE: ErrorText(503, "The engine cannot be reached; try again.", retry=True),
    ErrorCode.STORE_UNREACHABLE: ErrorText(
        503, "The database of this component cannot be reached or has no room; try again.", retry=True
    ),
    ErrorCode.SLOW_READER: ErrorText(
        0, "The reader is too slow; resume from the sequence in `resume_from`.", retry=True
    ),
    ErrorCode.UNKNOWN_OPERATION: ErrorText(400, "The stream does not know this operation."),
    ErrorCode.UNKNOWN_CHANNEL: ErrorText(400, "The stream has no such channel."),
    ErrorCode.TOO_MANY_SUBSCRIPTIONS: ErrorText(400, "The connection has its maximum of subscriptions."),
}


def reason_name(code: int) -> str:
    """Return the name beside a number: of a transport error from 1000 on, else of a business reason."""
    return (ErrorCode(code) if code >= ErrorCode.MALFORMED_REQUEST else Reason(code)).name.lower()


def can_retry(code: int) -> bool:
    """Tell whether the same request can succeed later without being changed."""
    if code >= ErrorCode.MALFORMED_REQUEST:
        return ERRORS[ErrorCode(code)].retry
    return REASONS[Reason(code)].retry
