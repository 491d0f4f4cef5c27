"""Reviews of trades and the audit trail as JSON: what clearing takes and answers."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from exchange.wire.rest.clearing import CodeText, ReasonText
from exchange.wire.rest.texts import (
    PAGE_DEFAULT,
    Cursor,
    Id,
    Limit,
    MoneyText,
    PriceText,
    QuantityText,
    SharesIn,
    SharesNumber,
    SymbolText,
    TimeText,
)

RemedyKind = Annotated[
    Literal["none", "bust", "correct"], Meta(description="What is to become of the trade.")
]
WantedKind = Annotated[Literal["bust", "correct"], Meta(description="What is asked for.")]


class ReviewsQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which reviews to list, newest first."""

    state: Literal["", "filed", "granted", "denied", "appealed", "closed", "withdrawn"] = ""
    limit: Limit = PAGE_DEFAULT
    cursor: Cursor = ""


class AuditQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which entries of the audit trail to list, newest first."""

    limit: Limit = PAGE_DEFAULT
    cursor: Cursor = ""


class ReviewOrder(Struct, kw_only=True, forbid_unknown_fields=True):
    """A request to review a trade. basis: the facts it rests on; price, qty: of a correction, if they change."""

    basis: ReasonText
    remedy: WantedKind = "bust"
    price: PriceText | None = None
    qty: SharesIn | SharesNumber | None = None


class ReviewWord(Struct, kw_only=True, forbid_unknown_fields=True):
    """What a side says to a review, with its reason."""

    reason: ReasonText


class ReviewRuling(Struct, kw_only=True, forbid_unknown_fields=True):
    """An officer's ruling on a review, or the decision of its appeal. remedy: `none` denies it."""

    reason: ReasonText
    remedy: RemedyKind
    code: CodeText = "E"
    price: PriceText | None = None
    qty: SharesIn | SharesNumber | None = None


class RemedyView(Struct, kw_only=True):
    """What is to become of a trade. price, qty: of a correction, null for what stays."""

    kind: RemedyKind
    price: PriceText | None
    qty: QuantityText | None


class ReviewStepView(Struct, kw_only=True):
    """Something that happened to a review. who: empty where not yours to see."""

    at: TimeText
    what: str
    state: str
    who: str
    why: str


class ReviewView(Struct, kw_only=True):
    """A review of a trade.

    eligible: whether the price equals or exceeds the guideline; outlier: three times as much; securities: with trades
    under suspicion within five minutes, this one's with them; due_at: until when this state may last, null for ever;
    overdue: an officer should have acted; waits_for_second: a ruling that another officer must confirm; you: which
    side you are, empty for the office.
    """

    review_id: Id
    match_id: Id
    symbol: SymbolText
    state: str
    you: str
    applicant: Id | None
    counterparty: Id | None
    basis: str
    wanted: RemedyView
    agreed: bool
    measured: MoneyText
    guideline: MoneyText
    eligible: bool
    outlier: bool
    securities: int
    finding: str
    remedy: RemedyView
    code: str | None
    waits_for_second: RemedyView | None
    filed_at: TimeText
    due_at: TimeText | None
    overdue: bool
    related: list[Id]
    steps: list[ReviewStepView]


class ReviewList(Struct):
    """A page of reviews."""

    items: list[ReviewView]
    next: str | None = None


class AuditEntryView(Struct, kw_only=True):
    """Something that a person did. key_id: 0 for clearing itself; hash: over this entry and the hash before it."""

    number: str
    at: TimeText
    key_id: Id
    who: str
    what: str
    subject: str
    why: str
    detail: str
    hash: str


class AuditList(Struct):
    """A page of the audit trail."""

    items: list[AuditEntryView]
    next: str | None = None
