"""JSON bodies: what is taken, and what is said of what is not."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from exchange.infra.http_routes import ApiError
from exchange.infra.json_body import DEPTH_MAX, JsonBody, nearest, nesting
from exchange.wire.rest.errors import ErrorCode
from tests.infra.http_server import Echo, Leave, Leg, NewOrder, Side


class Anything(msgspec.Struct, forbid_unknown_fields=True):
    value: Any
    count: Annotated[int, Meta(ge=1, le=5)] = 1
    name: Annotated[str, Meta(max_length=3)] = ""


ORDER = b'{"symbol":"AAPL","side":"buy","qty":%s}'
WITH_LEGS = b'{"symbol":"A","side":"buy","qty":1,"legs":[{"symbol":"B"},%s]}'


def refused(kind: Any, body: bytes) -> ApiError:
    with pytest.raises(ApiError) as caught:
        JsonBody(kind).read(body)
    assert caught.value.status == 400
    return caught.value


def test_a_good_body_becomes_the_value_of_its_type() -> None:
    body = b'{"symbol":"AAPL","side":"sell","qty":"100","legs":[{"symbol":"MSFT"}]}'
    assert JsonBody(NewOrder).read(body) == NewOrder("AAPL", Side.SELL, "100", None, [Leg("MSFT")])


MALFORMED = [
    (b"", "The body is empty; send JSON."),
    (b"{", "truncated"),
    (b"{'a':1}", "object keys must be strings (byte 1)"),
    (ORDER % b"1" + b" x", "trailing characters"),
    (ORDER % b"NaN", "invalid character (byte 36)"),
    (ORDER % b"Infinity", "invalid character"),
    (ORDER % b"-Infinity", "invalid"),
    (b'{"symbol":"\xff","side":"buy","qty":1}', "it is not UTF-8"),
    (b'{"symbol":"\\ud800","side":"buy","qty":1}', "surrogate"),
    (b"\xef\xbb\xbf" + ORDER % b"1", "invalid character (byte 0)"),
]
INVALID = [
    (b"[]", "", "the body must be object, got array"),
    (b"null", "", "the body must be object, got null"),
    (ORDER % b"1.5", "qty", "qty must be whole number or text, got number"),
    (ORDER % b"true", "qty", "qty must be whole number or text, got true or false"),
    (ORDER % b"null", "qty", "qty must be whole number or text, got null"),
    (b'{"symbol":"A","side":"by","qty":1}', "side", "side must be one of buy, sell, got 'by'"),
    (b'{"symbol":"A","side":1,"qty":1}', "side", "side must be one of buy, sell, got whole number"),
    (
        WITH_LEGS % b'{"symbol":"B","ratio":"x"}',
        "legs[1].ratio",
        "legs[1].ratio must be whole number, got text",
    ),
]
UNKNOWN = [
    (b'{"symbol":"A","side":"buy","quantity":1}', "quantity", "unknown field 'quantity'; allowed: symbol"),
    (b'{"symbl":"A","side":"buy","qty":1}', "symbl", "did you mean symbol?"),
    (WITH_LEGS % b'{"symbl":"C"}', "legs[1].symbl", "did you mean symbol?"),
]
MISSING = [
    (b'{"symbol":"A","side":"buy"}', "qty", "qty is missing; send it."),
    (WITH_LEGS % b"{}", "legs[1].symbol", "legs[1].symbol is missing; send it."),
]
TOO_LONG = [
    (ORDER % b"1e400", "qty", "qty must be a number of at most 18 digits"),
    (ORDER % b"1234567890123456789", "", "more than 18 digits"),
    (ORDER % (b"9" * 60_000), "", "more than 18 digits"),
]
WRONG = [
    *((ErrorCode.MALFORMED_JSON, body, "", message) for body, message in MALFORMED),
    *((ErrorCode.INVALID_FIELD, *row) for row in INVALID),
    *((ErrorCode.UNKNOWN_FIELD, *row) for row in UNKNOWN),
    *((ErrorCode.MISSING_FIELD, *row) for row in MISSING),
    *((ErrorCode.NUMBER_TOO_LONG, *row) for row in TOO_LONG),
]


@pytest.mark.parametrize(("code", "body", "field", "message"), WRONG)
def test_what_is_wrong_is_said_with_its_field(code: ErrorCode, body: bytes, field: str, message: str) -> None:
    error = refused(NewOrder, body)
    assert (error.code, error.field) == (code, field)
    assert message in error.message


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        (b'{"value":1,"count":9}', "count", "count must be whole number <= 5"),
        (b'{"value":1,"name":"long name"}', "name", "name must be text of length <= 3"),
    ],
)
def test_limits_of_the_type_are_said_in_words(body: bytes, field: str, message: str) -> None:
    error = refused(Anything, body)
    assert (error.field, error.message) == (field, message)


def test_an_item_of_an_array_is_named_by_its_place() -> None:
    error = refused(list[NewOrder], b"[" + ORDER % b"1" + b"," + ORDER % b"{}" + b"]")
    assert error.field == "[1].qty"


def test_an_unknown_operation_lists_the_known_ones() -> None:
    error = refused(Echo | Leave, b'{"op":"ehco"}')
    assert error.message == "op must be one of echo, leave, got 'ehco'"


def test_however_long_the_nonsense_the_answer_stays_short_and_quick() -> None:
    long = b"x" * 60_000
    for body in (b'{"' + long + b'":1}', b'{"symbol":"A","side":"' + long + b'","qty":1}'):
        error = refused(NewOrder, body)
        assert len(error.message) < 400
        assert len(error.field) < 100


def test_long_digits_inside_a_text_are_no_number() -> None:
    body = b'{"symbol":"12345678901234567890\\"12345678901234567890","side":"buy","qty":1}'
    assert JsonBody(NewOrder).read(body).qty == 1


def test_eighteen_digits_are_taken_whole() -> None:
    assert JsonBody(NewOrder).read(ORDER % b"999999999999999999").qty == 999_999_999_999_999_999


def test_of_a_key_given_twice_the_last_one_counts() -> None:
    assert JsonBody(NewOrder).read(b'{"symbol":"A","side":"buy","qty":1,"qty":2}').qty == 2


def test_nesting_is_refused_beyond_the_limit_where_the_type_sets_none() -> None:
    inside = DEPTH_MAX - 1
    assert JsonBody(Anything).read(b'{"value":' + b"[" * inside + b"]" * inside + b"}")
    for deep in (DEPTH_MAX, 60_000):
        error = refused(Anything, b'{"value":' + b"[" * deep + b"]" * deep + b"}")
        assert error.code == ErrorCode.TOO_DEEP


def test_brackets_inside_a_text_do_not_nest() -> None:
    body = msgspec.json.encode({"value": '\\"[[[[[[[[[[[[{{{{{{{{'})
    assert JsonBody(Anything).read(body).value.endswith("{")
    assert nesting(body) == 1


def test_deep_nesting_of_a_typed_body_ends_at_the_first_wrong_step() -> None:
    assert refused(NewOrder, b"[" * 60_000).code == ErrorCode.INVALID_FIELD
    assert refused(NewOrder, b'{"symbol":' + b"[" * 60_000).field == "symbol"


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["symbol", "op", "value", "x"]), inner),
)


@given(st.binary(max_size=200) | JSON_VALUES.map(msgspec.json.encode))
def test_any_bytes_are_taken_or_refused_in_words(body: bytes) -> None:
    for kind in (NewOrder, Anything, list[Leg], Echo | Leave):
        refusals = []
        try:
            JsonBody(kind).read(body)
        except ApiError as error:
            refusals.append(error)
        assert all(refusal.status == 400 and refusal.message for refusal in refusals)


def test_the_hint_names_the_nearest_or_all_or_none() -> None:
    assert nearest("symbl", ["side", "symbol"]) == "did you mean symbol?"
    assert nearest("xyz", ["side", "qty"]) == "allowed: side, qty"
    assert nearest("xyz", []) == "none is allowed"
