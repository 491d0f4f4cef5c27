"""Margin, payments, defaults and closing prices as JSON."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from exchange.wire.rest.clearing import ReasonText
from exchange.wire.rest.texts import (
    DateText,
    Id,
    IdOrEmpty,
    MoneyText,
    PriceText,
    SymbolText,
    TimeText,
    text,
    whole,
)

PRICES_MAX = 1_000
ReferenceText = Annotated[
    str,
    text("Names a payment: the same once more does nothing.", "[A-Za-z0-9._-]{1,60}", "2026-11-24-call-1"),
]
SignedMoney = Annotated[
    str, text("Money in; below zero out. Not 0.", r"-?(?![0.]+$)[0-9]{1,14}(\.[0-9]{1,4})?", "1000.00")
]
WorseBps = Annotated[int, whole(0, 10_000)]


class MarginQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """Whose margin to show; of all accounts that may be seen where none is named."""

    account: IdOrEmpty = ""


class MarginOrder(Struct, kw_only=True, forbid_unknown_fields=True):
    """Why margin is worked out now."""

    reason: ReasonText


class MarginView(Struct, kw_only=True, gc=False):
    """What an account must have and has. called: what is missing, until due; overdue: it is late."""

    account: Id
    at: TimeText
    variation: MoneyText
    value_at_risk: MoneyText
    floor: MoneyText
    haircut: MoneyText
    required: MoneyText
    held: MoneyText
    called: MoneyText
    due: str
    overdue: bool


class MarginList(Struct):
    """Margin by account."""

    items: list[MarginView]


class PaymentOrder(Struct, kw_only=True, forbid_unknown_fields=True):
    """Money into margin, the default fund or the house's own; below zero out of it.

    account: empty for the house's own.
    """

    reference: ReferenceText
    what: Literal["margin", "fund", "capital"]
    amount: SignedMoney
    reason: ReasonText
    account: IdOrEmpty = ""


class CorrectOrder(Struct, kw_only=True, forbid_unknown_fields=True):
    """Why a payment is taken back."""

    reason: ReasonText


class DefaultOrder(Struct, kw_only=True, forbid_unknown_fields=True):
    """Who is in default, which account takes over, and by how much its prices are worse than the last ones."""

    participant: Id
    taker: Id
    reason: ReasonText
    worse_bps: WorseBps = 0


class DrillOrder(Struct, kw_only=True, forbid_unknown_fields=True):
    """Whose default to drill, at prices that are so much worse than the last ones."""

    participant: Id
    worse_bps: WorseBps = 0


class BorneView(Struct, kw_only=True):
    """What one account bears in one step of the waterfall; no account is the house."""

    step: str
    account: IdOrEmpty
    amount: MoneyText


class DrillView(Struct, kw_only=True):
    """What a default would cost. worth: of the portfolio at these prices; uncovered: what nobody could bear."""

    participant: Id
    worth: MoneyText
    loss: MoneyText
    borne: list[BorneView]
    uncovered: MoneyText


class DefaultView(Struct, kw_only=True):
    """A participant in default. stopped_at: when the engine's kill switch stopped it, empty until then."""

    participant: Id
    declared_at: TimeText
    stopped_at: str
    attempts: int
    answer: str
    act: Id
    borne: list[BorneView]


class DefaultList(Struct):
    """Who is in default."""

    items: list[DefaultView]


class PriceRow(Struct, kw_only=True, forbid_unknown_fields=True):
    """The closing price of a symbol on a day."""

    symbol: SymbolText
    date: DateText
    price: PriceText


class PricesOrder(Struct, kw_only=True, forbid_unknown_fields=True):
    """Closing prices of past days, for value at risk; others of the same days are replaced."""

    prices: Annotated[list[PriceRow], Meta(min_length=1, max_length=PRICES_MAX)]
    reason: ReasonText


class PricesView(Struct, kw_only=True):
    """How many prices were taken."""

    prices: int
    act: Id
