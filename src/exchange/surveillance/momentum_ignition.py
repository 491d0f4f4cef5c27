"""RAMP-1, momentum ignition: somebody pushes the price with aggressive orders and then trades against who follows."""

from __future__ import annotations

import msgspec

from exchange.domain.trade import BASIS_POINTS
from exchange.surveillance.alert import Finding, Measure, evidence_of, price_text, score_of
from exchange.surveillance.detector import Detector
from exchange.surveillance.market import Fill, PriceChange
from exchange.surveillance.order_book import BUY, PEGGED, LiveOrder, symbol_in, symbol_of
from exchange.surveillance.settings import MS, MomentumIgnition

PUSHES_KEPT_MAX = 100
"""Aggressive trades of one owner in one symbol that are remembered."""


class Push(msgspec.Struct, gc=False):
    """An aggressive trade. price_before: of the market's trade before it."""

    time_ns: int
    order_id: int
    price: int
    price_before: int
    quantity: int
    sequence: int


class Ignition(msgspec.Struct):
    """A price that was pushed, and what its pusher traded against it since."""

    side: int
    begins_ns: int
    until_ns: int
    orders: int
    move_bps: int
    pushed: int
    from_price: int
    to_price: int
    evidence: list[int]
    reversed: int = 0


class IgnitionState(msgspec.Struct):
    """What the detector remembers. pushes: by owner, symbol and side; ignitions: by owner and symbol."""

    pushes: dict[int, list[Push]] = {}
    ignitions: dict[int, Ignition] = {}


class MomentumIgnitionDetector(Detector):
    """Looks for pushes, and then for their pusher's resting orders on the other side."""

    CODE = "RAMP-1"
    State = IgnitionState
    settings: MomentumIgnition
    state: IgnitionState

    def traded(self, fill: Fill) -> None:
        """Take note of the push, and of the maker that profits from its own."""
        if fill.is_auction:
            return
        if not fill.taker.marks & PEGGED:
            self._push(fill)
        ignitions = self.state.ignitions
        if ignitions:
            ignition = ignitions.get(fill.maker.key)
            if ignition is not None:
                self._reverse(ignition, fill)

    def adjusted(self, symbol_id: int, change: PriceChange) -> None:
        """Forget the pushes before the break."""
        state = self.state
        state.pushes = {key: kept for key, kept in state.pushes.items() if symbol_of(key) != symbol_id}
        state.ignitions = {key: kept for key, kept in state.ignitions.items() if symbol_in(key) != symbol_id}

    def day_ended(self) -> None:
        """Forget the day."""
        self.state = IgnitionState()

    def _push(self, fill: Fill) -> None:
        settings, taker = self.settings, fill.taker
        pushes = self.state.pushes.setdefault(taker.side_key, [])
        before = fill.price_before or fill.price
        pushes.append(Push(fill.time_ns, taker.order_id, fill.price, before, fill.quantity, fill.sequence))
        oldest_ns = fill.time_ns - settings.within_ms * MS
        gone = 0
        while pushes[gone].time_ns < oldest_ns or len(pushes) - gone > PUSHES_KEPT_MAX:
            gone += 1
        if gone:
            del pushes[:gone]
        if len(pushes) < settings.orders:
            return
        from_price = pushes[0].price_before
        move = fill.price - from_price if taker.side == BUY else from_price - fill.price
        move_bps = move * BASIS_POINTS // from_price
        if move_bps < settings.move_bps:
            return
        orders = len({push.order_id for push in pushes})
        if orders >= settings.orders:
            self._ignite(taker, pushes, orders, move_bps)

    def _ignite(self, taker: LiveOrder, pushes: list[Push], orders: int, move_bps: int) -> None:
        last = pushes[-1]
        self.state.ignitions[taker.key] = Ignition(
            taker.side,
            pushes[0].time_ns,
            last.time_ns + self.settings.reversed_within_ms * MS,
            orders,
            move_bps,
            sum(push.quantity for push in pushes),
            pushes[0].price_before,
            last.price,
            [push.sequence for push in pushes],
        )

    def _reverse(self, ignition: Ignition, fill: Fill) -> None:
        maker, settings = fill.maker, self.settings
        if fill.time_ns > ignition.until_ns:
            del self.state.ignitions[maker.key]
            return
        if maker.side == ignition.side:
            return
        ignition.reversed += fill.quantity
        ignition.evidence.append(fill.sequence)
        percent = ignition.reversed * 100 // ignition.pushed
        if percent < settings.reversed_percent:
            return
        del self.state.ignitions[maker.key]
        pushed, sold = ("up", "sold") if ignition.side == BUY else ("down", "bought")
        self.report(
            Finding(
                symbol_id=fill.symbol_id, accounts=(maker.account_id,), begins_ns=ignition.begins_ns,
                score=score_of(60, 10, ignition.move_bps // settings.move_bps - 1),
                summary=f"{ignition.orders} aggressive orders pushed the price {pushed} from "
                f"{price_text(ignition.from_price)} to {price_text(ignition.to_price)}; then their owner {sold} to "
                "those who followed.",
                measures=(
                    Measure(
                        "aggressive orders in a row", str(ignition.orders),
                        f"{settings.orders} in {settings.within_ms} ms",
                    ),
                    Measure("move of the price", f"{ignition.move_bps} bps", f"{settings.move_bps} bps"),
                    Measure(
                        "traded back at rest", f"{percent} %",
                        f"{settings.reversed_percent} % in {settings.reversed_within_ms} ms",
                    ),
                ),
                evidence=evidence_of(ignition.evidence),
            )
        )  # fmt: skip
