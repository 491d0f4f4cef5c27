"""Everything that happened, as plain values in one numbered stream.

Each event carries its own sequence, its command's sequence and time, the epoch and partition in which it
happened, and whether it is the last of its command: consumers stop only there.
"""

from __future__ import annotations

from exchange.domain.allocation import AllocationStep, LeadMaker
from exchange.domain.event import Event as Event
from exchange.domain.linked_events import OrderListAccepted as OrderListAccepted
from exchange.domain.linked_events import OrderListEnded as OrderListEnded
from exchange.domain.linked_events import OrderListTriggered as OrderListTriggered
from exchange.domain.linked_events import PegAccepted as PegAccepted
from exchange.domain.linked_events import QuoteAccepted as QuoteAccepted
from exchange.domain.linked_events import QuoteProtectionReached as QuoteProtectionReached
from exchange.domain.linked_events import QuoteProtectionReset as QuoteProtectionReset
from exchange.domain.linked_events import QuoteProtectionSet as QuoteProtectionSet
from exchange.domain.linked_events import QuoteRejected as QuoteRejected
from exchange.domain.linked_events import QuotesCancelled as QuotesCancelled
from exchange.domain.order import (
    CancelReason,
    OrderType,
    RepriceReason,
    SelfTradeMode,
    Side,
    TimeInForce,
)
from exchange.domain.participant import Role
from exchange.domain.phase import AuctionKind, Phase, PhaseCause
from exchange.domain.reasons import Reason
from exchange.domain.risk import BlockCause, LimitKind, RiskScope
from exchange.domain.symbol import SymbolState, TickRow
from exchange.domain.trade import BustReason, TradeCondition
from exchange.domain.units import (
    AccountId,
    KeyId,
    MatchId,
    Money,
    OrderId,
    ParticipantId,
    Price,
    Quantity,
)


class EngineStarted(Event, frozen=True, kw_only=True):
    """An epoch began."""

    rules_version: int


class BusinessDayStarted(Event, frozen=True, kw_only=True):
    """A business date began: YYYYMMDD. ends_ns: when the next begins by itself, 0 for never."""

    date: int
    ends_ns: int


class SymbolAdded(Event, frozen=True, kw_only=True):
    """A symbol was listed under `symbol_id`."""

    symbol: str
    name: str
    reference_price: Price
    round_lot: Quantity
    state: SymbolState
    ticks: tuple[TickRow, ...]


class SymbolStateChanged(Event, frozen=True, kw_only=True):
    """A symbol was suspended or trades again."""

    state: SymbolState
    reason: str


class ReferencePriceSet(Event, frozen=True, kw_only=True):
    """An operator set the reference price."""

    reference_price: Price


class MarketProtectionSet(Event, frozen=True, kw_only=True):
    """Market orders may trade so far from the reference price, in basis points; 0 for any price."""

    protection_bps: int


class AllocationSet(Event, frozen=True, kw_only=True):
    """Trades are shared out so among the orders at one price from now on; no steps is price-time priority."""

    steps: tuple[AllocationStep, ...]
    lead_makers: tuple[LeadMaker, ...]


class SymbolConfigured(Event, frozen=True, kw_only=True):
    """A version of the configuration listed a symbol, or changed it; this is how it is now.

    changes: bits of `SymbolChange`; reference_price: the one set last by an operator.
    """

    configuration_version: int
    changes: int
    symbol: str
    name: str
    reference_price: Price
    round_lot: Quantity
    state: SymbolState
    ticks: tuple[TickRow, ...]


class ParticipantCreated(Event, frozen=True, kw_only=True):
    """A member was admitted."""

    participant_id: ParticipantId
    name: str


class SelfTradePreventionSet(Event, frozen=True, kw_only=True):
    """A member is in a self-trade group, or with 0 in none."""

    participant_id: ParticipantId
    group: int
    mode: SelfTradeMode


class AccountCreated(Event, frozen=True, kw_only=True):
    """An account was opened."""

    account_id: AccountId
    participant_id: ParticipantId
    name: str


class KeyCreated(Event, frozen=True, kw_only=True):
    """A key is good from now on."""

    key_id: KeyId
    participant_id: ParticipantId
    role: Role
    sha256: bytes
    label: str


class KeyRevoked(Event, frozen=True, kw_only=True):
    """A key is worthless from now on."""

    key_id: KeyId


class Deposited(Event, frozen=True, kw_only=True):
    """Cash (symbol_id 0) or shares came in. amount: money or shares; balance: afterwards."""

    account_id: AccountId
    amount: Money
    balance: Money


class Withdrawn(Event, frozen=True, kw_only=True):
    """Cash (symbol_id 0) or shares went out. amount: money or shares; balance: afterwards."""

    account_id: AccountId
    amount: Money
    balance: Money


