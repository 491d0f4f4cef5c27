"""MTC-1, marking the close: aggressive trades shortly before the close that carry the closing price their way.

The window goes in twentieths of its length, so it may be up to a twentieth longer than set.
"""

from __future__ import annotations

import msgspec

from exchange.domain.trade import BASIS_POINTS
from exchange.surveillance.alert import Finding, Measure, evidence_of, price_text, score_of
from exchange.surveillance.detector import Detector
from exchange.surveillance.market import Fill, PriceChange
from exchange.surveillance.order_book import BUY, PEGGED, LiveOrder, key_of, symbol_in
from exchange.surveillance.settings import SECOND, MarkingClose

PARTS = 20
HALFWAY_PERCENT = 50
"""Who carries a price trades aggressively at least half of the way to where it closes."""
NAMED_MAX = 10
"""Trades of one owner that each part of the window names."""


class Share(msgspec.Struct):
    """What an owner traded in a part of the window. highest, lowest: price of its aggressive trades, 0 for none."""

    account_id: int = 0
    bought: int = 0
    sold: int = 0
    aggressive: int = 0
    highest: int = 0
    lowest: int = 0
    named: list[int] = []

    def adjust(self, change: PriceChange) -> None:
        """Let a corporate action change prices and quantities."""
        self.bought, self.sold = change.shares(self.bought), change.shares(self.sold)
        self.aggressive = change.shares(self.aggressive)
        self.highest, self.lowest = change.price(self.highest), change.price(self.lowest)


class Part(msgspec.Struct):
    """A part of the window. price_before: of the last trade before it."""

    number: int
    price_before: int
    volume: int = 0
    shares: dict[int, Share] = {}


class CloseState(msgspec.Struct):
    """What the detector remembers: parts by symbol, oldest first; volumes of the day by symbol, and by owner in it."""

    parts: dict[int, list[Part]] = {}
    volumes: dict[int, int] = {}
    owners: dict[int, int] = {}


