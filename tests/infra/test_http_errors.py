"""Refusals as answers."""

from __future__ import annotations

import msgspec

from exchange.domain.reasons import Reason
from exchange.infra.http_errors import late_headers, not_http, one_too_many, refusal
from exchange.infra.http_routes import ApiError
from exchange.wire.rest.errors import ErrorBody, ErrorCode


def body_of(payload: bytes) -> ErrorBody:
    return msgspec.json.decode(payload, type=ErrorBody)


def test_an_error_becomes_the_one_form_with_its_request() -> None:
    answer = refusal(
        ApiError(422, Reason.PRICE_NOT_ON_TICK, "The price …", "price", extra={"tick": "0.01"}), "r-1"
    )
    assert (answer.status, answer.keep_alive) == (422, True)
    body = body_of(answer._payload)
    assert body == ErrorBody(15, "price_not_on_tick", "The price …", "price", False, "r-1", {"tick": "0.01"})


def test_after_a_body_that_did_not_arrive_whole_the_connection_closes() -> None:
    for code in (ErrorCode.REQUEST_TIMEOUT, ErrorCode.BODY_TOO_LARGE):
        assert not refusal(ApiError.of(code), "r-1").keep_alive


def test_what_the_parser_says_is_shown_on_one_line_and_shortened() -> None:
    answer = not_http(400, "Bad\r\n   status line" + "x" * 1000, "r-2")
    body = body_of(answer._payload)
    assert body.code == ErrorCode.MALFORMED_REQUEST
    assert body.request_id == "r-2"
    assert "Bad status line" in body.message
    assert len(body.message) < 300
    assert not answer.keep_alive


def test_a_late_connection_gets_a_whole_answer() -> None:
    head, _, payload = late_headers(10.0, "r-3").partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 ")
    assert b"Connection: close" in head
    assert f"Content-Length: {len(payload)}".encode() in head
    assert body_of(payload).message == "the headers did not arrive within 10 s"


def test_one_connection_too_many_gets_a_whole_answer_with_the_reason() -> None:
    head, _, payload = one_too_many().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 503 ")
    assert f"Content-Length: {len(payload)}".encode() in head
    assert body_of(payload).reason == "too_many_connections"
    assert body_of(payload).retry
