"""One symbol's market: its order book, its terms of trading and its reference price."""

from __future__ import annotations

from bisect import bisect_right

from exchange.domain.allocation import Allocation
from exchange.domain.order import Peg, Side
from exchange.domain.phase import Phase
from exchange.domain.symbol import AuctionTerms, Symbol, SymbolState
from exchange.domain.trade import BASIS_POINTS
from exchange.domain.units import PRICE_MAX
from exchange.matching.allocation import Allocator, StepList
from exchange.matching.auction import NOTHING_INDICATED, AuctionOrders, Indication
from exchange.matching.order_book import OrderBook, RestingOrder
from exchange.matching.price_guard import PriceGuard
from exchange.matching.reference_price import ReferencePrice
from exchange.matching.short_sales import ShortSales
from exchange.matching.stop_orders import StopOrders

PegPrices = tuple[int, int, int, int]
"""What pegged orders follow: best bid and best offer shown, 0 for none; lowest and highest price of its guard."""


class Market:
    """Where one symbol trades. The terms are those of the directory's symbol, laid out for speed."""

    __slots__ = (
        "allocator", "auction", "auction_terms", "book", "extensions", "guard", "indicated", "last_price", "peg_prices",
        "pegs", "phase", "phase_ends_ns", "protection_bps", "reference", "round_lot", "scheduled_phase", "short_sales",
        "split_sequence", "state", "stops", "symbol_id", "tick_sizes", "tick_starts", "tops",
    )  # fmt: skip

    def __init__(self, symbol: Symbol) -> None:
        self.symbol_id = symbol.symbol_id
        self.allocator: Allocator | None = None
        """Who shares trades out among the orders at one price; nobody where price-time priority holds."""
        self.tops = {Side.BUY: 0, Side.SELL: 0}
        """The order of each side that bettered the price, 0 for none; it may have gone since."""
        self.set_terms(symbol)
        self.book = OrderBook()
        self.reference = ReferencePrice(symbol.reference_price)
        self.stops = StopOrders()
        self.last_price = 0
        """Of the last trade, whatever became of it; 0 before the first."""
        self.pegs: dict[int, Peg] = {}
        """By the ids of the symbol's pegged orders, in the sequence of their entry."""
        self.short_sales = ShortSales()
        self.split_sequence = 0
        """Of the event of the last split, 0 for none; trades before it are not ruled on."""
        self.phase = Phase.CONTINUOUS
        self.scheduled_phase = Phase.CONTINUOUS
        """Where the schedule has got, whatever keeps the symbol from being there."""
        self.phase_ends_ns = 0
        """When the phase ends by itself, 0 for not."""
        self.extensions = 0
        """How often the auction has been extended."""
        self.auction = AuctionOrders()
        self.auction_terms = AuctionTerms()
        self.guard: PriceGuard | None = None
        """What protects from sudden prices, nothing where the symbol has no protection."""
        self.indicated: Indication = NOTHING_INDICATED
        """What was last told of the auction."""

    def set_terms(self, symbol: Symbol) -> None:
        """Take the terms of a symbol over; what rests in the book stays as it is."""
        self.round_lot = symbol.round_lot
        self.state: SymbolState = symbol.state
        self.protection_bps = symbol.protection_bps
        self.peg_prices: PegPrices | None = None
        """What the pegged orders have followed; nothing where they must look again."""
        self.tick_starts = [row.from_price for row in symbol.ticks.rows]
        self.tick_sizes = [row.tick for row in symbol.ticks.rows]

    def set_allocation(self, allocation: Allocation) -> None:
        """Share trades out by other steps; nobody is the top order any more."""
        self.allocator = StepList(allocation) if allocation.steps else None
        self.tops = dict.fromkeys(self.tops, 0)

    def note_top(self, order: RestingOrder, minimum: int) -> None:
        """See, just before an order comes to rest, whether it betters the price of what is shown on its side.

        The order that did so before loses its rank, also where this one is smaller than the minimum and gets none.
        """
        side = self.book.home_of(order)
        if side.rank(order.price) > side.best_rank():
            self.tops[order.side] = order.order_id if order.displayed >= minimum else 0
        else:
            self.lose_top(order)

    def lose_top(self, order: RestingOrder) -> None:
        """Take its rank from an order that has lost its place."""
        if self.tops[order.side] == order.order_id:
            self.tops[order.side] = 0

    def tick_at(self, price: int) -> int:
        """Return the tick that holds at a price."""
        return self.tick_sizes[bisect_right(self.tick_starts, price) - 1]

    def price_down(self, price: int) -> int:
        """Return the nearest price on a tick that is not above this one; 0 or less where there is none."""
        while price > 0 and (over := price % self.tick_at(price)):
            price -= over
        return price

    def price_up(self, price: int) -> int:
        """Return the nearest price on a tick that is not below this one; it may be above the highest price."""
        while over := price % self.tick_at(price):
            price += self.tick_at(price) - over
        return price

    def price_behind(self, price: int, side: Side) -> int:
        """Return the nearest price on a tick that is worse for a side than this one; 0 or less where there is none."""
        if side is Side.BUY:
            price -= 1
            while price > 0 and (over := price % self.tick_at(price)):
                price -= over
            return price
        price += 1
        while over := price % self.tick_at(price):
            price += self.tick_at(price) - over
        return price if price <= PRICE_MAX else 0

    @property
    def gathers(self) -> bool:
        """Tell whether orders that come in now gather: for its phase, or because its corridor has just been left."""
        return self.phase is not Phase.CONTINUOUS or (self.guard is not None and self.guard.is_left)

    def price_limits(self, guard: PriceGuard) -> tuple[int, int]:
        """Return the lowest and highest price at which a guard lets an order trade now."""
        return guard.limits(self.last_price or self.reference.price)

    def protective_price(self, side: Side) -> int:
        """Return the worst price at which a market order of this side may trade, 0 for any."""
        if not self.protection_bps:
            return 0
        band = self.reference.price * self.protection_bps // BASIS_POINTS
        return self.reference.price + band if side is Side.BUY else max(self.reference.price - band, 1)
