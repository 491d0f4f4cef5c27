"""Risk as JSON: the kill switch, limits and what they measure, and the cancel timer."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from exchange.domain.risk import TIMER_MS_MAX, BlockCause, LimitKind, RiskScope
from exchange.domain.units import format_money
from exchange.wire.rest.texts import (
    NUMBER_END,
    PAGE_DEFAULT,
    Cursor,
    Id,
    Limit,
    MoneyText,
    SymbolOrEmpty,
    TimeText,
    choice,
    whole,
)

SCOPES = {scope.name.lower(): scope for scope in RiskScope}
SCOPE_TEXT = {int(scope): text for text, scope in SCOPES.items()}
LIMIT_KINDS = {kind.name.lower(): kind for kind in LimitKind}
KIND_TEXT = {int(kind): text for text, kind in LIMIT_KINDS.items()}
CAUSES = {cause.name.lower(): cause for cause in BlockCause}
CAUSE_TEXT = {int(cause): text for text, cause in CAUSES.items()}
IN_MONEY = (LimitKind.MAX_NOTIONAL, LimitKind.BUYING_POWER, LimitKind.GROSS, LimitKind.LOSS)

ScopeText = Annotated[str, choice(SCOPES)]
KindText = Annotated[str, choice(LIMIT_KINDS)]
SubjectText = Annotated[
    str,
    Meta(
        description="A symbol, or the id of a participant, an account or a session's key; empty for the market.",
        examples=["1"],
        extra_json_schema={"maxLength": 20, "pattern": "^[A-Z0-9.-]*$"},
    ),
]
NoteText = Annotated[
    str,
    Meta(description="Why, for people.", examples=["news pending"], extra_json_schema={"maxLength": 64}),
]


class NewBlock(Struct, kw_only=True, forbid_unknown_fields=True):
    """Whom to block. cancel_orders: cancel what rests, too."""

    scope: ScopeText
    subject: SubjectText = ""
    cancel_orders: bool = True
    reason: NoteText = ""


class LiftedBlock(Struct, kw_only=True, forbid_unknown_fields=True):
    """Whom to let trade again."""

    scope: ScopeText
    subject: SubjectText = ""
    reason: NoteText = ""


class BlockView(Struct, kw_only=True, omit_defaults=True):
    """Who may not trade. by: the role that pulled the switch, `market` where it did so itself; another one lifts it.

    canceled_orders, seq: in the answer to who pulled it.
    """

    scope: ScopeText
    subject: str
    by: str
    key_id: Id
    cause: Annotated[str, choice(CAUSES)]
    reason: str = ""
    canceled_orders: int = -1
    seq: int = 0


class BlockList(Struct):
    """All that is blocked and that the key may see."""

    items: list[BlockView]


class Lifted(Struct, kw_only=True):
    """A block that was lifted by an event."""

    scope: ScopeText
    subject: str
    seq: int


class NewLimit(Struct, kw_only=True, forbid_unknown_fields=True):
    """A limit to set; without a value it is taken away.

    value: money as a decimal text, else a whole number; span: milliseconds of `duplicates` and `executions`, the burst
    of `messages`; symbol: of `symbol_barred`, `position` and `short_sales`.
    """

    scope: ScopeText
    kind: KindText
    subject: SubjectText = ""
    symbol: SymbolOrEmpty = ""
    value: Annotated[str, Meta(extra_json_schema={"pattern": r"^[0-9]{1,14}(\.[0-9]{1,4})?$"})] | None = None
    span: Annotated[int, whole(0, NUMBER_END - 1)] = 0


class LimitView(Struct, kw_only=True, omit_defaults=True):
    """A limit in force, or one that was taken away: it has no value."""

    scope: ScopeText
    subject: str
    kind: KindText
    symbol: str = ""
    value: str | None = None
    span: int = 0
    seq: int = 0


class LimitsQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which limits to list, and which page of them."""

    scope: Annotated[str, choice({"": 0, **SCOPES})] = ""
    subject: SubjectText = ""
    limit: Limit = PAGE_DEFAULT
    cursor: Cursor = ""


class LimitList(Struct):
    """A page of limits."""

    items: list[LimitView]
    next: str | None = None


class RiskUsageView(Struct, kw_only=True):
    """What a subject uses of its limits, in money: open on each side, traded and lost today."""

    scope: ScopeText
    subject: str
    open_buys: MoneyText
    open_sells: MoneyText
    gross: MoneyText
    loss: MoneyText
    limits: list[LimitView]


class NewCancelTimer(Struct, kw_only=True, forbid_unknown_fields=True):
    """After how many milliseconds the participant's orders are cancelled, unless this is sent again; 0 stops it."""

    timeout_ms: Annotated[int, whole(0, TIMER_MS_MAX)]


class CancelTimerView(Struct, kw_only=True):
    """When the participant's orders are cancelled, if nothing comes; null where no timer runs."""

    participant: Id
    expires_at: TimeText | None


def value_text(kind: int, value: int) -> str:
    """Write the value of a limit: money as a decimal, else a whole number."""
    return format_money(value) if kind in IN_MONEY else str(value)
