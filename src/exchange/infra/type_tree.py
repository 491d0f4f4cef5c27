"""What can be known of a msgspec type before the first message: its depth, its numbers, its fields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import inspect

DEPTH_UNKNOWN = 1_000
"""Depth of a type that does not bound its own nesting: it holds `Any`, raw JSON, or itself."""


def tree_of(kind: Any) -> inspect.Type:
    """Return the description of a type, without its metadata."""
    return bare(inspect.type_info(kind))


def bare(node: inspect.Type) -> inspect.Type:
    """Take the metadata off a description."""
    while isinstance(node, inspect.Metadata):
        node = node.type
    return node


def depth_of(node: inspect.Type, above: tuple[inspect.Type, ...] = ()) -> int:
    """Count the arrays and objects that JSON of this type can nest."""
    node = bare(node)
    if any(node is parent for parent in above):
        return DEPTH_UNKNOWN
    if isinstance(node, inspect.AnyType | inspect.RawType | inspect.CustomType):
        return DEPTH_UNKNOWN
    if isinstance(node, inspect.StructType) and not node.forbid_unknown_fields:
        return DEPTH_UNKNOWN
    below = [depth_of(part, (*above, node)) for part in parts_of(node)]
    own = 0 if isinstance(node, inspect.UnionType) else 1
    return min(DEPTH_UNKNOWN, own + max(below)) if below else _nests(node)


def has_open_numbers(node: inspect.Type, above: tuple[inspect.Type, ...] = ()) -> bool:
    """Tell whether JSON of this type can hold a number that no limit of the type refuses."""
    node = bare(node)
    if any(node is parent for parent in above):
        return False
    if isinstance(node, inspect.IntType):
        return not (_is_bounded(node.ge, node.gt) and _is_bounded(node.le, node.lt))
    if isinstance(node, inspect.AnyType | inspect.RawType | inspect.CustomType | inspect.DecimalType):
        return True
    return any(has_open_numbers(part, (*above, node)) for part in parts_of(node))


def parts_of(node: inspect.Type) -> Iterator[inspect.Type]:
    """List the types inside a type, without their metadata."""
    match node:
        case (
            inspect.StructType()
            | inspect.TypedDictType()
            | inspect.DataclassType()
            | inspect.NamedTupleType()
        ):
            yield from (bare(field.type) for field in node.fields)
        case inspect.UnionType():
            yield from (bare(part) for part in node.types)
        case inspect.DictType():
            yield bare(node.value_type)
        case inspect.ListType() | inspect.VarTupleType() | inspect.SetType() | inspect.FrozenSetType():
            yield bare(node.item_type)
        case inspect.TupleType():
            yield from (bare(part) for part in node.item_types)


def step(node: inspect.Type, key: str) -> inspect.Type | None:
    """Go from a type to the part under a key of its JSON: a field's name, or `[0]` for any item."""
    if isinstance(node, inspect.UnionType):
        if tags := [
            part.tag for part in node.types if isinstance(part, inspect.StructType) and part.tag_field == key
        ]:
            return inspect.LiteralType(tuple(tags))
        return next((found for part in node.types if (found := step(bare(part), key)) is not None), None)
    if isinstance(node, inspect.StructType):
        return next((bare(field.type) for field in node.fields if field.encode_name == key), None)
    return next(parts_of(node), None)


def field_names(node: inspect.Type | None) -> list[str]:
    """List the names of an object's fields as JSON has them."""
    if isinstance(node, inspect.UnionType):
        return [name for part in node.types for name in field_names(bare(part))]
    return [field.encode_name for field in node.fields] if isinstance(node, inspect.StructType) else []


def choices_of(node: inspect.Type | None) -> list[str]:
    """List the values of an enumeration or of literals as JSON has them."""
    if isinstance(node, inspect.UnionType):
        return [text for part in node.types for text in choices_of(bare(part))]
    if isinstance(node, inspect.EnumType):
        return [str(member.value) for member in node.cls]
    return [str(value) for value in node.values] if isinstance(node, inspect.LiteralType) else []


def _nests(node: inspect.Type) -> int:
    return int(isinstance(node, inspect.StructType | inspect.TypedDictType | inspect.TupleType))


def _is_bounded(inclusive: int | None, exclusive: int | None) -> bool:
    limit = inclusive if inclusive is not None else exclusive
    return limit is not None and abs(limit) < 10**18
