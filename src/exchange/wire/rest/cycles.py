"""Closed trading days and their obligations as JSON."""

from __future__ import annotations

from msgspec import Struct

from exchange.wire.rest.clearing import ReasonText
from exchange.wire.rest.texts import (
    PAGE_DEFAULT,
    Cursor,
    DateText,
    Id,
    IdOrEmpty,
    Limit,
    MoneyText,
    PairCursor,
    SharesText,
    SymbolText,
    TimeText,
)


class CyclesQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which closed days to list, newest first."""

    limit: Limit = PAGE_DEFAULT
    cursor: Cursor = ""


class ObligationsQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """Whose obligations of a day to list; of all accounts that may be seen where none is named."""

    account: IdOrEmpty = ""
    limit: Limit = PAGE_DEFAULT
    cursor: PairCursor = ""


class CloseOrder(Struct, kw_only=True, forbid_unknown_fields=True):
    """A trading day that is over and is to be closed, with all days before it that are not."""

    date: DateText
    reason: ReasonText


class CycleView(Struct, kw_only=True):
    """A closed day. left_out: trades that waited for a ruling and come later; hash: over all cycles so far."""

    date: DateText
    closed_at: TimeText
    seq: int
    obligations: int
    left_out: int
    who: str
    why: str
    hash: str


class CycleList(Struct):
    """A page of closed days."""

    items: list[CycleView]
    next: str | None = None


class ObligationView(Struct, kw_only=True, gc=False):
    """What an account receives of a symbol, and of money for it; below zero it delivers and pays."""

    account: Id
    symbol: SymbolText
    qty: SharesText
    cash: MoneyText


class ObligationList(Struct):
    """A page of a day's obligations."""

    items: list[ObligationView]
    next: str | None = None
