"""Everything that can change the market, as plain values; the sequencer numbers them, the venue obeys.

`participant_id` in a command is on whose authority it comes; 0 is the exchange itself, which may do all.
"""

from __future__ import annotations

import msgspec

from exchange.domain.allocation import AllocationStep, LeadMaker
from exchange.domain.order import OrderType, SelfTradeMode, Side, TimeInForce
from exchange.domain.order_list import ListedOrder
from exchange.domain.participant import Role
from exchange.domain.phase import Phase
from exchange.domain.quote import Quote
from exchange.domain.risk import LimitKind, RiskScope
from exchange.domain.symbol import DEFAULT_TICKS, SymbolState, TickRow
from exchange.domain.trade import BustReason
from exchange.domain.units import (
    AccountId,
    KeyId,
    MatchId,
    Money,
    OrderId,
    ParticipantId,
    Price,
    Quantity,
    SymbolId,
)


class Command(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What all commands share: nothing; number and time are given by the sequencer."""


class StartEngine(Command, frozen=True, kw_only=True):
    """The first command of every start: begins an epoch."""

    epoch: int


class Tick(Command, frozen=True, kw_only=True):
    """Time has reached the venue's next deadline."""


class StartBusinessDay(Command, frozen=True, kw_only=True):
    """Begin a business date. date: YYYYMMDD; ends_ns: when it rolls to the next by itself, 0 for never."""

    date: int
    ends_ns: int = 0


class AddSymbol(Command, frozen=True, kw_only=True):
    """List a symbol. ticks: lowest price first."""

    symbol: str
    name: str
    reference_price: Price
    round_lot: Quantity = Quantity(1)
    state: SymbolState = SymbolState.ACTIVE
    ticks: tuple[TickRow, ...] = DEFAULT_TICKS


class SetSymbolState(Command, frozen=True, kw_only=True):
    """Suspend a symbol or let it trade again. reason: for people, at most 64 bytes."""

    symbol_id: SymbolId
    state: SymbolState
    reason: str = ""


class SetReferencePrice(Command, frozen=True, kw_only=True):
    """Set the price that the next trade is compared with."""

    symbol_id: SymbolId
    reference_price: Price


class SplitSymbol(Command, frozen=True, kw_only=True):
    """Give `new_shares` for `old_shares` of a symbol; its prices move the other way. See `SymbolSplit`.

    cash_price: what a new share is worth where a fraction of one is paid out, 0 for the new reference price.
    """

    symbol_id: SymbolId
    new_shares: int
    old_shares: int
    cash_price: Price = Price(0)
    note: str = ""


class RenameSymbol(Command, frozen=True, kw_only=True):
    """Give a symbol another ticker, and with `name` another name; everything else of it stays."""

    symbol_id: SymbolId
    symbol: str
    name: str = ""


class PayDividend(Command, frozen=True, kw_only=True):
    """Let a symbol go ex dividend and pay its holders. amount: money per share, in price units."""

    symbol_id: SymbolId
    amount: Price
    note: str = ""


class SetShortSaleTerms(Command, frozen=True, kw_only=True):
    """Set what is asked of short sales of a symbol; see `ShortSaleTerms`. Without a trigger nothing is restricted."""

    symbol_id: SymbolId
    trigger_bps: int
    needs_locate: bool = False
    needs_marking: bool = False


class SetMarketProtection(Command, frozen=True, kw_only=True):
    """Set how far from the reference price a market order may trade, in basis points; 0 for any price."""

    symbol_id: SymbolId
    protection_bps: int


class SetAllocation(Command, frozen=True, kw_only=True):
    """Set how a symbol shares trades out among the orders at one price; no steps is price-time priority."""

    symbol_id: SymbolId
    steps: tuple[AllocationStep, ...] = ()
    lead_makers: tuple[LeadMaker, ...] = ()


class ConfigureSymbol(Command, frozen=True, kw_only=True):
    """List a symbol, or change it, as a version of the configuration says; what is 0 or empty stays as it is."""

    configuration_version: int
    symbol: str
    name: str = ""
    reference_price: Price = Price(0)
    round_lot: Quantity = Quantity(0)
    state: int = 0
    ticks: tuple[TickRow, ...] = ()


class SetPhase(Command, frozen=True, kw_only=True):
    """Begin a phase now, without a collar around the auction that ends the one before. symbol_id: 0 for all symbols."""

    symbol_id: SymbolId
    phase: Phase
    reason: str = ""


class SchedulePhase(Command, frozen=True, kw_only=True):
    """Begin a phase at a time, or up to `random_ns_max` later by a chance drawn from the seed. symbol_id: 0 for all."""

    symbol_id: SymbolId
    phase: Phase
    at_ns: int
    random_ns_max: int = 0
    seed: int = 0


class ClearSchedule(Command, frozen=True, kw_only=True):
    """Take back what is scheduled for a symbol, or with 0 everything."""

    symbol_id: SymbolId = SymbolId(0)


class SetAuctionTerms(Command, frozen=True, kw_only=True):
    """Set how far from the reference price an auction may end, in basis points, 0 for anywhere.

    Outside it goes on for `extension_ns` and the collar gets wider by itself, at most `extensions_max` times.
    """

    symbol_id: SymbolId
    collar_bps: int
    extension_ns: int
    extensions_max: int


class SetPriceBands(Command, frozen=True, kw_only=True):
    """Give a symbol the price bands of a tier, 1 or 2, in place of what protected it; 0 for no protection."""

    symbol_id: SymbolId
    tier: int


class SetPriceCorridor(Command, frozen=True, kw_only=True):
    """Give a symbol a corridor in place of what protected it; no width at all for no protection.

    dynamic_bps: around the last price, static_bps: around the last auction's price, 0 for none. Before a trade beyond
    it, orders gather for `call_ns`, up to `random_ns_max` longer by the seed, and then an auction makes the price.
    """

    symbol_id: SymbolId
    dynamic_bps: int
    static_bps: int
    call_ns: int
    random_ns_max: int = 0
    seed: int = 0


class SetMarketBreaker(Command, frozen=True, kw_only=True):
    """Let the market stop when an index falls far below this level, its last close; 0 for no breaker."""

    close_level: int


class ReportIndexLevel(Command, frozen=True, kw_only=True):
    """Say where the index stands that the breaker watches, in the unit of its close."""

    level: int


class HaltTrading(Command, frozen=True, kw_only=True):
    """Halt a symbol, or with 0 all of them, until an operator resumes it. reason: for people, at most 64 bytes."""

    symbol_id: SymbolId
    reason: str


class ResumeTrading(Command, frozen=True, kw_only=True):
    """End a halt: orders gather for `call_ns`, up to `random_ns_max` longer by the seed, and then an auction reopens.

    call_ns: 0 for an auction at once. Where the schedule has another phase by then, that one begins.
    """

    symbol_id: SymbolId
    call_ns: int
    random_ns_max: int = 0
    seed: int = 0
    reason: str = ""


class CreateParticipant(Command, frozen=True, kw_only=True):
    """Admit a member."""

    name: str


class SetSelfTradePrevention(Command, frozen=True, kw_only=True):
    """Put a member into a self-trade group; 0 takes it out. mode: what its incoming orders do, see `SelfTradeMode`."""

    participant_id: ParticipantId
    group: int
    mode: SelfTradeMode


class CreateAccount(Command, frozen=True, kw_only=True):
    """Open an account of a participant."""

    participant_id: ParticipantId
    name: str


class CreateKey(Command, frozen=True, kw_only=True):
    """Make a bearer key known by its SHA-256. participant_id: 0 for a key of the exchange itself."""

    participant_id: ParticipantId
    role: Role
    sha256: bytes
    label: str


class RevokeKey(Command, frozen=True, kw_only=True):
    """Make a key worthless."""

    key_id: KeyId


class Deposit(Command, frozen=True, kw_only=True):
    """Bring cash (symbol_id 0, amount in money) or shares (amount in shares) into an account."""

    account_id: AccountId
    symbol_id: SymbolId
    amount: Money


class Withdraw(Command, frozen=True, kw_only=True):
    """Take cash (symbol_id 0, amount in money) or shares (amount in shares) out of an account."""

    account_id: AccountId
    symbol_id: SymbolId
    amount: Money


class EnterOrder(Command, frozen=True, kw_only=True):
    """Enter an order. price: 0 at market; flags: bits of `OrderFlag`; client_order_id: may be empty."""

    account_id: AccountId
    symbol_id: SymbolId
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    quantity: Quantity
    price: Price = Price(0)
    flags: int = 0
    client_order_id: str = ""


class EnterSpecialOrder(EnterOrder, frozen=True, kw_only=True):
    """Enter an order with special terms; what each means says `SpecialTerms`."""

    minimum_quantity: Quantity = Quantity(0)
    display_quantity: Quantity = Quantity(0)
    stop_price: Price = Price(0)
    trail_amount: Price = Price(0)
    trail_bps: int = 0
    expires_ns: int = 0


class ReserveOrderId(Command, frozen=True, kw_only=True):
    """Keep this command's sequence for an order of the command that follows the last of these. It has no event."""


class EnterOrderList(Command, frozen=True, kw_only=True):
    """Enter orders that depend on each other, all or none. contingency: see `Contingency`.

    orders: of a pair the limit order and then the stop order; else the entry, then what waits for it. The first has
    the command's own id, each other one that a `ReserveOrderId` just before it has kept, the nearest first.
    """

    account_id: AccountId
    symbol_id: SymbolId
    contingency: int
    orders: tuple[ListedOrder, ...]


class EnterPeggedOrder(Command, frozen=True, kw_only=True):
    """Enter an order whose price follows the best prices shown.

    kind: see `PegKind`; offset: added to the price it is pegged to; limit: of its price, 0 for none.
    """

    account_id: AccountId
    symbol_id: SymbolId
    side: Side
    time_in_force: TimeInForce
    kind: int
    offset: int
    limit: Price
    quantity: Quantity
    client_order_id: str = ""


class MassQuote(Command, frozen=True, kw_only=True):
    """Quote in many symbols, each in place of the account's quote there. quote_id: the maker's own number.

    The bids and asks have the ids that were reserved just before, and this command's: of the first quote the nearest.
    """

    account_id: AccountId
    quote_id: int
    quotes: tuple[Quote, ...]


class CancelQuotes(Command, frozen=True, kw_only=True):
    """Withdraw an account's quotes in a symbol, or with 0 in all of them."""

    participant_id: ParticipantId
    account_id: AccountId
    symbol_id: SymbolId = SymbolId(0)


class SetQuoteProtection(Command, frozen=True, kw_only=True):
    """Protect an account's quotes in a symbol, or with 0 all of them together; a window of 0 ends it."""

    account_id: AccountId
    symbol_id: SymbolId
    quantity: int
    executions: int
    percent_bps: int
    delta: int
    window_ms: int


class ResetQuoteProtection(Command, frozen=True, kw_only=True):
    """Let an account quote again whose protection was reached."""

    account_id: AccountId
    symbol_id: SymbolId


class CancelOrder(Command, frozen=True, kw_only=True):
    """Cancel what is left of an order."""

    order_id: OrderId
    participant_id: ParticipantId


class AmendOrder(Command, frozen=True, kw_only=True):
    """Change an order in place; it keeps its id. quantity: the new whole quantity, filled part included.

    Less quantity at the same price keeps the place in the queue; all else goes to its end, and may trade.
    """

    order_id: OrderId
    participant_id: ParticipantId
    quantity: Quantity
    price: Price


class ReplaceOrder(Command, frozen=True, kw_only=True):
    """Cancel an order and enter another in its place, in one step; the new one is last in its queue.

    The new order has the old one's account, symbol, side, type, time in force and flags.
    """

    order_id: OrderId
    participant_id: ParticipantId
    quantity: Quantity
    price: Price
    client_order_id: str = ""


class CancelOrders(Command, frozen=True, kw_only=True):
    """Cancel every live order that fits; 0 in any field means any."""

    participant_id: ParticipantId
    account_id: AccountId = AccountId(0)
    symbol_id: SymbolId = SymbolId(0)
    side: int = 0


class CancelOrdersWithin(CancelOrders, frozen=True, kw_only=True):
    """Cancel every live order that fits and whose price lies from lowest to highest; highest 0 for any above."""

    lowest_price: Price = Price(0)
    highest_price: Price = Price(0)


class SetCancelTimer(Command, frozen=True, kw_only=True):
    """Cancel all orders of a participant after so many milliseconds, unless this comes again; 0 stops the timer."""

    participant_id: ParticipantId
    timeout_ms: int


class BlockTrading(Command, frozen=True, kw_only=True):
    """Pull the kill switch: no new orders and no changes until another role lifts it.

    subject_id: of the scope, 0 for the market; key_id, role: who does it; note: for people, at most 64 bytes.
    """

    scope: RiskScope
    subject_id: int
    key_id: int
    role: int
    cancels_orders: bool = True
    note: str = ""


class UnblockTrading(Command, frozen=True, kw_only=True):
    """Let trade again who was blocked. key_id, role: who does it; it must be another role than blocked it."""

    scope: RiskScope
    subject_id: int
    key_id: int
    role: int
    note: str = ""


class SetRiskLimit(Command, frozen=True, kw_only=True):
    """Set a limit, or with `is_set` false take it away. symbol_id: 0 where it is not for one symbol."""

    scope: RiskScope
    subject_id: int
    kind: LimitKind
    is_set: bool = True
    symbol_id: SymbolId = SymbolId(0)
    value: int = 0
    span: int = 0


class TradeFacts(Command, frozen=True, kw_only=True):
    """The facts of a trade as its event has them; the engine adds them to a ruling from its event log."""

    match_id: MatchId
    symbol_id: SymbolId
    price: Price
    quantity: Quantity
    buy_account_id: AccountId
    sell_account_id: AccountId
    buy_order_id: OrderId
    sell_order_id: OrderId
    executed_ns: int


class BustTrade(TradeFacts, frozen=True, kw_only=True):
    """Break a trade. It is final. ruling_id: clearing's ruling, 0 where none."""

    ruling_id: int
    reason: BustReason


class CorrectTrade(TradeFacts, frozen=True, kw_only=True):
    """Give a trade another price or less quantity; new values are whole, not differences."""

    ruling_id: int
    reason: BustReason
    new_price: Price
    new_quantity: Quantity


class ConfigureRule(Command, frozen=True, kw_only=True):
    """Give clearing the next rule of a set, as JSON; the set holds once it is whole. number: 1 to count.

    Number 0 of 0: clearing has the rules again that it was started with.
    """

    configuration_version: int
    number: int
    count: int
    rules_version: int
    text: str


class ConfirmConfiguration(Command, frozen=True, kw_only=True):
    """End the commands of a version of the configuration: it is in force.

    key_id: who applied it; approver_key_id: who approved it, 0 where nobody had to; sha256: of the document.
    """

    configuration_version: int
    key_id: int
    approver_key_id: int
    sha256: bytes
    note: str
