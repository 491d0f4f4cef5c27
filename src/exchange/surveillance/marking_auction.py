"""MTO-1, marking the open or another auction: a large order that moves the indicated price is taken back at the end."""

from __future__ import annotations

import msgspec

from exchange.domain.trade import BASIS_POINTS
from exchange.surveillance.alert import Finding, Measure, evidence_of, price_text, score_of
from exchange.surveillance.detector import Detector
from exchange.surveillance.market import PriceChange
from exchange.surveillance.order_book import LiveOrder
from exchange.surveillance.settings import SECOND, MarkingAuction

PULLS_KEPT_MAX = 100
"""Large orders taken back before one auction that are remembered, the latest ones."""


class Pull(msgspec.Struct, gc=False):
    """A large order that was taken back while its auction was called, and what was indicated just before."""

    time_ns: int
    account_id: int
    quantity: int
    percent: int
    indicated_price: int
    entered_ns: int
    evidence: tuple[int, ...]


class AuctionState(msgspec.Struct):
    """What the detector remembers: by symbol."""

    pulls: dict[int, list[Pull]] = {}


class MarkingAuctionDetector(Detector):
    """Looks at what was taken back in the last seconds of a call."""

    CODE = "MTO-1"
    State = AuctionState
    settings: MarkingAuction
    state: AuctionState

    def withdrawn(self, order: LiveOrder) -> None:
        """Take note of a large order that goes while an auction is indicated."""
        market = self.market
        indication = market.indications.get(order.symbol_id)
        if indication is None or not indication.price or not indication.paired:
            return
        percent = order.leaves * 100 // indication.paired
        if percent < self.settings.paired_percent:
            return
        pulls = self.state.pulls.setdefault(order.symbol_id, [])
        evidence = (order.entered_sequence, indication.sequence, market.sequence)
        pulls.append(
            Pull(
                market.now_ns, order.account_id, order.leaves, percent, indication.price, order.entered_ns,
                evidence,
            )
        )  # fmt: skip
        del pulls[:-PULLS_KEPT_MAX]

    def adjusted(self, symbol_id: int, change: PriceChange) -> None:
        """Forget what was taken back before the break."""
        self.state.pulls.pop(symbol_id, None)

    def uncrossed(self, symbol_id: int, price: int) -> None:
        """Judge what was taken back shortly before."""
        for pull in self.state.pulls.pop(symbol_id, ()):
            before_ns = self.market.now_ns - pull.time_ns
            if price and before_ns <= self.settings.before_uncross_s * SECOND:
                self._judge(symbol_id, pull, price, before_ns // SECOND)

    def _judge(self, symbol_id: int, pull: Pull, price: int, before_s: int) -> None:
        settings = self.settings
        move_bps = abs(pull.indicated_price - price) * BASIS_POINTS // price
        if move_bps < settings.move_bps:
            return
        self.report(
            Finding(
                symbol_id=symbol_id, accounts=(pull.account_id,), begins_ns=pull.entered_ns,
                score=score_of(60, 10, move_bps // settings.move_bps - 1),
                summary=f"An order of {pull.quantity} was taken back shortly before the auction; the price had been "
                f"indicated at {price_text(pull.indicated_price)} with it and came out at {price_text(price)}.",
                measures=(
                    Measure("size against what was to trade", f"{pull.percent} %", f"{settings.paired_percent} %"),
                    Measure("taken back before the auction", f"{before_s} s", f"{settings.before_uncross_s} s"),
                    Measure("move of the price", f"{move_bps} bps", f"{settings.move_bps} bps"),
                ),
                evidence=evidence_of((*pull.evidence, self.market.sequence)),
            )
        )  # fmt: skip
