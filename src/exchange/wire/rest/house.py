"""The clearing house as JSON: its acts and accounts, instructions, runs of settlement, and buy-ins."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from exchange.wire.rest.clearing import AssetText, ReasonText
from exchange.wire.rest.texts import (
    PAGE_DEFAULT,
    Cursor,
    DateText,
    Id,
    IdOrEmpty,
    Limit,
    MoneyText,
    PriceText,
    SharesText,
    SymbolText,
    TimeText,
    text,
)

ActKind = Annotated[str, text("The kind of an act, or empty for any.", "[a-z -]{0,16}", "settlement")]
TripleCursor = Annotated[
    str,
    text("`next` of the page before; empty for the first.", "([0-9]{1,10}-[0-9]{1,19}-[0-9]{1,19})?", ""),
]
AmountText = Annotated[
    str, text("Money or shares, with a sign.", r"-?[0-9]{1,40}(\.[0-9]{4}|\.[0-9]{2})?", "18920.00")
]


class ActsQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which acts to list, newest first."""

    kind: ActKind = ""
    limit: Limit = PAGE_DEFAULT
    cursor: Cursor = ""


class RunsQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which runs to list, newest first."""

    limit: Limit = PAGE_DEFAULT
    cursor: Cursor = ""


class ActView(Struct, kw_only=True):
    """Something that the house did. entries: how many it booked; detail: what it was; hash: over all acts so far."""

    number: Id
    source: str
    kind: str
    date: DateText
    at: TimeText
    who: str
    why: str
    entries: int
    detail: dict[str, Any]
    hash: str


class ActList(Struct):
    """A page of acts."""

    items: list[ActView]
    next: str | None = None


class HouseEntriesQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which entries of an act to list; of all accounts that may be seen where none is named."""

    account: IdOrEmpty = ""
    limit: Limit = PAGE_DEFAULT
    cursor: Cursor = ""


class HouseEntryView(Struct, kw_only=True, gc=False):
    """An amount from one account to another. phase: posted, pending, post or void."""

    place: Id
    debit: str
    credit: str
    asset: AssetText
    amount: AmountText
    code: str
    phase: str


class HouseEntryList(Struct):
    """A page of entries."""

    items: list[HouseEntryView]
    next: str | None = None


class HouseBalancesQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """Whose accounts to list; all that may be seen where none is named."""

    account: IdOrEmpty = ""


class HouseBalanceView(Struct, kw_only=True, gc=False):
    """An account of the house's ledger. free: what can be taken from it, with what its owner brought in.

    below_zero: it should not be, and only a correction, a charge or a withdrawal can have done it.
    """

    holder: str
    account: IdOrEmpty
    asset: AssetText
    balance: AmountText
    reserved: AmountText
    free: AmountText
    below_zero: bool


class HouseBalanceList(Struct):
    """Accounts of the house's ledger. left_out: how many more there are."""

    items: list[HouseBalanceView]
    left_out: int = 0


class InstructionsQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which instructions to list. open: only those that are not settled."""

    account: IdOrEmpty = ""
    open: bool = True
    limit: Limit = PAGE_DEFAULT
    cursor: TripleCursor = ""


class InstructionView(Struct, kw_only=True, gc=False):
    """What is to be settled of a cycle. qty, cash: what is open; days: how many settlement days it has failed.

    moved: shares taken over from others; compensated: shares that money took the place of.
    """

    cycle: DateText
    account: Id
    symbol: SymbolText
    due: DateText
    qty: SharesText
    cash: MoneyText
    moved: SharesText
    compensated: SharesText
    days: int
    settled_on: str


class InstructionList(Struct):
    """A page of instructions."""

    items: list[InstructionView]
    next: str | None = None


class SettleOrder(Struct, kw_only=True, forbid_unknown_fields=True):
    """A day on which what is due is to be settled."""

    date: DateText
    reason: ReasonText


class GiveUpOrder(Struct, kw_only=True, forbid_unknown_fields=True):
    """Why what an open run reserved is given free again."""

    reason: ReasonText


class RunView(Struct, kw_only=True):
    """A run of settlement. state: reserved, settled or given_up; failed: instructions that stay open.

    unpaid: accounts that received nothing, for want of money; paid: all money that moves.
    """

    number: Id
    date: DateText
    state: str
    instructions: int
    failed: int
    unpaid: list[Id]
    paid: MoneyText
    at: TimeText
    who: str
    why: str


class RunList(Struct):
    """A page of runs, newest first."""

    items: list[RunView]
    next: str | None = None


class LinesQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """Whose lines of a run to list; of all accounts that may be seen where none is named."""

    account: IdOrEmpty = ""
    limit: Limit = PAGE_DEFAULT
    cursor: TripleCursor = ""


class SettlementLineView(Struct, kw_only=True, gc=False):
    """What a run did to an instruction. qty: shares that moved; mark: money to the price; failed: what stays open."""

    cycle: DateText
    account: Id
    symbol: SymbolText
    due: DateText
    qty: SharesText
    price: PriceText
    mark: MoneyText
    failed: SharesText


class SettlementLineList(Struct):
    """A page of a run's lines."""

    items: list[SettlementLineView]
    next: str | None = None


class BuyInView(Struct, kw_only=True):
    """What was closed for money, and what could not be, in whole sentences."""

    acts: list[ActView]
    refused: Annotated[list[str], Meta(description="Why others stay open.")]
