"""The phases of every symbol's market: by command, by schedule, by a halt, and when their time is over.

The schedule says in which phase a symbol would be; it is in another one while it is halted or suspended, while a
reopening or volatility auction runs, or while an auction waits for a price inside its collar. When that is over it goes
to where the schedule has got by then. Wherever orders have gathered and are to trade, an auction stands between.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable
from typing import NamedTuple

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain.participant import is_valid_name
from exchange.domain.phase import (
    CALL_NS_MAX,
    COLLAR_BPS_MAX,
    EXTENSIONS_MAX,
    GATHERING,
    INDICATED,
    SCHEDULE_ROWS_MAX,
    SETTABLE,
    AuctionKind,
    Phase,
    PhaseCause,
    auction_between,
    auction_of,
)
from exchange.domain.reasons import Reason
from exchange.domain.symbol import AuctionTerms, SymbolState
from exchange.domain.trade import BASIS_POINTS
from exchange.domain.units import PRICE_MAX
from exchange.domain.volatility import PAUSE_NS
from exchange.matching.auction import NOTHING_INDICATED, Outcome, indicate
from exchange.matching.market import Market
from exchange.matching.matcher import Matcher
from exchange.matching.order_checks import Refusal
from exchange.matching.price_guard import PriceBands, PriceCorridor
from exchange.matching.price_limits import PriceLimits, needs_more_time
from exchange.matching.risk_checks import RiskChecks
from exchange.matching.uncross import uncross
from exchange.matching.venue_state import ScheduledPhase, VenueState
from exchange.wire.records import number_of

EXTENSIONS_COUNTED = 255
"""As far as the extensions of one auction are counted."""
STOPPED_BY_BREAKER = (Phase.CONTINUOUS, Phase.VOLATILITY_AUCTION, Phase.REOPENING_AUCTION)
PHASES = {phase.value: phase for phase in Phase}
TIME_NS_MAX = 2**63 - 1
_MASK = 2**64 - 1


class Change(NamedTuple):
    """A phase that is to begin, and what is said of it. ends_ns: when it ends by itself, 0 for not."""

    phase: Phase
    cause: PhaseCause
    reason: str = ""
    ends_ns: int = 0


class Phases:
    """Judges and carries out the commands about phases. Enum fields may come as numbers that mean nothing."""

    def __init__(self, state: VenueState, matcher: Matcher) -> None:
        self._state = state
        self._events = state.events
        self._matcher = matcher
        self._risk = RiskChecks(state)
        self.limits = PriceLimits(state, self._pause)

    # --- commands ------------------------------------------------------------------------------------

    def set_phase(self, command: c.SetPhase) -> None:
        """Begin a phase now."""
        phase = PHASES.get(command.phase)
        markets = self._markets(command.symbol_id)
        refusal = self._refusal_of_place(command.symbol_id, command.reason)
        if not refusal and (phase not in SETTABLE or (command.symbol_id and markets[0].phase is phase)):
            refusal = Refusal(Reason.PHASE_INVALID, command.phase)
        refusal = refusal or (refusal_of_standstill(markets[0]) if command.symbol_id else None)
        if refusal or phase is None:
            self._refuse(command, refusal or Refusal(Reason.PHASE_INVALID))
            return
        change = Change(phase, PhaseCause.OPERATOR, command.reason)
        if not command.symbol_id:
            self._schedule_market(change)
            self._end_stop(Phase.REOPENING_AUCTION)
        for market in markets:
            market.scheduled_phase = phase
            if not refusal_of_standstill(market) and market.phase is not phase:
                self._enter(market, change, is_checked=False)

    def schedule(self, command: c.SchedulePhase) -> None:
        """Take a phase into the schedule."""
        rows, now_ns = self._state.schedule, self._events.time_ns
        refusal = self._refusal_of_place(command.symbol_id, "")
        if not refusal and PHASES.get(command.phase) not in SETTABLE:
            refusal = Refusal(Reason.PHASE_INVALID, command.phase)
        if not refusal and not now_ns < command.at_ns <= TIME_NS_MAX:
            refusal = Refusal(Reason.PHASE_TIME_INVALID, command.at_ns, now_ns)
        if not refusal and command.random_ns_max > CALL_NS_MAX:
            refusal = Refusal(Reason.PHASE_TIME_INVALID, command.random_ns_max, CALL_NS_MAX)
        if not refusal and len(rows) >= SCHEDULE_ROWS_MAX:
            refusal = Refusal(Reason.DIRECTORY_FULL, len(rows), SCHEDULE_ROWS_MAX)
        if refusal:
            self._refuse(command, refusal)
            return
        at_ns = command.at_ns + drawn(command.seed, command.random_ns_max)
        insort(rows, ScheduledPhase(at_ns, command.symbol_id, PHASES[command.phase]))
        self._events.write(
            e.PhaseScheduled, symbol_id=command.symbol_id, phase=PHASES[command.phase], at_ns=command.at_ns,
            random_ns_max=command.random_ns_max,
        )  # fmt: skip

    def clear_schedule(self, command: c.ClearSchedule) -> None:
        """Take back what is scheduled."""
        if refusal := self._refusal_of_place(command.symbol_id, ""):
            self._refuse(command, refusal)
            return
        rows = self._state.schedule
        kept = [row for row in rows if command.symbol_id not in (0, row.symbol_id)]
        count = len(rows) - len(kept)
        rows[:] = kept
        self._events.write(e.ScheduleCleared, symbol_id=command.symbol_id, count=count)

    def set_auction_terms(self, command: c.SetAuctionTerms) -> None:
        """Set how a symbol's auctions are checked."""
        refusal = None
        too_much = command.collar_bps > COLLAR_BPS_MAX or command.extensions_max > EXTENSIONS_MAX
        no_time = command.extensions_max and not command.extension_ns
        if command.symbol_id not in self._state.markets:
            refusal = Refusal(Reason.UNKNOWN_SYMBOL, command.symbol_id)
        elif too_much or no_time or command.extension_ns > CALL_NS_MAX:
            refusal = Refusal(Reason.AUCTION_TERMS_INVALID, command.collar_bps, COLLAR_BPS_MAX)
        if refusal:
            self._refuse(command, refusal)
            return
        terms = AuctionTerms(command.collar_bps, command.extension_ns, command.extensions_max)
        self._state.directory.apply(self._events.write(
            e.AuctionTermsSet, symbol_id=command.symbol_id, collar_bps=terms.collar_bps,
            extension_ns=terms.extension_ns, extensions_max=terms.extensions_max,
        ))  # fmt: skip
        self._state.markets[command.symbol_id].auction_terms = terms

    def halt(self, command: c.HaltTrading) -> None:
        """Halt a symbol or all of them."""
        markets = self._markets(command.symbol_id)
        refusal = self._refusal_of_place(command.symbol_id, command.reason)
        if not refusal and command.symbol_id and markets[0].phase is Phase.HALTED:
            refusal = Refusal(Reason.NOT_HALTED, Phase.HALTED)
        if refusal:
            self._refuse(command, refusal)
            return
        change = Change(Phase.HALTED, PhaseCause.HALT, command.reason)
        if not command.symbol_id:
            self._change_market(change)
            self._end_stop(Phase.HALTED, Phase.REOPENING_AUCTION)
        for market in markets:
            if market.phase is not Phase.HALTED:
                self._begin(market, change)

    def resume(self, command: c.ResumeTrading) -> None:
        """End the halt of a symbol, or every halt."""
        markets = self._markets(command.symbol_id)
        refusal = self._refusal_of_place(command.symbol_id, command.reason)
        if not refusal and max(command.call_ns, command.random_ns_max) > CALL_NS_MAX:
            longest = max(command.call_ns, command.random_ns_max)
            refusal = Refusal(Reason.PHASE_TIME_INVALID, longest, CALL_NS_MAX)
        if not refusal and command.symbol_id:
            if markets[0].phase is not Phase.HALTED:
                refusal = Refusal(Reason.NOT_HALTED, markets[0].phase)
            elif markets[0].state is not SymbolState.ACTIVE:
                refusal = Refusal(Reason.SYMBOL_SUSPENDED)
        if refusal:
            self._refuse(command, refusal)
            return
        if not command.symbol_id:
            phase = self._state.market_scheduled_phase
            self._change_market(Change(phase, PhaseCause.RESUMPTION, command.reason))
            self._end_stop(Phase.HALTED)
        for market in markets:
            if market.phase is Phase.HALTED and market.state is SymbolState.ACTIVE:
                self._resume(market, command)

    def _resume(self, market: Market, command: c.ResumeTrading) -> None:
        reopens = market.scheduled_phase is Phase.CONTINUOUS and command.call_ns
        phase, ends_ns = market.scheduled_phase, 0
        if reopens:
            phase = Phase.REOPENING_AUCTION
            ends_ns = self._events.time_ns + command.call_ns + drawn(command.seed, command.random_ns_max)
        self._enter(market, Change(phase, PhaseCause.RESUMPTION, command.reason, ends_ns), is_checked=False)

    # --- time ----------------------------------------------------------------------------------------

    def next_ns(self) -> int:
        """Return when the next phase begins or ends by itself, 0 for never."""
        due = [*self._state.phase_ends.values(), *(row.at_ns for row in self._state.schedule[:1])]
        if limits_ns := self.limits.next_ns():
            due.append(limits_ns)
        return min(due, default=0)

    def tick(self, pass_time: Callable[[int], None]) -> None:
        """Begin the phases whose time has come. pass_time: does all else that is due up to a time."""
        while 0 < (at_ns := self.next_ns()) <= self._events.time_ns:
            pass_time(at_ns)
            ended = sorted(symbol_id for symbol_id, ns in self._state.phase_ends.items() if ns <= at_ns)
            for symbol_id in ended:
                self._end(self._state.markets[symbol_id])
            while self._state.schedule and self._state.schedule[0].at_ns <= at_ns:
                self._begin_scheduled(self._state.schedule.pop(0))
            self.limits.tick(at_ns)

    def _end(self, market: Market) -> None:
        """End a phase whose time is over; a suspended symbol waits."""
        self._set_end(market, 0)
        if market.state is SymbolState.ACTIVE:
            self._enter(market, Change(market.scheduled_phase, PhaseCause.TIME_OVER))

    def _begin_scheduled(self, row: ScheduledPhase) -> None:
        change = Change(row.phase, PhaseCause.SCHEDULE)
        if not row.symbol_id:
            self._schedule_market(change)
        for market in self._markets(row.symbol_id):
            market.scheduled_phase = row.phase
            waits = market.phase_ends_ns and row.phase not in GATHERING
            if not waits and not refusal_of_standstill(market) and market.phase is not row.phase:
                self._enter(market, change)

    # --- what others ask for -------------------------------------------------------------------------

    def begin_listed(self, market: Market) -> None:
        """Let a new symbol begin where the market stands, also where the breaker has stopped it."""
        state, breaker = self._state, self._state.breaker
        market.scheduled_phase = state.market_scheduled_phase
        if breaker.stop_phase == Phase.HALTED:
            is_concerned = state.market_phase is not Phase.HALTED
        else:
            is_concerned = state.market_phase is Phase.CONTINUOUS
        if is_concerned and breaker.is_stopping(self._events.time_ns):
            phase, ends_ns = Phase(breaker.stop_phase), breaker.stop_ends_ns
            self._begin(market, Change(phase, PhaseCause.BREAKER, ends_ns=ends_ns))
        elif state.market_phase is not Phase.CONTINUOUS:
            self._begin(market, Change(state.market_phase, PhaseCause.LISTING))

    def follow_state(self, market: Market) -> None:
        """Let a symbol that is no longer suspended go to where the schedule has got."""
        stands = market.state is not SymbolState.ACTIVE or market.phase is Phase.HALTED
        if not stands and not market.phase_ends_ns and market.phase is not market.scheduled_phase:
            self._enter(market, Change(market.scheduled_phase, PhaseCause.RESUMPTION))

    def tell_indications(self) -> None:
        """Tell how auctions would end now, of those symbols that the command's events so far concern."""
        for symbol_id in self._events.symbols_concerned():
            market = self._state.markets.get(symbol_id)
            if market is None or market.phase not in INDICATED:
                continue
            kind = auction_of(market.phase)
            assert kind is not None, "an indicated phase has an auction"
            _, told = indicate(market.book, market.auction, kind, market.reference.price)
            if told != market.indicated:
                market.indicated = told
                self._events.write(e.AuctionIndicated, symbol_id=symbol_id, auction=kind, **told._asdict())

    def stop_market(self, phase: Phase, ends_ns: int) -> None:
        """Stop every symbol that trades, or will when its pause is over, until a time; to halt stops all of them."""
        self._state.breaker.stop(phase, ends_ns)
        for market in self._markets(0):
            if market.phase in STOPPED_BY_BREAKER or (
                phase is Phase.HALTED and market.phase is not Phase.HALTED
            ):
                self._begin(market, Change(phase, PhaseCause.BREAKER, ends_ns=ends_ns))

    def _end_stop(self, *phases: Phase) -> None:
        """Let symbols that are listed from now on not begin in the phase in which the breaker stopped the others."""
        if self._state.breaker.stop_phase in phases:
            self._state.breaker.stop(0, 0)

    def _pause(self, market: Market) -> None:
        """Let orders gather, for a price limit was reached: for a trading pause, or as long as the corridor says."""
        call_ns, guard = PAUSE_NS, market.guard
        if isinstance(guard, PriceCorridor):
            call_ns = guard.terms.call_ns
            call_ns += drawn(guard.seed + self._events.sequence & _MASK, guard.terms.random_ns_max)
        ends_ns = self._events.time_ns + call_ns
        self._begin(market, Change(Phase.VOLATILITY_AUCTION, PhaseCause.PRICE_LIMIT, ends_ns=ends_ns))

    # --- from phase to phase -------------------------------------------------------------------------

    def _enter(self, market: Market, change: Change, *, is_checked: bool = True) -> None:
        """Go to a phase, by an auction where one is due. is_checked: the auction has a collar."""
        kind = auction_between(market.phase, change.phase)
        if kind is None:
            self._begin(market, change)
            return
        outcome, _ = indicate(market.book, market.auction, kind, market.reference.price)
        is_checked = is_checked and market.phase in GATHERING
        if is_checked and self._extend_pause(market, kind, outcome):
            return
        if is_checked and market.extensions < market.auction_terms.extensions_max:
            lowest, highest = collar(market)
            if outcome.volume and not lowest <= outcome.price <= highest:
                self._extend(market, outcome, lowest, highest, market.auction_terms.extension_ns)
                return
        uncross(self._state, self._risk, market, kind, outcome)
        self._begin(market, change, outcome.price)
        if change.phase is Phase.CONTINUOUS and outcome.volume:
            self._matcher.trigger(market, outcome.price)

    def _begin(self, market: Market, change: Change, auction_price: int = 0) -> None:
        market.phase = change.phase
        market.extensions = 0
        market.indicated = NOTHING_INDICATED
        self._set_end(market, change.ends_ns)
        self._state.indicated.pop(market.symbol_id, None)
        if change.phase in INDICATED:
            self._state.indicated[market.symbol_id] = None
        self._state.directory.apply(self._say(market.symbol_id, change))
        if market.pegs and change.phase is not Phase.CONTINUOUS:
            self._matcher.pegs.park(market)
        if market.guard is not None:
            self.limits.follow_phase(market, auction_price)

    def _extend_pause(self, market: Market, kind: AuctionKind, outcome: Outcome) -> bool:
        """Let the auction after a trading pause wait for a price inside its collar; tell whether it does."""
        guard = market.guard
        if not isinstance(guard, PriceBands) or not guard.collar_upper:
            return False
        if not needs_more_time(market, guard, kind, outcome):
            return False
        self._extend(market, outcome, guard.collar_lower, guard.collar_upper, PAUSE_NS)
        self.limits.widen(market, guard, outcome)
        return True

    def _extend(self, market: Market, outcome: Outcome, lowest: int, highest: int, extension_ns: int) -> None:
        kind = auction_of(market.phase)
        market.extensions = min(market.extensions + 1, EXTENSIONS_COUNTED)
        self._set_end(market, self._events.time_ns + extension_ns)
        self._events.write(
            e.AuctionExtended, symbol_id=market.symbol_id, auction=kind, price=outcome.price, lowest=lowest,
            highest=highest, number=market.extensions, ends_ns=market.phase_ends_ns,
        )  # fmt: skip

    def _schedule_market(self, change: Change) -> None:
        """Note where the schedule has got; a market that is halted as a whole stays so."""
        self._state.market_scheduled_phase = change.phase
        if self._state.market_phase is Phase.HALTED:
            change = change._replace(phase=Phase.HALTED)
        self._change_market(change)

    def _change_market(self, change: Change) -> None:
        self._state.market_phase = change.phase
        self._say(0, change)

    def _say(self, symbol_id: int, change: Change) -> e.Event:
        return self._events.write(
            e.PhaseChanged, symbol_id=symbol_id, phase=change.phase, cause=change.cause, ends_ns=change.ends_ns,
            reason=change.reason,
        )  # fmt: skip

    def _set_end(self, market: Market, ends_ns: int) -> None:
        market.phase_ends_ns = ends_ns
        self._state.phase_ends.pop(market.symbol_id, None)
        if ends_ns:
            self._state.phase_ends[market.symbol_id] = ends_ns

    # --- what they share -----------------------------------------------------------------------------

    def _markets(self, symbol_id: int) -> list[Market]:
        """Return one symbol's market, or for 0 all of them by symbol id; none where it is unknown."""
        markets = self._state.markets
        if symbol_id:
            return [markets[symbol_id]] if symbol_id in markets else []
        return [markets[key] for key in sorted(markets)]

    def _refusal_of_place(self, symbol_id: int, reason: str) -> Refusal | None:
        if symbol_id and symbol_id not in self._state.markets:
            return Refusal(Reason.UNKNOWN_SYMBOL, symbol_id)
        return Refusal(Reason.NAME_INVALID) if reason and not is_valid_name(reason) else None

    def _refuse(self, command: c.Command, refusal: Refusal) -> None:
        symbol_id = getattr(command, "symbol_id", 0)
        self._events.command_rejected(
            number_of(type(command)), refusal.reason, subject=symbol_id, measured=refusal.measured,
            limit=refusal.limit, symbol_id=symbol_id,
        )  # fmt: skip


def refusal_of_standstill(market: Market) -> Refusal | None:
    """Check that a symbol may change its phase: it is neither suspended nor halted."""
    if market.state is not SymbolState.ACTIVE:
        return Refusal(Reason.SYMBOL_SUSPENDED)
    return Refusal(Reason.SYMBOL_HALTED) if market.phase is Phase.HALTED else None


def collar(market: Market) -> tuple[int, int]:
    """Return the lowest and highest price of an auction: the collar around the reference, wider by each extension."""
    terms, reference = market.auction_terms, market.reference.price
    if not terms.collar_bps:
        return 0, PRICE_MAX
    width = reference * terms.collar_bps * (1 + market.extensions) // BASIS_POINTS
    return max(reference - width, 0), min(reference + width, PRICE_MAX)


def drawn(seed: int, most: int) -> int:
    """Return a number from 0 to `most` that only the seed decides. SplitMix64, by Steele, Lea and Flood."""
    mixed = (seed + 0x9E3779B97F4A7C15) & _MASK
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 & _MASK
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & _MASK
    return (mixed ^ mixed >> 31) % (most + 1)
