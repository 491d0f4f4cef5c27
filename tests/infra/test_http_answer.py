"""Answers as bytes on the wire."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

from tests.infra.http_server import serving


async def test_an_answer_has_its_length_and_type_and_no_more_than_needed() -> None:
    async with serving() as served:
        answer = await served.raw(
            b"GET /api/v1/order/7 HTTP/1.1\r\nHost: x\r\nX-Request-ID: r-1\r\nConnection: close\r\n\r\n"
        )
    status, date, rest = answer.split(b"\r\n", 2)
    assert status == b"HTTP/1.1 200 OK"
    assert parsedate_to_datetime(date.removeprefix(b"Date: ").decode()).year > 2000
    assert rest == (
        b"Content-Type: application/json\r\nETag: \"1\"\r\nX-Request-ID: r-1\r\n"
        b'Content-Length: 10\r\nConnection: close\r\n\r\n{"id":"7"}'
    )  # fmt: skip


async def test_an_answer_without_content_has_no_length() -> None:
    async with serving() as served:
        answer = await served.raw(b"OPTIONS /wait HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 204 No Content\r\n")
    assert b"\r\nAllow: GET, HEAD, OPTIONS\r\n" in answer
    assert b"Content-" not in answer


async def test_a_line_break_cannot_enter_a_header() -> None:
    async with serving() as served:
        answer = await served.raw(
            b"GET /api/v1/order/1 HTTP/1.1\r\nHost: x\r\nX-Request-ID: a\tb\r\nConnection: close\r\n\r\n"
        )
    assert b"\tb" not in answer
