"""The pure core of the engine: command records in, event records out, the same from the same everywhere.

The life of a command: `apply` finds its record, begins a command in the event stream, and hands it to the
part that judges it: `order_entry`, `administration`, `trade_rulings`, `business_day`, `phases` or
`configuration`. Whatever it says, it is answered by events, never by an exception.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain.directory import Directory
from exchange.domain.order import Peg, Side
from exchange.domain.phase import Phase
from exchange.domain.reasons import Reason
from exchange.domain.volatility import LimitState
from exchange.matching import linked_snapshot, order_entry, snapshot
from exchange.matching.administration import Administration
from exchange.matching.allocation import Allocator
from exchange.matching.auction import Indication
from exchange.matching.batch import AppliedBatch, apply_batch
from exchange.matching.business_day import BusinessDay
from exchange.matching.configuration import Configuration
from exchange.matching.corporate_actions import CorporateActions
from exchange.matching.event_stream import Counters
from exchange.matching.list_entry import ListEntry
from exchange.matching.matcher import Matcher
from exchange.matching.order_book import Level, QueuePlace, RestingOrder
from exchange.matching.order_entry import OrderEntry
from exchange.matching.peg_entry import PegEntry
from exchange.matching.phases import Phases
from exchange.matching.price_guard import PriceBands
from exchange.matching.quote_entry import QuoteEntry
from exchange.matching.risk_desk import RiskDesk
from exchange.matching.short_sale_desk import ShortSaleDesk
from exchange.matching.trade_rulings import TradeRulings
from exchange.matching.venue_state import (
    LIMITS,
    OrderList,
    QuoteDesk,
    ScheduledPhase,
    VenueLimits,
    VenueState,
)
from exchange.matching.volatility import Volatility
from exchange.wire.records import (
    BY_NUMBER,
    COMMAND_HEADER,
    VERSION,
    ProtocolError,
    decode_unchecked,
    number_of,
)

RULES_VERSION = 9
"""Of what the same commands lead to. It rises with any change of an event, a hash or a snapshot."""


class TradeState(NamedTuple):
    """What became of a trade by rulings: busted, or corrected to a price and quantity."""

    busted: bool
    price: int = 0
    quantity: int = 0


class RiskUsage(NamedTuple):
    """What a subject uses of its limits, in money: open on each side, traded today, lost by today's trades."""

    open_buys: int
    open_sells: int
    gross: int
    loss: int


