"""SPOOF-1, spoofing: a large order near the touch that is taken back once a small one on the other side has traded."""

from __future__ import annotations

import msgspec

from exchange.surveillance.alert import Finding, Level, Measure, score_of
from exchange.surveillance.detector import Detector, Episode, Episodes, joined
from exchange.surveillance.market import DEPTH_LEVELS, Fill, PriceChange
from exchange.surveillance.order_book import BUY, LiveOrder, opposite, symbol_of
from exchange.surveillance.settings import MS, Spoofing

SIZES_KEPT = 101
MEDIAN_EVERY = 20
FILLS_NAMED_MAX = 20


class Sizes(msgspec.Struct):
    """The sizes of a symbol's last orders and their median, which is found anew after every twentieth order."""

    last: list[int] = []
    count: int = 0
    median: int = 0

    def add(self, quantity: int) -> None:
        """Take a size in."""
        last = self.last
        if len(last) < SIZES_KEPT:
            last.append(quantity)
        else:
            last[self.count % SIZES_KEPT] = quantity
        self.count += 1
        if self.count % MEDIAN_EVERY == 0:
            self.median = sorted(last)[len(last) // 2]

    def adjust(self, change: PriceChange) -> None:
        """Let a corporate action change the sizes."""
        self.last = [change.shares(quantity) for quantity in self.last]
        self.median = change.shares(self.median)


class Bait(msgspec.Struct):
    """A large order near the touch, and what its owner traded on the other side while it lived.

    shown_quantity: the most that its owner showed near the touch on the other side when it traded there.
    """

    entered_ns: int
    entered_sequence: int
    quantity: int
    times_median: int
    depth_percent: int
    filled_ns: int = 0
    filled_quantity: int = 0
    shown_quantity: int = 0
    fills: list[int] = []


class SpoofingState(msgspec.Struct):
    """What the detector remembers. baits: by owner, symbol and side, then by order.

    counted: the last trade of an owner in a symbol that is part of an episode, for several baits are one episode.
    """

    sizes: dict[int, Sizes] = {}
    baits: dict[int, dict[int, Bait]] = {}
    counted: dict[int, int] = {}
    episodes: Episodes = msgspec.field(default_factory=Episodes)


class SpoofingDetector(Detector):
    """Looks for baits that were taken back after a fill on the other side."""

    CODE = "SPOOF-1"
    VERSION = 2
    State = SpoofingState
    settings: Spoofing
    state: SpoofingState

    def rested(self, order: LiveOrder) -> None:
        """Take note of a large order near the touch."""
        sizes = self.state.sizes.get(order.symbol_id)
        if sizes is None:
            sizes = self.state.sizes[order.symbol_id] = Sizes()
        median = sizes.median
        if median and order.shown >= self.settings.times_median * median:
            self._consider(order, median)
        sizes.add(order.shown)

    def _consider(self, order: LiveOrder, median: int) -> None:
        market, settings = self.market, self.settings
        book = market.book(order.symbol_id)
        best, tick = book.best(order.side), market.tick_at(order.symbol_id, order.price)
        away = best - order.price if order.side == BUY else order.price - best
        if away > settings.ticks_from_touch * tick:
            return
        percent = order.shown * 100 // max(1, book.depth(order.side, DEPTH_LEVELS))
        if percent < settings.depth_percent:
            return
        own = self.state.baits.setdefault(order.side_key, {})
        if order.order_id not in own:
            own[order.order_id] = Bait(
                order.entered_ns, order.entered_sequence, order.shown, order.shown // median, percent
            )

    def traded(self, fill: Fill) -> None:
        """Take note of what the owner of a bait trades on the other side."""
        baits = self.state.baits
        if not baits or fill.is_auction:
            return
        for order in (fill.maker, fill.taker):
            found = baits.get(opposite(order.side_key))
            if not found:
                continue
            shown = self.market.shown_near(order.side_key, order.symbol_id, order.side)
            if order is fill.taker:
                shown += fill.quantity
            for bait in found.values():
                bait.shown_quantity = max(bait.shown_quantity, shown)
                bait.filled_ns = fill.time_ns
                bait.filled_quantity += fill.quantity
                if len(bait.fills) < FILLS_NAMED_MAX:
                    bait.fills.append(fill.sequence)

    def withdrawn(self, order: LiveOrder) -> None:
        """Judge a bait that its owner takes back."""
        bait = self._forget(order)
        if bait is None or not bait.filled_ns:
            return
        settings, now_ns = self.settings, self.market.now_ns
        if (
            now_ns - bait.filled_ns <= settings.cancel_within_ms * MS
            and now_ns - bait.entered_ns <= settings.life_max_ms * MS
            and order.leaves * 100 >= settings.unfilled_percent * order.quantity
            and bait.quantity >= settings.times_filled * max(bait.filled_quantity, bait.shown_quantity)
        ):
            self._found(order, bait)

    def ended(self, order: LiveOrder, by_owner: bool) -> None:
        """Forget a bait that is over."""
        self._forget(order)

    def renewed(self, order: LiveOrder, new_order_id: int) -> None:
        """Take a side of a quote that gives way to its like for the same bait."""
        own = self.state.baits.get(order.side_key)
        if own is not None and order.order_id in own:
            own[new_order_id] = own.pop(order.order_id)

    def adjusted(self, symbol_id: int, change: PriceChange) -> None:
        """Measure sizes as they are from now on; what stood before the break baits nobody after it."""
        state = self.state
        if symbol_id in state.sizes:
            state.sizes[symbol_id].adjust(change)
        state.baits = {key: own for key, own in state.baits.items() if symbol_of(key) != symbol_id}

    def day_ended(self) -> None:
        """Begin to count anew."""
        self.state.episodes = Episodes()

    def _forget(self, order: LiveOrder) -> Bait | None:
        baits = self.state.baits
        if not baits:
            return None
        own = baits.get(order.side_key)
        bait = own.pop(order.order_id, None) if own else None
        if own is not None and not own:
            del baits[order.side_key]
        return bait

    def _found(self, order: LiveOrder, bait: Bait) -> None:
        settings, now_ns = self.settings, self.market.now_ns
        if bait.fills[-1] <= self.state.counted.get(order.key, 0):
            return
        self.state.counted[order.key] = bait.fills[-1]
        evidence = (bait.entered_sequence, *bait.fills, self.market.sequence)
        excess = bait.times_median // settings.times_median
        episode = Episode(bait.entered_ns, (order.account_id,), evidence, excess)
        level, episodes = self.state.episodes.add(order.key, episode, settings.episodes)
        if level is None:
            return
        accounts, all_evidence, begins_ns, excess = joined(episodes)
        side, other = ("bid", "sold") if order.side == BUY else ("offer", "bought")
        times = "once" if level is Level.NOTE else f"{len(episodes)} times on one day"
        self.report(
            Finding(
                level=level, symbol_id=order.symbol_id, accounts=accounts, begins_ns=begins_ns,
                score=score_of(60 if level is Level.ALERT else 30, 5, excess),
                summary=f"A large {side} near the touch was taken back, hardly traded, after the same owner had "
                f"{other} on the other side, {times}.",
                measures=(
                    Measure(
                        "size against the median order", f"{bait.times_median} times", f"{settings.times_median} times"
                    ),
                    Measure("share of its side's depth", f"{bait.depth_percent} %", f"{settings.depth_percent} %"),
                    Measure(
                        "traded on the other side meanwhile", f"{bait.filled_quantity} of {bait.quantity} shares",
                        f"at most one in {settings.times_filled}",
                    ),
                    Measure(
                        "shown on the other side, with what traded", f"{bait.shown_quantity} of {bait.quantity} shares",
                        f"at most one in {settings.times_filled}",
                    ),
                    Measure(
                        "taken back after that trade", _ms(now_ns - bait.filled_ns), f"{settings.cancel_within_ms} ms"
                    ),
                    Measure("life", _ms(now_ns - bait.entered_ns), f"{settings.life_max_ms} ms"),
                    Measure("episodes of the day", str(len(episodes)), str(settings.episodes)),
                ),
                evidence=all_evidence,
            )
        )  # fmt: skip


def _ms(span_ns: int) -> str:
    return f"{span_ns // MS} ms"
