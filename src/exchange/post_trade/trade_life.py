"""The life of a trade: the states it can be in, what can happen to it, and what is impossible.

    captured ─┬─ judged: accept ──► accepted ◄── released ──┐
              ├─ judged: hold ────► held ───────────────────┘
              └─ judged: bust ────► bust_pending ── the engine's TradeBusted ──► busted (final)

    accepted, held, corrected ── bust ordered ──► bust_pending ── the engine refuses ──► held
    accepted, held, corrected ── the engine's TradeCorrected ──► corrected
    accepted, held, corrected ── the engine's TradeBusted ──► busted

1. Every trade is judged once, in the moment in which it is captured, and so never rests in `captured`.
2. Clearing only asks for a bust or a correction; the engine's event carries it out. An operator may ask the
   engine itself, so that event can come in any state of a live trade.
3. A correction makes a new version of the facts. It is a ruling of its own: a held trade that is corrected is
   held no more; one whose bust is pending stays so.
4. A bust is final. What asks for anything later is refused with a sentence.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from exchange.domain.units import MatchId, TimeNs


class TradeState(StrEnum):
    """Where a trade stands."""

    CAPTURED = "captured"
    ACCEPTED = "accepted"
    HELD = "held"
    BUST_PENDING = "bust_pending"
    BUSTED = "busted"
    CORRECTED = "corrected"


class Occurrence(StrEnum):
    """What can happen to a trade."""

    JUDGED_ACCEPT = "judged_accept"
    """No rule held or busted it."""
    JUDGED_HOLD = "judged_hold"
    """A rule wants a person to look at it."""
    JUDGED_BUST = "judged_bust"
    """A rule wants it busted; the engine is asked."""
    RELEASED = "released"
    """An operator found it good."""
    BUST_ORDERED = "bust_ordered"
    """An operator wants it busted; the engine is asked."""
    BUST_REFUSED = "bust_refused"
    """The engine said that it cannot bust it."""
    BUSTED = "busted"
    """The engine busted it."""
    CORRECTION_ORDERED = "correction_ordered"
    """An operator wants other facts; the engine is asked."""
    CORRECTION_REFUSED = "correction_refused"
    """The engine said that it cannot correct it."""
    CORRECTED = "corrected"
    """The engine corrected it."""


JUDGEMENTS = frozenset({Occurrence.JUDGED_ACCEPT, Occurrence.JUDGED_HOLD, Occurrence.JUDGED_BUST})
"""What a trade's life begins with."""
_CAPTURED, _ACCEPTED, _HELD, _PENDING, _BUSTED, _CORRECTED = TradeState

TRANSITIONS: dict[tuple[TradeState, Occurrence], TradeState] = {
    (_CAPTURED, Occurrence.JUDGED_ACCEPT): _ACCEPTED,
    (_CAPTURED, Occurrence.JUDGED_HOLD): _HELD,
    (_CAPTURED, Occurrence.JUDGED_BUST): _PENDING,
    #
    (_ACCEPTED, Occurrence.BUST_ORDERED): _PENDING,
    (_ACCEPTED, Occurrence.BUSTED): _BUSTED,
    (_ACCEPTED, Occurrence.CORRECTION_ORDERED): _ACCEPTED,
    (_ACCEPTED, Occurrence.CORRECTION_REFUSED): _ACCEPTED,
    (_ACCEPTED, Occurrence.CORRECTED): _CORRECTED,
    #
    (_HELD, Occurrence.RELEASED): _ACCEPTED,
    (_HELD, Occurrence.BUST_ORDERED): _PENDING,
    (_HELD, Occurrence.BUSTED): _BUSTED,
    (_HELD, Occurrence.CORRECTION_ORDERED): _HELD,
    (_HELD, Occurrence.CORRECTION_REFUSED): _HELD,
    (_HELD, Occurrence.CORRECTED): _CORRECTED,
    #
    (_PENDING, Occurrence.BUST_REFUSED): _HELD,
    (_PENDING, Occurrence.BUSTED): _BUSTED,
    (_PENDING, Occurrence.CORRECTION_REFUSED): _PENDING,
    (_PENDING, Occurrence.CORRECTED): _PENDING,
    #
    (_BUSTED, Occurrence.CORRECTION_REFUSED): _BUSTED,
    #
    (_CORRECTED, Occurrence.BUST_ORDERED): _PENDING,
    (_CORRECTED, Occurrence.BUSTED): _BUSTED,
    (_CORRECTED, Occurrence.CORRECTION_ORDERED): _CORRECTED,
    (_CORRECTED, Occurrence.CORRECTION_REFUSED): _CORRECTED,
    (_CORRECTED, Occurrence.CORRECTED): _CORRECTED,
}
"""Every transition there is; what is not here is impossible."""

_WHY_NOT = {
    _CAPTURED: "it has not been judged yet",
    _ACCEPTED: "it is accepted",
    _HELD: "it is held",
    _PENDING: "its bust is on the way to the engine",
    _BUSTED: "it is busted, and a bust is final",
    _CORRECTED: "it is corrected",
}
_WHAT = {
    Occurrence.JUDGED_ACCEPT: "judged again",
    Occurrence.JUDGED_HOLD: "judged again",
    Occurrence.JUDGED_BUST: "judged again",
    Occurrence.RELEASED: "released",
    Occurrence.BUST_ORDERED: "busted",
    Occurrence.BUST_REFUSED: "refused a bust",
    Occurrence.BUSTED: "busted by the engine",
    Occurrence.CORRECTION_ORDERED: "corrected",
    Occurrence.CORRECTION_REFUSED: "refused a correction",
    Occurrence.CORRECTED: "corrected by the engine",
}


class TransitionRefused(ValueError):
    """This cannot happen to a trade in this state; the message is a sentence for people."""


class Step(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One thing that happened to a trade.

    state, version: afterwards; who, why: for people; ruling_id: 0 for none.
    """

    match_id: MatchId
    time_ns: TimeNs
    occurrence: Occurrence | None
    state: TradeState
    version: int
    who: str
    why: str
    ruling_id: int = 0


def advance(state: TradeState, occurrence: Occurrence) -> TradeState:
    """Return the state that follows. Raise `TransitionRefused` where none does."""
    following = TRANSITIONS.get((state, occurrence))
    if following is None:
        raise TransitionRefused(f"The trade cannot be {_WHAT[occurrence]}: {_WHY_NOT[state]}.")
    return following