class MarkingCloseDetector(Detector):
    """Adds up who traded in the last minutes, and judges at the close."""

    CODE = "MTC-1"
    State = CloseState
    settings: MarkingClose
    state: CloseState

    def traded(self, fill: Fill) -> None:
        """Add a trade up."""
        state, symbol_id, quantity = self.state, fill.symbol_id, fill.quantity
        part = self._part(fill)
        part.volume += quantity
        state.volumes[symbol_id] = state.volumes.get(symbol_id, 0) + quantity
        for order in (fill.maker, fill.taker):
            state.owners[order.key] = state.owners.get(order.key, 0) + quantity
            self._add(part, order, fill)

    def _part(self, fill: Fill) -> Part:
        number = fill.time_ns * PARTS // (self.settings.window_s * SECOND)
        parts = self.state.parts.setdefault(fill.symbol_id, [])
        if not parts or parts[-1].number != number:
            parts.append(Part(number, fill.price_before or fill.price))
            while parts[0].number < number - PARTS:
                parts.pop(0)
        return parts[-1]

    def _add(self, part: Part, order: LiveOrder, fill: Fill) -> None:
        share = part.shares.get(order.owner)
        if share is None:
            share = part.shares[order.owner] = Share(order.account_id)
        if order.side == BUY:
            share.bought += fill.quantity
        else:
            share.sold += fill.quantity
        if fill.is_auction or (order is fill.taker and not order.marks & PEGGED):
            share.aggressive += fill.quantity
            share.highest = max(share.highest, fill.price)
            share.lowest = min(share.lowest or fill.price, fill.price)
            if len(share.named) < NAMED_MAX:
                share.named.append(fill.sequence)

    def adjusted(self, symbol_id: int, change: PriceChange) -> None:
        """Measure prices and quantities as they are from now on, so that the break itself moves nothing."""
        state = self.state
        for part in state.parts.get(symbol_id, ()):
            part.price_before, part.volume = change.price(part.price_before), change.shares(part.volume)
            for share in part.shares.values():
                share.adjust(change)
        if symbol_id in state.volumes:
            state.volumes[symbol_id] = change.shares(state.volumes[symbol_id])
        for key, volume in state.owners.items():
            if symbol_in(key) == symbol_id:
                state.owners[key] = change.shares(volume)

    def closed(self, symbol_id: int) -> None:
        """Judge the last minutes of a symbol."""
        newest = self.market.now_ns * PARTS // (self.settings.window_s * SECOND)
        parts = [part for part in self.state.parts.pop(symbol_id, []) if part.number >= newest - PARTS]
        volume = sum(part.volume for part in parts)
        if volume < self.settings.volume_min:
            return
        start, close = parts[0].price_before, self.market.last_prices[symbol_id]
        move_bps = (close - start) * BASIS_POINTS // start
        if abs(move_bps) < self.settings.move_bps:
            return
        for owner in sorted({owner for part in parts for owner in part.shares}):
            shares = [part.shares[owner] for part in parts if owner in part.shares]
            self._judge(symbol_id, owner, shares, volume, move_bps, (start, close), parts)

    def _judge(
        self, symbol_id: int, owner: int, shares: list[Share], volume: int, move_bps: int, prices: tuple[int, int],
        parts: list[Part],
    ) -> None:  # fmt: skip
        settings = self.settings
        bought, sold = sum(share.bought for share in shares), sum(share.sold for share in shares)
        own, other = (bought, sold) if move_bps > 0 else (sold, bought)
        aggressive = sum(share.aggressive for share in shares)
        percent = own * 100 // volume
        whole_day = max(1, self.state.volumes.get(symbol_id, 0))
        day_percent = self.state.owners.get(key_of(owner, symbol_id), 0) * 100 // whole_day
        aggressive_percent = aggressive * 100 // max(1, bought + sold)
        reached = _reached(shares, prices, move_bps)
        is_much = percent >= settings.window_percent or (day_percent >= settings.day_percent and own > other)
        is_aggressive = aggressive_percent >= settings.aggressive_percent and reached >= HALFWAY_PERCENT
        if not is_much or own <= other or not is_aggressive:
            return
        verb, way = ("bought", "up") if move_bps > 0 else ("sold", "down")
        begins_ns = parts[0].number * (settings.window_s * SECOND) // PARTS
        self.report(
            Finding(
                symbol_id=symbol_id, accounts=tuple(sorted({share.account_id for share in shares})),
                begins_ns=begins_ns, score=score_of(50, 10, percent // settings.window_percent),
                summary=f"{own} {verb} in the last minutes carried the close {way} from {price_text(prices[0])} to "
                f"{price_text(prices[1])}.",
                measures=(
                    Measure("share of the last minutes' volume", f"{percent} %", f"{settings.window_percent} %"),
                    Measure("share of the day's volume", f"{day_percent} %", f"{settings.day_percent} %"),
                    Measure("of it aggressive", f"{aggressive_percent} %", f"{settings.aggressive_percent} %"),
                    Measure("of the move its own trades went along", f"{reached} %", f"{HALFWAY_PERCENT} %"),
                    Measure("move of the price", f"{abs(move_bps)} bps", f"{settings.move_bps} bps"),
                ),
                evidence=evidence_of(sequence for share in shares for sequence in share.named),
            )
        )  # fmt: skip

    def day_ended(self) -> None:
        """Begin to add up anew."""
        self.state = CloseState()


def _reached(shares: list[Share], prices: tuple[int, int], move_bps: int) -> int:
    """Return how far of the way from the first price to the close an owner traded aggressively, in per cent."""
    start, close = prices
    if move_bps > 0:
        return (max(share.highest for share in shares) - start) * 100 // (close - start)
    lowest = min((share.lowest for share in shares if share.lowest), default=start)
    return (start - lowest) * 100 // (start - close)
