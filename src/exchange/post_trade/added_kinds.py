"""Kinds of rules that other packages bring: checked like ours, and known by their names from then on.

A kind is a frozen `Rule` with a `KIND`, a `MEANING` and `evaluate`; its other fields are its parameters, whole numbers,
texts, truths or a `Verdict`. What it does is its author's to answer for; a rule that fails holds the trade.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from exchange.post_trade.rule import Rule, Verdict
from exchange.post_trade.rule_kinds import KINDS
from exchange.post_trade.rule_values import PARSERS, whole

GROUP = "exchange.clearing_rules"
"""The group of entry points under which kinds are found."""
CHARACTERS_MAX = 500
_OWN = frozenset(KINDS)


class KindRefused(ValueError):
    """An installed kind of rules cannot be used; the message names it and says why."""


def add_kinds(found: Mapping[str, Any]) -> None:
    """Make kinds known by their names, all or none; one that is known already is taken again.

    Raise `KindRefused` at the first that cannot be.
    """
    parsers = {name: _parsers_of(name, kind) for name, kind in found.items()}
    for name, kind in found.items():
        KINDS[name] = kind
        PARSERS.update(parsers[name])


def _parsers_of(name: str, kind: Any) -> dict[tuple[str, str], Callable[[Any], Any]]:
    where = f"the rule kind {name!r} of {GROUP}"
    if name in _OWN:
        raise KindRefused(f"{where} has the name of a kind that is here; it needs another")
    if not (isinstance(kind, type) and issubclass(kind, Rule) and kind.evaluate is not Rule.evaluate):
        raise KindRefused(
            f"{where} is {kind!r}; it must be a class of exchange.post_trade.rule.Rule with evaluate"
        )
    if name != kind.KIND or not kind.MEANING:
        raise KindRefused(f"{where} has KIND {kind.KIND!r} and MEANING {kind.MEANING!r}; KIND must be {name!r}, "
                          "and MEANING one sentence")  # fmt: skip
    types = typing.get_type_hints(kind)
    shared = {field.name for field in msgspec.structs.fields(Rule)}
    parsers = {}
    for field in msgspec.structs.fields(kind):
        if field.name in shared or ("", field.name) in PARSERS:
            continue
        parser = _PARSER_OF.get(types[field.name])
        if parser is None:
            allowed = ", ".join(each.__name__ for each in _PARSER_OF)
            raise KindRefused(
                f"{where}, parameter {field.name!r}: it is {types[field.name]}; allowed are {allowed}"
            )
        parsers[name, field.name] = parser
    return parsers


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > CHARACTERS_MAX:
        raise ValueError(f"allowed is a text of at most {CHARACTERS_MAX} characters")
    return value


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("allowed are true and false")
    return value


_PARSER_OF: dict[type, Callable[[Any], Any]] = {
    int: whole(0, 2**63 - 1),
    str: _text,
    bool: _truth,
    Verdict: PARSERS["", "action"],
}
