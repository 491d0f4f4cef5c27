"""Price bands in the naive model: rulebook 7.1 to 7.6, the mean taken anew from the trades at each half minute."""

from __future__ import annotations

from dataclasses import dataclass

from exchange.domain import commands as c
from exchange.domain.order import CancelReason, Side
from exchange.domain.phase import Phase, PhaseCause
from exchange.domain.reasons import Reason
from exchange.domain.units import PRICE_MAX
from tests.matching.naive_corporate_actions import NaiveCorporateActions
from tests.matching.naive_values import Fact, Order, Symbol

MINUTE_NS = 60_000_000_000
HALF_MINUTE_NS, LIMIT_STATE_NS = MINUTE_NS // 2, MINUTE_NS // 4
PAUSE_NS = MEAN_OF_NS = 5 * MINUTE_NS
LATE_NS = 25 * MINUTE_NS
NORMAL, LIMIT, STRADDLE = 1, 2, 3
Limits = tuple[int, int]
"""The lowest and the highest price at which an order trades."""


@dataclass
class Bands:
    """The bands of a symbol. day_before: the price that picks the row of the table.

    next_at: the half minute that is measured next, 0 while they do not hold; since: how many trades there were when
    they began; pauses_at: when a limit state leads to a pause; collar: of the auction after it, empty for none.
    """

    tier: int
    day_before: int
    reference: int = 0
    lower: int = 0
    upper: int = 0
    is_late: bool = False
    next_at: int = 0
    since: int = 0
    state: int = NORMAL
    pauses_at: int = 0
    collar: Limits | tuple[()] = ()
    wider: int = 0


