"""Everything a venue knows, in one place: what the parts of the venue share, and what a snapshot holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from exchange.domain.directory import Directory
from exchange.domain.order import CLIENT_ORDER_IDS_MAX, SelfTradeMode
from exchange.domain.participant import ACCOUNTS_MAX, KEYS_MAX, PARTICIPANTS_MAX
from exchange.domain.phase import Phase
from exchange.domain.quote import NO_PROTECTION, ProtectionLimits
from exchange.domain.risk import RISK_LIMITS_MAX
from exchange.domain.symbol import SYMBOLS_MAX
from exchange.matching.allocation import Allocator
from exchange.matching.client_order_ids import ClientOrderIds
from exchange.matching.event_stream import EventStream
from exchange.matching.expiries import Expiries
from exchange.matching.market import Market
from exchange.matching.order_book import RestingOrder
from exchange.risk.cancel_timers import CancelTimers
from exchange.risk.holdings import Holdings
from exchange.risk.risk_book import RiskBook

RULINGS_MAX = 10_000_000
"""Busted and corrected trades remembered, for a bust is final. When full, further rulings are rejected."""
NO_GROUP = (0, SelfTradeMode.NONE)
PARTITIONS_MAX = 128
"""So that a public id fits a signed 64-bit field."""


class VenueLimits(msgspec.Struct, frozen=True):
    """How many of each a venue takes; one more is rejected: DIRECTORY_FULL, CLIENT_ORDER_ID_TABLE_FULL.

    They belong to the rules version: a replay needs those of the first run.
    """

    symbols: int = SYMBOLS_MAX
    participants: int = PARTICIPANTS_MAX
    accounts: int = ACCOUNTS_MAX
    keys: int = KEYS_MAX
    client_order_ids: int = CLIENT_ORDER_IDS_MAX
    rulings: int = RULINGS_MAX
    risk_limits: int = RISK_LIMITS_MAX


LIMITS = VenueLimits()


class ScheduledPhase(NamedTuple):
    """A phase that is to begin. symbol_id: 0 for all."""

    at_ns: int
    symbol_id: int
    phase: Phase


class MarketBreaker(msgspec.Struct):
    """What stops the whole market. close_level: 0 for nothing; last_level: 0 before the first of the day."""

    close_level: int = 0
    last_level: int = 0
    tripped: int = 0
    """The highest level that has tripped on this business date, 0 for none."""
    stop_phase: int = 0
    """In which all symbols are since it tripped, 0 where it has stopped none or an operator has ended that."""
    stop_ends_ns: int = 0
    """When that ends, 0 where an operator does."""

    def stop(self, phase: int, ends_ns: int) -> None:
        """Note in which phase all symbols are, and until when; 0 and 0 for that no more."""
        self.stop_phase, self.stop_ends_ns = phase, ends_ns

    def is_stopping(self, now_ns: int) -> bool:
        """Tell whether its stop lasts."""
        return self.stop_phase != 0 and (not self.stop_ends_ns or now_ns < self.stop_ends_ns)

    def begin(self, close_level: int) -> None:
        """Compare with another close from now on."""
        self.close_level, self.last_level = close_level, 0


class OrderList(msgspec.Struct):
    """Orders that depend on each other. first, second: ids of its live orders, 0 for none; filled: by its entry.

    waiting: the orders that wait for the entry; with none it is a pair.
    """

    list_id: int
    contingency: int
    account_id: int
    symbol_id: int
    first: int
    second: int
    filled: int
    waiting: list[RestingOrder]


class QuoteDesk(msgspec.Struct):
    """An account's quote in a symbol, or under symbol 0 what holds for all of them, and its protection.

    bid, ask: order ids, which may have ended; the rest is of the window that began at `from_ns`; bought: less sold.
    """

    bid: int = 0
    ask: int = 0
    limits: ProtectionLimits = NO_PROTECTION
    from_ns: int = 0
    quantity: int = 0
    executions: int = 0
    percent_bps: int = 0
    bought: int = 0
    is_reached: bool = False

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing is to be remembered."""
        return not (self.bid or self.ask or self.limits.window_ms)


