"""The refusal that any part may raise."""

from __future__ import annotations

from exchange.domain.reasons import Reason
from exchange.infra.api_error import ApiError
from exchange.wire.rest.errors import ErrorCode


def test_an_error_takes_name_and_retry_from_its_code() -> None:
    business = ApiError(422, Reason.SYMBOL_SUSPENDED, "Trading is suspended.", "symbol")
    assert (business.reason, business.retry, business.field) == ("symbol_suspended", True, "symbol")
    assert not ApiError(503, ErrorCode.ENGINE_BUSY, "Busy.", retry=False).retry


def test_a_transport_error_takes_status_and_sentence_from_the_table() -> None:
    error = ApiError.of(ErrorCode.BODY_TOO_LARGE)
    assert (error.status, error.reason, error.retry) == (413, "body_too_large", False)
    assert error.message == "The body is larger than this request takes."
    assert ApiError.of(ErrorCode.GONE, "Events before 7 are gone.", extra={"first": 7}).extra == {"first": 7}
