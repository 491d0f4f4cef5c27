"""LAYER-1, layering: several orders on a side at several prices, gone as soon as the same owner traded on the other."""

from __future__ import annotations

import msgspec

from exchange.surveillance.alert import Finding, Level, Measure, score_of
from exchange.surveillance.detector import Detector, Episode, Episodes, joined
from exchange.surveillance.market import DEPTH_LEVELS, Fill, PriceChange
from exchange.surveillance.order_book import BUY, LiveOrder, opposite, symbol_of
from exchange.surveillance.settings import MS, Layering

FILLS_NAMED_MAX = 20


class Layers(msgspec.Struct):
    """The layers that stood when their owner traded on the other side, and which of them were taken back since."""

    filled_ns: int
    filled_quantity: int
    begins_ns: int
    prices: int
    depth_percent: int
    fills: list[int]
    entered: dict[int, int]
    withdrawn: dict[int, int] = {}


class Resting(msgspec.Struct):
    """What an owner has in the book on a side. orders: order → (price, shown); prices: price → order → shown."""

    orders: dict[int, tuple[int, int]] = {}
    prices: dict[int, dict[int, int]] = {}
    total: int = 0

    def put(self, order_id: int, price: int, shown: int) -> None:
        """Count an order as it is now."""
        if order_id in self.orders:
            self.remove(order_id)
        self.orders[order_id] = (price, shown)
        at_price = self.prices.get(price)
        if at_price is None:
            self.prices[price] = {order_id: shown}
        else:
            at_price[order_id] = shown
        self.total += shown

    def remove(self, order_id: int) -> None:
        """Count an order no longer."""
        price, shown = self.orders.pop(order_id)
        at_price = self.prices[price]
        del at_price[order_id]
        if not at_price:
            del self.prices[price]
        self.total -= shown


class LayeringState(msgspec.Struct):
    """What the detector remembers, by owner, symbol and side."""

    resting: dict[int, Resting] = {}
    watched: dict[int, Layers] = {}
    episodes: Episodes = msgspec.field(default_factory=Episodes)