class NaiveBands(NaiveCorporateActions):
    """Knows the bands by symbol."""

    def __init__(self, accounts: dict[int, int], symbols: dict[int, Symbol]) -> None:
        super().__init__(accounts, symbols)
        self.bands: dict[int, Bands] = {}

    def set_bands(self, command: c.SetPriceBands) -> Reason | None:
        """Give a symbol bands in place of what protected it, or nothing."""
        number = command.symbol_id
        if number not in self.symbols:
            return Reason.UNKNOWN_SYMBOL
        if command.tier > 2:
            return Reason.PRICE_BANDS_INVALID
        self.said.append(("bands of", number, command.tier))
        self.unprotect(number)
        if command.tier:
            self.bands[number] = Bands(command.tier, self.reference(number))
        self.follow_phase(number, 0)
        return None

    def unprotect(self, number: int) -> None:
        """Take away what protects a symbol."""
        self.bands.pop(number, None)

    # --- 7.3 orders ----------------------------------------------------------------------------------

    def trading_range(self, number: int) -> Limits | tuple[()]:
        """Return from where to where an order trades that comes in now, nothing for anywhere."""
        bands = self.bands.get(number)
        return (bands.lower, bands.upper) if bands else ()

    def limited(self, order: Order, own: int, limits: Limits | tuple[()], *, rests: bool) -> int:
        """Return the worst price at which an order trades within limits. own: without, 0 for any."""
        if not limits:
            return own
        buys, best = order.side == Side.BUY, self.best(order.symbol, order.side, order.left)
        edge = limits[1] if buys else limits[0]
        if rests and order.symbol in self.bands and (own > edge if buys else own < edge):
            order.price = edge
            self.said.append(("repriced", order.id, edge))
        if best and (best < limits[0] if buys else best > limits[1]):
            edge = -1 if buys else PRICE_MAX + 1
        return edge if not own else min(own, edge) if buys else max(own, edge)

    def is_stopped(self, order: Order, own: int, limits: Limits | tuple[()]) -> bool:
        """Tell whether limits alone keep an order from trading on."""
        best = self.best(order.symbol, order.side, order.left)
        would = best > 0 and (not own or (best <= own if order.side == Side.BUY else best >= own))
        return bool(limits) and would and not limits[0] <= best <= limits[1]

    def is_protected(self, number: int) -> bool:
        """Tell whether a trade is within limits."""
        return number in self.bands

    # --- 7.1, 7.2 and 7.6 where they stand -----------------------------------------------------------

    def follow_phase(self, number: int, price: int) -> None:
        """Begin with continuous trading, or end with it. price: of the auction before, 0 for none."""
        bands = self.bands.get(number)
        if not bands:
            return
        bands.next_at = bands.pauses_at = 0
        bands.state, bands.collar = NORMAL, ()
        if self.symbols[number].phase == Phase.CONTINUOUS:
            bands.next_at = (self.now // HALF_MINUTE_NS + 1) * HALF_MINUTE_NS
            bands.since = len(self.trades)
            bands.is_late = self.is_late(number, LATE_NS)
            self._put_bands(number, price or bands.reference or self.reference(number))

    def begin_limits_day(self) -> None:
        """Begin a business date."""
        for number, bands in self.bands.items():
            bands.day_before = self.reference(number)
            if not bands.next_at:
                bands.reference = 0

    def follow_action(self, number: int) -> None:
        """Stand around the price that a corporate action made. Rulebook 9.2."""
        if bands := self.bands.get(number):
            bands.day_before = bands.reference = self.reference(number)
            bands.since, bands.collar = len(self.trades), ()
            if bands.next_at:
                self._put_bands(number, bands.reference)

    def is_late(self, number: int, within: int) -> bool:
        """Tell whether the schedule ends continuous trading so soon; of 0, that of the market."""
        ends = [
            at for at, whose, phase in self.schedule if whose in (0, number) and phase != Phase.CONTINUOUS
        ]
        return any(at <= self.now + within for at in ends)

    def _measure(self, number: int) -> None:
        """Take the mean of five minutes, also of what an order's end has just led to, and let the bands follow it."""
        bands, until = self.bands[number], self.bands[number].next_at
        for trade in self.trades[bands.since :]:
            if trade.symbol == number and trade.time >= until:
                trade.measured_at = until - 1
        prices = [
            trade.price
            for trade in self.trades[bands.since :]
            if trade.symbol == number and not trade.busted and until - MEAN_OF_NS <= trade.measured_at < until
        ]
        mean = sum(prices) // len(prices) if prices else bands.reference
        reference = mean if abs(mean - bands.reference) * 100 >= bands.reference else bands.reference
        late = self.is_late(number, LATE_NS)
        if bands.state != LIMIT and (reference, late) != (bands.reference, bands.is_late):
            bands.is_late = late
            self._put_bands(number, reference)
        while bands.next_at <= self.now:
            bands.next_at += HALF_MINUTE_NS

    def _put_bands(self, number: int, reference: int) -> None:
        bands, symbol = self.bands[number], self.symbols[number]
        usual = widths(bands.tier, bands.day_before, reference, late=False)
        below, above = widths(bands.tier, bands.day_before, reference, late=bands.is_late)
        bands.reference, bands.lower = reference, symbol.tick_down(reference - below)
        bands.upper = min(symbol.tick_up(min(reference + above, PRICE_MAX)), PRICE_MAX)
        doubled = (below, above) != usual
        self.said.append(("bands", number, reference, bands.lower, bands.upper, doubled))
        for side in Side:
            resting = sorted(self.resting(number, side), key=lambda order: order.hidden)
            for order in resting:
                if order.price > bands.upper if side == Side.BUY else order.price < bands.lower:
                    self.kill([order], CancelReason.PRICE_LIMIT)

    # --- 7.4 limit state -----------------------------------------------------------------------------

    def watch(self) -> None:
        """See where the best prices stand to the limits, after each command."""
        for number in sorted(self.symbols):
            self.watch_symbol(number)

    def watch_symbol(self, number: int) -> None:
        """See where the best prices of a symbol stand to its bands."""
        bands = self.bands.get(number)
        if not bands or not bands.next_at:
            return
        bid, ask = (next((price for _, price, _ in self.book(number, side)), 0) for side in Side)
        state = STRADDLE if 0 < bid < bands.lower or ask > bands.upper else NORMAL
        if bid >= bands.upper or 0 < ask <= bands.lower:
            state = LIMIT
        if state != bands.state:
            bands.state = state
            bands.pauses_at = self.now + LIMIT_STATE_NS if state == LIMIT else 0
            self.said.append(("limit state", number, state, bid, ask, bands.pauses_at))

    def moments(self) -> list[int]:
        """List when something is due, half minutes and pauses too."""
        own = [at for bands in self.bands.values() for at in (bands.next_at, bands.pauses_at) if at]
        return super().moments() + own

    def end_limits(self, moment: int) -> None:
        """Pause where a limit state has lasted so long, and measure, symbol by symbol."""
        for number, bands in sorted(self.bands.items()):
            if any(0 < at <= moment for at in (bands.next_at, bands.pauses_at)):
                self.watch_symbol(number)
            if 0 < bands.pauses_at <= moment:
                self._pause(number)
            if 0 < bands.next_at <= moment:
                self._measure(number)

    # --- 7.5 pause -----------------------------------------------------------------------------------

    def _pause(self, number: int) -> None:
        bands = self.bands[number]
        at_upper = any(price >= bands.upper for _, price, _ in self.book(number, Side.BUY))
        reached = bands.upper if at_upper else bands.lower
        self.begin(number, Phase.VOLATILITY_AUCTION, PhaseCause.PRICE_LIMIT, self.now + PAUSE_NS)
        bands.wider = reached * 5 // 100 if reached > 30_000 else 1_500
        bands.collar = (bands.lower, bands.upper)
        self._widen(number, up=at_upper)

    def _widen(self, number: int, *, up: bool) -> None:
        bands = self.bands[number]
        lowest, highest = bands.collar or (0, 0)
        if up:
            highest = min(highest + bands.wider, PRICE_MAX)
        else:
            lowest = max(lowest - bands.wider, 0)
        bands.collar = (lowest, highest)
        band = bands.upper if up else bands.lower
        self.said.append(("collar", number, band, lowest, highest, self.symbols[number].extensions))

    def goes_on(self, number: int, auction: str, price: int, volume: int, surplus: int) -> bool:
        """Let the auction after a pause wait, where it would end outside its collar or leave market orders over."""
        bands, symbol = self.bands.get(number), self.symbols[number]
        if not bands or not bands.collar:
            return False
        lowest, highest = bands.collar
        leans = Side.BUY if surplus > 0 else Side.SELL
        at_market = sum(o.left for o in self.participants(number, leans, auction) if not o.price)
        outside = volume > 0 and not lowest <= price <= highest
        if not outside and not (surplus and at_market > volume):
            return False
        symbol.extensions += 1
        symbol.ends = self.now + PAUSE_NS
        self.said.append(("extended", number, price, lowest, highest, symbol.extensions, symbol.ends))
        self._widen(number, up=price > highest if outside else leans == Side.BUY)
        return True

    # --- what must be the same -----------------------------------------------------------------------

    def price_limits(self, number: int) -> Fact | None:
        """Return reference, lowest, highest, limit state and when that leads to a pause; nothing where none hold."""
        bands = self.bands.get(number)
        if not bands or self.symbols[number].phase != Phase.CONTINUOUS:
            return None
        return bands.reference, bands.lower, bands.upper, bands.state, bands.pauses_at


def widths(tier: int, day_before: int, reference: int, *, late: bool) -> tuple[int, int]:
    """Rulebook 7.1 and 7.6: how far the lower and the upper band are from the reference."""
    if day_before < 7_500:
        width, wide = min(1_500, reference * 75 // 100), min(3_000, reference * 150 // 100)
        return width, wide if late else width
    percent = 20 if day_before <= 30_000 else 5 if tier == 1 else 10
    if late and (tier == 1 or day_before <= 30_000):
        percent *= 2
    return reference * percent // 100, reference * percent // 100
