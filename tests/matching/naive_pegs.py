"""How pegged orders get their prices in the naive model: rulebook 1.14 to 1.17."""

from __future__ import annotations

from exchange.domain.order import PegKind, Side
from exchange.domain.phase import Phase
from exchange.domain.units import PRICE_MAX
from tests.matching.naive_books import other
from tests.matching.naive_quotes import NaiveQuotes
from tests.matching.naive_values import Fact, Order, Pegging

OF_A_SYMBOL = {
    "phase", "indicated", "auction", "extended", "split", "renamed", "dividend", "short terms", "restricted",
}  # fmt: skip
"""Facts whose second word is a symbol."""
OF_AN_ORDER = {
    "accepted", "cancelled", "trade", "amended", "repriced", "refreshed", "triggered", "prevented", "replaced", "terms",
}  # fmt: skip
"""Facts whose second word is an order."""


class NaivePegs(NaiveQuotes):
    """Moves pegged orders when the command is done."""

    def follow_pegs(self) -> None:
        """Move what is pegged, by symbol in the sequence in which the command concerned them, until all stand."""
        if not any(order.live and order.peg for order in self.orders):
            return
        while True in list(map(self._follow_pegs_of, self._symbols_told())):
            pass

    def _symbols_told(self) -> list[int]:
        told = [symbol for symbol in map(self._symbol_of, self.said) if symbol]
        return list(dict.fromkeys([*told, *sorted(self.symbols)]))

    def _symbol_of(self, fact: Fact) -> int:
        if fact[0] in OF_A_SYMBOL:
            return int(str(fact[1]))
        if fact[0] in OF_AN_ORDER:
            return next(order.symbol for order in self.orders if order.id == fact[1])
        return 0

    def _follow_pegs_of(self, number: int) -> bool:
        """Move a symbol's pegged orders as long as one does not stand where it should; tell whether one did not."""
        has_moved = moves = False
        while not self.symbols[number].suspended:
            bid, ask = self._shown(number, Side.BUY), self._shown(number, Side.SELL)
            limits, moves = self.trading_range(number), False
            for order in self.pegged(number):
                price = self.pegged_price(order, bid, ask, limits)
                if order.live and price != order.price:
                    self._move_peg(order, price)
                    has_moved = moves = True
            if not moves:
                break
            self.let_woken_come_in()
        return has_moved

    def park(self, number: int) -> None:
        """Take the pegged orders of a symbol aside. Rulebook 1.17."""
        for order in self.pegged(number):
            if order.price:
                self._move_peg(order, 0)

    def pegged(self, number: int) -> list[Order]:
        """List the pegged orders of a symbol in the sequence of their entry."""
        found = [o for o in self.orders if o.live and o.peg and o.symbol == number]
        return sorted(found, key=lambda o: o.id)

    def _move_peg(self, order: Order, price: int) -> None:
        order.price = price
        self.said.append(("repriced", order.id, price))
        if price:
            self.come_in(order)

    def _shown(self, number: int, side: Side) -> int:
        """Return the best price shown, 0 for none."""
        return next((o.price for o in self.resting(number, side) if not o.hidden), 0)

    def price_of_peg(self, order: Order) -> int:
        """Return the price of a pegged order as the market stands, 0 for none."""
        bid, ask = self._shown(order.symbol, Side.BUY), self._shown(order.symbol, Side.SELL)
        return self.pegged_price(order, bid, ask, self.trading_range(order.symbol))

    def pegged_price(self, order: Order, bid: int, ask: int, limits: tuple[int, int] | tuple[()]) -> int:
        """Rulebook 1.14 and 1.15; 0 for none."""
        assert order.peg, "only a pegged order gets its price so"
        if self.symbols[order.symbol].phase != Phase.CONTINUOUS:
            return 0
        if order.peg.kind == PegKind.MIDPOINT:
            price = self._middle(order, bid, ask)
        else:
            price = self._beside(order, order.peg, bid, ask)
        if price and order.peg.limit:
            price = min(price, order.peg.limit) if order.side == Side.BUY else max(price, order.peg.limit)
        if price and limits:
            symbol = self.symbols[order.symbol]
            if order.side == Side.BUY and price > limits[1]:
                price = symbol.tick_down(limits[1])
            elif order.side == Side.SELL and price < limits[0]:
                price = symbol.tick_up(limits[0])
        return price if 0 < price <= PRICE_MAX else 0

    def _middle(self, order: Order, bid: int, ask: int) -> int:
        if not bid or not ask:
            return 0
        between = (bid + ask) % 2
        return (bid + ask - between) // 2 if order.side == Side.BUY else (bid + ask + between) // 2

    def _beside(self, order: Order, peg: Pegging, bid: int, ask: int) -> int:
        """Go away from a best price by the offset, to a tick, and stay behind the best price of the other side."""
        ticks, buys = self.symbols[order.symbol], order.side == Side.BUY
        shown = {Side.BUY: bid, Side.SELL: ask}
        opposite = shown[other(order.side)]
        pegged_to = shown[Side(order.side)] if peg.kind == PegKind.PRIMARY else opposite
        price = pegged_to + peg.offset
        if not pegged_to or not 0 < price <= PRICE_MAX:
            return 0
        price = ticks.tick_down(price) if buys else ticks.tick_up(price)
        if opposite and buys:
            return min(price, ticks.tick_down(opposite - 1))
        return max(price, ticks.tick_up(opposite + 1)) if opposite else price
