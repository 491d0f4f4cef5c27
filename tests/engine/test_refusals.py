"""Tests of exchange.engine.refusals: the errors of the engine's REST."""

from __future__ import annotations

from exchange.domain.reasons import Reason
from exchange.engine.refusals import error_body, invalid_field, invalid_parameter, not_found, refusal


def test_a_business_reason_has_its_status_field_and_figures() -> None:
    error = refusal(Reason.PRICE_NOT_ON_TICK, measured=1_892_055, limit=100)
    assert (error.status, error.code, error.field, error.retry) == (422, 15, "price", False)
    assert error.message == "price 189.2055 is not a multiple of the tick size 0.01; nearest 189.20 or 189.21"


def test_reasons_about_other_things_than_the_request_have_other_statuses() -> None:
    assert refusal(Reason.CLIENT_ORDER_ID_REUSED, measured=7).status == 409
    assert refusal(Reason.UNKNOWN_ORDER).status == 404
    assert refusal(Reason.SYMBOL_SUSPENDED).retry


def test_values_and_things_that_are_not_there_have_their_transport_errors() -> None:
    assert (invalid_field("qty", "qty must be").status, invalid_parameter("x", "y").field) == (400, "x")
    assert not_found("order 7").message == "There is no order 7."


def test_an_error_in_an_array_has_the_one_form() -> None:
    body = error_body(refusal(Reason.SYMBOL_SUSPENDED), "r-1")
    assert (body.code, body.reason, body.field, body.retry, body.request_id) == (
        9, "symbol_suspended", "symbol", True, "r-1",
    )  # fmt: skip
