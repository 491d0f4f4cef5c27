"""What of the configuration is sequenced: the version in force, and the rules of clearing as texts."""

from __future__ import annotations

from enum import IntFlag

import msgspec

RULES_MAX = 100
"""Rules of clearing in one version of the configuration."""
RULE_BYTES_MAX = 3_800
"""Of one rule as JSON, so that a record can carry it."""
NOTE_BYTES_MAX = 1_000
"""Of the note to a version."""


class SymbolChange(IntFlag):
    """What a version of the configuration changed about a symbol; all of it where it was listed by it."""

    LISTED = 1
    NAME = 2
    REFERENCE_PRICE = 4
    ROUND_LOT = 8
    STATE = 16
    TICKS = 32


def change_names(changes: int) -> list[str]:
    """Return the names of the bits of `SymbolChange`."""
    return [bit.name.lower() for bit in SymbolChange if changes & bit and bit.name]


class RuleText(msgspec.Struct, frozen=True, gc=False):
    """A rule of clearing as the configuration has it.

    configuration_version: which brought it; number, count: its place in the set, from 1; text: JSON.
    """

    configuration_version: int
    number: int
    count: int
    rules_version: int
    text: str


class RuleTexts:
    """The rules in force, and those that are coming until their set is whole."""

    def __init__(self) -> None:
        self.in_force: list[RuleText] = []
        """Empty where clearing has the rules it was started with."""
        self.coming: list[RuleText] = []

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RuleTexts) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]

    def take(self, rule: RuleText) -> None:
        """Take the next rule of a set in. Number 1 begins a set, number 0 of 0 is the set without any."""
        if rule.number <= 1:
            self.coming.clear()
        if rule.count:
            self.coming.append(rule)
        if len(self.coming) == rule.count:
            self.in_force, self.coming = self.coming, []

    def is_next(self, rule: RuleText) -> bool:
        """Tell whether a rule begins a set, or goes on with the one that is coming."""
        if rule.number <= 1:
            return rule.number == min(rule.count, 1) and rule.count <= RULES_MAX
        last = self.coming[-1] if self.coming else None
        return last is not None and (
            (last.configuration_version, last.number + 1, last.count, last.rules_version)
            == (rule.configuration_version, rule.number, rule.count, rule.rules_version)
        )
