"""Events in a trader's words, and the names that a scenario gives to orders and trades."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from exchange.domain import corporate_events as ce
from exchange.domain import events as e
from exchange.domain import volatility_events as v
from exchange.domain.allocation import step_text
from exchange.domain.configuration import SymbolChange
from exchange.domain.directory import Directory
from exchange.domain.order import Side
from exchange.domain.order_list import Contingency
from exchange.domain.reasons import REASONS
from exchange.domain.risk import RiskScope
from exchange.domain.units import (
    format_date,
    format_money,
    format_price,
    format_time,
    parse_money,
    public_id,
)
from exchange.matching.venue import Venue


class Names:
    """What a scenario calls things, and what the venue calls them."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._orders: dict[str, int] = {}
        self.owners: dict[str, int] = {}
        self._trades: dict[str, e.TradeExecuted] = {}

    def next_order(self, name: str, venue: Venue, owner: int, ahead: int = 1) -> None:
        """Give a name to the order that the next command makes, or one so many ahead."""
        self._orders[name] = public_id(venue.partition, venue.command_sequence + ahead)
        self.owners[name] = owner

    def order(self, name: str) -> int:
        """Return the id of an order by its name; a number stands for itself."""
        return self._orders[name] if name in self._orders else int(name)

    def of_order(self, order_id: int) -> str:
        """Return the name of an order; the last one given, where a repetition was named too."""
        return next((name for name, known in self._orders.items() if known == order_id), str(order_id))

    def trade(self, event: e.TradeExecuted) -> str:
        """Name the next trade."""
        name = f"t{len(self._trades) + 1}"
        self._trades[name] = event
        return name

    def of_trade(self, match_id: int) -> str:
        """Return the name of a trade."""
        known = ((name, public_id(t.partition, t.sequence)) for name, t in self._trades.items())
        return next((name for name, trade in known if trade == match_id), str(match_id))

    def of_figure(self, figure: int, meaning: str) -> str:
        """Write the figure beside a reason, by its name where it is the id of an order or a trade."""
        if meaning == "order id":
            return self.of_order(figure)
        return self.of_trade(figure) if meaning == "match id" else str(figure)

    def facts(self, name: str) -> dict[str, Any]:
        """Return the facts of a trade as the gateway adds them to a ruling."""
        trade = self._trades[name]
        maker = (trade.maker_account_id, trade.maker_order_id)
        taker = (trade.taker_account_id, trade.taker_order_id)
        buyer, seller = (taker, maker) if trade.taker_side is Side.BUY else (maker, taker)
        return {
            "match_id": public_id(trade.partition, trade.sequence), "symbol_id": trade.symbol_id,
            "price": trade.price, "quantity": trade.quantity, "buy_account_id": buyer[0],
            "sell_account_id": seller[0], "buy_order_id": buyer[1], "sell_order_id": seller[1],
            "executed_ns": trade.time_ns,
        }  # fmt: skip

    def participant(self, name: str) -> int:
        """Return the id of a member; the exchange is 0."""
        return 0 if name == "exchange" else self._directory.participant_ids[name]

    def account(self, name: str) -> int:
        """Return the id of an account by its name; a number stands for itself."""
        named = {account.name: account.account_id for account in self._directory.accounts.values()}
        return named[name] if name in named else int(name)

    def account_name(self, account_id: int) -> str:
        """Return the name of an account."""
        return self._directory.accounts[account_id].name

    def owner(self, account: str) -> int:
        """Return the member to whom an account belongs, 0 where there is no such account."""
        found = self._directory.accounts.get(self.account(account))
        return found.participant_id if found else 0

    def member(self, participant_id: int) -> str:
        """Return the name of a member."""
        return self._directory.participants[participant_id].name

    def subject(self, scope: RiskScope, subject_id: int) -> str:
        """Name the subject of a block or a limit."""
        match scope:
            case RiskScope.SYMBOL:
                return f"symbol {self._directory.symbols[subject_id].symbol}"
            case RiskScope.PARTICIPANT:
                return f"participant {self.member(subject_id)}"
            case RiskScope.ACCOUNT:
                return f"account {self._directory.accounts[subject_id].name}"
            case RiskScope.SESSION:
                return f"session {subject_id}"
        return "market"

    def symbol(self, name: str) -> int:
        """Return the id of a symbol by its name; a number stands for itself."""
        return self._directory.symbol_ids[name] if name in self._directory.symbol_ids else int(name)

    def number(self, text: str) -> int:
        """Read a field: the name of an order or a trade, a price with a point in it, or a number."""
        if text in self._orders:
            return self._orders[text]
        if text in self._trades:
            trade = self._trades[text]
            return public_id(trade.partition, trade.sequence)
        return parse_money(text) if "." in text else int(text)


