"""The case file of an alert: new → in review → escalated or closed, and who did it, when and why.

Anybody of the office may take a case, hand it on, escalate it and close it with an outcome; a closed one can be opened
again. Every step stays.
"""

from __future__ import annotations

from enum import Enum

import msgspec

STEPS_MAX = 200
"""Steps that one case takes; then nothing more can be done to it."""


class CaseState(Enum):
    """Where a case stands."""

    NEW = "new"
    IN_REVIEW = "in_review"
    ESCALATED = "escalated"
    CLOSED = "closed"


class CaseOutcome(Enum):
    """What a closed case came to."""

    UNFOUNDED = "unfounded"
    """The pattern is not there: a false alarm."""
    EXPLAINED = "explained"
    """The pattern is there, and has an honest reason."""
    WARNED = "warned"
    """The member was told."""
    REPORTED = "reported"
    """It went to the authority."""


class CaseStep(msgspec.Struct, frozen=True):
    """Something that was done. key_id: whose key; who: its label or role."""

    time_ns: int
    what: str
    state: CaseState
    key_id: int
    who: str
    why: str


class CaseFile(msgspec.Struct, frozen=True):
    """A case. assignee: who looks at it; outcome: of a closed one, else empty."""

    state: CaseState = CaseState.NEW
    assignee: str = ""
    outcome: str = ""
    steps: tuple[CaseStep, ...] = ()


class CaseRefused(Exception):
    """This cannot be done to the case as it stands; the message says why."""


class Officer(msgspec.Struct, frozen=True):
    """Who acts."""

    key_id: int
    who: str


def assign(case: CaseFile, to: str, officer: Officer, why: str, time_ns: int) -> CaseFile:
    """Let somebody look at a case; a new one is in review from now on. Raise `CaseRefused`."""
    _refuse_closed(case, "assigned")
    state = CaseState.IN_REVIEW if case.state is CaseState.NEW else case.state
    return _with(case, f"assigned to {to}", officer, why, time_ns, state, to, "")


def escalate(case: CaseFile, officer: Officer, why: str, time_ns: int) -> CaseFile:
    """Take a case to whoever decides. Raise `CaseRefused`."""
    _refuse_closed(case, "escalated")
    if case.state is CaseState.ESCALATED:
        raise CaseRefused("The case is escalated already.")
    return _with(case, "escalated", officer, why, time_ns, CaseState.ESCALATED, case.assignee, "")


def close(case: CaseFile, outcome: CaseOutcome, officer: Officer, why: str, time_ns: int) -> CaseFile:
    """Close a case. Raise `CaseRefused`."""
    _refuse_closed(case, "closed")
    what = f"closed as {outcome.value}"
    return _with(case, what, officer, why, time_ns, CaseState.CLOSED, case.assignee, outcome.value)


def reopen(case: CaseFile, officer: Officer, why: str, time_ns: int) -> CaseFile:
    """Open a closed case again. Raise `CaseRefused`."""
    if case.state is not CaseState.CLOSED:
        raise CaseRefused(
            f"The case is {case.state.value.replace('_', ' ')}; only a closed one can be reopened."
        )
    return _with(case, "reopened", officer, why, time_ns, CaseState.IN_REVIEW, case.assignee, "")


def _refuse_closed(case: CaseFile, verb: str) -> None:
    if case.state is CaseState.CLOSED:
        raise CaseRefused(f"The case is closed as {case.outcome} and cannot be {verb}; reopen it first.")


def _with(
    case: CaseFile, what: str, officer: Officer, why: str, time_ns: int, state: CaseState, assignee: str, outcome: str
) -> CaseFile:  # fmt: skip
    if len(case.steps) >= STEPS_MAX:
        raise CaseRefused(f"The case has {STEPS_MAX} steps, which is the most it takes.")
    step = CaseStep(time_ns, what, state, officer.key_id, officer.who, why)
    return CaseFile(state, assignee, outcome, (*case.steps, step))
