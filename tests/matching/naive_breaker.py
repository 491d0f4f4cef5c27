"""The breaker of the market in the naive model: rulebook 7.8."""

from __future__ import annotations

from exchange.domain import commands as c
from exchange.domain.phase import Phase, PhaseCause
from exchange.domain.reasons import Reason
from tests.matching.naive_bands import MINUTE_NS
from tests.matching.naive_corridors import NaiveCorridors
from tests.matching.naive_values import Symbol

PERCENT = (7, 13, 20)
LEVEL_MAX = 2**53
STOPPED = (Phase.CONTINUOUS, Phase.VOLATILITY_AUCTION, Phase.REOPENING_AUCTION)


class NaiveBreaker(NaiveCorridors):
    """Knows the levels of the index that were reported, the close first; none without a breaker."""

    day_ends: int

    def __init__(self, accounts: dict[int, int], symbols: dict[int, Symbol]) -> None:
        super().__init__(accounts, symbols)
        self.index: list[int] = []
        self.tripped: list[int] = []
        """Levels of the breaker that tripped on this date."""
        self.stop: tuple[Phase, int] | tuple[()] = ()
        """In which phase the market was stopped last, and until when; nothing where an operator ended that for all."""

    def set_breaker(self, command: c.SetMarketBreaker) -> Reason | None:
        """Watch an index from a close, or none."""
        if command.close_level > LEVEL_MAX:
            return Reason.INDEX_LEVEL_INVALID
        self._begin_at(command.close_level)
        return None

    def _begin_at(self, close: int) -> None:
        self.index = [close] if close else []
        self.said.append(("breaker", close))

    def report_level(self, command: c.ReportIndexLevel) -> Reason | None:
        """Compare the index with its close, and stop the market where it fell too far."""
        if not self.index:
            return Reason.NO_BREAKER
        if not 0 < command.level <= LEVEL_MAX:
            return Reason.INDEX_LEVEL_INVALID
        self.index.append(command.level)
        close, fall = self.index[0], max(self.index[0] - command.level, 0)
        self.said.append(("index", command.level, fall * 10_000 // close))
        level = len([percent for percent in PERCENT if fall * 100 >= close * percent])
        if level > max(self.tripped, default=0) and (level == 3 or self._is_in_hours()):
            self._trip(level, command.level)
        return None

    def _is_in_hours(self) -> bool:
        return self.market_scheduled == Phase.CONTINUOUS and not self.is_late(0, 35 * MINUTE_NS)

    def _trip(self, level: int, index: int) -> None:
        self.tripped.append(level)
        ends = self.day_ends if level == 3 else self.now + 15 * MINUTE_NS
        self.said.append(("tripped", level, index, ends))
        self.stop = (Phase.HALTED if level == 3 else Phase.REOPENING_AUCTION, ends)
        for number, symbol in sorted(self.symbols.items()):
            if level == 3 and symbol.phase != Phase.HALTED:
                self.begin(number, Phase.HALTED, PhaseCause.BREAKER, ends)
            elif symbol.phase in STOPPED:
                self.begin(number, Phase.REOPENING_AUCTION, PhaseCause.BREAKER, ends)

    def begin_limits_day(self) -> None:
        """Begin a business date: what was reported last is the close, and no level has tripped."""
        super().begin_limits_day()
        if len(self.index) > 1:
            self._begin_at(self.index[-1])
        self.tripped = []

    # --- symbols that are listed while the market is stopped -----------------------------------------

    def where_it_begins(self) -> tuple[Phase, PhaseCause, int]:
        """Return the phase of a symbol that is listed: where the breaker has stopped the others, or the market's."""
        elsewhere = super().where_it_begins()
        if not self.stop or 0 < self.stop[1] <= self.now:
            return elsewhere
        halted, trades = elsewhere[0] == Phase.HALTED, elsewhere[0] == Phase.CONTINUOUS
        stops = not halted if self.stop[0] == Phase.HALTED else trades
        return (self.stop[0], PhaseCause.BREAKER, self.stop[1]) if stops else elsewhere

    def set_phase(self, command: c.SetPhase) -> Reason | None:
        """Begin a phase by hand; of all symbols, that ends a stop to reopen."""
        refused = super().set_phase(command)
        return refused or self._end_stop(command.symbol_id, Phase.REOPENING_AUCTION)

    def halt(self, command: c.HaltTrading) -> Reason | None:
        """Halt a symbol; or all, until an operator ends it."""
        refused = super().halt(command)
        return refused or self._end_stop(command.symbol_id, Phase.REOPENING_AUCTION, Phase.HALTED)

    def resume(self, command: c.ResumeTrading) -> Reason | None:
        """End a halt; of all symbols, also that of the breaker."""
        return super().resume(command) or self._end_stop(command.symbol_id, Phase.HALTED)

    def _end_stop(self, symbol: int, *phases: Phase) -> None:
        if not symbol and self.stop and self.stop[0] in phases:
            self.stop = ()
