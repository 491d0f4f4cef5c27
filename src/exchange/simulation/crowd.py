"""A crowd that sends orders while an auction gathers them, by its own dice, so that the indication moves."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from exchange.domain.order import Side
from exchange.domain.phase import AuctionKind
from exchange.domain.units import Price, format_price
from exchange.wire.rest.orders import SIDE_TEXT, NewOrder

SPREAD_TICKS = 12
"""How far from the reference price, in ticks, the crowd's limits lie at most."""
_ALONE = {AuctionKind.OPENING: "at_the_open", AuctionKind.CLOSING: "at_the_close"}


class Gathering(NamedTuple):
    """A symbol whose orders gather. tick: at the reference price; kind: of the auction that comes."""

    symbol: str
    reference_price: int
    tick: int
    round_lot: int
    kind: AuctionKind


class Crowd:
    """Many members who want to be in an auction. leaning: they would rather buy (above 0) or sell."""

    def __init__(self, seed: int) -> None:
        self._chance = Random(f"{seed}/crowd")
        self._leaning: dict[str, int] = {}

    def orders(self, gathering: Gathering, count: int) -> list[NewOrder]:
        """Return so many orders: most with a limit, some at market, some for this auction alone, some to stay."""
        return [self._order(gathering) for _ in range(count)]

    def _order(self, gathering: Gathering) -> NewOrder:
        chance = self._chance
        leaning = self._leaning.setdefault(gathering.symbol, chance.choice((-3, -2, 2, 3)))
        side = chance.choices((Side.BUY, Side.SELL), (10 + leaning, 10 - leaning))[0]
        quantity = chance.choice((1, 2, 3, 5, 8)) * 100 * gathering.round_lot
        kind = chance.choices(("market", "alone", "stays"), (1, 3, 6))[0]
        eager = 1 if side is Side.BUY else -1
        ticks = chance.randint(-SPREAD_TICKS, SPREAD_TICKS // 2) * eager
        price = max(gathering.reference_price + ticks * gathering.tick, gathering.tick)
        price -= price % gathering.tick
        return NewOrder(
            symbol=gathering.symbol, side=SIDE_TEXT[side], qty=quantity,
            price=None if kind == "market" else format_price(Price(price)),
            type="market" if kind == "market" else "limit",
            time_in_force="day" if kind == "stays" else _ALONE.get(gathering.kind, "good_for_auction"),
        )  # fmt: skip
