"""The market as surveillance follows it: members, symbols, live orders and books, from the events alone."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from exchange.domain.corporate_action import Split
from exchange.domain.symbol import TickRow, TickTable
from exchange.surveillance.order_book import BookSide, LiveOrder, SymbolBook

DEPTH_LEVELS = 5
"""Best levels of a side that count as its depth."""
_GROUPS_FROM = 1 << 32
_UNKNOWN_FROM = 1 << 33
CONTINUOUS = 1


class Fill(msgspec.Struct, gc=False):
    """A trade with both its orders as they were before it. price_before: of the trade before, 0 for none."""

    sequence: int
    command: int
    time_ns: int
    symbol_id: int
    price: int
    quantity: int
    price_before: int
    reference_price: int
    taker_side: int
    is_auction: bool
    maker: LiveOrder
    taker: LiveOrder

    @property
    def buyer(self) -> LiveOrder:
        """Return the order that bought."""
        return self.taker if self.taker_side == 1 else self.maker

    @property
    def seller(self) -> LiveOrder:
        """Return the order that sold."""
        return self.maker if self.taker_side == 1 else self.taker


class PriceChange(NamedTuple):
    """What a corporate action does to prices and quantities: shares for shares, or an amount off each price."""

    split: Split
    amount: int = 0

    def price(self, old: int) -> int:
        """Return what becomes of a price; none stays none."""
        return max(self.split.price(old) - self.amount, 1) if old else 0

    def shares(self, old: int) -> int:
        """Return what becomes of a quantity."""
        return self.split.shares(old)[0]


class Indication(msgspec.Struct):
    """How an auction stood last: its price and what would trade."""

    price: int = 0
    paired: int = 0
    sequence: int = 0


class Market(msgspec.Struct):
    """Everything that detectors may ask. now_ns, sequence: of the event that is being taken in.

    phases: of symbols that are not in continuous trading; indications: of auctions that are called;
    own_levels: what an owner shows on a side of a symbol, by price.
    """

    partition: int = 0
    now_ns: int = 0
    sequence: int = 0
    business_date: int = 0
    participants: dict[int, int] = {}
    owners: dict[int, int] = {}
    groups: dict[int, int] = {}
    ticks: dict[int, list[tuple[int, int]]] = {}
    names: dict[int, str] = {}
    orders: dict[int, LiveOrder] = {}
    books: dict[int, SymbolBook] = {}
    own_levels: dict[int, dict[int, int]] = {}
    last_prices: dict[int, int] = {}
    phases: dict[int, int] = {}
    indications: dict[int, Indication] = {}

    def book(self, symbol_id: int) -> SymbolBook:
        """Return a symbol's book."""
        found = self.books.get(symbol_id)
        if found is None:
            found = self.books[symbol_id] = SymbolBook(BookSide(), BookSide())
        return found

    def owner_of(self, account_id: int) -> int:
        """Return whose an account is: its member, or the group of members that must not trade with each other."""
        return self.owners.get(account_id, _UNKNOWN_FROM + account_id)

    def tick_at(self, symbol_id: int, price: int) -> int:
        """Return the tick of a symbol at a price."""
        rows = tuple(TickRow(*row) for row in self.ticks.get(symbol_id, ()))  # type: ignore[arg-type]
        return TickTable(rows).tick_at(price) if rows else TickTable().tick_at(price)

    def add_account(self, account_id: int, participant_id: int) -> None:
        """Take note of an account."""
        self.participants[account_id] = participant_id
        self.owners[account_id] = self._owner(participant_id)

    def set_group(self, participant_id: int, group: int) -> None:
        """Put a member into a group of members that count as one owner, or with 0 into none."""
        self.groups[participant_id] = group
        for account_id, participant in self.participants.items():
            if participant == participant_id:
                self.owners[account_id] = self._owner(participant_id)

    def show(self, order: LiveOrder, quantity: int) -> None:
        """Let the book count so much of an order."""
        if quantity != order.shown:
            change = quantity - order.shown
            self.book(order.symbol_id).side(order.side).add(order.price, change)
            order.shown = quantity
            self._count_own(order.side_key, order.price, change)

    def shown_near(self, side_key: int, symbol_id: int, side: int) -> int:
        """Return what an owner shows on the best levels of a side."""
        own = self.own_levels.get(side_key)
        if not own:
            return 0
        return sum([own.get(price, 0) for price in self.book(symbol_id).top(side, DEPTH_LEVELS)])

    def adjust(self, symbol_id: int, change: PriceChange) -> None:
        """Let a corporate action change what was last traded; its orders are told of one by one."""
        if symbol_id in self.last_prices:
            self.last_prices[symbol_id] = change.price(self.last_prices[symbol_id])
        self.indications.pop(symbol_id, None)

    def _count_own(self, side_key: int, price: int, change: int) -> None:
        own = self.own_levels.get(side_key)
        if own is None:
            own = self.own_levels[side_key] = {}
        left = own.get(price, 0) + change
        if left > 0:
            own[price] = left
            return
        del own[price]
        if not own:
            del self.own_levels[side_key]

    def _owner(self, participant_id: int) -> int:
        group = self.groups.get(participant_id, 0)
        return _GROUPS_FROM + group if group else participant_id
