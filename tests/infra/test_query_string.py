"""Queries: what is taken, and what is said of what is not."""

from __future__ import annotations

import pytest

from exchange.infra.http_routes import ApiError
from exchange.infra.query_string import PARAMETERS_MAX, QueryString, unknown_parameter
from exchange.wire.rest.errors import ErrorCode
from tests.infra.http_server import Page, Side

READER = QueryString(Page)


def refused(*parameters: tuple[str, str]) -> ApiError:
    with pytest.raises(ApiError) as caught:
        READER.read(parameters)
    assert caught.value.status == 400
    return caught.value


def test_texts_become_the_types_of_the_fields() -> None:
    read = READER.read([("limit", "5"), ("after", "12"), ("side", "sell")])
    assert read == Page(limit=5, after=12, side=Side.SELL)
    assert READER.read([]) == Page()


def test_a_parameter_may_be_repeated_where_its_field_is_a_list() -> None:
    assert READER.read([("symbol", "AAPL"), ("symbol", "MSFT")]).symbol == ["AAPL", "MSFT"]


@pytest.mark.parametrize(
    ("parameters", "code", "field", "message"),
    [
        (
            [("limt", "5")],
            ErrorCode.UNKNOWN_PARAMETER,
            "limt",
            "unknown parameter 'limt'; did you mean limit?",
        ),
        ([("x", "5")], ErrorCode.UNKNOWN_PARAMETER, "x", "allowed: limit, after, side, symbol"),
        (
            [("limit", "5"), ("limit", "6")],
            ErrorCode.INVALID_PARAMETER,
            "limit",
            "limit is given twice; send it once",
        ),
        ([("limit", "many")], ErrorCode.INVALID_PARAMETER, "limit", "limit must be whole number, got text"),
        ([("limit", "")], ErrorCode.INVALID_PARAMETER, "limit", "limit must be whole number"),
        ([("limit", "0")], ErrorCode.INVALID_PARAMETER, "limit", "limit must be whole number >= 1"),
        ([("limit", "1.5")], ErrorCode.INVALID_PARAMETER, "limit", "limit must be whole number"),
        ([("after", "9" * 19)], ErrorCode.INVALID_PARAMETER, "after", "at most 18 digits"),
        ([("after", "9" * 5000)], ErrorCode.INVALID_PARAMETER, "after", "at most 18 digits"),
        ([("after", "١٢")], ErrorCode.INVALID_PARAMETER, "after", "after must be whole number"),
        ([("side", "by")], ErrorCode.INVALID_PARAMETER, "side", "side must be one of buy, sell, got 'by'"),
    ],
)
def test_what_is_wrong_is_said_by_name(
    parameters: list[tuple[str, str]], code: ErrorCode, field: str, message: str
) -> None:
    error = refused(*parameters)
    assert (error.code, error.field, error.reason) == (code, field, code.name.lower())
    assert message in error.message


def test_too_many_parameters_are_refused() -> None:
    assert "more than" in refused(*[("symbol", "A")] * (PARAMETERS_MAX + 1)).message


def test_a_long_name_is_shown_shortened() -> None:
    error = unknown_parameter("x" * 5000, [])
    assert len(error.message) < 200
    assert len(error.field) < 100
