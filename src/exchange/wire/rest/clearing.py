"""Trades, rulings, positions, balances and the ledger as JSON: what clearing takes and answers."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from exchange.wire.rest.engine_stats import RouteView
from exchange.wire.rest.texts import (
    PAGE_DEFAULT,
    Cursor,
    DateOrEmpty,
    Id,
    IdOrEmpty,
    Limit,
    MoneyText,
    PairCursor,
    PriceText,
    QuantityText,
    SharesIn,
    SharesNumber,
    SymbolOrEmpty,
    SymbolText,
    TimeText,
    text,
)

REASON_CHARACTERS_MAX = 500
STATES = ("captured", "accepted", "held", "bust_pending", "busted", "corrected")
CODES = {
    "E": "erroneous: the price was clearly wrong",
    "C": "consent: both sides agree",
    "S": "supervisory: the exchange's own judgement",
    "X": "external: ordered from outside",
}

StateText = Annotated[str, Meta(extra_json_schema={"enum": list(STATES)})]
CodeText = Annotated[
    Literal["E", "C", "S", "X"],
    Meta(description="; ".join(f"{code} = {meaning}" for code, meaning in CODES.items()) + "."),
]
AssetText = Annotated[str, text("`cash` or a symbol.", "(cash|[A-Z0-9.-]{1,8})", "cash")]
AssetOrEmpty = Annotated[str, text("`cash`, a symbol, or empty for any.", "(cash|[A-Z0-9.-]{1,8})?", "cash")]
ReasonText = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=REASON_CHARACTERS_MAX,
        description="Why, for the record.",
        examples=["price far off the market, both sides informed"],
    ),
]


# --- what comes in ----------------------------------------------------------------------------------


class TradesQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which trades to list, newest first."""

    state: Literal["", "captured", "accepted", "held", "bust_pending", "busted", "corrected"] = ""
    symbol: SymbolOrEmpty = ""
    account: IdOrEmpty = ""
    limit: Limit = PAGE_DEFAULT
    cursor: Cursor = ""


class AccountQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which account's rows to list; of all accounts that may be seen where none is named."""

    account: IdOrEmpty = ""
    limit: Limit = PAGE_DEFAULT
    cursor: PairCursor = ""


class DateQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which business date; the present one where it is left out."""

    date: DateOrEmpty = ""


class LedgerQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which ledger entries to list, newest first."""

    account: IdOrEmpty = ""
    asset: AssetOrEmpty = ""
    limit: Limit = PAGE_DEFAULT
    cursor: Cursor = ""


class ReleaseRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """A ruling that a held trade is good."""

    reason: ReasonText


class BustOrder(Struct, kw_only=True, forbid_unknown_fields=True):
    """A ruling that a trade is to be broken."""

    reason: ReasonText
    code: CodeText = "E"


class CorrectionOrder(Struct, kw_only=True, forbid_unknown_fields=True):
    """A ruling that a trade gets another price, less quantity, or both; what is left out stays."""

    reason: ReasonText
    code: CodeText = "E"
    price: PriceText | None = None
    qty: SharesIn | SharesNumber | None = None


# --- what goes out: trades --------------------------------------------------------------------------


class ClearedTrade(Struct, kw_only=True, gc=False):
    """A trade as it stands. Of the other side, its parties see neither account nor order: both are null.

    price, qty: after corrections; version: 1, and one more with each. seq: of the event that executed it.
    waits_for_second: in the answer to a ruling, that it waits for another officer to order the same.
    """

    match_id: Id
    symbol: SymbolText
    state: StateText
    version: int
    price: PriceText
    qty: QuantityText
    notional: MoneyText
    reference_price: PriceText | None
    buy_account: Id | None
    sell_account: Id | None
    buy_order_id: Id | None
    sell_order_id: Id | None
    taker_side: str
    executed_at: TimeText
    seq: int
    epoch: int
    waits_for_second: bool = False


class TradeList(Struct):
    """A page of trades."""

    items: list[ClearedTrade]
    next: str | None = None


class TradeStep(Struct, kw_only=True, gc=False):
    """Something that happened to a trade, and how it stood then. who, why: empty where not yours to see."""

    at: TimeText
    state: StateText
    version: int
    what: str
    who: str
    why: str
    ruling_id: Id | None


class RuleHit(Struct, kw_only=True, gc=False):
    """What a rule found. measured, limit: integers whose meaning the sentence tells."""

    rule_id: str
    kind: str
    rule_version: str
    params_hash: str
    verdict: str
    measured: str
    limit: str
    sentence: str


class TradeRuling(Struct, kw_only=True, gc=False):
    """A decision about a trade, by the rules or by a person."""

    ruling_id: Id
    at: TimeText
    verdict: str
    code: str | None
    who: str
    why: str
    hits: list[RuleHit]


class EngineRequestView(Struct, kw_only=True, gc=False):
    """What the engine is asked to do. answer: the engine's, or why it could not be asked.

    state: waiting for the engine; taken by it; done, its event was seen; or refused.
    """

    ruling_id: Id
    kind: Literal["bust", "correct"]
    code: str
    state: Literal["waiting", "taken", "done", "refused"]
    new_price: PriceText | None
    new_qty: QuantityText | None
    attempts: int
    created_at: TimeText
    tried_at: TimeText | None
    answer: str