class Venue:
    """All markets of one partition. allocator: a rule on trial, which shares out in place of what symbols have."""

    def __init__(
        self, partition: int = 0, limits: VenueLimits = LIMITS, allocator: Allocator | None = None
    ) -> None:
        state = self._state = VenueState(partition, limits)
        state.allocator = allocator
        matcher = self._matcher = Matcher(state)
        orders = self._order_entry = OrderEntry(state, matcher)
        phases = self._phases = Phases(state, matcher)
        volatility = Volatility(state, phases)
        day = self._business_day = BusinessDay(state, orders, volatility)
        risk = self._risk_desk = RiskDesk(state, orders)
        administration = Administration(state, phases)
        rulings = TradeRulings(state)
        configuration = Configuration(state, phases)
        corporate = CorporateActions(state, matcher, orders, phases.limits)
        short_sales = ShortSaleDesk(state)
        self._of_fixed_size: dict[tuple[int, int], Callable[[bytes], None]] = {
            (order_entry.ENTER_NUMBER, order_entry.ENTER.size): orders.enter,
            (order_entry.SPECIAL_NUMBER, order_entry.SPECIAL.size): orders.enter_special,
            (order_entry.CANCEL_NUMBER, order_entry.CANCEL.size): orders.cancel,
            (order_entry.AMEND_NUMBER, order_entry.AMEND.size): orders.amend,
            (order_entry.REPLACE_NUMBER, order_entry.REPLACE.size): orders.replace,
        }
        """The commands that come most take their record as it is: by type and length."""
        self._others: dict[type[c.Command], Callable[[Any], None]] = {
            c.StartEngine: self._start_engine,
            c.Tick: lambda _: self._tick(),
            c.StartBusinessDay: day.start,
            c.AddSymbol: administration.add_symbol,
            c.SetSymbolState: administration.set_symbol_state,
            c.SetReferencePrice: administration.set_reference_price,
            c.SplitSymbol: corporate.split,
            c.RenameSymbol: corporate.rename,
            c.PayDividend: corporate.pay_dividend,
            c.SetShortSaleTerms: short_sales.set_terms,
            c.SetMarketProtection: administration.set_market_protection,
            c.SetPhase: phases.set_phase,
            c.SchedulePhase: phases.schedule,
            c.ClearSchedule: phases.clear_schedule,
            c.SetAuctionTerms: phases.set_auction_terms,
            c.SetPriceBands: volatility.set_bands,
            c.SetPriceCorridor: volatility.set_corridor,
            c.SetMarketBreaker: volatility.set_breaker,
            c.ReportIndexLevel: volatility.report_level,
            c.HaltTrading: phases.halt,
            c.ResumeTrading: phases.resume,
            c.SetAllocation: administration.set_allocation,
            c.CreateParticipant: administration.create_participant,
            c.SetSelfTradePrevention: administration.set_self_trade_prevention,
            c.CreateAccount: administration.create_account,
            c.CreateKey: administration.create_key,
            c.RevokeKey: administration.revoke_key,
            c.Deposit: administration.deposit,
            c.Withdraw: administration.withdraw,
            c.CancelOrders: orders.cancel_orders,
            c.CancelOrdersWithin: orders.cancel_orders,
            c.SetCancelTimer: risk.set_timer,
            c.BlockTrading: risk.block,
            c.UnblockTrading: risk.unblock,
            c.SetRiskLimit: risk.set_limit,
            c.BustTrade: rulings.bust,
            c.CorrectTrade: rulings.correct,
            c.ConfigureSymbol: configuration.configure_symbol,
            c.ConfigureRule: configuration.configure_rule,
            c.ConfirmConfiguration: configuration.confirm,
            **linked_commands(state, matcher, orders),
        }

    def apply(self, commands: bytes, time_ns: int) -> bytes:
        """Carry out a run of command records, numbered on from `command_sequence`; return the event records.

        Every command but `Tick` and `ReserveOrderId` has at least one event. time_ns: of all of them; it never
        decreases.
        """
        events = self._state.events
        assert time_ns >= events.time_ns, f"time went back from {events.time_ns} to {time_ns}"
        events.time_ns = time_ns
        expected = events.command_sequence
        read_header, of_fixed_size = COMMAND_HEADER.unpack_from, self._of_fixed_size
        at, end = 0, len(commands)
        while at < end:
            length, number, version, _, _, sequence = read_header(commands, at)
            expected += 1
            assert sequence == expected, f"command {sequence} came where {expected} was due"
            assert COMMAND_HEADER.size <= length <= end - at, f"record of {length} bytes with {end - at} left"
            record = commands[at : at + length]
            at += length
            events.begin_command(sequence)
            take = of_fixed_size.get((number, length))
            if take is not None and version == VERSION:
                take(record)
            else:
                self._apply_other(record, number, version)
            if events.noted:
                self._matcher.settle()
            if self._state.pegged:
                self._matcher.pegs.follow()
            if self._state.guarded:
                self._phases.limits.watch()
            if self._state.indicated:
                self._phases.tell_indications()
            events.end_command()
        return events.take()

    def apply_batch(self, submissions: Sequence[bytes], time_ns: int) -> AppliedBatch:
        """Number the records of several submissions and carry them out; each is a run of whole command records."""
        return apply_batch(self, submissions, time_ns)

    def _apply_other(self, record: bytes, number: int, version: int) -> None:
        layout = BY_NUMBER.get(number)
        if layout is None or layout.is_event:
            self._state.events.command_rejected(number, Reason.UNKNOWN_COMMAND, measured=number)
            return
        try:
            command = decode_unchecked(record)
        except ProtocolError:
            seen = version if version != VERSION else len(record)
            self._state.events.command_rejected(number, Reason.COMMAND_MALFORMED, measured=seen)
            return
        self._others[type(command)](command)

    def _start_engine(self, command: c.StartEngine) -> None:
        events = self._state.events
        if command.epoch <= events.epoch:
            events.command_rejected(
                number_of(c.StartEngine),
                Reason.COMMAND_MALFORMED,
                measured=command.epoch,
                limit=events.epoch + 1,
            )
            return
        events.epoch = command.epoch
        events.write(e.EngineStarted, rules_version=RULES_VERSION)

    def _tick(self) -> None:
        """Do what time asks for: phases as they come, before each orders, timers and dates that end."""
        self._phases.tick(self._pass_time)
        self._pass_time(self._state.events.time_ns)

    def _pass_time(self, now_ns: int) -> None:
        self._order_entry.expire(now_ns)
        self._risk_desk.expire_timers(now_ns)
        self._business_day.tick(now_ns)
        self._matcher.settle()

    # --- where it stands -----------------------------------------------------------------------------

    @property
    def partition(self) -> int:
        """Return the partition whose symbols this venue has."""
        return self._state.events.partition

    @property
    def epoch(self) -> int:
        """Return the number of the last engine start."""
        return self._state.events.epoch

    @property
    def time_ns(self) -> int:
        """Return the time of the last commands."""
        return self._state.events.time_ns

    @property
    def business_date(self) -> int:
        """Return the business date as YYYYMMDD, 0 before the first."""
        return self._state.business_date

    @property
    def command_sequence(self) -> int:
        """Return the sequence of the last command."""
        return self._state.events.command_sequence

    @property
    def event_sequence(self) -> int:
        """Return the sequence of the last event."""
        return self._state.events.sequence

    @property
    def running_hash(self) -> int:
        """Return the chained hash of all events so far."""
        return self._state.events.running_hash

    @property
    def live_orders(self) -> int:
        """Return how many orders rest in all books."""
        return len(self._state.orders)

    @property
    def next_deadline(self) -> int:
        """Return the time from which a `Tick` is due, 0 for none."""
        state = self._state
        own = (self._phases.next_ns(), state.cancel_timers.next_ns())
        deadlines = (state.day_ends_ns, state.expiries.next_ns(), *own)
        return min(filter(None, deadlines), default=0)

    @property
    def directory(self) -> Directory:
        """Return the symbols, participants, accounts and keys; read only."""
        return self._state.directory

    @property
    def counters(self) -> Counters:
        """Return what happened since this venue was made or restored."""
        return self._state.events.counters

    # --- snapshots -----------------------------------------------------------------------------------

    def snapshot(self) -> bytes:
        """Return all that later events depend on, as canonical bytes: equal states give equal bytes."""
        return snapshot.write(self._state, RULES_VERSION)

    @classmethod
    def restore(cls, data: bytes) -> Venue:
        """Make the venue that wrote a snapshot, of the version before too. Raise `SnapshotError` where it is none."""
        data = snapshot.upgraded(data, RULES_VERSION)
        venue = cls(snapshot.partition_of(data, RULES_VERSION))
        snapshot.read_into(venue._state, data)
        return venue

    def try_allocator(self, allocator: Allocator) -> None:
        """Share out by a rule on trial from now on, in place of what symbols have."""
        self._state.allocator = allocator

    def digest(self) -> str:
        """Return the fingerprint of the state: XXH3-128 of its snapshot, in hexadecimal."""
        return snapshot.digest_of(self.snapshot())

    # --- queries -------------------------------------------------------------------------------------

    def depth(self, symbol_id: int, levels: int) -> tuple[list[Level], list[Level]]:
        """Return the best price levels, bids and asks, best first; empty for an unknown symbol."""
        market = self._state.markets.get(symbol_id)
        return market.book.depth(levels) if market else ([], [])

    def orders(self, symbol_id: int) -> tuple[list[RestingOrder], list[RestingOrder]]:
        """Return the orders that are shown, bids and asks, in the sequence in which they would trade; read only."""
        market = self._state.markets.get(symbol_id)
        return (list(market.book.bids.orders()), list(market.book.asks.orders())) if market else ([], [])

    def hidden_orders(self, symbol_id: int) -> tuple[list[RestingOrder], list[RestingOrder]]:
        """Return the orders that are not shown, bids and asks, in the sequence in which they would trade; read only."""
        market = self._state.markets.get(symbol_id)
        if market is None:
            return [], []
        return list(market.book.hidden_bids.orders()), list(market.book.hidden_asks.orders())

    def stop_orders(self, symbol_id: int) -> tuple[list[RestingOrder], list[RestingOrder]]:
        """Return the stop orders that wait, buys and sales, in the sequence in which trades reach them; read only."""
        market = self._state.markets.get(symbol_id)
        return (market.stops.of_side(Side.BUY), market.stops.of_side(Side.SELL)) if market else ([], [])

    def auction_orders(self, symbol_id: int) -> tuple[list[RestingOrder], list[RestingOrder]]:
        """Return the orders that trade in an auction only, buys and sales, who would trade first first; read only."""
        market = self._state.markets.get(symbol_id)
        return (market.auction.of_side(Side.BUY), market.auction.of_side(Side.SELL)) if market else ([], [])

    def indication(self, symbol_id: int) -> Indication | None:
        """Return what was told last of the auction for which orders gather, nothing where none is indicated."""
        return self._state.markets[symbol_id].indicated if symbol_id in self._state.indicated else None

    @property
    def market_phase(self) -> Phase:
        """Return the phase of the market as a whole, in which new symbols begin."""
        return self._state.market_phase

    def schedule(self) -> list[ScheduledPhase]:
        """Return the phases that are scheduled, soonest first, with the chance of their ends drawn already."""
        return list(self._state.schedule)

    def quote_desks(self) -> dict[tuple[int, int], QuoteDesk]:
        """Return quotes and their protection by account and symbol id, symbol 0 for all together; read only."""
        return dict(linked_snapshot.quote_desks_of(self._state))

    def pegs(self) -> dict[int, Peg]:
        """Return how the pegged orders get their prices, by their ids."""
        markets = self._state.markets.values()
        return dict(sorted((id_, peg) for market in markets for id_, peg in market.pegs.items()))

    def order_lists(self) -> list[OrderList]:
        """Return the order lists that live, oldest first; read only."""
        return [order_list for _, order_list in sorted(self._state.order_lists.items())]

    def order(self, order_id: int) -> RestingOrder | None:
        """Return a live order, read only; nothing where it is finished or never was."""
        return self._state.orders.get(order_id)

    def place_in_queue(self, order_id: int) -> QueuePlace | None:
        """Return where an order stands at its price, nothing where it is not live or not shown."""
        order = self._state.orders.get(order_id)
        if order is None or not order.is_shown:
            return None
        return self._state.markets[order.symbol_id].book.place_in_queue(order)

    def reference_price(self, symbol_id: int) -> int:
        """Return the price that a symbol's next trade is compared with, 0 for an unknown symbol."""
        market = self._state.markets.get(symbol_id)
        return market.reference.price if market else 0

    def price_limits(self, symbol_id: int) -> tuple[int, int, int, int, int] | None:
        """Return where a symbol's price limits stand; nothing where none hold now.

        (reference price, 0 for a corridor's; lowest; highest; limit state; when that leads to a pause, 0 for not)
        """
        market = self._state.markets.get(symbol_id)
        if market is None or market.guard is None or market.phase is not Phase.CONTINUOUS:
            return None
        guard = market.guard
        if isinstance(guard, PriceBands):
            return guard.reference, guard.lower, guard.upper, guard.state, guard.limit_ends_ns
        return 0, *market.price_limits(guard), LimitState.NORMAL, 0

    def balance(self, account_id: int, symbol_id: int) -> int:
        """Return an account's shares of a symbol, or its cash for symbol 0."""
        return self._state.holdings.balance(account_id, symbol_id)

    def cancel_timer(self, participant_id: int) -> int:
        """Return when a participant's cancel timer ends, 0 where it has none."""
        return self._state.cancel_timers.expires_ns.get(participant_id, 0)

    def risk_usage(self, scope: int, subject_id: int) -> RiskUsage | None:
        """Return what is measured for the limits of a subject, nothing where it has none."""
        book = self._state.risk_books.get((scope, subject_id))
        if book is None:
            return None
        price_of = self.reference_price
        bought, sold = book.open_notional[Side.BUY], book.open_notional[Side.SELL]
        return RiskUsage(bought, sold, book.gross, book.loss(price_of))

    def trade_state(self, match_id: int) -> TradeState | None:
        """Return what a ruling made of a trade, nothing where it stands as it was executed."""
        if match_id in self._state.busted:
            return TradeState(busted=True)
        corrected = self._state.corrected.get(match_id)
        return TradeState(busted=False, price=corrected[0], quantity=corrected[1]) if corrected else None


def linked_commands(
    state: VenueState, matcher: Matcher, orders: OrderEntry
) -> dict[type[c.Command], Callable[[Any], None]]:
    """Return what carries out the commands about order lists, pegs and quotes."""
    lists, quotes = ListEntry(state, matcher), QuoteEntry(state, matcher)
    return {
        c.EnterOrderList: lists.enter,
        c.ReserveOrderId: lists.reserve,
        c.MassQuote: quotes.quote,
        c.CancelQuotes: quotes.cancel,
        c.SetQuoteProtection: quotes.protect,
        c.ResetQuoteProtection: quotes.reset,
        c.EnterPeggedOrder: PegEntry(state, matcher, orders).enter,
    }