class LayeringDetector(Detector):
    """Looks for layers that go once their owner has traded on the other side."""

    CODE = "LAYER-1"
    State = LayeringState
    settings: Layering
    state: LayeringState

    def rested(self, order: LiveOrder) -> None:
        """Count an order among its owner's layers."""
        key = order.side_key
        resting = self.state.resting.get(key)
        if resting is None:
            resting = self.state.resting[key] = Resting()
        resting.put(order.order_id, order.price, order.shown)

    def ended(self, order: LiveOrder, by_owner: bool) -> None:
        """Count an order no longer."""
        key = order.side_key
        resting = self.state.resting.get(key)
        if resting is not None and order.order_id in resting.orders:
            resting.remove(order.order_id)
            if not resting.orders:
                del self.state.resting[key]

    def traded(self, fill: Fill) -> None:
        """Look whether an owner that trades has layers on the other side."""
        if fill.is_auction:
            return
        for order in (fill.maker, fill.taker):
            key = opposite(order.side_key)
            resting = self.state.resting.get(key)
            if resting is not None and len(resting.prices) >= self.settings.layers:
                self._consider(key, resting, order, fill)

    def _consider(self, key: int, resting: Resting, order: LiveOrder, fill: Fill) -> None:
        settings, market = self.settings, self.market
        own = self.state.resting.get(order.side_key)
        genuine = (own.total if own else 0) + (fill.quantity if order is fill.taker else 0)
        if resting.total < settings.times_filled * genuine:
            return
        book, side = market.book(order.symbol_id), 3 - order.side
        layers = [resting.prices[p] for p in book.top(side, DEPTH_LEVELS) if p in resting.prices]
        prices, shown = len(layers), [order_id for layer in layers for order_id in layer]
        total = sum([sum(layer.values()) for layer in layers])
        percent = total * 100 // max(1, book.depth(side, DEPTH_LEVELS))
        if (
            prices < settings.layers
            or percent < settings.depth_percent
            or total < settings.times_filled * genuine
        ):
            return
        entered = {order_id: market.orders[order_id].entered_sequence for order_id in sorted(shown)}
        begins_ns = min(market.orders[order_id].entered_ns for order_id in shown)
        watched = self.state.watched.get(key)
        if watched is None or fill.time_ns - watched.filled_ns > settings.cancel_within_ms * MS:
            self.state.watched[key] = Layers(
                fill.time_ns, fill.quantity, begins_ns, prices, percent, [fill.sequence], entered
            )
            return
        watched.filled_ns = fill.time_ns
        watched.filled_quantity += fill.quantity
        if len(watched.fills) < FILLS_NAMED_MAX:
            watched.fills.append(fill.sequence)

    def withdrawn(self, order: LiveOrder) -> None:
        """Count a layer that is taken back soon after the trade; judge when nearly all are."""
        watched = self.state.watched
        layers = watched.get(order.side_key) if watched else None
        if layers is None:
            return
        settings, now_ns = self.settings, self.market.now_ns
        if now_ns - layers.filled_ns > settings.cancel_within_ms * MS:
            del watched[order.side_key]
            return
        if order.order_id in layers.entered:
            layers.withdrawn[order.order_id] = self.market.sequence
            if len(layers.withdrawn) * 100 >= settings.cancelled_percent * len(layers.entered):
                del watched[order.side_key]
                self._found(order, layers)

    def renewed(self, order: LiveOrder, new_order_id: int) -> None:
        """Take a side of a quote that gives way to its like for the same layer."""
        layers = self.state.watched.get(order.side_key)
        if layers is not None and order.order_id in layers.entered:
            layers.entered[new_order_id] = layers.entered.pop(order.order_id)

    def adjusted(self, symbol_id: int, change: PriceChange) -> None:
        """Forget what stood before the break."""
        watched = self.state.watched
        self.state.watched = {key: each for key, each in watched.items() if symbol_of(key) != symbol_id}

    def day_ended(self) -> None:
        """Begin to count anew."""
        self.state.episodes = Episodes()
        self.state.watched = {}

    def _found(self, order: LiveOrder, layers: Layers) -> None:
        settings = self.settings
        evidence = (*layers.entered.values(), *layers.fills, *layers.withdrawn.values())
        excess = len(layers.entered) - settings.layers
        episode = Episode(layers.begins_ns, (order.account_id,), evidence, excess)
        level, episodes = self.state.episodes.add(order.key, episode, settings.episodes)
        if level is None:
            return
        accounts, all_evidence, begins_ns, excess = joined(episodes)
        side, other = ("bids", "sold") if order.side == BUY else ("offers", "bought")
        since = (self.market.now_ns - layers.filled_ns) // MS
        self.report(
            Finding(
                level=level, symbol_id=order.symbol_id, accounts=accounts, begins_ns=begins_ns,
                score=score_of(60 if level is Level.ALERT else 30, 10, excess),
                summary=f"{len(layers.entered)} {side} at {layers.prices} prices were taken back as soon as their "
                f"owner had {other} on the other side.",
                measures=(
                    Measure("layers at different prices", str(layers.prices), str(settings.layers)),
                    Measure("share of their side's depth", f"{layers.depth_percent} %", f"{settings.depth_percent} %"),
                    Measure(
                        "layers taken back", f"{len(layers.withdrawn)} of {len(layers.entered)}",
                        f"{settings.cancelled_percent} %",
                    ),
                    Measure("last one taken back after the trade", f"{since} ms", f"{settings.cancel_within_ms} ms"),
                    Measure("traded on the other side", f"{layers.filled_quantity} shares", "any"),
                    Measure("episodes of the day", str(len(episodes)), str(settings.episodes)),
                ),
                evidence=all_evidence,
            )
        )  # fmt: skip
