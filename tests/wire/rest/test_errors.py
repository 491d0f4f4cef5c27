"""The table of transport errors: complete, unambiguous, and apart from the reasons of the market."""

from __future__ import annotations

import msgspec
import pytest

from exchange.domain.reasons import REASONS, Reason
from exchange.wire.rest.errors import ERRORS, ErrorBody, ErrorCode, can_retry, reason_name


def test_every_code_has_a_sentence_and_a_status() -> None:
    assert set(ERRORS) == set(ErrorCode)
    for code, text in ERRORS.items():
        assert text.sentence.endswith("."), code
        assert text.status == 0 or 400 <= text.status < 600, code


def test_no_number_is_shared_with_a_reason_of_the_market() -> None:
    assert min(ErrorCode) >= 1000 > max(Reason)


@pytest.mark.parametrize("status", [408, 429, 503])
def test_what_passes_by_itself_can_be_tried_again(status: int) -> None:
    assert all(text.retry for text in ERRORS.values() if text.status == status)


def test_names_and_retries_come_from_the_table_the_number_belongs_to() -> None:
    assert reason_name(Reason.PRICE_NOT_ON_TICK) == "price_not_on_tick"
    assert reason_name(ErrorCode.BODY_TOO_LARGE) == "body_too_large"
    assert can_retry(Reason.SYMBOL_SUSPENDED) == REASONS[Reason.SYMBOL_SUSPENDED].retry
    assert can_retry(ErrorCode.DRAINING)
    assert not can_retry(ErrorCode.MALFORMED_JSON)


def test_the_form_always_has_its_six_members_and_detail_only_where_there_is_any() -> None:
    body = ErrorBody(15, "price_not_on_tick", "The price …", "price", request_id="r-1")
    plain = msgspec.json.decode(msgspec.json.encode(body))
    assert list(plain) == ["code", "reason", "message", "field", "retry", "request_id"]
    body.detail = {"near": ["a"]}
    assert msgspec.json.decode(msgspec.json.encode(body))["detail"] == {"near": ["a"]}