def say_linked(event: e.Event, names: Names) -> str:
    """Say what happened to an order list."""
    match event:
        case e.OrderListAccepted():
            return f"took {len(event.orders)} orders, {Contingency(event.contingency).name.lower()}"
        case e.QuoteAccepted():
            return f"quoted {event.quote_id}"
        case e.QuoteRejected():
            figures = f" {event.measured} {event.limit}" if event.measured or event.limit else ""
            return f"no quote {event.quote_id}, {event.reason.name}{figures}"
        case e.QuotesCancelled():
            return f"withdrew {event.count}"
        case e.QuoteProtectionSet():
            limits = (event.quantity, event.executions, event.percent_bps, event.delta)
            return f"protected by {' '.join(map(str, limits))} within {event.window_ms} ms"
        case e.QuoteProtectionReached():
            return f"protection reached, {event.kind.name.lower()} {event.measured} of {event.limit}"
        case e.QuoteProtectionReset():
            return "protection reset"
        case e.PegAccepted():
            offset = f" offset {format_price(event.offset)}" if event.offset else ""
            limit = f" limit {format_price(event.limit)}" if event.limit else ""
            return f"pegged {names.of_order(event.order_id)} {event.kind.name.lower()}{offset}{limit}"
        case e.OrderListTriggered():
            return f"{names.of_order(event.order_id)} brings in {event.quantity}"
        case e.OrderListEnded():
            return f"list over, {names.of_order(event.order_id)} {event.end.name.lower()}"
    return ""


def say(event: e.Event, names: Names) -> str:
    """Say in words what an event says in numbers."""
    match event:
        case e.OrderAccepted() | e.OrderRejected() | e.OrderDuplicated() | e.CommandRejected():
            return _say_answer(event, names)
        case e.TradeExecuted():
            return _say_trade(event, names)
        case e.OrderCancelled():
            return f"cancelled {names.of_order(event.order_id)} {event.quantity}, {event.reason.name.lower()}"
        case e.OrderAmended():
            return (
                f"amended {names.of_order(event.order_id)} to {event.quantity} @ {format_price(event.price)}, "
                f"{'keeps its place' if event.kept_priority else 'goes to the back'} [leaves {event.leaves}]"
            )
        case e.OrderReplaced():
            return (
                f"replaced {names.of_order(event.order_id)} by {names.of_order(event.new_order_id)}, "
                f"{event.quantity} @ {format_price(event.price)} [cancels {event.cancelled_quantity}]"
            )
        case e.OrderRepriced():
            why = event.reason.name.lower()
            return f"repriced {names.of_order(event.order_id)} to {format_price(event.price)}, {why}"
        case e.OrderRefreshed():
            return (
                f"refreshed {names.of_order(event.order_id)}, shows {event.displayed} @ {format_price(event.price)}"
                f" [leaves {event.leaves}]"
            )
        case e.MatchPrevented():
            taker, maker = names.of_order(event.taker_order_id), names.of_order(event.maker_order_id)
            return (
                f"prevented {taker} from {maker}, {event.quantity} @ {format_price(event.price)}, "
                f"{event.mode.name.lower()}"
            )
        case e.OrderTriggered():
            price = format_price(event.price) if event.price else "market"
            return (
                f"triggered {names.of_order(event.order_id)}, {event.leaves} @ {price} "
                f"[stop {format_price(event.stop_price)}] [last {format_price(event.last_price)}]"
            )
        case e.SpecialTermsAccepted():
            return f"with {_terms(event)}"
        case e.OrdersCancelled():
            return f"cancelled {event.count} in all"
        case e.TradeBusted():
            return (
                f"busted {names.of_trade(event.match_id)}, {event.quantity} @ {format_price(event.price)}, "
                f"{event.reason.name.lower()}"
            )
        case e.TradeCorrected():
            return (
                f"corrected {names.of_trade(event.match_id)}, {event.quantity} @ {format_price(event.price)}"
                f" to {event.new_quantity} @ {format_price(event.new_price)}"
            )
    return (
        say_linked(event, names)
        or _say_corporate(event, names)
        or _say_phase(event)
        or _say_limits(event)
        or _say_risk(event, names)
        or _say_administration(event)
    )


def _terms(event: e.SpecialTermsAccepted | ce.SpecialTermsAdjusted) -> str:
    said = (
        ("min", event.minimum_quantity, str), ("show", event.display_quantity, str),
        ("stop", event.stop_price, format_price), ("trail", event.trail_amount, format_price),
        ("trail-bps", event.trail_bps, str), ("until", event.expires_ns, format_time),
    )  # fmt: skip
    return ", ".join(f"{word} {write(number)}" for word, number, write in said if number)


