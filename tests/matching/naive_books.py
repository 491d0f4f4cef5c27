"""What the naive model knows, and what can be asked of it: lists, searched and sorted anew for every question."""

from __future__ import annotations

from exchange.domain.order import CancelReason, OrderType, Side
from exchange.domain.phase import Phase
from exchange.domain.units import PRICE_MAX
from tests.matching.naive_values import Fact, Listing, Note, Order, Print, Symbol, Trade

BPS = 10_000


class NaiveBooks:
    """Knows accounts as {account: participant} and symbols by id. said: what the command led to so far."""

    def __init__(self, accounts: dict[int, int], symbols: dict[int, Symbol]) -> None:
        self.accounts = accounts
        self.symbols = symbols
        self.now = 0
        self.orders: list[Order] = []
        self.trades: list[Trade] = []
        self.prints: list[Print] = []
        self.lasts: list[tuple[int, int]] = []
        """(symbol, price) of every trade, and of what corporate actions made of the last."""
        self.moves: list[tuple[int, int, int]] = []
        """(account, symbol or 0 for cash, amount)."""
        self.groups: dict[int, tuple[int, int]] = {}
        """(group, mode) by participant."""
        self.places = 0
        self.said: list[Fact] = []
        self.lists: list[Listing] = []
        self.notes: list[Note] = []
        """What is to be followed when the order in hand is done."""

    # --- orders --------------------------------------------------------------------------------------

    def book(self, symbol: int, side: int) -> list[tuple[int, int, int]]:
        """Return (order, price, left) in the sequence in which the orders would trade."""
        return [(o.id, o.price, o.in_queue) for o in self.resting(symbol, side) if not o.hidden]

    def hidden(self, symbol: int, side: int) -> list[tuple[int, int, int]]:
        """Return (order, price, left) of what is not shown, in the sequence in which it would trade."""
        return [(o.id, o.price, o.left) for o in self.resting(symbol, side) if o.hidden]

    def stops(self, symbol: int, side: int) -> list[tuple[int, int, int]]:
        """Return (order, stop price, left) of the stop orders that wait, the nearest first."""
        return [(o.id, o.stop, o.left) for o in self.waiting(symbol, side)]

    def for_auctions(self, symbol: int, side: int) -> list[tuple[int, int, int]]:
        """Return (order, price, left) of the orders that trade in an auction only."""
        return [(o.id, o.price, o.left) for o in self.auction_only(symbol, side)]

    def resting(self, symbol: int, side: int) -> list[Order]:
        """Rulebook 1.1: the best price first, there what is shown, there the oldest."""
        found = [o for o in self._of_side(symbol, side) if not o.waits and not o.for_auction and not o.aside]
        return sorted(found, key=lambda o: (price_rank(o), o.hidden, o.place))

    def waiting(self, symbol: int, side: int) -> list[Order]:
        """Rulebook 1.10: the nearest stop price first, there the oldest."""
        found = [o for o in self._of_side(symbol, side) if o.waits and not o.reached]
        return sorted(found, key=lambda o: (o.stop if side == Side.BUY else -o.stop, o.place))

    def auction_only(self, symbol: int, side: int) -> list[Order]:
        """Rulebook 5.5: market orders first, then the best price, there the oldest."""
        found = [o for o in self._of_side(symbol, side) if o.for_auction]
        return sorted(found, key=lambda o: (o.type != OrderType.MARKET, price_rank(o), o.place))

    def _of_side(self, symbol: int, side: int) -> list[Order]:
        return [o for o in self.orders if o.live and (o.symbol, o.side) == (symbol, side)]

    def own(self, id: int, participant: int) -> Order | None:
        """Find a live order that a participant, or the exchange, may touch."""
        for order in self.orders:
            if order.id == id and order.live and participant in (0, self.accounts[order.account]):
                return order
        return None

    def group(self, order: Order) -> tuple[int, int]:
        """Return the self-trade group and mode of an order's member."""
        return self.groups.get(self.accounts[order.account], (0, 0))

    def kill(self, orders: list[Order], reason: CancelReason) -> int:
        """Cancel those that live, in the sequence of their entry; return how many."""
        dying = sorted((order for order in orders if order.live), key=lambda order: order.id)
        for order in dying:
            order.live = False
            self.said.append(("cancelled", order.id, order.left, reason))
            self.notes.append(Note(order, 0, 0, reason, order.quantity))
        return len(dying)

    def to_the_back(self, order: Order) -> None:
        """Give an order the last place."""
        self.places += 1
        order.place = self.places

    def gathers(self, number: int) -> bool:
        """Tell whether orders that come in now gather. Rulebook 5.1, 7.7."""
        return self.symbols[number].phase != Phase.CONTINUOUS or self.is_left(number)

    def is_left(self, number: int) -> bool:
        """Tell whether an order of this command would have traded outside a corridor; corridors know."""
        return False

    # --- prices --------------------------------------------------------------------------------------

    def last_price(self, symbol: int) -> int:
        """Return the price of the last trade, as corporate actions left it; 0 before the first."""
        return next((price for number, price in reversed(self.lasts) if number == symbol), 0)

    def reference(self, symbol: int) -> int:
        """Go back through what happened to the last price that counts. Rulebook 2.1."""
        for entry in reversed(self.symbols[symbol].history):
            if isinstance(entry, int):
                return entry
            if entry.counts and not entry.busted:
                return entry.price
        raise AssertionError("the history of a symbol begins with a price")

    def best(self, symbol: int, side: int, quantity: int) -> int:
        """Return the price of who trades first with an order of this side and quantity, 0 where nobody does."""
        return next((o.price for o in self.resting(symbol, other(side)) if o.minimum <= quantity), 0)

    def crosses(self, symbol: int, side: int, price: int, quantity: int) -> bool:
        """Tell whether an order would trade at once."""
        best = self.best(symbol, side, quantity)
        return best > 0 and (best <= price if side == Side.BUY else best >= price)

    def behind(self, symbol: int, side: int, quantity: int) -> int:
        """Go down from the best price, or up, to the next that is on a tick; 0 where there is none. Rulebook 1.5."""
        best, ticks = self.best(symbol, side, quantity), self.symbols[symbol]
        price = ticks.tick_down(best - 1) if side == Side.BUY else ticks.tick_up(best + 1)
        return price if price <= PRICE_MAX else 0

    def edge(self, symbol: int, side: int) -> int:
        """Return the last price inside the protection band, 0 without one. Rulebook 1.8."""
        if not self.symbols[symbol].band_bps:
            return 0
        reference = self.reference(symbol)
        band = reference * self.symbols[symbol].band_bps // BPS
        return reference + band if side == Side.BUY else max(reference - band, 1)

    # --- holdings ------------------------------------------------------------------------------------

    def balance(self, account: int, symbol: int) -> int:
        """Add up all that ever moved an account's shares, or its cash for symbol 0."""
        total = sum(amount for who, what, amount in self.moves if (who, what) == (account, symbol))
        for trade in self.trades:
            amount = 0 if trade.busted else trade.quantity if symbol else -trade.quantity * trade.price
            if symbol in (0, trade.symbol):
                total += amount * ((trade.buyer == account) - (trade.seller == account))
        return total


def other(side: int) -> Side:
    """Return the opposite side."""
    return Side.SELL if side == Side.BUY else Side.BUY


def price_rank(order: Order) -> int:
    """Return what sorts orders of one side by price, the best first."""
    return -order.price if order.side == Side.BUY else order.price
