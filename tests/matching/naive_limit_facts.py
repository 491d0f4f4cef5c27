"""How to name what happened to price limits and the breaker, and what the seeds of the naive model must reach."""

from __future__ import annotations

from collections import Counter
from typing import Any

from exchange.domain import commands as c
from exchange.domain.order import CancelReason
from exchange.domain.phase import Phase, PhaseCause
from exchange.domain.reasons import Reason
from exchange.domain.trade import TradeCondition
from exchange.domain.volatility import LimitState
from tests.matching.naive_model import NaiveVenue
from tests.matching.naive_phases import VOLATILITY
from tests.matching.naive_values import Fact

OF_LIMITS = (PhaseCause.PRICE_LIMIT, PhaseCause.BREAKER)
REASONS = (
    Reason.PRICE_BANDS_INVALID, Reason.PRICE_CORRIDOR_INVALID, Reason.INDEX_LEVEL_INVALID, Reason.NO_BREAKER
)  # fmt: skip
REACHED = (
    *(f"refused {reason.name}" for reason in REASONS),
    "bands of by SetPriceBands", "bands by SetPriceBands", "doubled bands by SetPriceBands", "bands by Tick",
    "doubled bands by Tick", "bands by SetPhase", "bands by ResumeTrading", "bands by SplitSymbol",
    "bands by PayDividend", "trade within limits by EnterOrder", "trade within limits by AmendOrder",
    "repriced by EnterOrder", "cancelled at a limit by EnterOrder", "cancelled at a limit by Tick",
    "cancelled at a limit by SetPriceBands", "cancelled at a limit by SetPhase",
    "limit state NORMAL by EnterOrder", "limit state NORMAL by Tick", "limit state NORMAL by CancelOrder",
    "limit state LIMIT by EnterOrder", "limit state LIMIT by Tick", "limit state LIMIT by AmendOrder",
    "limit state STRADDLE by EnterOrder", "limit state STRADDLE by Tick",
    "phase VOLATILITY_AUCTION by Tick", "collar by Tick", "wider collar by Tick", "extended by Tick",
    "volatility auction by Tick", "volatility auction by SetPhase", "volatility auction of nothing by Tick",
    "corridor by SetPriceCorridor", "left by EnterOrder", "left by AmendOrder", "left by EnterSpecialOrder",
    "phase VOLATILITY_AUCTION by EnterOrder",
    "breaker by SetMarketBreaker", "breaker by StartBusinessDay", "index by ReportIndexLevel",
    "breaker of level 1 by ReportIndexLevel", "breaker of level 2 by ReportIndexLevel",
    "breaker of level 3 by ReportIndexLevel", "phase REOPENING_AUCTION by ReportIndexLevel",
    "phase HALTED by ReportIndexLevel", "phase REOPENING_AUCTION by AddSymbol", "phase HALTED by AddSymbol",
    *(f"restart with bands, {state.name}" for state in LimitState),
    "restart with bands, VOLATILITY_AUCTION", "restart with a corridor, CONTINUOUS",
    "restart with a corridor, VOLATILITY_AUCTION", "restart after a level of the breaker",
)  # fmt: skip
"""What happened and by which command; where the venue was restored from its snapshot."""


def unreached(facts: Counter[str]) -> list[str]:
    """Return what of price limits and the breaker never came."""
    return [word for word in REACHED if not facts[word]]


def words_of(command: c.Command, facts: list[Fact]) -> list[str]:
    """Name those facts that price limits and the breaker lead to, and the command that led to them."""
    return [f"{word} by {type(command).__name__}" for fact in facts if (word := word_of_limits(fact))]


def word_of_limits(fact: Fact) -> str:
    """Name a fact of price limits or the breaker; empty for another."""
    values: Any = fact
    match fact[0]:
        case "bands of" | "corridor" | "left" | "breaker" | "index" | "extended" | "repriced":
            return str(fact[0])
        case "bands":
            return "doubled bands" if values[5] else "bands"
        case "limit state":
            return f"limit state {LimitState(values[2]).name}"
        case "collar":
            return "wider collar" if values[5] else "collar"
        case "tripped":
            return f"breaker of level {values[1]}"
        case "auction" if values[2] == VOLATILITY:
            return "volatility auction" if values[5] else "volatility auction of nothing"
        case "phase" if values[3] in OF_LIMITS:
            return f"phase {Phase(values[2]).name}"
        case "cancelled" if values[3] == CancelReason.PRICE_LIMIT:
            return "cancelled at a limit"
        case "trade" if values[8] == TradeCondition.WITHIN_LIMITS:
            return "trade within limits"
    return ""


def words_of_restart(naive: NaiveVenue) -> list[str]:
    """Name where price limits and the breaker stand when the venue is restored."""
    words = ["restart after a level of the breaker"] if naive.tripped else []
    for number, symbol in naive.symbols.items():
        if bands := naive.bands.get(number):
            where = LimitState(bands.state).name if bands.next_at else symbol.phase.name
            words.append(f"restart with bands, {where}")
        if number in naive.corridors:
            words.append(f"restart with a corridor, {symbol.phase.name}")
    return words
