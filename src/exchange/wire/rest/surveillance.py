"""Surveillance's alerts and cases as JSON: what clearing takes and answers."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from exchange.wire.rest.clearing import ReasonText
from exchange.wire.rest.texts import (
    PAGE_DEFAULT,
    Cursor,
    DateText,
    Id,
    Limit,
    SymbolOrEmpty,
    TimeText,
)

AssigneeText = Annotated[str, Meta(min_length=1, max_length=64, description="A name, for the office.")]
StateText = Literal["new", "in_review", "escalated", "closed"]
LevelText = Literal["note", "alert"]
OutcomeText = Annotated[
    Literal["unfounded", "explained", "warned", "reported"], Meta(description="What the case came to.")
]
DetectorText = Literal[
    "", "SPOOF-1", "LAYER-1", "WASH-1", "WASH-2", "MTC-1", "MTO-1", "RAMP-1", "STUFF-1", "OTR-1", "FRONT-1", "CE-1",
]  # fmt: skip
"""A detector's code, or empty for any."""


class AlertsQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which alerts to list, newest first."""

    state: Literal["", "new", "in_review", "escalated", "closed"] = ""
    level: Literal["", "note", "alert"] = ""
    detector: DetectorText = ""
    symbol: SymbolOrEmpty = ""
    limit: Limit = PAGE_DEFAULT
    cursor: Cursor = ""


class MeasureView(Struct, kw_only=True):
    """One thing that was measured, and from when on it counts."""

    what: str
    seen: str
    limit: str


class CaseStepView(Struct, kw_only=True):
    """Something that was done to a case."""

    at: TimeText
    what: str
    state: StateText
    who: str
    why: str


class AlertView(Struct, kw_only=True):
    """An alert and how its case stands. evidence: event sequences; settings: hash of the thresholds."""

    alert_id: Id
    number: Id
    detector: str
    version: int
    settings: str
    level: LevelText
    state: StateText
    assignee: str
    outcome: str
    symbol: SymbolOrEmpty
    members: list[str]
    accounts: list[Id]
    date: DateText
    begins_at: TimeText
    ends_at: TimeText
    raised_at: TimeText
    raised_seq: int
    score: int
    summary: str
    measures: list[MeasureView]
    evidence: list[int]
    steps: list[CaseStepView]


class AlertList(Struct):
    """A page of alerts."""

    items: list[AlertView]
    next: str | None = None


class AssignOrder(Struct, kw_only=True, forbid_unknown_fields=True):
    """Who is to look at a case, and why."""

    to: AssigneeText
    reason: ReasonText


class CaseWord(Struct, kw_only=True, forbid_unknown_fields=True):
    """Why it is done."""

    reason: ReasonText


class CloseCase(Struct, kw_only=True, forbid_unknown_fields=True):
    """What a case came to, and why."""

    outcome: OutcomeText
    reason: ReasonText


class DetectorView(Struct, kw_only=True):
    """A detector with its thresholds."""

    code: str
    name: str
    version: int
    settings: dict[str, int | bool | list[int]]


class SurveillanceView(Struct, kw_only=True):
    """How surveillance stands. hash: over all alerts, to compare with a run offline; problem: empty where none."""

    enabled: bool
    seq: int
    began_at: int
    alerts: int
    by_state: dict[str, int]
    suppressed: int
    hash: str
    problem: str
    settings: str
    detectors: list[DetectorView]
