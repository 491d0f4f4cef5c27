"""Drives matcher and naive model from a seed, by the rules of the Hypothesis machine, and shrinks a difference.

Hypothesis likes small numbers and short runs; here every byte is as likely as any other, and a run is long.
`tests/integration/naive_campaign.py` does so for as long as one likes.
"""

from __future__ import annotations

import inspect
import random
from collections import Counter
from typing import Any, NamedTuple

from exchange.domain import commands as c
from exchange.domain.order import CancelReason
from exchange.domain.reasons import Reason
from tests.matching.naive_limit_facts import words_of, words_of_restart
from tests.matching.naive_linked_words import OF_LINKED, linked_word_of, what_lives, words_of_linked
from tests.matching.naive_values import Fact
from tests.matching.test_against_naive_model import MatcherAgainstNaiveModel

OFTEN = {
    "enter": 5,
    "trade": 12,
    "trade_under_a_limit": 9,
    "go_on": 4,
    "let_trade": 3,
    "trigger": 3,
    "amend": 3,
    "cancel_orders": 4,
    "hold_an_auction": 2,
    "sell_short": 4,
    "act": 9,
    "change_limits": 2,
    "act_within_limits": 2,
    "trade_inside": 2,
    "reach_bands": 3,
    "pause": 4,
    "leave_a_corridor": 4,
    "change_at_a_limit": 4,
    "let_the_market_fall": 2,
    "trade_pairs": 5,
    "trade_brackets": 5,
    "end_entries": 4,
    "trade_pegs": 5,
    "trade_quotes": 6,
    "link_under_limits": 3,
    "act_on_linked": 4,
    "be_refused": 2,
    "end_day": 3,
    "set_protection": 3,
}
"""Rules that are drawn more often than the others."""
RULES = [
    name
    for part in reversed(MatcherAgainstNaiveModel.__mro__)
    for name, rule in vars(part).items()
    if hasattr(rule, "hypothesis_stateful_rule")
]
Step = tuple[str, dict[str, Any]]
"""A rule, and the bytes it was given."""


class Run(NamedTuple):
    """What a seed showed. facts: how often each came; difference: empty where there was none."""

    commands: int
    facts: Counter[str]
    difference: str


class Recorded(MatcherAgainstNaiveModel):
    """Keeps the commands it told, and what they led to."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[c.Command] = []
        self.sent_at: list[int] = []
        self.facts: Counter[str] = Counter()

    def compare(self, command: c.Command, expected: list[Fact]) -> None:
        self.sent.append(command)
        self.sent_at.append(self.desk.time_ns)
        super().compare(command, expected)
        self.facts.update(map(word_of, expected))
        self.facts.update(words_of(command, expected))
        self.facts.update(words_of_linked(self.naive, command, expected))
        self.facts[f"told {type(command).__name__}"] += 1

    def restart(self) -> None:
        self.facts.update(words_of_restart(self.naive))
        self.facts.update(f"restored with {kind}" for kind in what_lives(self.naive))
        super().restart()


def word_of(fact: Fact) -> str:
    """Name a fact, with the reason where it has one."""
    if fact[0] in OF_LINKED:
        return linked_word_of(fact)
    if fact[0] == "refused":
        return f"refused {Reason(int(str(fact[1]))).name}" if isinstance(fact[1], int) else "refused"
    return f"cancelled {CancelReason(fact[3]).name}" if fact[0] == "cancelled" else str(fact[0])


def run(seed: int, length: int) -> Run:
    """Carry out so many rules from a seed."""
    machine, steps = Recorded(), steps_of(seed, length)
    for number, step in enumerate(steps, 1):
        if said := said_by(machine, step):
            return Run(len(machine.sent), machine.facts, f"seed {seed}: {said}\n{shrunk(steps[:number])}")
    return Run(len(machine.sent), machine.facts, "")


def steps_of(seed: int, length: int) -> list[Step]:
    """Draw so many rules from a seed."""
    drawn = random.Random(seed)
    weights = [OFTEN.get(name, 1) for name in RULES]
    return [draw(drawn, drawn.choices(RULES, weights)[0]) for _ in range(length)]


def draw(drawn: random.Random, name: str) -> Step:
    """Draw what a rule asks for: eight bytes, or a list of them."""
    asked = [*inspect.signature(getattr(MatcherAgainstNaiveModel, name)).parameters][1:]
    lists = ("drawn", "stops")
    return name, {
        each: [drawn.randbytes(8) for _ in range(drawn.randint(2, 6))]
        if each in lists
        else drawn.randbytes(8)
        for each in asked
    }


def said_by(machine: Recorded, step: Step) -> str:
    """Carry out a rule; return what differs, empty for nothing."""
    name, given = step
    try:
        getattr(machine, name)(**given)
    except AssertionError as error:
        return str(error)
    return ""


def shrunk(steps: list[Step]) -> str:
    """Leave out steps while a difference stays; return the commands of the last one, readable."""
    size = max(len(steps) // 2, 1)
    while size:
        at = 0
        while at < len(steps):
            tried = steps[:at] + steps[at + size :]
            if difference(tried)[1]:
                steps = tried
            else:
                at += size
        size //= 2
    machine, said = difference(steps)
    return "\n".join([*map(str, machine.sent), said])


def difference(steps: list[Step]) -> tuple[Recorded, str]:
    """Carry steps out until something differs."""
    machine = Recorded()
    return machine, next(filter(None, (said_by(machine, step) for step in steps)), "")
