"""The query of a request into the value of a type, strictly: the unknown and the repeated are refused."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import inspect

from exchange.infra.api_error import ApiError
from exchange.infra.json_body import DIGITS_MAX, field_error, nearest, shown
from exchange.infra.type_tree import bare, field_names, tree_of
from exchange.wire.rest.errors import ErrorCode

PARAMETERS_MAX = 100

_AS_PARAMETER = {
    ErrorCode.INVALID_FIELD: ErrorCode.INVALID_PARAMETER,
    ErrorCode.UNKNOWN_FIELD: ErrorCode.UNKNOWN_PARAMETER,
    ErrorCode.MISSING_FIELD: ErrorCode.MISSING_PARAMETER,
}


class QueryString:
    """The reader of one type of query; a parameter may be repeated where its field is a list or tuple."""

    def __init__(self, kind: type[msgspec.Struct]) -> None:
        self.kind = kind
        self.tree = tree_of(kind)
        self.names = field_names(self.tree)
        assert isinstance(self.tree, inspect.StructType)
        self._fields = {field.encode_name: bare(field.type) for field in self.tree.fields}

    def read(self, parameters: Iterable[tuple[str, str]]) -> Any:
        """Return the parameters as a value of the type. Raise `ApiError` 400 with the parameter at fault."""
        values: dict[str, Any] = {}
        for count, (name, text) in enumerate(parameters):
            if name not in self._fields:
                raise unknown_parameter(name, self.names)
            if count >= PARAMETERS_MAX:
                raise _invalid(name, f"the query has more than {PARAMETERS_MAX} parameters; send fewer")
            self._take(values, name, text)
        try:
            return msgspec.convert(values, self.kind, strict=False)
        except msgspec.ValidationError as error:
            refused = field_error(str(error), self.tree)
            refused.code = _AS_PARAMETER.get(ErrorCode(refused.code), ErrorCode(refused.code))
            refused.reason = ErrorCode(refused.code).name.lower()
            raise refused from None

    def _take(self, values: dict[str, Any], name: str, text: str) -> None:
        kind = self._fields[name]
        if isinstance(kind, inspect.ListType | inspect.VarTupleType):
            values.setdefault(name, []).append(text)
        elif name in values:
            raise _invalid(name, f"{name} is given twice; send it once")
        elif _is_number(kind) and len(text.lstrip("+-0")) > DIGITS_MAX:
            raise _invalid(name, f"{name} must be a number of at most {DIGITS_MAX} digits, got {shown(text)}")
        else:
            values[name] = text


def unknown_parameter(name: str, names: list[str]) -> ApiError:
    """Refuse a parameter by its name, with the nearest right one."""
    text = f"unknown parameter {shown(name)}; {nearest(name, names)}"
    return ApiError.of(ErrorCode.UNKNOWN_PARAMETER, text, name[:DIGITS_MAX])


def _is_number(kind: inspect.Type) -> bool:
    if isinstance(kind, inspect.UnionType):
        return any(_is_number(bare(part)) for part in kind.types if not isinstance(part, inspect.NoneType))
    return isinstance(kind, inspect.IntType | inspect.FloatType)


def _invalid(name: str, message: str) -> ApiError:
    return ApiError.of(ErrorCode.INVALID_PARAMETER, message, name)
