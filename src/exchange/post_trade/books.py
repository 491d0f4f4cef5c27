"""Clearing's books: takes the engine's events and operators' rulings in, and says what changed.

One event goes in at a time, in the order of the stream. What changed is collected in `changes` until it is
stored; the service stores it in one transaction together with its position in the stream. Should storing
fail, the books are thrown away and read from the store again.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from exchange.domain.corporate_events import HoldingAdjusted
from exchange.domain.directory import Directory
from exchange.domain.events import (
    BusinessDayStarted,
    Deposited,
    Event,
    RuleConfigured,
    TradeBusted,
    TradeCorrected,
    TradeExecuted,
    Withdrawn,
)
from exchange.domain.trade import BustReason
from exchange.domain.units import MatchId, Price, Quantity, TimeNs
from exchange.post_trade.bookings import deposit_chain, reversal_chain, trade_chain, withdrawal_chain
from exchange.post_trade.corporate_bookings import adjustment_chain
from exchange.post_trade.invariants import BooksBroken, check_batch, check_holding
from exchange.post_trade.ledger import CASH, Ledger, TransferCode
from exchange.post_trade.positions import Positions
from exchange.post_trade.recent_trades import RecentTrades
from exchange.post_trade.rule import Context, Hit, Ruling, Verdict
from exchange.post_trade.rules import RulesError, RuleSet, bust_reason, judge, rules_from_texts
from exchange.post_trade.trade import NO_RULE_HIT, Trade, captured, differences, judged_step
from exchange.post_trade.trade_life import Occurrence, Step, TradeState, advance

FindTrade = Callable[[int], Trade | None]
"""Looks up a trade that was stored earlier by its match id."""

_JUDGED = {
    Verdict.ACCEPT: Occurrence.JUDGED_ACCEPT,
    Verdict.FLAG: Occurrence.JUDGED_ACCEPT,
    Verdict.HOLD: Occurrence.JUDGED_HOLD,
    Verdict.BUST: Occurrence.JUDGED_BUST,
}


class EngineRequest(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What the engine is asked to do to a trade. new_price, new_quantity: 0 for a bust."""

    ruling_id: int
    match_id: MatchId
    kind: str
    code: int
    created_ns: TimeNs
    new_price: Price = Price(0)
    new_quantity: Quantity = Quantity(0)


class Fulfilment(msgspec.Struct, frozen=True, gc=False):
    """The engine did what was asked.

    ruling_id: as its event states it; a bust settles every request for one.
    """

    match_id: MatchId
    kind: str
    ruling_id: int
    time_ns: TimeNs


class Changes(msgspec.Struct, kw_only=True):
    """What is to be stored.

    captured: new trades by match id; changed: known ones; steps: those that do not follow from the trade
    (`trade.whole_life`); directory: events to keep.
    """

    captured: dict[int, Trade] = {}
    changed: dict[int, Trade] = {}
    steps: list[Step] = []
    rulings: list[Ruling] = []
    requests: list[EngineRequest] = []
    fulfilments: list[Fulfilment] = []
    directory: list[Event] = []


