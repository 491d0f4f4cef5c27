"""Judges and carries out the commands of volatility protection: a symbol's bands or corridor, the market's breaker.

The breaker watches an index that somebody else computes and reports. At a fall of 7 or 13 % below its last close all
symbols gather orders for 15 minutes and reopen by an auction, once a day for each level and not in the last 35 minutes
before the scheduled end of continuous trading; at 20 % all are halted until the business date is over. The last level
reported is the next date's close.
"""

from __future__ import annotations

from exchange.domain import commands as c
from exchange.domain import volatility_events as v
from exchange.domain.phase import CALL_NS_MAX, Phase
from exchange.domain.reasons import Reason
from exchange.domain.trade import BASIS_POINTS
from exchange.domain.volatility import (
    BREAKER_BPS,
    BREAKER_HALT_NS,
    BREAKER_LATE_NS,
    CORRIDOR_BPS_MAX,
    INDEX_LEVEL_MAX,
    TIERS_MAX,
    breaker_level,
)
from exchange.matching.order_checks import Refusal
from exchange.matching.phases import Phases
from exchange.matching.price_guard import PriceBands, PriceCorridor, PriceGuard
from exchange.matching.price_limits import is_late
from exchange.matching.venue_state import VenueState
from exchange.wire.records import number_of


class Volatility:
    """The desk of price guards and of the breaker."""

    def __init__(self, state: VenueState, phases: Phases) -> None:
        self._state = state
        self._events = state.events
        self._phases = phases

    def set_bands(self, command: c.SetPriceBands) -> None:
        """Give a symbol bands, or take its protection away."""
        refusal = self._refusal_of_symbol(command.symbol_id)
        if not refusal and command.tier > TIERS_MAX:
            refusal = Refusal(Reason.PRICE_BANDS_INVALID, command.tier, TIERS_MAX)
        if refusal:
            self._refuse(command, refusal, command.symbol_id)
            return
        self._state.directory.apply(
            self._events.write(v.PriceBandsSet, symbol_id=command.symbol_id, tier=command.tier)
        )
        base = self._state.markets[command.symbol_id].reference.price
        self._guard(command.symbol_id, PriceBands(command.tier, base) if command.tier else None)

    def set_corridor(self, command: c.SetPriceCorridor) -> None:
        """Give a symbol a corridor, or take its protection away."""
        refusal = self._refusal_of_symbol(command.symbol_id)
        widest = max(command.dynamic_bps, command.static_bps)
        no_time = widest and not command.call_ns
        if not refusal and (
            no_time or widest > CORRIDOR_BPS_MAX or max(command.call_ns, command.random_ns_max) > CALL_NS_MAX
        ):
            refusal = Refusal(Reason.PRICE_CORRIDOR_INVALID, widest, CORRIDOR_BPS_MAX)
        if refusal:
            self._refuse(command, refusal, command.symbol_id)
            return
        self._state.directory.apply(self._events.write(
            v.PriceCorridorSet, symbol_id=command.symbol_id, dynamic_bps=command.dynamic_bps,
            static_bps=command.static_bps, call_ns=command.call_ns, random_ns_max=command.random_ns_max,
        ))  # fmt: skip
        terms = self._state.directory.symbols[command.symbol_id].volatility
        base = self._state.markets[command.symbol_id].reference.price
        self._guard(command.symbol_id, PriceCorridor(terms, command.seed, base) if widest else None)

    def _guard(self, symbol_id: int, guard: PriceGuard | None) -> None:
        market = self._state.markets[symbol_id]
        market.guard = guard
        self._state.guarded.pop(symbol_id, None)
        if guard is not None:
            self._state.guarded[symbol_id] = None
        self._phases.limits.follow_phase(market, 0)
        self._phases.limits.note_due(market)

    # --- the breaker ---------------------------------------------------------------------------------

    def set_breaker(self, command: c.SetMarketBreaker) -> None:
        """Watch an index, or none."""
        if command.close_level > INDEX_LEVEL_MAX:
            self._refuse(command, Refusal(Reason.INDEX_LEVEL_INVALID, command.close_level, INDEX_LEVEL_MAX))
            return
        self._state.breaker.begin(command.close_level)
        self._say_breaker()

    def report_level(self, command: c.ReportIndexLevel) -> None:
        """Hear where the index stands, and stop the market where it fell too far."""
        breaker = self._state.breaker
        if not breaker.close_level:
            self._refuse(command, Refusal(Reason.NO_BREAKER))
            return
        if not 0 < command.level <= INDEX_LEVEL_MAX:
            self._refuse(command, Refusal(Reason.INDEX_LEVEL_INVALID, command.level, INDEX_LEVEL_MAX))
            return
        breaker.last_level = command.level
        fall = max(breaker.close_level - command.level, 0) * BASIS_POINTS // breaker.close_level
        self._events.write(v.IndexLevelReported, level=command.level, fall_bps=fall)
        level = breaker_level(breaker.close_level, command.level)
        if level > breaker.tripped and (level == len(BREAKER_BPS) or self._is_in_hours()):
            breaker.tripped = level
            self._trip(level, command.level)

    def _is_in_hours(self) -> bool:
        is_open = self._state.market_scheduled_phase is Phase.CONTINUOUS
        return is_open and not is_late(self._state, 0, BREAKER_LATE_NS)

    def _trip(self, level: int, index_level: int) -> None:
        is_last = level == len(BREAKER_BPS)
        ends_ns = self._state.day_ends_ns if is_last else self._events.time_ns + BREAKER_HALT_NS
        self._events.write(v.MarketBreakerTripped, level=level, index_level=index_level, ends_ns=ends_ns)
        self._phases.stop_market(Phase.HALTED if is_last else Phase.REOPENING_AUCTION, ends_ns)

    def begin_day(self) -> None:
        """Begin a business date: the index' last level is its close, and no level of the breaker has tripped."""
        self._phases.limits.begin_day()
        breaker = self._state.breaker
        if breaker.last_level:
            breaker.begin(breaker.last_level)
            self._say_breaker()
        breaker.tripped = 0

    def _say_breaker(self) -> None:
        close_level = self._state.breaker.close_level
        self._state.directory.apply(self._events.write(v.MarketBreakerSet, close_level=close_level))

    # --- what they share -----------------------------------------------------------------------------

    def _refusal_of_symbol(self, symbol_id: int) -> Refusal | None:
        return None if symbol_id in self._state.markets else Refusal(Reason.UNKNOWN_SYMBOL, symbol_id)

    def _refuse(self, command: c.Command, refusal: Refusal, symbol_id: int = 0) -> None:
        self._events.command_rejected(
            number_of(type(command)), refusal.reason, subject=symbol_id, measured=refusal.measured,
            limit=refusal.limit, symbol_id=symbol_id,
        )  # fmt: skip