def _say_risk(event: e.Event, names: Names) -> str:
    match event:
        case e.TradingBlocked():
            whom, why = names.subject(event.scope, event.subject_id), event.cause.name.lower()
            return f"blocked {whom}, {why} [cancelled {event.count}] [because {event.note or 'nothing'}]"
        case e.TradingUnblocked():
            return f"unblocked {names.subject(event.scope, event.subject_id)}"
        case e.CancelTimerSet():
            return f"timer ends {format_time(event.expires_ns)}" if event.expires_ns else "no timer"
        case e.CancelTimerExpired():
            return f"timer of {names.member(event.participant_id)} ended, cancelled {event.count}"
        case e.RiskLimitSet():
            return f"limit {_said_limit(event)} of {names.subject(event.scope, event.subject_id)}"
        case e.RiskAlerted():
            whom, kind = names.subject(event.scope, event.subject_id), event.kind.name.lower()
            return f"alert {event.percent} % of {kind} of {whom}, {event.measured} of {event.limit}"
    return ""


def _said_limit(event: e.RiskLimitSet) -> str:
    kind = event.kind.name.lower().replace("_", "-")
    return f"{kind} {event.value}" if event.is_set else f"{kind} none"


def _say_answer(event: e.Event, names: Names) -> str:
    match event:
        case e.OrderAccepted():
            return f"accepted {names.of_order(event.order_id)}"
        case e.OrderDuplicated():
            return f"duplicate of {names.of_order(event.order_id)}"
        case e.OrderRejected() | e.CommandRejected():
            verb = "rejected" if isinstance(event, e.OrderRejected) else "refused"
            measured = names.of_figure(event.measured, REASONS[event.reason].measured)
            figures = f" {measured} {event.limit}" if event.measured or event.limit else ""
            return f"{verb} {event.reason.name}{figures}"
    raise AssertionError(f"{event} is no answer")


def _say_trade(event: e.TradeExecuted, names: Names) -> str:
    verb = "lifts" if event.taker_side is Side.BUY else "hits"
    taker, maker = names.of_order(event.taker_order_id), names.of_order(event.maker_order_id)
    return (
        f"trade {names.trade(event)}: {taker} {verb} {maker}, {event.quantity} @ {format_price(event.price)} "
        f"[leaves {event.taker_leaves} and {event.maker_leaves}] [reference {format_price(event.reference_price)}]"
    )


def _say_corporate(event: e.Event, names: Names) -> str:
    match event:
        case ce.SymbolSplit():
            prices = f"{format_price(event.old_reference)} to {format_price(event.reference_price)}"
            paid = format_price(event.cash_price)
            return f"split {event.new_shares} for {event.old_shares}, reference {prices} [paying {paid}]"
        case ce.SymbolRenamed():
            return f"renamed {event.old_symbol} to {event.symbol} [called {event.name}]"
        case ce.DividendPaid():
            prices = f"{format_price(event.old_reference)} to {format_price(event.reference_price)}"
            return f"dividend {format_price(event.amount)}, reference {prices}"
        case ce.HoldingAdjusted():
            amount, balance = event.amount, event.balance
            what = (format_money(amount), format_money(balance)) if event.asset == 0 else (amount, balance)
            whose, why = names.account_name(event.account_id), event.cause.name.lower()
            return f"{whose} gets {what[0]}, {why}, has {what[1]}"
        case ce.ShortSaleTermsSet():
            asked = [event.needs_locate and "locate", event.needs_marking and "marking"]
            from_price = format_price(event.closing_price) if event.closing_price else "none"
            said = ", ".join(["", *filter(None, asked)])
            return f"short sales {event.trigger_bps} bps{said} [from {from_price}]"
        case ce.ShortSaleRestricted():
            price = f" at {format_price(event.price)}" if event.price else ""
            days = f"restricted for {event.days} days" if event.is_restricted else "free"
            return f"short sales {days}{price} [from {format_price(event.closing_price)}]"
        case ce.SpecialTermsAdjusted():
            return f"terms of {names.of_order(event.order_id)} now {_terms(event)}"
    return ""