class CommandRejected(Event, frozen=True, kw_only=True):
    """A command other than an order's entry was refused and changed nothing.

    command_type: its record type; subject: the id it named (order, match, account, …), 0 where none.
    """

    command_type: int
    reason: Reason
    subject: int
    measured: int
    limit: int


class OrderAccepted(Event, frozen=True, kw_only=True):
    """An order was taken. Its fills, and the cancel of what may not rest, follow within the same command."""

    order_id: OrderId
    account_id: AccountId
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    flags: int
    price: Price
    quantity: Quantity
    client_order_id: str


class SpecialTermsAccepted(Event, frozen=True, kw_only=True):
    """The special terms of the order that the event before took; see `SpecialTerms`."""

    order_id: OrderId
    account_id: AccountId
    minimum_quantity: Quantity
    display_quantity: Quantity
    stop_price: Price
    trail_amount: Price
    trail_bps: int
    expires_ns: int


class OrderRepriced(Event, frozen=True, kw_only=True):
    """The market gave an order that is coming in a price; from now on it is a limit order at it."""

    order_id: OrderId
    account_id: AccountId
    side: Side
    reason: RepriceReason
    price: Price


class OrderRefreshed(Event, frozen=True, kw_only=True):
    """The shown part of an order was used up; the next part is last in its queue. leaves: all that is unfilled."""

    order_id: OrderId
    account_id: AccountId
    side: Side
    price: Price
    displayed: Quantity
    leaves: Quantity


class OrderTriggered(Event, frozen=True, kw_only=True):
    """A stop order's price was reached: now it comes in, as an order of this type. last_price: that reached it.

    Its fills, and the cancel of what may not rest, follow within the same command.
    """

    order_id: OrderId
    account_id: AccountId
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    flags: int
    price: Price
    leaves: Quantity
    stop_price: Price
    last_price: Price


class MatchPrevented(Event, frozen=True, kw_only=True):
    """Two orders of one group did not trade. What becomes of them follows: cancels, or a cancel and an amendment.

    quantity: what both had left at least; price: the resting order's.
    """

    maker_order_id: OrderId
    taker_order_id: OrderId
    maker_account_id: AccountId
    taker_account_id: AccountId
    price: Price
    quantity: Quantity
    taker_side: Side
    mode: SelfTradeMode


class OrderRejected(Event, frozen=True, kw_only=True):
    """An order was refused. order_id: the id it would have had. measured, limit: see `REASONS`."""

    order_id: OrderId
    account_id: AccountId
    side: int
    order_type: int
    time_in_force: int
    flags: int
    price: int
    quantity: int
    client_order_id: str
    reason: Reason
    measured: int
    limit: int


class OrderDuplicated(Event, frozen=True, kw_only=True):
    """The same order with the same client order id came again; nothing changed. order_id: the first one's."""

    order_id: OrderId
    account_id: AccountId


class OrderCancelled(Event, frozen=True, kw_only=True):
    """What was left of an order is gone. price: 0 for a market order; quantity: the shares that were left."""

    order_id: OrderId
    account_id: AccountId
    side: Side
    reason: CancelReason
    price: Price
    quantity: Quantity


class OrderAmended(Event, frozen=True, kw_only=True):
    """An order changed in place; without kept_priority it is last in its queue. quantity: whole.

    Fills that the new price causes follow within the same command.
    """

    order_id: OrderId
    account_id: AccountId
    side: Side
    kept_priority: bool
    old_price: Price
    price: Price
    quantity: Quantity
    leaves: Quantity


class OrderReplaced(Event, frozen=True, kw_only=True):
    """An order gave way to a new one with the full new quantity, last in its queue; fills may follow."""

    order_id: OrderId
    new_order_id: OrderId
    account_id: AccountId
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    flags: int
    cancelled_quantity: Quantity
    price: Price
    quantity: Quantity
    client_order_id: str


class OrdersCancelled(Event, frozen=True, kw_only=True):
    """A mass cancel ended; its OrderCancelled events stand before it. count: how many."""

    participant_id: ParticipantId
    count: int


class CancelTimerSet(Event, frozen=True, kw_only=True):
    """All orders of a participant are cancelled at this time unless its timer is set again; 0: it has none now."""

    participant_id: ParticipantId
    expires_ns: int


class CancelTimerExpired(Event, frozen=True, kw_only=True):
    """A participant did not set its timer again; the cancels of its orders stand before this. count: how many."""

    participant_id: ParticipantId
    count: int


class TradingBlocked(Event, frozen=True, kw_only=True):
    """The kill switch was pulled; the cancels that it caused stand before this. count: how many."""

    scope: RiskScope
    subject_id: int
    key_id: int
    role: int
    cause: BlockCause
    count: int
    note: str