class VenueState:
    """The state of one venue. Its containers are filled and emptied, never exchanged for others."""

    def __init__(self, partition: int, limits: VenueLimits) -> None:
        assert 0 <= partition < PARTITIONS_MAX, (
            f"partition must be 0 to {PARTITIONS_MAX - 1}, got {partition}"
        )
        self.limits = limits
        self.events = EventStream(partition)
        self.directory = Directory()
        self.markets: dict[int, Market] = {}
        """By symbol id."""
        self.orders: dict[int, RestingOrder] = {}
        """All live orders by their public id."""
        self.expiries = Expiries(self.orders.__contains__)
        self.client_order_ids = ClientOrderIds(limits.client_order_ids)
        self.account_names: dict[tuple[int, str], int] = {}
        """Account ids by participant id and name."""
        self.holdings = Holdings()
        self.self_trade_groups: dict[int, tuple[int, SelfTradeMode]] = {}
        """(group, mode) by participant, of those that are in one."""
        self.busted: dict[int, None] = {}
        """Match ids of busted trades."""
        self.corrected: dict[int, tuple[int, int]] = {}
        """(price, quantity) of corrected trades by match id."""
        self.risk_books: dict[tuple[int, int], RiskBook] = {}
        """By scope and subject, of those for whom a limit holds."""
        self.cancel_timers = CancelTimers()
        self.order_lists: dict[int, OrderList] = {}
        """By list id."""
        self.list_of: dict[int, OrderList] = {}
        """By the ids of their orders, also of those that wait."""
        self.pegged: dict[int, None] = {}
        """Ids of the symbols that have pegged orders."""
        self.quote_desks: dict[tuple[int, int], QuoteDesk] = {}
        """By account and symbol id."""
        self.reserved_last = self.reserved_count = 0
        """The sequence of the last command that reserved an order id, and how many did so one after the other."""
        self.allocator: Allocator | None = None
        """A rule on trial: it shares out in place of what the symbols have. No part of a snapshot."""
        self.business_date = 0
        """YYYYMMDD, 0 before the first."""
        self.day_ends_ns = 0
        """When the business date rolls by itself, 0 for never."""
        self.market_phase = Phase.CONTINUOUS
        """In which new symbols begin."""
        self.market_scheduled_phase = Phase.CONTINUOUS
        """Where the schedule has got, though the market be halted."""
        self.schedule: list[ScheduledPhase] = []
        """What is to come, soonest first."""
        self.phase_ends: dict[int, int] = {}
        """When phases end by themselves, by symbol id."""
        self.guarded: dict[int, None] = {}
        """Ids of the symbols that have price bands or a corridor."""
        self.guards_due: dict[int, int] = {}
        """When bands ask for time, by symbol id."""
        self.breaker = MarketBreaker()
        self.indicated: dict[int, None] = {}
        """Ids of the symbols whose auction is indicated."""

    def live_orders(self, fits: Callable[[RestingOrder], bool]) -> list[RestingOrder]:
        """Return the live orders that fit by their ids, which is the sequence of their entry."""
        return sorted(filter(fits, self.orders.values()), key=lambda order: order.order_id)

    def note_self_trade_group(self, participant_id: int, group: int, mode: SelfTradeMode) -> None:
        """Put a participant into a self-trade group, or with 0 into none."""
        self.self_trade_groups.pop(participant_id, None)
        if group:
            self.self_trade_groups[participant_id] = (group, mode)

    def self_trade_group(self, account_id: int) -> tuple[int, SelfTradeMode]:
        """Return the self-trade group of an account, 0 for none, and the mode of its incoming orders."""
        return self.self_trade_groups.get(self.owner_of(account_id), NO_GROUP)

    def owner_of(self, account_id: int) -> int:
        """Return the participant to whom an account belongs."""
        return self.directory.accounts[account_id].participant_id

    def reserves_nothing(self, order: RestingOrder) -> bool:
        """Tell whether an order is the stop order of a pair, for which the limit order reserves what it needs."""
        order_list = self.list_of.get(order.order_id) if order.is_waiting else None
        return order_list is not None and order.order_id == order_list.second

    def is_remembered(self, order_id: int) -> bool:
        """Tell whether an order lives, or is in an order list."""
        return order_id in self.orders or order_id in self.list_of

    def ids_reserved(self) -> int:
        """Return how many order ids the commands just before this one have reserved for it."""
        is_due = self.reserved_last == self.events.command_sequence - 1
        return self.reserved_count if is_due else 0
