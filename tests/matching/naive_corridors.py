"""Price corridors in the naive model: rulebook 7.7."""

from __future__ import annotations

from dataclasses import dataclass

from exchange.domain import commands as c
from exchange.domain.phase import Phase, PhaseCause
from exchange.domain.reasons import Reason
from exchange.domain.units import PRICE_MAX
from tests.matching.naive_bands import NORMAL, Limits, NaiveBands
from tests.matching.naive_books import BPS
from tests.matching.naive_phases import DAY_NS, splitmix
from tests.matching.naive_values import Fact, Order, Symbol


@dataclass
class Corridor:
    """The corridor of a symbol. static_price: of the last auction.

    left: the price at which an order of this command would have traded outside, and the limits that it met.
    """

    terms: c.SetPriceCorridor
    static_price: int
    left: Fact = ()


class NaiveCorridors(NaiveBands):
    """Knows the corridors by symbol."""

    def __init__(self, accounts: dict[int, int], symbols: dict[int, Symbol]) -> None:
        super().__init__(accounts, symbols)
        self.corridors: dict[int, Corridor] = {}

    def set_corridor(self, command: c.SetPriceCorridor) -> Reason | None:
        """Give a symbol a corridor in place of what protected it, or nothing."""
        number, widest = command.symbol_id, max(command.dynamic_bps, command.static_bps)
        if number not in self.symbols:
            return Reason.UNKNOWN_SYMBOL
        too_long = max(command.call_ns, command.random_ns_max) > DAY_NS
        if too_long or widest > BPS or (widest and not command.call_ns):
            return Reason.PRICE_CORRIDOR_INVALID
        self.said.append(
            (
                "corridor",
                number,
                command.dynamic_bps,
                command.static_bps,
                command.call_ns,
                command.random_ns_max,
            )
        )
        self.unprotect(number)
        if widest:
            self.corridors[number] = Corridor(command, self.reference(number))
        self.follow_phase(number, 0)
        return None

    def unprotect(self, number: int) -> None:
        """Take away what protects a symbol."""
        super().unprotect(number)
        self.corridors.pop(number, None)

    # --- where it stands -----------------------------------------------------------------------------

    def trading_range(self, number: int) -> Limits | tuple[()]:
        """Return what both ranges have in common, or the bands."""
        corridor = self.corridors.get(number)
        if not corridor:
            return super().trading_range(number)
        around = (
            (self.last_price(number) or self.reference(number), corridor.terms.dynamic_bps),
            (corridor.static_price, corridor.terms.static_bps),
        )
        ranges = [(price - price * bps // BPS, price + price * bps // BPS) for price, bps in around if bps]
        lowest = max(lowest for lowest, _ in ranges)
        return lowest, min(PRICE_MAX, *(highest for _, highest in ranges))

    def follow_phase(self, number: int, price: int) -> None:
        """Take an auction's price, and forget that the corridor was left."""
        super().follow_phase(number, price)
        if corridor := self.corridors.get(number):
            corridor.left = ()
            corridor.static_price = price or corridor.static_price

    def begin_limits_day(self) -> None:
        """Begin a business date."""
        super().begin_limits_day()
        for number, corridor in self.corridors.items():
            corridor.static_price = self.reference(number)

    def follow_action(self, number: int) -> None:
        """Stand around the price that a corporate action made. Rulebook 9.2."""
        super().follow_action(number)
        if corridor := self.corridors.get(number):
            corridor.static_price = self.reference(number)

    def is_protected(self, number: int) -> bool:
        """Tell whether a trade is within limits."""
        return super().is_protected(number) or number in self.corridors

    # --- leaving it ----------------------------------------------------------------------------------

    def is_stopped(self, order: Order, own: int, limits: Limits | tuple[()]) -> bool:
        """Tell whether limits alone keep an order from trading on; if so, the corridor is left."""
        stopped = super().is_stopped(order, own, limits)
        corridor = self.corridors.get(order.symbol)
        if stopped and corridor and not corridor.left:
            corridor.left = (self.best(order.symbol, order.side, order.left), *limits)
        return stopped

    def is_left(self, number: int) -> bool:
        """Tell whether orders gather from now on, for an order of this command would have traded outside."""
        return number in self.corridors and self.corridors[number].left != ()

    def watch_symbol(self, number: int) -> None:
        """Begin the auction of a symbol whose corridor was left."""
        super().watch_symbol(number)
        if self.is_left(number):
            corridor = self.corridors[number]
            self.said.append(("left", number, *corridor.left))
            ends = self.now + corridor.terms.call_ns
            self.begin(number, Phase.VOLATILITY_AUCTION, PhaseCause.PRICE_LIMIT, ends)

    def draw_end(self, number: int, event: int) -> None:
        """Draw how much longer an auction lasts that has just begun. event: the number of the one that told of it."""
        terms, symbol = self.corridors[number].terms, self.symbols[number]
        said = ("phase", number, Phase.VOLATILITY_AUCTION, PhaseCause.PRICE_LIMIT)
        at = self.said.index((*said, symbol.ends))
        symbol.ends += splitmix((terms.seed + event) % 2**64) % (terms.random_ns_max + 1)
        self.said[at] = (*said, symbol.ends)

    # --- what must be the same -----------------------------------------------------------------------

    def price_limits(self, number: int) -> Fact | None:
        """Return (0, lowest, highest, normal, 0) for a corridor, or what the bands say."""
        if number not in self.corridors:
            return super().price_limits(number)
        if self.symbols[number].phase != Phase.CONTINUOUS:
            return None
        return (0, *self.trading_range(number), NORMAL, 0)
