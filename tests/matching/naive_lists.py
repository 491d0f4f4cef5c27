"""What the orders of a list do to each other in the naive model: rulebook 8.2 to 8.5."""

from __future__ import annotations

from exchange.domain.order import CancelReason, Side
from exchange.domain.order_list import Contingency, ListEnd
from tests.matching.naive_matching import NaiveMatching
from tests.matching.naive_values import Listing, Note, Order

TAKEN_BACK = (
    CancelReason.REQUESTED,
    CancelReason.OPERATOR,
    CancelReason.MASS_CANCEL,
    CancelReason.KILL_SWITCH,
    CancelReason.CANCEL_TIMER,
    CancelReason.CORPORATE_ACTION,
)
"""Rulebook 8.3 and 9.3: nothing comes in where an entry ended so."""


class NaiveLists(NaiveMatching):
    """Follows what happens to orders of lists."""

    def list_of(self, id: int) -> Listing | None:
        """Find the list in which an order is."""
        return next((listing for listing in self.lists if id in listing.ids), None)

    def pair_of(self, id: int) -> Listing | None:
        """Find the pair in which an order is; one that waits for its entry is none yet."""
        return next((listing for listing in self.lists if id in (listing.limit, listing.stop)), None)

    def follow(self, note: Note) -> None:
        """Do what follows from a trade, or the end, of an order."""
        listing = self.list_of(note.order.id)
        if not listing:
            return
        ended = note.reason != 0 or note.left == 0
        if note.order.id == listing.entry:
            listing.filled += note.traded
            if ended:
                self._end_entry(listing, note)
        elif ended:
            self._end_pair(listing, note.order, ListEnd.CANCELLED if note.reason else ListEnd.FILLED)
        elif note.order.id == listing.limit:
            self._take_from_stop(listing, note)

    def end_pair_of_triggered(self, order: Order) -> None:
        """Rulebook 8.2: the limit order is cancelled before the stop order trades."""
        listing = self.pair_of(order.id)
        if listing and order.id == listing.stop:
            self._end_pair(listing, order, ListEnd.TRIGGERED)

    # --- pairs ---------------------------------------------------------------------------------------

    def _end_pair(self, listing: Listing, order: Order, end: ListEnd) -> None:
        partner = listing.stop if order.id == listing.limit else listing.limit
        self._end(listing, order.id, end)
        others = [o for o in self.orders if o.id == partner]
        self.woken = [o for o in self.woken if o not in others]
        self.kill(others, CancelReason.LINKED)

    def _take_from_stop(self, listing: Listing, note: Note) -> None:
        stop = next(o for o in self.orders if o.id == listing.stop)
        if stop.left <= note.traded:
            self._end_pair(listing, note.order, ListEnd.FILLED)
            return
        stop.quantity -= note.traded
        self.said.append(("amended", stop.id, True, stop.price, stop.quantity, stop.left))

    # --- entries -------------------------------------------------------------------------------------

    def _end_entry(self, listing: Listing, note: Note) -> None:
        """Rulebook 8.3."""
        if listing.filled == 0 or note.reason in TAKEN_BACK:
            self._end(listing, listing.entry, ListEnd.CANCELLED)
            return
        if self.symbols[listing.symbol].suspended:
            self._end(listing, listing.entry, ListEnd.SUSPENDED)
            return
        entry, orders = listing.entry, listing.waiting
        self.said.append(("brings in", listing.id, entry, listing.filled))
        listing.entry, listing.waiting = 0, []
        if listing.kind == Contingency.BRACKET:
            listing.limit, listing.stop = (order.id for order in orders)
        else:
            self._end(listing, entry, ListEnd.ENTERED)
        for order in reversed(orders):
            order.quantity = listing.filled
            self._bring_in(order)

    def _bring_in(self, order: Order) -> None:
        self.said.append(("accepted", order.id))
        symbol, last = self.symbols[order.symbol], self.last_price(order.symbol)
        missing = order.side == Side.SELL and order.left > self.shares_to_sell(order, None)
        self.orders.append(order)
        if symbol.needs_marking and missing:
            self.kill([order], CancelReason.SHORT_SALE)
        elif 0 < order.expires <= self.now:
            self.kill([order], CancelReason.EXPIRED)
        elif order.waits and last and (last >= order.stop if order.side == Side.BUY else last <= order.stop):
            order.reached = last
            self.woken.append(order)
        else:
            self.come_in_if_it_may(order)

    def _end(self, listing: Listing, id: int, end: ListEnd) -> None:
        self.lists.remove(listing)
        self.said.append(("list over", listing.id, id, end))
