"""House traders: each looks at a market and says what it wants, by its own dice; nothing waits or sends.

Only the market maker rests orders, and the others only take, so no trader meets itself.
"""

from __future__ import annotations

from random import Random
from typing import NamedTuple, Protocol

from exchange.domain.order import Side

ANOTHER_SHARE = 5
"""A price that is away by this part of the fair value at once is of another share: there was a split."""
PRICES_SEEN_MAX = 20
"""Prices of a market that a trader remembers."""


class Market(NamedTuple):
    """What a trader sees of one symbol. bid, ask: 0 where nobody quotes; prices: of late, the newest last."""

    symbol: str
    tick: int
    round_lot: int
    bid: int
    ask: int
    prices: tuple[int, ...]


class Wish(NamedTuple):
    """An order that a trader wants. resting: as a post-only quote, else immediate or cancel."""

    side: Side
    quantity: int
    price: int
    resting: bool = False


class Trader(Protocol):
    """Decides, turn by turn. quotes_kept: orders it leaves in the book; the oldest make way for new ones."""

    name: str
    quotes_kept: int

    def decide(self, market: Market) -> list[Wish]:
        """Return the orders for this turn; none is a decision too."""
        ...


class MarketMaker:
    """Quotes both sides around a fair value that wanders, follows the trades a little and is drawn home."""

    name = "market_maker"
    quotes_kept = 20

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.home = self.fair = 0

    def decide(self, market: Market) -> list[Wish]:
        """Quote one bid and one ask; the depth comes from the quotes of earlier turns."""
        last = market.prices[-1]
        if abs(last - self.fair) * ANOTHER_SHARE >= self.fair:
            self.home = self.fair = last
        fair = self.fair
        wander = self.chance.choice((-1, 0, 1)) * market.tick
        self.fair = max(fair + wander + (last - fair) // 4 + (self.home - fair) // 50, 10 * market.tick)
        middle = self.fair - self.fair % market.tick
        bid = middle - self.chance.randint(1, 6) * market.tick
        ask = middle + self.chance.randint(1, 6) * market.tick
        lots = self.chance.choices((1, 2, 3, 5), k=2)
        return [
            Wish(Side.BUY, lots[0] * 100 * market.round_lot, bid, resting=True),
            Wish(Side.SELL, lots[1] * 100 * market.round_lot, ask, resting=True),
        ]


class NoiseTrader:
    """Buys or sells a little for no reason at all."""

    name = "noise"
    quotes_kept = 0

    def __init__(self, chance: Random) -> None:
        self.chance = chance

    def decide(self, market: Market) -> list[Wish]:
        """Cross the spread, at most two ticks through the best price."""
        side = self.chance.choice((Side.BUY, Side.SELL))
        quantity = self.chance.choice((10, 20, 50, 100, 200)) * market.round_lot
        return _take(market, side, quantity, ticks_through=2)


class MomentumTrader:
    """Follows the way prices have gone of late."""

    name = "momentum"
    quotes_kept = 0

    def __init__(self, chance: Random) -> None:
        self.chance = chance

    def decide(self, market: Market) -> list[Wish]:
        """Buy after a rise and sell after a fall of two ticks and more, but not every time."""
        moved = market.prices[-1] - market.prices[0]
        if abs(moved) < 2 * market.tick or self.chance.randrange(3) == 0:
            return []
        side = Side.BUY if moved > 0 else Side.SELL
        return _take(market, side, self.chance.randint(1, 10) * 10 * market.round_lot, ticks_through=0)


TRADERS = {kind.name: kind for kind in (MarketMaker, NoiseTrader, MomentumTrader)}


def make_trader(name: str, symbol: str, seed: int) -> Trader:
    """Make a trader for one symbol; name, symbol and seed alone decide what its dice will show."""
    return TRADERS[name](Random(f"{seed}/{name}/{symbol}"))


def _take(market: Market, side: Side, quantity: int, ticks_through: int) -> list[Wish]:
    best = market.ask if side == Side.BUY else market.bid
    through = ticks_through * market.tick * (1 if side == Side.BUY else -1)
    return [Wish(side, quantity, best + through)] if best and best + through > 0 else []