class TradingUnblocked(Event, frozen=True, kw_only=True):
    """Who was blocked may trade again. key_id, role: who lifted it."""

    scope: RiskScope
    subject_id: int
    key_id: int
    role: int
    note: str


class RiskLimitSet(Event, frozen=True, kw_only=True):
    """A limit holds from now on, or with `is_set` false no longer. span: milliseconds, or the burst."""

    scope: RiskScope
    subject_id: int
    kind: LimitKind
    is_set: bool
    value: int
    span: int


class RiskAlerted(Event, frozen=True, kw_only=True):
    """A limit is used up to this percentage, told once a business date for each. measured, limit: money."""

    scope: RiskScope
    subject_id: int
    kind: LimitKind
    percent: int
    measured: int
    limit: int


class TradeExecuted(Event, frozen=True, kw_only=True):
    """Two orders traded, at the maker's price or in an auction. The match id is `public_id(partition, sequence)`.

    reference_price: what the price is to be compared with, frozen at the incoming order's arrival.
    maker_leaves, taker_leaves: unfilled quantity afterwards. In an auction both orders rested; the maker is the older.
    """

    maker_order_id: OrderId
    taker_order_id: OrderId
    maker_account_id: AccountId
    taker_account_id: AccountId
    price: Price
    quantity: Quantity
    reference_price: Price
    maker_leaves: Quantity
    taker_leaves: Quantity
    taker_side: Side
    state: TradeCondition


class TradeBusted(Event, frozen=True, kw_only=True):
    """A trade is broken, finally. price, quantity: what it stood at, after corrections."""

    match_id: MatchId
    ruling_id: int
    reason: BustReason
    price: Price
    quantity: Quantity
    buy_account_id: AccountId
    sell_account_id: AccountId
    buy_order_id: OrderId
    sell_order_id: OrderId
    executed_ns: int


class TradeCorrected(Event, frozen=True, kw_only=True):
    """A trade has another price or less quantity. price, quantity: what it stood at before."""

    match_id: MatchId
    ruling_id: int
    reason: BustReason
    price: Price
    quantity: Quantity
    new_price: Price
    new_quantity: Quantity
    buy_account_id: AccountId
    sell_account_id: AccountId
    buy_order_id: OrderId
    sell_order_id: OrderId
    executed_ns: int


class PhaseChanged(Event, frozen=True, kw_only=True):
    """A symbol is in another phase; for symbol id 0 the market is, and its symbols follow, each by its own event.

    ends_ns: when it ends by itself, 0 for not; reason: an operator's, may be empty.
    """

    phase: Phase
    cause: PhaseCause
    ends_ns: int
    reason: str


class PhaseScheduled(Event, frozen=True, kw_only=True):
    """A phase will begin at a time, or by chance up to so much later; for symbol id 0 that of the market."""

    phase: Phase
    at_ns: int
    random_ns_max: int


class ScheduleCleared(Event, frozen=True, kw_only=True):
    """So many scheduled phases are off."""

    count: int


class AuctionTermsSet(Event, frozen=True, kw_only=True):
    """How an auction's price is checked from now on; see `SetAuctionTerms`."""

    collar_bps: int
    extension_ns: int
    extensions_max: int


class AuctionIndicated(Event, frozen=True, kw_only=True):
    """How the auction would end now. price: 0 where nothing would trade; far_price: with orders for this auction alone.

    paired: what would trade; imbalance: what would be left on a side at the price, or at the reference price where
    there is none; side: of the imbalance, 0 for none.
    """

    auction: AuctionKind
    price: Price
    far_price: Price
    reference_price: Price
    paired: int
    imbalance: int
    side: int


class AuctionExecuted(Event, frozen=True, kw_only=True):
    """An auction ended; its trades follow within the same command, all at its price. price, volume: 0 for no trade."""

    auction: AuctionKind
    price: Price
    reference_price: Price
    volume: int
    imbalance: int
    side: int


class AuctionExtended(Event, frozen=True, kw_only=True):
    """An auction goes on, for its price was outside the collar. number: 1 for the first extension."""

    auction: AuctionKind
    price: Price
    lowest: Price
    highest: Price
    number: int
    ends_ns: int


class RuleConfigured(Event, frozen=True, kw_only=True):
    """A version of the configuration has this rule for clearing; the set holds from its last rule on.

    number: 1 to count; 0 of 0: the rules with which clearing was started hold again. text: JSON.
    """

    configuration_version: int
    number: int
    count: int
    rules_version: int
    text: str


class ConfigurationChanged(Event, frozen=True, kw_only=True):
    """A version of the configuration is in force; what it changed in the market stands before it.

    key_id: who applied it; approver_key_id: who approved it, 0 where nobody had to; sha256: of the document.
    """

    configuration_version: int
    key_id: int
    approver_key_id: int
    sha256: bytes
    note: str