class LedgerSide(Struct, gc=False):
    """A ledger account. holder: available, due, ccp or external; account: of the exchange, null for the last two."""

    holder: str
    account: Id | None


class LedgerEntry(Struct, kw_only=True, gc=False):
    """A transfer: `amount` of an asset leaves the debit side and reaches the credit side.

    amount: money for cash, else shares. match_id: null for deposits and withdrawals.
    """

    number: str
    id: str
    asset: AssetText
    amount: str
    debit: LedgerSide
    credit: LedgerSide
    what: str
    match_id: Id | None
    version: int
    seq: int
    at: TimeText


class LedgerList(Struct):
    """A page of ledger entries."""

    items: list[LedgerEntry]
    next: str | None = None


class TradeStory(ClearedTrade, kw_only=True):
    """A trade and everything that happened to it, oldest first."""

    steps: list[TradeStep]
    rulings: list[TradeRuling]
    requests: list[EngineRequestView]
    ledger: list[LedgerEntry]


# --- what goes out: positions, balances, rules ------------------------------------------------------


class PositionView(Struct, kw_only=True, gc=False):
    """What an account has of a symbol. cost: paid for what was bought less received for what was sold."""

    account: Id
    symbol: SymbolText
    qty: str
    deposited: str
    bought: str
    sold: str
    cost: MoneyText
    average_price: PriceText | None


class PositionList(Struct):
    """A page of positions."""

    items: list[PositionView]
    next: str | None = None


class BalanceView(Struct, kw_only=True, gc=False):
    """What an account has of an asset. due: what its trades brought and took and is not settled yet.

    overdrawn: the total is below zero.
    """

    account: Id
    asset: AssetText
    available: str
    due: str
    total: str
    overdrawn: bool


class BalanceList(Struct):
    """A page of balances. currency: what cash is counted in."""

    items: list[BalanceView]
    currency: str
    next: str | None = None


class RuleView(Struct, kw_only=True):
    """A rule in force."""

    id: str
    kind: str
    meaning: str
    params_hash: str
    parameters: dict[str, object]


class RulesView(Struct, kw_only=True):
    """The rules in force. Every trade is shown to all of them, and the worst verdict holds."""

    version: str
    on_rule_error: str
    items: list[RuleView]


# --- what goes out: reports -------------------------------------------------------------------------


class Figures(Struct, kw_only=True, gc=False):
    """What one component has of a symbol. qty, notional: of trades that stand; busted: how many do not."""

    trades: int
    qty: QuantityText
    notional: MoneyText
    busted: int


class SymbolFigures(Struct, kw_only=True):
    """One symbol in all three components; null where a component could not be asked or has nothing."""

    symbol: SymbolText
    engine: Figures | None
    clearing: Figures | None
    reporter: Figures | None
    breaks: list[str]


class Witness(Struct, kw_only=True):
    """A component's part in a break report. seq: how far it had read the stream; problem: why it says nothing."""

    seq: int | None
    problem: str = ""


class BreakReport(Struct, kw_only=True):
    """Do engine, clearing and reporter have the same trades? status: `agree`, `break`, or `incomplete`."""

    status: Literal["agree", "break", "incomplete"]
    business_date: str
    at: TimeText
    engine: Witness
    clearing: Witness
    reporter: Witness
    items: list[SymbolFigures]


class AssetProof(Struct, kw_only=True):
    """An asset in a proof: the sum of all balances and what the house has, both 0 when all is well."""

    asset: AssetText
    sum: str
    house: str


class ProofView(Struct, kw_only=True):
    """Everything recomputed from transfers and trades and compared with what is stored."""

    holds: bool
    seq: int
    epoch: int
    transfers: int
    trades: int
    ledger_hash: str
    assets: list[AssetProof]
    faults: list[str]
    faults_count: int
    house_acts: int = 0
    house_hash: str = ""


class FeedView(Struct, kw_only=True):
    """How the stream of events is read. lag: events known of and not yet taken in; problem: why nothing comes."""

    position: int
    epoch: int
    lag: int
    batches: int
    duplicates: int
    gaps: int
    fetched: int
    problem: str


class OutboxView(Struct, kw_only=True):
    """What the engine is asked. waiting: not yet with it; taken: its event is still to come.

    overdue: trades whose event is late, an alarm. problem: why the engine cannot be asked.
    """

    waiting: int
    taken: int
    sent: int
    refused: int
    failures: int
    overdue: list[Id]
    problem: str


class ClearingStats(Struct, kw_only=True):
    """Everything that clearing counts. Counts of feed, outbox, commits and routes are since the start.

    halted: the invariant that did not hold, empty while all is well.
    """

    name: str
    version: str
    started_at: TimeText
    uptime_s: int
    partition: int
    business_date: str
    rules_version: str
    halted: str
    seq: int
    epoch: int
    trades: dict[str, int]
    transfers: int
    ledger_hash: str
    commits: int
    commit_ms_max: int
    feed: FeedView
    outbox: OutboxView
    routes: list[RouteView]
