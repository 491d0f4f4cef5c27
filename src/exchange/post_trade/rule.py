"""The words of judging: verdicts, what a rule is given, what it finds, and the ruling that comes of it."""

from __future__ import annotations

from enum import IntEnum
from hashlib import blake2b
from typing import ClassVar

import msgspec

from exchange.domain.trade import BustReason
from exchange.domain.units import MatchId, TimeNs
from exchange.post_trade.recent_trades import RecentTrades
from exchange.post_trade.trade import Trade

SESSIONS = ("core",)
"""The sessions there are; a rule's `when` can name them."""
PARAMS_HASH_BYTES = 8


class Verdict(IntEnum):
    """What becomes of a trade, mildest first; of several hits the worst holds."""

    ACCEPT = 0
    FLAG = 1
    """Accepted, and noted."""
    HOLD = 2
    """A person must look at it."""
    BUST = 3
    """The engine is asked to break it."""


class Context(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What a rule may know besides the trade.

    buyer, seller: participant ids, None for an account nobody knows.
    """

    symbol: str
    buyer: int | None
    seller: int | None
    recent: RecentTrades
    session: str = SESSIONS[0]


class Finding(msgspec.Struct, frozen=True, gc=False):
    """What one rule found. measured, limit: integers whose meaning the sentence tells."""

    verdict: Verdict
    measured: int
    limit: int
    sentence: str


class When(msgspec.Struct, frozen=True, gc=False):
    """Where a rule holds; an empty list means everywhere."""

    session: tuple[str, ...] = ()
    symbol: tuple[str, ...] = ()

    def holds(self, context: Context) -> bool:
        """Tell whether a trade in this context is the rule's business."""
        return self is EVERYWHERE or (
            (not self.session or context.session in self.session)
            and (not self.symbol or context.symbol in self.symbol)
        )


EVERYWHERE = When()


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """What all rules share.

    A kind adds its parameters and `evaluate`; `KIND` is its name in the configuration.
    """

    KIND: ClassVar[str] = ""
    MEANING: ClassVar[str] = ""
    """One sentence for people: what the rule looks for."""
    LOOKS_BACK: ClassVar[bool] = False
    """Whether it asks for the latest trades, which are remembered only where a rule does."""

    id: str
    when: When = EVERYWHERE
    reason: BustReason = BustReason.ERRONEOUS

    def evaluate(self, trade: Trade, context: Context) -> Finding | None:
        """Judge a trade; None where there is nothing to say.

        Pure: the same trade and context, the same finding.
        """
        raise NotImplementedError


class Hit(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A rule's finding with all it takes to understand it later. rule_version: of the whole set of rules."""

    rule_id: str
    kind: str
    rule_version: str
    params_hash: str
    verdict: str
    measured: int
    limit: int
    sentence: str


class Ruling(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A decision about one trade, by the rules or by a person.

    code: why it is busted or corrected, 0 where it is not.
    """

    ruling_id: int
    match_id: MatchId
    time_ns: TimeNs
    verdict: str
    code: int
    who: str
    why: str
    hits: tuple[Hit, ...] = ()


def params_hash(rule: Rule) -> str:
    """Return a short hash over a rule's kind and parameters: equal hash, equal judgement."""
    text = rule.KIND.encode() + msgspec.json.encode(rule, order="deterministic")
    return blake2b(text, digest_size=PARAMS_HASH_BYTES).hexdigest()