class Books:
    """Directory, ledger, positions and the lives of trades, as the events so far made them.

    rule_set: what a trade is judged by that is captured now: the rules that the stream brought last, and those given
    where it brought none.
    """

    def __init__(
        self,
        rule_set: RuleSet,
        directory: Directory | None = None,
        ledger: Ledger | None = None,
        positions: Positions | None = None,
        recent: RecentTrades | None = None,
        next_ruling_id: int = 1,
        business_date: int = 0,
        trades: int = 0,
    ) -> None:
        self.directory = directory or Directory()
        self._started_with = rule_set
        self.rule_set = rules_in_force(self.directory, rule_set, "the store")
        self.ledger = ledger or Ledger()
        self.positions = positions or Positions()
        self.recent = recent or RecentTrades()
        self.next_ruling_id = next_ruling_id
        self.business_date = business_date
        self.trades = trades
        self.changes = Changes()

    # --- events of the engine ---

    def take(self, event: Event, find: FindTrade) -> None:
        """Take the next event of the stream in. Raise `BooksBroken` where it contradicts the books."""
        match event:
            case TradeExecuted():
                self._capture(event)
            case TradeBusted():
                self._bust(event, find)
            case TradeCorrected():
                self._correct(event, find)
            case Deposited():
                self.ledger.post(deposit_chain(event))
                self._moved(event, event.amount, event.symbol_id)
            case Withdrawn():
                self.ledger.post(withdrawal_chain(event))
                self._moved(event, -event.amount, event.symbol_id)
            case HoldingAdjusted():
                self.ledger.post(adjustment_chain(event))
                self._moved(event, event.amount, event.asset)
            case BusinessDayStarted():
                self.business_date = event.date
            case _:
                if self.directory.apply(event):
                    self.changes.directory.append(event)
                if isinstance(event, RuleConfigured) and not self.directory.rules.coming:
                    origin = f"event {event.sequence}"
                    self.rule_set = rules_in_force(self.directory, self._started_with, origin)

    def check(self) -> None:
        """Check the invariants for everything that changed. Raise `BooksBroken` where one does not hold."""
        check_batch(self.ledger, self.positions)

    def forget_changes(self) -> None:
        """Take note that everything that changed is stored."""
        self.changes = Changes()
        self.ledger.forget_unsaved()
        self.positions.forget_touched()

    def _capture(self, event: TradeExecuted) -> None:
        rule_set = self.rule_set
        trade = captured(event, self.business_date, TradeState.ACCEPTED, rule_set.version)
        verdict, hits = judge(rule_set, trade, self._context(trade))
        if rule_set.looks_back:
            self.recent.remember(trade)
        if verdict > Verdict.FLAG:
            state = advance(TradeState.CAPTURED, _JUDGED[verdict])
            trade = msgspec.structs.replace(trade, state=state)
        self.changes.captured[trade.match_id] = trade
        self.trades += 1
        if hits:
            self._keep_judgement(trade, verdict, hits)
        self.ledger.post(trade_chain(trade, event))
        self.positions.add_trade(trade)

    def _keep_judgement(self, trade: Trade, verdict: Verdict, hits: tuple[Hit, ...]) -> None:
        """Note a ruling by the rules, and ask the engine for a bust where that is the verdict."""
        match_id, time_ns = trade.match_id, trade.executed_ns
        code = bust_reason(self.rule_set, hits) if verdict == Verdict.BUST else 0
        who, why = f"rules {trade.rules_version}", hits_in_words(hits, verdict)
        ruling_id = self._rule(match_id, time_ns, verdict.name.lower(), code, who, why, hits)
        self.changes.steps.append(judged_step(trade, _JUDGED[verdict], why, ruling_id))
        if verdict == Verdict.BUST:
            self._request(match_id, "bust", ruling_id, code, time_ns)

    def _context(self, trade: Trade) -> Context:
        buyer = self.directory.accounts.get(trade.buy_account_id)
        seller = self.directory.accounts.get(trade.sell_account_id)
        symbol = self.directory.symbols.get(trade.symbol_id)
        return Context(
            symbol=symbol.symbol if symbol else "",
            buyer=buyer.participant_id if buyer else None,
            seller=seller.participant_id if seller else None,
            recent=self.recent,
        )

    def _bust(self, event: TradeBusted, find: FindTrade) -> None:
        trade = self._known(event, find)
        self.ledger.post(reversal_chain(trade, TransferCode.BUST, event))
        self.positions.remove_trade(trade)
        trade = msgspec.structs.replace(trade, version=trade.version + 1)
        why = f"busted for reason {chr(event.reason)}, event {event.sequence}"
        self._advance(trade, Occurrence.BUSTED, event.time_ns, "engine", why, event.ruling_id)
        self.changes.fulfilments.append(Fulfilment(trade.match_id, "bust", event.ruling_id, event.time_ns))

    def _correct(self, event: TradeCorrected, find: FindTrade) -> None:
        old = self._known(event, find)
        self.ledger.post(reversal_chain(old, TransferCode.CORRECTION, event))
        self.positions.remove_trade(old)
        new = msgspec.structs.replace(
            old, price=event.new_price, quantity=event.new_quantity, version=old.version + 1
        )
        self.ledger.post(trade_chain(new, event))
        self.positions.add_trade(new)
        why = f"corrected for reason {chr(event.reason)}, event {event.sequence}"
        self._advance(new, Occurrence.CORRECTED, event.time_ns, "engine", why, event.ruling_id)
        self.changes.fulfilments.append(Fulfilment(new.match_id, "correct", event.ruling_id, event.time_ns))

    def _known(self, event: TradeBusted | TradeCorrected, find: FindTrade) -> Trade:
        trade = self._find(event.match_id, find)
        what = f"event {event.sequence}, {type(event).__name__} of trade {event.match_id}"
        if trade is None:
            raise BooksBroken(f"{what}: clearing has never seen this trade")
        if trade.state == TradeState.BUSTED:
            raise BooksBroken(f"{what}: clearing has it as busted already, and a bust is final")
        found = differences(trade, event)
        if found:
            raise BooksBroken(f"{what}: {'; '.join(found)}")
        return trade

    def _moved(self, event: Deposited | Withdrawn | HoldingAdjusted, amount: int, asset: int) -> None:
        if asset != CASH:
            self.positions.move_shares(event.account_id, asset, amount)
        check_holding(self.ledger, event.account_id, asset, event.balance, event.sequence)

    # --- rulings of operators, and answers of the engine that are not events ---

    def release(self, trade: Trade, who: str, why: str, time_ns: int) -> Trade:
        """Accept a held trade. Raise `TransitionRefused` where it is not held."""
        advance(trade.state, Occurrence.RELEASED)
        ruling_id = self._rule(trade.match_id, time_ns, "release", 0, who, why)
        return self._advance(trade, Occurrence.RELEASED, time_ns, who, why, ruling_id)

    def order_bust(self, trade: Trade, code: BustReason, who: str, why: str, time_ns: int) -> Trade:
        """Have the engine asked to bust a trade.

        Raise `TransitionRefused` where it is busted or about to be.
        """
        advance(trade.state, Occurrence.BUST_ORDERED)
        ruling_id = self._rule(trade.match_id, time_ns, "bust", code, who, why)
        self._request(trade.match_id, "bust", ruling_id, code, time_ns)
        return self._advance(trade, Occurrence.BUST_ORDERED, time_ns, who, why, ruling_id)

    def order_correction(
        self,
        trade: Trade,
        price: Price,
        quantity: Quantity,
        code: BustReason,
        who: str,
        why: str,
        time_ns: int,
    ) -> Trade:
        """Have the engine asked to correct a trade.

        Raise `TransitionRefused` where it is busted or about to be.
        """
        advance(trade.state, Occurrence.CORRECTION_ORDERED)
        ruling_id = self._rule(trade.match_id, time_ns, "correct", code, who, why)
        self._request(trade.match_id, "correct", ruling_id, code, time_ns, price, quantity)
        return self._advance(trade, Occurrence.CORRECTION_ORDERED, time_ns, who, why, ruling_id)

    def refuse_request(self, trade: Trade, request: EngineRequest, why: str, time_ns: int) -> Trade:
        """Note that the engine will not do what it was asked; a trade that was to be busted is held again."""
        occurrence = Occurrence.BUST_REFUSED if request.kind == "bust" else Occurrence.CORRECTION_REFUSED
        return self._advance(trade, occurrence, time_ns, "engine", why, request.ruling_id)

    # --- what all of them do ---

    def _find(self, match_id: int, find: FindTrade) -> Trade | None:
        return self.changes.captured.get(match_id) or self.changes.changed.get(match_id) or find(match_id)

    def _advance(
        self, trade: Trade, occurrence: Occurrence, time_ns: int, who: str, why: str, ruling_id: int
    ) -> Trade:
        trade = msgspec.structs.replace(trade, state=advance(trade.state, occurrence))
        new = trade.match_id in self.changes.captured
        (self.changes.captured if new else self.changes.changed)[trade.match_id] = trade
        self.changes.steps.append(
            Step(
                match_id=trade.match_id, time_ns=TimeNs(time_ns), occurrence=occurrence, state=trade.state,
                version=trade.version, who=who, why=why, ruling_id=ruling_id,
            )
        )  # fmt: skip
        return trade

    def _rule(
        self,
        match_id: MatchId,
        time_ns: int,
        verdict: str,
        code: int,
        who: str,
        why: str,
        hits: tuple[Hit, ...] = (),
    ) -> int:
        ruling_id = self.next_ruling_id
        self.next_ruling_id += 1
        self.changes.rulings.append(
            Ruling(
                ruling_id=ruling_id, match_id=match_id, time_ns=TimeNs(time_ns), verdict=verdict, code=code,
                who=who, why=why, hits=hits,
            )
        )  # fmt: skip
        return ruling_id

    def _request(
        self, match_id: MatchId, kind: str, ruling_id: int, code: int, time_ns: int,
        price: int = 0, quantity: int = 0,
    ) -> None:  # fmt: skip
        self.changes.requests.append(
            EngineRequest(
                ruling_id=ruling_id, match_id=match_id, kind=kind, code=code, created_ns=TimeNs(time_ns),
                new_price=Price(price), new_quantity=Quantity(quantity),
            )
        )  # fmt: skip


def rules_in_force(directory: Directory, started_with: RuleSet, origin: str) -> RuleSet:
    """Return the rules that the stream brought, or those of the start where it brought none.

    Judging by others would let trades pass: raise `BooksBroken` where this program cannot read them.
    """
    texts = directory.rules.in_force
    if not texts:
        return started_with
    try:
        return rules_from_texts(texts)
    except RulesError as error:
        version = texts[0].configuration_version
        raise BooksBroken(
            f"{origin}: configuration version {version} has rules that this program cannot read: {error}; "
            "run the version of the program that the engine has"
        ) from error


def hits_in_words(hits: tuple[Hit, ...], verdict: Verdict) -> str:
    """Say why a verdict was given: the worst rules that were hit, or that none was."""
    worst = [hit.rule_id for hit in hits if hit.verdict == verdict.name.lower()]
    return f"hit by {', '.join(worst)}" if worst else NO_RULE_HIT