def _say_phase(event: e.Event) -> str:
    match event:
        case e.PhaseChanged():
            who = "all" if not event.symbol_id else "phase"
            ends = f" until {format_time(event.ends_ns)}" if event.ends_ns else ""
            return f"{who} {_hyphened(event.phase)}, {_hyphened(event.cause)}{ends}"
        case e.PhaseScheduled():
            return f"scheduled {_hyphened(event.phase)} at {format_time(event.at_ns)}"
        case e.ScheduleCleared():
            return f"cleared {event.count}"
        case e.AuctionTermsSet():
            return f"collar {event.collar_bps} bps, at most {event.extensions_max} extensions"
        case e.AuctionIndicated():
            price = format_price(event.price) if event.price else "none"
            far = f" [far {format_price(event.far_price)}]" if event.far_price else ""
            reference = f"[reference {format_price(event.reference_price)}]"
            return f"indicated {price}, {event.paired} paired{_over(event.imbalance, event.side)}{far} {reference}"
        case e.AuctionExecuted():
            price = f"{event.volume} @ {format_price(event.price)}" if event.volume else "nothing"
            return f"{event.auction.name.lower()} auction of {price}{_over(event.imbalance, event.side)}"
        case e.AuctionExtended():
            return (
                f"extended until {format_time(event.ends_ns)}, {format_price(event.price)} is not within "
                f"{format_price(event.lowest)} to {format_price(event.highest)}"
            )
    return ""


def _say_limits(event: e.Event) -> str:
    match event:
        case v.PriceBandsSet():
            return f"bands of tier {event.tier}" if event.tier else "no bands"
        case v.PriceCorridorSet():
            return f"corridor {event.dynamic_bps} bps, static {event.static_bps} bps"
        case v.PriceBandsMoved():
            doubled = ", doubled" if event.is_doubled else ""
            around = f"around {format_price(event.reference_price)}"
            return f"bands {format_price(event.lower)} to {format_price(event.upper)} {around}{doubled}"
        case v.LimitStateChanged():
            ends = f" until {format_time(event.ends_ns)}" if event.ends_ns else ""
            best = (format_price(price) if price else "none" for price in (event.bid, event.ask))
            return f"{event.state.name.lower()} state at {' '.join(best)}{ends}"
        case v.AuctionCollarSet():
            around = f"around {format_price(event.reference_price)}, extension {event.extension}"
            return f"collar {format_price(event.lower)} to {format_price(event.upper)} {around}"
        case v.CorridorLeft():
            limits = f"{format_price(event.lowest)} to {format_price(event.highest)}"
            return f"{format_price(event.price)} is not within {limits}"
        case v.MarketBreakerSet():
            return f"breaker from {event.close_level}" if event.close_level else "no breaker"
        case v.IndexLevelReported():
            return f"index {event.level}, {event.fall_bps} bps down"
        case v.MarketBreakerTripped():
            ends = f" until {format_time(event.ends_ns)}" if event.ends_ns else ""
            return f"breaker of level {event.level} at {event.index_level}{ends}"
    return ""


def _over(imbalance: int, side: int) -> str:
    return f", {imbalance} over to {Side(side).name.lower()}" if imbalance else ""


def _hyphened(member: IntEnum) -> str:
    return member.name.lower().replace("_", "-")


def _say_administration(event: e.Event) -> str:
    match event:
        case e.BusinessDayStarted():
            return f"day {format_date(event.date)} began"
        case e.SymbolStateChanged():
            return f"{event.state.name.lower()}"
        case e.SelfTradePreventionSet():
            return f"group {event.group}, {event.mode.name.lower()}"
        case e.MarketProtectionSet():
            return f"market orders within {event.protection_bps} bps"
        case e.AllocationSet():
            steps = " ".join(step_text(step) for step in event.steps) or "price-time"
            makers = [f" lead {maker.account_id}:{maker.share_bps}" for maker in event.lead_makers]
            return f"allocates {steps}{''.join(makers)}"
        case e.ReferencePriceSet():
            return f"reference set to {format_price(event.reference_price)}"
        case e.Deposited() | e.Withdrawn():
            verb = "deposited" if isinstance(event, e.Deposited) else "withdrew"
            write = str if event.symbol_id else format_money
            return f"{verb} {write(event.amount)}, has {write(event.balance)}"
        case e.SymbolAdded():
            return f"listed {event.symbol}"
        case e.SymbolConfigured():
            changes = " ".join(bit.name.lower() for bit in SymbolChange if event.changes & bit) or "nothing"
            return f"configured {event.symbol} by version {event.configuration_version}: {changes}"
        case e.RuleConfigured():
            return f"rule {event.number} of {event.count} by version {event.configuration_version}"
        case e.ConfigurationChanged():
            return f"version {event.configuration_version} of the configuration is in force"
        case e.ParticipantCreated():
            return f"admitted {event.name}"
        case e.AccountCreated():
            return f"opened account {event.account_id}"
        case e.KeyCreated():
            return f"made key {event.key_id}"
        case e.KeyRevoked():
            return f"revoked key {event.key_id}"
        case e.EngineStarted():
            return f"epoch {event.epoch}"
    raise AssertionError(f"no words for {event}")
