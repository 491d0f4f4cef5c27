"""STUFF-1, quote stuffing: a burst of orders that are nearly all taken back within a second, and none trades.

A quote is one message with both its sides, also where it takes the place of another one.
"""

from __future__ import annotations

import msgspec

from exchange.surveillance.alert import Finding, Measure, evidence_of, score_of
from exchange.surveillance.detector import Detector
from exchange.surveillance.market import Fill
from exchange.surveillance.order_book import GAVE_WAY, IN_PLACE, SECOND_SIDE, LiveOrder, symbol_in
from exchange.surveillance.settings import SECOND, QuoteStuffing

NAMED_EACH = 20
"""Of a burst so many of the first messages are evidence, and the last one."""


class Burst(msgspec.Struct, gc=False):
    """What an owner did in a symbol in the second that began with its first message."""

    begins_ns: int
    account_id: int
    entered: int = 0
    withdrawn: int = 0
    in_place: int = 0
    trades: int = 0
    last: int = 0
    named: list[int] = []


class StuffingState(msgspec.Struct):
    """What the detector remembers: bursts by owner and symbol, oldest first, and when the oldest is over."""

    bursts: dict[int, Burst] = {}
    due_ns: int = 0


class QuoteStuffingDetector(Detector):
    """Counts messages by the second."""

    CODE = "STUFF-1"
    VERSION = 2
    State = StuffingState
    settings: QuoteStuffing
    state: StuffingState

    def passed(self) -> None:
        """Judge the bursts whose second is over."""
        state = self.state
        if self.market.now_ns < state.due_ns:
            return
        bursts = state.bursts
        while bursts:
            key = next(iter(bursts))
            burst = bursts[key]
            state.due_ns = burst.begins_ns + SECOND
            if self.market.now_ns < state.due_ns:
                return
            del bursts[key]
            self._judge(key, burst)

    def entered(self, order: LiveOrder) -> None:
        """Count an order, or a quote by its first side."""
        if order.marks & SECOND_SIDE:
            return
        burst = self._burst(order)
        burst.entered += 1
        if order.marks & IN_PLACE:
            burst.withdrawn += 1
            burst.in_place += 1
        self._name(burst)

    def amended(self, order: LiveOrder) -> None:
        """Count an amendment: one taken back and one new."""
        burst = self._burst(order)
        burst.entered += 1
        burst.withdrawn += 1
        self._name(burst)

    def ended(self, order: LiveOrder, by_owner: bool) -> None:
        """Count a cancel; what gave way to a newer quote was counted with that."""
        if by_owner and not order.marks & (SECOND_SIDE | GAVE_WAY):
            burst = self._burst(order)
            burst.withdrawn += 1
            self._name(burst)

    def traded(self, fill: Fill) -> None:
        """Count a trade of either owner."""
        bursts = self.state.bursts
        for order in (fill.maker, fill.taker):
            burst = bursts.get(order.key)
            if burst is not None:
                burst.trades += 1

    def _burst(self, order: LiveOrder) -> Burst:
        bursts = self.state.bursts
        key = order.key
        found = bursts.get(key)
        if found is None:
            found = bursts[key] = Burst(self.market.now_ns, order.account_id)
        return found

    def _name(self, burst: Burst) -> None:
        burst.last = self.market.sequence
        if len(burst.named) < NAMED_EACH:
            burst.named.append(burst.last)

    def _judge(self, key: int, burst: Burst) -> None:
        settings, messages = self.settings, burst.entered + burst.withdrawn - burst.in_place
        if messages <= settings.messages or burst.trades or not burst.entered:
            return
        percent = burst.withdrawn * 100 // burst.entered
        if percent < settings.cancelled_percent:
            return
        self.report(
            Finding(
                symbol_id=symbol_in(key), accounts=(burst.account_id,), begins_ns=burst.begins_ns,
                score=score_of(60, 10, messages // settings.messages - 1),
                summary=f"{messages} messages in one second, {percent} % of the orders taken back, no trade.",
                measures=(
                    Measure("messages in a second", str(messages), f"more than {settings.messages}"),
                    Measure("orders taken back", f"{percent} %", f"{settings.cancelled_percent} %"),
                    Measure("trades in it", "0", "0"),
                ),
                evidence=evidence_of((*burst.named, burst.last)),
            )
        )  # fmt: skip
