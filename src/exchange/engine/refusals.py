"""How the engine's REST says no: business reasons with their figures, and values of no unit."""

from __future__ import annotations

from typing import Any

from exchange.domain.reasons import REASONS, Reason
from exchange.domain.units import UnitError
from exchange.infra.http_routes import ApiError
from exchange.wire.rest.errors import ErrorBody, ErrorCode
from exchange.wire.rest.rejects import reject_message

_STATUSES = {
    Reason.CLIENT_ORDER_ID_REUSED: 409,
    Reason.NAME_TAKEN: 409,
    Reason.SYMBOL_TAKEN: 409,
    Reason.ALREADY_BLOCKED: 409,
    Reason.NOT_BLOCKED: 404,
    Reason.UNKNOWN_ORDER: 404,
    Reason.UNKNOWN_TRADE: 404,
    Reason.UNKNOWN_KEY: 404,
}
BUSINESS_REJECT = 422


def refusal(
    reason: int,
    message: str = "",
    *,
    measured: int = 0,
    limit: int = 0,
    field: str = "",
    in_money: bool = False,
    extra: dict[str, Any] | None = None,
) -> ApiError:
    """Make the error of a business reason; without a message it is the reason's sentence with the figures."""
    reason = Reason(reason)
    return ApiError(
        _STATUSES.get(reason, BUSINESS_REJECT),
        reason,
        message or reject_message(reason, measured, limit, in_money=in_money),
        field or REASONS[reason].field,
        extra=extra,
    )


def invalid_field(field: str, error: UnitError | str) -> ApiError:
    """Make the error of a field whose text is no value of its unit."""
    return ApiError.of(ErrorCode.INVALID_FIELD, str(error), field)


def invalid_parameter(name: str, message: str) -> ApiError:
    """Make the error of a query or path parameter that cannot be."""
    return ApiError.of(ErrorCode.INVALID_PARAMETER, message, name)


def not_found(what: str) -> ApiError:
    """Make the error of something that is not there, or not there for this key."""
    return ApiError.of(ErrorCode.NOT_FOUND, f"There is no {what}.")


def error_body(error: ApiError, request_id: str) -> ErrorBody:
    """Write an error as one item of an array has it."""
    return ErrorBody(error.code, error.reason, error.message, error.field, error.retry, request_id)
