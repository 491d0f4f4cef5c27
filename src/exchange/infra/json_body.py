"""JSON of a request into the value of a type, strictly: what is wrong is said with the field's path.

Refused beside what JSON itself refuses (NaN, Infinity, bytes that are no UTF-8): unknown fields, where the
type forbids them; nesting deeper than `DEPTH_MAX`; numbers of more than `DIGITS_MAX` digits. Of a key given
twice the last one counts, as in Python and JavaScript. Where the type itself bounds depth and numbers, no byte
is looked at twice.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Any

import msgspec
from msgspec import inspect

from exchange.infra.api_error import ApiError
from exchange.infra.type_tree import choices_of, depth_of, field_names, has_open_numbers, step, tree_of
from exchange.wire.rest.errors import ErrorCode

DEPTH_MAX = 8
DIGITS_MAX = 18
SHOWN_MAX = 60
COMPLAINT_MAX = 200

_DIGITS_AS_NINES = bytes.maketrans(b"012345678", b"999999999")
_LONG_NUMBER = b"9" * (DIGITS_MAX + 1)
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKET = re.compile(rb"[\[\]{}]")
_COMPLAINT = re.compile(r"(?P<what>.*?)(?: - at `(?P<path>.*)`)?\Z", re.DOTALL)
_STEP = re.compile(r"\.([^.\[]+)|(\[[^\]]*\])")
_EXPECTED = re.compile(r"Expected `(?P<wanted>.+?)`(?P<limit> .*?)?(?:, got `(?P<seen>.+)`)?\Z", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>.*)`\Z", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<name>.*)`\Z", re.DOTALL)
_NOT_A_CHOICE = re.compile(r"Invalid (?:enum )?value (?P<seen>.*)\Z", re.DOTALL)
_TOO_LONG_A_NUMBER = ("Integer value out of range", "Number out of range")
_WORDS = {"int": "whole number", "str": "text", "bool": "true or false", "float": "number", "null": "null"}


class JsonBody:
    """The reader of one type of body."""

    def __init__(self, kind: Any) -> None:
        self.tree = tree_of(kind)
        self._decode = msgspec.json.Decoder(kind).decode
        self._may_be_deep = depth_of(self.tree) > DEPTH_MAX
        self._has_open_numbers = has_open_numbers(self.tree)

    def read(self, body: bytes) -> Any:
        """Return the body as a value of the type. Raise `ApiError` 400 with the field at fault."""
        if self._may_be_deep and nesting(body) > DEPTH_MAX:
            raise ApiError.of(
                ErrorCode.TOO_DEEP, f"The body nests deeper than {DEPTH_MAX} levels; send a flatter one."
            )
        if self._has_open_numbers and _has_long_number(body) and _has_long_number(_STRING.sub(b"", body)):
            raise ApiError.of(
                ErrorCode.NUMBER_TOO_LONG,
                f"A number has more than {DIGITS_MAX} digits; send at most {DIGITS_MAX}.",
            )
        try:
            return self._decode(body)
        except msgspec.ValidationError as error:
            raise field_error(str(error), self.tree) from None
        except UnicodeDecodeError as error:
            raise _malformed(body, f"it is not UTF-8: {error.reason}") from None
        except msgspec.DecodeError as error:
            raise _malformed(body, str(error)) from None


def nesting(body: bytes) -> int:
    """Count how deep arrays and objects nest, up to one level more than is allowed."""
    depth = deepest = 0
    for bracket in _BRACKET.finditer(_STRING.sub(b"", body)):
        depth += 1 if bracket[0] in b"[{" else -1
        deepest = max(deepest, depth)
        if deepest > DEPTH_MAX:
            break
    return deepest


def field_error(complaint: str, tree: inspect.Type, prefix: str = "") -> ApiError:
    """Put msgspec's complaint into our words: the field by its path, what was wanted, what was seen."""
    found = _COMPLAINT.match(complaint)
    assert found is not None
    what, path = found["what"], (found["path"] or "$")
    node, name = _follow(tree, path)
    name = prefix + name
    if unknown := _UNKNOWN.match(what):
        return _unknown_field(unknown["name"], name, node)
    if missing := _MISSING.match(what):
        missed = _join(name, missing["name"])
        return ApiError.of(ErrorCode.MISSING_FIELD, f"{missed} is missing; send it.", missed)
    if what in _TOO_LONG_A_NUMBER:
        text = f"{name or 'the body'} must be a number of at most {DIGITS_MAX} digits, got a longer one"
        return ApiError.of(ErrorCode.NUMBER_TOO_LONG, text, name)
    return ApiError.of(ErrorCode.INVALID_FIELD, f"{name or 'the body'} {_must(what, node)}", name)


def nearest(name: str, names: list[str]) -> str:
    """Return a hint with the nearest right name, or with all of them where they are few."""
    close = get_close_matches(name[:SHOWN_MAX], names, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]}?"
    return f"allowed: {', '.join(names)}" if names else "none is allowed"


def shown(text: str) -> str:
    """Quote a text from outside, shortened."""
    return repr(text if len(text) <= SHOWN_MAX else text[: SHOWN_MAX - 1] + "…")


def _has_long_number(body: bytes) -> bool:
    """Look for too many digits in a row; as nines they are found in a tenth of the time that a pattern takes."""
    return _LONG_NUMBER in body.translate(_DIGITS_AS_NINES)


def _must(what: str, node: inspect.Type | None) -> str:
    choices = [choice for choice in choices_of(node) if choice]
    if (refused := _NOT_A_CHOICE.match(what)) and choices:
        return f"must be one of {', '.join(choices)}, got {refused['seen'][: SHOWN_MAX + 2]}"
    expected = _EXPECTED.match(what)
    if expected is None:
        return f"is not right: {what[:COMPLAINT_MAX]}"
    wanted = _words(expected["wanted"])
    if choices and expected["wanted"] == "str":
        wanted = f"one of {', '.join(choices)}"
    wanted += expected["limit"] or ""
    return f"must be {wanted}, got {_words(expected['seen'])}" if expected["seen"] else f"must be {wanted}"


def _words(types: str) -> str:
    return " or ".join(_WORDS.get(name, name) for name in types.split(" | "))


def _unknown_field(unknown: str, where: str, node: inspect.Type | None) -> ApiError:
    name = _join(where, unknown[:SHOWN_MAX])
    text = f"unknown field {shown(unknown)}; {nearest(unknown, field_names(node))}"
    return ApiError.of(ErrorCode.UNKNOWN_FIELD, text, name)


def _follow(tree: inspect.Type, path: str) -> tuple[inspect.Type | None, str]:
    node: inspect.Type | None = tree
    for key, index in _STEP.findall(path):
        node = step(node, key or index) if node is not None else None
    return node, path.removeprefix("$").removeprefix(".")


def _join(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _malformed(body: bytes, why: str) -> ApiError:
    if not body:
        return ApiError.of(ErrorCode.MALFORMED_JSON, "The body is empty; send JSON.")
    return ApiError.of(
        ErrorCode.MALFORMED_JSON,
        f"The body is not well-formed JSON: {why.removeprefix('JSON is malformed: ')}.",
    )
