"""OTR-1, order-to-trade ratio: a member sends far more orders than it trades. Regulation (EU) 2017/566.

By member, symbol and business date: an order counts 1, taking it back 1, changing it 2, a quote so for each of its
sides, an immediate order that goes unfilled 2; what the market does by itself (expiry, kill switch, uncrossing,
triggering, the move of a peg, the end of a pair, a split) counts nothing. Ratio by number: orders / trades - 1, by
volume the same.
"""

from __future__ import annotations

import msgspec

from exchange.surveillance.alert import Finding, Measure, evidence_of, score_of
from exchange.surveillance.detector import Detector
from exchange.surveillance.market import Fill, PriceChange
from exchange.surveillance.order_book import IMMEDIATE, LiveOrder, symbol_in
from exchange.surveillance.settings import OrderToTrade


class Counts(msgspec.Struct, gc=False):
    """What a member did in a symbol today. first, last: event sequences."""

    account_id: int
    begins_ns: int
    first: int
    last: int = 0
    orders: int = 0
    volume: int = 0
    trades: int = 0
    traded: int = 0


class RatioState(msgspec.Struct):
    """What the detector remembers, by owner and symbol."""

    counts: dict[int, Counts] = {}


class OrderToTradeDetector(Detector):
    """Counts orders and trades, and compares them when the business date ends."""

    CODE = "OTR-1"
    VERSION = 2
    State = RatioState
    settings: OrderToTrade
    state: RatioState

    def entered(self, order: LiveOrder) -> None:
        """Count an order."""
        self._count(order, 1, order.quantity)

    def amended(self, order: LiveOrder) -> None:
        """Count an amendment."""
        self._count(order, 2, order.leaves)

    def ended(self, order: LiveOrder, by_owner: bool) -> None:
        """Count a cancel that the member asked for, at entry too."""
        if by_owner or order.marks & IMMEDIATE:
            self._count(order, 1, order.leaves)

    def traded(self, fill: Fill) -> None:
        """Count a trade for both sides."""
        for order in (fill.maker, fill.taker):
            counts = self._counts(order)
            counts.trades += 1
            counts.traded += fill.quantity

    def adjusted(self, symbol_id: int, change: PriceChange) -> None:
        """Count shares as they are from now on."""
        for key, counts in self.state.counts.items():
            if symbol_in(key) == symbol_id:
                counts.volume, counts.traded = change.shares(counts.volume), change.shares(counts.traded)

    def day_ended(self) -> None:
        """Judge the day."""
        for key, counts in self.state.counts.items():
            self._judge(key, counts)
        self.state.counts = {}

    def _count(self, order: LiveOrder, orders: int, volume: int) -> None:
        counts = self._counts(order)
        counts.orders += orders
        counts.volume += orders * volume
        counts.last = self.market.sequence

    def _counts(self, order: LiveOrder) -> Counts:
        key = order.key
        found = self.state.counts.get(key)
        if found is None:
            market = self.market
            found = self.state.counts[key] = Counts(order.account_id, market.now_ns, market.sequence)
        return found

    def _judge(self, key: int, counts: Counts) -> None:
        settings, trades, traded = self.settings, counts.trades, counts.traded
        if counts.orders < settings.messages_min:
            return
        by_number = counts.orders - trades > settings.number_limit * trades
        by_volume = counts.volume - traded > settings.volume_limit * traded
        if not by_number and not by_volume:
            return
        number = str(counts.orders // trades - 1) if trades else "no trade"
        volume = str(counts.volume // traded - 1) if traded else "no trade"
        excess = counts.orders // (trades * settings.number_limit) if trades else 4
        self.report(
            Finding(
                symbol_id=symbol_in(key), accounts=(counts.account_id,), begins_ns=counts.begins_ns,
                score=score_of(40, 10, min(4, excess)),
                summary=f"{counts.orders} orders, changes and cancels of a business date came to {trades} trades.",
                measures=(
                    Measure("orders for each trade, less one", number, str(settings.number_limit)),
                    Measure("ordered for each share traded, less one", volume, str(settings.volume_limit)),
                    Measure("orders, changes and cancels", str(counts.orders), f"at least {settings.messages_min}"),
                ),
                evidence=evidence_of((counts.first, counts.last)),
            )
        )  # fmt: skip
