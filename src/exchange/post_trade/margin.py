"""Margin: what an account must have with the house for what it traded and has not settled.

    requirement = variation + initial
    variation   = what closing everything at the marks would lose; a gain counts for nothing
    initial     = by value at risk where there are prices of enough days, else by haircut

Value at risk is historical simulation: each of the last days' changes over so many days is applied to the marks, and
the loss is taken that 99 % of them do not exceed, but never less than a floor of the gross value. Symbols with fewer
days take their haircut, whatever side they are on; nothing is set off between the two. (NSCC Procedure XV.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

BASIS_POINTS = 10_000
PERCENT = 100
OBSERVATIONS_MAX = 2_520
"""Daily prices that are looked at: ten years."""
BASE = 1_000_000_000
"""Changes of prices are counted in parts of this."""


class MarginRules(msgspec.Struct, frozen=True, kw_only=True):
    """How initial margin is taken. horizon_days: how long closing out takes; observations_min: changes needed.

    haircuts: (below this price, basis points), by price, 0 for no bound last.
    """

    confidence_percent: int = 99
    horizon_days: int = 3
    observations_min: int = 253
    floor_bps: int = 200
    haircuts: tuple[tuple[int, int], ...] = ((10_000, 10_000), (50_000, 2_000), (0, 1_000))

    def haircut_bps(self, mark: int) -> int:
        """Return the haircut of a price in basis points."""
        return next(bps for below, bps in self.haircuts if not below or mark < below)


class Exposure(msgspec.Struct):
    """What an account traded and has not settled. quantities: shares by symbol id, signed; cash: money for them."""

    quantities: dict[int, int] = {}
    cash: int = 0

    def add(self, symbol_id: int, quantity: int, cash: int) -> None:
        """Take in what is to be received, or below zero delivered and paid."""
        self.quantities[symbol_id] = self.quantities.get(symbol_id, 0) + quantity
        self.cash += cash


class Requirement(NamedTuple):
    """What an account must have, and how it came about; all money, at least 0."""

    variation: int
    value_at_risk: int
    floor: int
    haircut: int

    @property
    def initial(self) -> int:
        """Return the initial margin."""
        return max(self.value_at_risk, self.floor) + self.haircut

    @property
    def total(self) -> int:
        """Return all of it."""
        return self.variation + self.initial


def changes(prices: Sequence[int], horizon_days: int) -> list[int]:
    """Return the changes over a horizon, oldest first, in parts of `BASE`, rounded half away from zero.

    prices: one for each day, oldest first, above 0.
    """
    found = []
    for before, after in zip(prices, prices[horizon_days:], strict=False):
        by, sign = abs(after - before), 1 if after >= before else -1
        found.append(sign * ((2 * by * BASE + before) // (2 * before)))
    return found


def value_at_risk(losses: Iterable[int], confidence_percent: int) -> int:
    """Return the loss that so many percent of all do not exceed; 0 where that is a gain, or there are none."""
    ordered = sorted(losses)
    if not ordered:
        return 0
    rank = -(-confidence_percent * len(ordered) // PERCENT)
    return max(0, ordered[rank - 1])


def require(
    exposure: Exposure, marks: Mapping[int, int], moves: Mapping[int, Sequence[int]], rules: MarginRules
) -> Requirement:
    """Return the requirement of an exposure.

    marks: prices by symbol id; moves: of `changes`, latest last, by symbol id; all that are long enough are of one
    length, or the latest of each are taken.
    """
    value = sum(quantity * marks[symbol_id] for symbol_id, quantity in exposure.quantities.items())
    variation = max(0, -(value + exposure.cash))
    simulated = {
        symbol_id: quantity * marks[symbol_id]
        for symbol_id, quantity in exposure.quantities.items()
        if quantity and len(moves.get(symbol_id, ())) >= rules.observations_min
    }
    by_haircut = sum(
        -(-abs(quantity) * marks[symbol_id] * rules.haircut_bps(marks[symbol_id]) // BASIS_POINTS)
        for symbol_id, quantity in exposure.quantities.items()
        if quantity and symbol_id not in simulated
    )
    gross = sum(map(abs, simulated.values()))
    floor = -(-gross * rules.floor_bps // BASIS_POINTS)
    losses = _losses(simulated, moves)
    return Requirement(variation, value_at_risk(losses, rules.confidence_percent), floor, by_haircut)


def _losses(values: Mapping[int, int], moves: Mapping[int, Sequence[int]]) -> list[int]:
    """Return what each day's changes would lose of values by symbol id, rounded up."""
    if not values:
        return []
    days = min(OBSERVATIONS_MAX, *(len(moves[symbol_id]) for symbol_id in values), OBSERVATIONS_MAX)
    rows = [(value, moves[symbol_id][-days:]) for symbol_id, value in values.items()]
    return [-(sum(value * row[day] for value, row in rows) // BASE) for day in range(days)]
