"""What the events of a command say, as the facts of the naive model."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Any

from exchange.domain import corporate_events as ce
from exchange.domain import events as e
from exchange.domain import linked_events as le
from exchange.domain import volatility_events as v
from exchange.domain.phase import PhaseCause
from exchange.domain.reasons import Reason
from tests.matching.naive_values import Fact

MEASURED = range(Reason.MAX_QUANTITY, Reason.LOSS_LIMIT + 1)
"""Reasons of limits: the naive model knows what they measured."""

FACTS: dict[type[e.Event], Callable[[Any], Fact]] = {
    e.OrderRejected: lambda x: refused(x),
    e.CommandRejected: lambda x: refused(x),
    e.OrderDuplicated: lambda x: ("duplicate", x.order_id),
    e.OrderAccepted: lambda x: ("accepted", x.order_id),
    e.OrderReplaced: lambda x: ("replaced", x.order_id, x.new_order_id, x.cancelled_quantity),
    e.OrderAmended: lambda x: ("amended", x.order_id, x.kept_priority, x.price, x.quantity, x.leaves),
    e.OrderCancelled: lambda x: ("cancelled", x.order_id, x.quantity, x.reason),
    e.OrderRepriced: lambda x: ("repriced", x.order_id, x.price),
    e.OrderRefreshed: lambda x: ("refreshed", x.order_id, x.displayed, x.leaves),
    e.OrderTriggered: lambda x: ("triggered", x.order_id, x.stop_price, x.last_price),
    e.MatchPrevented: lambda x: ("prevented", x.maker_order_id, x.taker_order_id, x.quantity, x.mode),
    e.TradeExecuted: lambda x: (
        "trade", x.maker_order_id, x.taker_order_id, x.price, x.quantity, x.reference_price, x.maker_leaves,
        x.taker_leaves, x.state,
    ),
    e.OrdersCancelled: lambda x: ("cancelled in all", x.count),
    e.BusinessDayStarted: lambda x: ("day", x.ends_ns),
    e.CancelTimerSet: lambda x: ("timer", x.participant_id, x.expires_ns),
    e.CancelTimerExpired: lambda x: ("timer over", x.participant_id, x.count),
    e.TradingBlocked: lambda x: ("blocked", x.scope, x.subject_id, x.count),
    e.TradingUnblocked: lambda x: ("unblocked", x.scope, x.subject_id),
    e.RiskAlerted: lambda x: ("alert", x.scope, x.subject_id, x.kind, x.percent, x.measured, x.limit),
    ce.SymbolSplit: lambda x: (
        "split", x.symbol_id, x.new_shares, x.old_shares, x.old_reference, x.reference_price, x.cash_price,
    ),
    ce.SymbolRenamed: lambda x: ("renamed", x.symbol_id, x.old_symbol, x.symbol),
    ce.DividendPaid: lambda x: ("dividend", x.symbol_id, x.amount, x.old_reference, x.reference_price),
    ce.SpecialTermsAdjusted: lambda x: (
        "terms", x.order_id, x.minimum_quantity, x.display_quantity, x.stop_price, x.trail_amount,
    ),
    ce.HoldingAdjusted: lambda x: ("adjusted", x.account_id, x.cause, x.asset, x.amount, x.balance),
    ce.ShortSaleTermsSet: lambda x: ("short terms", x.symbol_id, x.trigger_bps, x.closing_price),
    ce.ShortSaleRestricted: lambda x: (
        "restricted", x.symbol_id, x.is_restricted, x.days, x.price, x.closing_price,
    ),
    v.PriceBandsSet: lambda x: ("bands of", x.symbol_id, x.tier),
    v.PriceBandsMoved: lambda x: ("bands", x.symbol_id, x.reference_price, x.lower, x.upper, x.is_doubled),
    v.LimitStateChanged: lambda x: ("limit state", x.symbol_id, x.state, x.bid, x.ask, x.ends_ns),
    v.AuctionCollarSet: lambda x: ("collar", x.symbol_id, x.reference_price, x.lower, x.upper, x.extension),
    v.PriceCorridorSet: lambda x: (
        "corridor", x.symbol_id, x.dynamic_bps, x.static_bps, x.call_ns, x.random_ns_max,
    ),
    v.CorridorLeft: lambda x: ("left", x.symbol_id, x.price, x.lowest, x.highest),
    v.MarketBreakerSet: lambda x: ("breaker", x.close_level),
    v.IndexLevelReported: lambda x: ("index", x.level, x.fall_bps),
    v.MarketBreakerTripped: lambda x: ("tripped", x.level, x.index_level, x.ends_ns),
    le.OrderListAccepted: lambda x: ("list", x.list_id, x.contingency),
    le.OrderListTriggered: lambda x: ("brings in", x.list_id, x.order_id, x.quantity),
    le.OrderListEnded: lambda x: ("list over", x.list_id, x.order_id, x.end),
    le.PegAccepted: lambda x: ("pegged", x.order_id, x.kind, x.offset, x.limit),
    le.QuoteAccepted: lambda x: (
        "quoted", x.account_id, x.symbol_id, x.quote_id, x.bid_order_id, x.ask_order_id,
    ),
    le.QuoteRejected: lambda x: ("no quote", x.account_id, x.symbol_id, x.quote_id, *refused(x)[1:]),
    le.QuotesCancelled: lambda x: ("withdrew", x.account_id, x.symbol_id, x.count),
    le.QuoteProtectionSet: lambda x: (
        "protected", x.account_id, x.symbol_id, x.quantity, x.executions, x.percent_bps, x.delta, x.window_ms,
    ),
    le.QuoteProtectionReached: lambda x: (
        "protection reached", x.account_id, x.symbol_id, x.kind, x.measured, x.limit,
    ),
    le.QuoteProtectionReset: lambda x: ("reset", x.account_id, x.symbol_id),
    e.PhaseChanged: lambda x: ("phase", x.symbol_id, x.phase, x.cause, x.ends_ns),
    e.ScheduleCleared: lambda x: ("cleared", x.count),
    e.AuctionExtended: lambda x: ("extended", x.symbol_id, x.price, x.lowest, x.highest, x.number, x.ends_ns),
    e.AuctionExecuted: lambda x: (
        "auction", x.symbol_id, chr(x.auction), x.price, x.reference_price, x.volume, x.imbalance, x.side,
    ),
    e.AuctionIndicated: lambda x: (
        "indicated", x.symbol_id, chr(x.auction), x.price, x.far_price, x.reference_price, x.paired, x.imbalance,
        x.side,
    ),
}  # fmt: skip
"""What is not here, such as what an operator has set, the model says nothing of."""


def refused(event: e.OrderRejected | e.CommandRejected | le.QuoteRejected) -> Fact:
    """Return the reason, of a limit with what it measured."""
    numbers = (event.measured, event.limit) if event.reason in MEASURED else (0, 0)
    return ("refused", event.reason, *numbers)


def facts_of(events: Iterable[e.Event]) -> list[Fact]:
    """Return what events say; the indications that end a command by symbol, as the model gives them."""
    facts = watched_by_symbol([FACTS[type(event)](event) for event in events if type(event) in FACTS])
    indicated = sorted((fact for fact in facts if fact[0] == "indicated"), key=lambda fact: str(fact[1]))
    return [fact for fact in facts if fact[0] != "indicated"] + indicated


def watched_by_symbol(facts: list[Fact]) -> list[Fact]:
    """Put what was seen of price limits at one time by symbol, as the model gives it."""
    runs = groupby(facts, key=is_of_watch)
    return [
        fact
        for of_watch, run in runs
        for fact in (sorted(run, key=lambda fact: int(str(fact[1]))) if of_watch else run)
    ]


def is_of_watch(fact: Fact) -> bool:
    """Tell whether a fact says that a limit state changed, or a corridor was left."""
    pauses = fact[0] == "phase" and fact[3] == PhaseCause.PRICE_LIMIT
    return pauses or fact[0] in ("limit state", "left")
