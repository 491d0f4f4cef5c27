"""The price guards of all symbols as time and phases pass: bands move, limit states begin and end, corridors are left.

Bands begin with continuous trading, around the price of the auction that led to it. Every half minute the mean price
of the last five minutes is measured; where it is 1 % away or more, the bands move there, but not in a limit state.
Orders that then stand beyond them are cancelled. After 15 seconds of a limit state trading pauses.
"""

from __future__ import annotations

from collections.abc import Callable

from exchange.domain import volatility_events as v
from exchange.domain.order import CancelReason, Side
from exchange.domain.phase import AuctionKind, Phase
from exchange.domain.units import PRICE_MAX
from exchange.domain.volatility import (
    BANDS_EVERY_NS,
    LATE_NS,
    LIMIT_STATE_NS,
    LimitState,
    band_widths,
    collar_width,
)
from exchange.matching.auction import Outcome, in_sequence
from exchange.matching.market import Market
from exchange.matching.order_book import RestingOrder
from exchange.matching.price_guard import PriceBands, PriceCorridor
from exchange.matching.risk_checks import RiskChecks
from exchange.matching.venue_state import VenueState


class PriceLimits:
    """Moves the guards. pause: begins the phase in which orders gather after a price limit was reached."""

    def __init__(self, state: VenueState, pause: Callable[[Market], None]) -> None:
        self._state = state
        self._events = state.events
        self._risk = RiskChecks(state)
        self._pause = pause

    def follow_phase(self, market: Market, auction_price: int) -> None:
        """Begin or end with continuous trading. auction_price: of the auction just over, 0 for none."""
        guard = market.guard
        if guard is None:
            return
        guard.stop()
        if isinstance(guard, PriceCorridor):
            guard.static_price = auction_price or guard.static_price
        elif market.phase is Phase.CONTINUOUS:
            guard.forget(1, self._events.sequence + 1)
            guard.update_ns = self._events.time_ns // BANDS_EVERY_NS * BANDS_EVERY_NS + BANDS_EVERY_NS
            reference = auction_price or guard.reference or market.reference.price
            guard.is_late = is_late(self._state, market.symbol_id, LATE_NS)
            self._move(market, guard, reference)
        self.note_due(market)

    def begin_day(self) -> None:
        """Take the last prices of the day that is over as those that pick the rows of the table."""
        for market in self._state.markets.values():
            guard = market.guard
            if isinstance(guard, PriceBands):
                guard.base = market.reference.price
                guard.reference = guard.reference if guard.update_ns else 0
            elif guard is not None:
                guard.static_price = market.reference.price

    def follow_action(self, market: Market) -> None:
        """Stand around the price that a corporate action has given a symbol; what traded before it counts no more."""
        guard, price = market.guard, market.reference.price
        if isinstance(guard, PriceCorridor):
            guard.static_price = price
        elif guard is not None:
            guard.base = guard.reference = price
            guard.collar_lower = guard.collar_upper = guard.collar_step = 0
            guard.buckets.clear()
            if guard.update_ns:
                guard.forget(1, self._events.sequence + 1)
                self._move(market, guard, price)

    # --- time ----------------------------------------------------------------------------------------

    def next_ns(self) -> int:
        """Return when bands are measured or a limit state ends next, 0 for never."""
        return min(self._state.guards_due.values(), default=0)

    def tick(self, now_ns: int) -> None:
        """Do what is due: end limit states, measure bands. Orders that ended by then are no limit state any more."""
        due = sorted(symbol_id for symbol_id, ns in self._state.guards_due.items() if ns <= now_ns)
        for symbol_id in due:
            market = self._state.markets[symbol_id]
            guard = market.guard
            assert isinstance(guard, PriceBands), "only bands ask for time"
            self._watch_bands(market, guard)
            if 0 < guard.limit_ends_ns <= now_ns:
                self._end_limit_state(market, guard)
            if 0 < guard.update_ns <= now_ns:
                self._measure(market, guard)
            self.note_due(market)

    def _end_limit_state(self, market: Market, guard: PriceBands) -> None:
        lower, upper, is_upper = guard.lower, guard.upper, _best(market)[0] >= guard.upper
        reached = upper if is_upper else lower
        self._pause(market)
        guard.collar_step = step = collar_width(reached)
        if is_upper:
            guard.collar_lower, guard.collar_upper = lower, min(upper + step, PRICE_MAX)
        else:
            guard.collar_lower, guard.collar_upper = max(lower - step, 0), upper
        self._say_collar(market, guard, reached)

    def _measure(self, market: Market, guard: PriceBands) -> None:
        steps = (self._events.time_ns - guard.update_ns) // BANDS_EVERY_NS + 1
        mean, reference = guard.mean(), guard.reference
        if mean and abs(mean - reference) * 100 >= reference:
            reference = mean
        if guard.state is not LimitState.LIMIT:
            late = is_late(self._state, market.symbol_id, LATE_NS)
            if (reference, late) != (guard.reference, guard.is_late):
                guard.is_late = late
                self._move(market, guard, reference)
        guard.forget(steps, self._events.sequence + 1)
        guard.update_ns += steps * BANDS_EVERY_NS

    def _move(self, market: Market, guard: PriceBands, reference: int) -> None:
        """Put the bands around a reference, each on the next tick away from it; cancel what is beyond them."""
        below, above = band_widths(guard.tier, guard.base, reference, is_late=guard.is_late)
        doubled = guard.is_late and (below, above) != band_widths(
            guard.tier, guard.base, reference, is_late=False
        )
        guard.reference = reference
        guard.lower = max(market.price_behind(max(reference - below, 0) + 1, Side.BUY), 0)
        guard.upper = market.price_behind(min(reference + above, PRICE_MAX) - 1, Side.SELL) or PRICE_MAX
        self._events.write(
            v.PriceBandsMoved, symbol_id=market.symbol_id, reference_price=reference, lower=guard.lower,
            upper=guard.upper, is_doubled=doubled,
        )  # fmt: skip
        book = market.book
        bids, asks = (book.bids, book.hidden_bids), (book.asks, book.hidden_asks)
        beyond = [o for side in bids for o in side.orders() if o.price > guard.upper]
        beyond += [o for side in asks for o in side.orders() if o.price < guard.lower]
        for order in beyond:
            self._cancel(market, order)

    def _cancel(self, market: Market, order: RestingOrder) -> None:
        market.book.home_of(order).remove(order)
        del self._state.orders[order.order_id]
        if self._state.risk_books:
            self._risk.reduced(order, order.leaves)
        self._events.order_cancelled(order, CancelReason.PRICE_LIMIT)

    # --- after each command --------------------------------------------------------------------------

    def watch(self) -> None:
        """See where the books stand that the command's events so far concern."""
        for symbol_id in self._events.symbols_concerned():
            market = self._state.markets.get(symbol_id)
            if market is None or market.guard is None:
                continue
            if isinstance(market.guard, PriceBands):
                self._watch_bands(market, market.guard)
                self.note_due(market)
            elif market.guard.is_left:
                price, lowest, highest = market.guard.broken
                self._events.write(
                    v.CorridorLeft, symbol_id=symbol_id, price=price, lowest=lowest, highest=highest
                )
                self._pause(market)

    def _watch_bands(self, market: Market, guard: PriceBands) -> None:
        if not guard.update_ns:
            return
        bid, ask = _best(market)
        if bid >= guard.upper or 0 < ask <= guard.lower:
            state = LimitState.LIMIT
        elif 0 < bid < guard.lower or ask > guard.upper:
            state = LimitState.STRADDLE
        else:
            state = LimitState.NORMAL
        if state is guard.state:
            return
        guard.state = state
        guard.limit_ends_ns = self._events.time_ns + LIMIT_STATE_NS if state is LimitState.LIMIT else 0
        self._events.write(
            v.LimitStateChanged, symbol_id=market.symbol_id, state=state, bid=bid, ask=ask,
            ends_ns=guard.limit_ends_ns,
        )  # fmt: skip

    # --- the auction after a pause -------------------------------------------------------------------

    def widen(self, market: Market, guard: PriceBands, outcome: Outcome) -> None:
        """Make the collar wider on the side to which the auction leans."""
        is_below = outcome.volume and outcome.price < guard.collar_lower
        is_above = outcome.price > guard.collar_upper or (not is_below and outcome.side == Side.BUY)
        if is_above:
            guard.collar_upper = min(guard.collar_upper + guard.collar_step, PRICE_MAX)
        else:
            guard.collar_lower = max(guard.collar_lower - guard.collar_step, 0)
        self._say_collar(market, guard, guard.upper if is_above else guard.lower)

    def _say_collar(self, market: Market, guard: PriceBands, reference_price: int) -> None:
        self._events.write(
            v.AuctionCollarSet, symbol_id=market.symbol_id, reference_price=reference_price,
            lower=guard.collar_lower, upper=guard.collar_upper, extension=market.extensions,
        )  # fmt: skip

    def note_due(self, market: Market) -> None:
        """Note when a symbol's guard asks for time next."""
        self._state.guards_due.pop(market.symbol_id, None)
        if isinstance(market.guard, PriceBands) and market.guard.update_ns:
            own = (market.guard.update_ns, market.guard.limit_ends_ns)
            self._state.guards_due[market.symbol_id] = min(filter(None, own))


def needs_more_time(market: Market, guard: PriceBands, kind: AuctionKind, outcome: Outcome) -> bool:
    """Tell whether the auction after a pause would end beyond its collar, or leave market orders over."""
    if outcome.volume and not guard.collar_lower <= outcome.price <= guard.collar_upper:
        return True
    if not outcome.side:
        return False
    orders = in_sequence(market.book, market.auction, Side(outcome.side), kind)
    return sum(order.leaves for order in orders if not order.price) > outcome.volume


def is_late(state: VenueState, symbol_id: int, before_ns: int) -> bool:
    """Tell whether the schedule ends continuous trading of a symbol, or with 0 of the market, within so long."""
    ends = (
        row.at_ns
        for row in state.schedule
        if row.symbol_id in (0, symbol_id) and row.phase is not Phase.CONTINUOUS
    )
    end_ns = next(ends, 0)
    return 0 < end_ns <= state.events.time_ns + before_ns


def _best(market: Market) -> tuple[int, int]:
    """Return the best prices that are shown, bid and ask, 0 for none."""
    bids, asks = market.book.bids, market.book.asks
    return bids.ranks[-1] if bids.ranks else 0, -asks.ranks[-1] if asks.ranks else 0
