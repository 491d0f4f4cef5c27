"""What orders that depend on something else are told: pegged orders, the orders of a list, the sides of a quote."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from exchange.domain import events as e
from exchange.domain.order import CancelReason, PegKind, Side
from exchange.domain.order_list import Contingency, ListedOrder, ListEnd
from exchange.domain.phase import Phase
from exchange.domain.units import format_price
from exchange.engine.explain import words
from exchange.engine.explain.witness import Moment, View, has_in_list
from exchange.wire.rest.explain import ExplainedLine as Line
from exchange.wire.rest.explain import ExplainedTable as Table

PARTS = {
    Contingency.ONE_CANCELS_OTHER: ("limit order of the pair", "stop order of the pair"),
    Contingency.ONE_TRIGGERS_OTHER: ("entry", "waits for the entry"),
    Contingency.BRACKET: ("entry", "waits: takes the profit", "waits: stops the loss"),
}
ENDS = {
    ListEnd.FILLED: "was filled",
    ListEnd.TRIGGERED: "was triggered",
    ListEnd.CANCELLED: "was cancelled",
}


class Ties(NamedTuple):
    """What an order depends on. peg, listed: None for nothing."""

    order_id: int
    peg: e.PegAccepted | None
    listed: e.OrderListAccepted | None

    @property
    def list_id(self) -> int:
        """Return the id of its list, 0 for none."""
        return self.listed.list_id if self.listed else 0

    @property
    def place(self) -> int:
        """Return its place in its list, from 0."""
        return self.list_id - self.order_id

    @property
    def has_waited(self) -> bool:
        """Tell whether it is an order that waits for the entry of its list."""
        return (
            self.listed is not None
            and self.place > 0
            and self.listed.contingency != Contingency.ONE_CANCELS_OTHER
        )


def ties_of(events: Iterable[e.Event], order_id: int) -> Ties:
    """Return what an order depends on, from the events that name it."""
    peg: e.PegAccepted | None = None
    listed: e.OrderListAccepted | None = None
    for event in events:
        if isinstance(event, e.PegAccepted) and event.order_id == order_id:
            peg = event
        elif isinstance(event, e.OrderListAccepted) and has_in_list(event, order_id):
            listed = event
    return Ties(order_id, peg, listed)


def entered_as(ties: Ties) -> str:
    """Write an order as it stands in its list: `sell 100 at 10.10`; empty for one that is in none."""
    return _order_text(ties.listed.orders[ties.place]) if ties.listed else ""


def tell_linked(event: e.Event, moment: Moment, ties: Ties) -> list[Line] | None:
    """Return the sentences of an event that depend on more than itself; None where it tells itself."""
    match event:
        case e.OrderAccepted() if ties.peg and event.quantity:
            text = f"The order was taken: {words.word(event.side)} {event.quantity}, {words.word(event.time_in_force)}."
            return [Line(text, "1.14")]
        case e.OrderRepriced() if ties.peg and not event.price:
            return [_tell_parked(moment.after, ties.peg, event.side)]
        case e.OrderRepriced() if ties.peg:
            return _tell_peg(moment, ties.peg, event)
        case e.OrderListAccepted():
            return _tell_list(ties)
        case e.OrderListTriggered():
            return [_tell_entry(event, ties)]
        case e.OrderListEnded():
            return [_tell_end(event, ties)]
        case e.QuoteAccepted():
            side = "bid" if event.bid_order_id == ties.order_id else "ask"
            return [Line(f"It is the {side} of its market maker's quote {event.quote_id}.", "8.7")]
        case e.OrderAmended() if ties.listed and _other_traded(moment, ties):
            text = f"The other order of its pair traded, so it has so many less: {event.leaves} are open."
            return [Line(text, "8.2")]
    return None


def tell_why_cancelled(moment: Moment, event: e.OrderCancelled) -> list[Line]:
    """Return what in the same command made a quote go: the protection that was reached."""
    if event.reason is not CancelReason.QUOTE_PROTECTION:
        return []
    return [
        words.line_of(one)
        for one in moment.events
        if isinstance(one, e.QuoteProtectionReached) and one.account_id == event.account_id
    ]


# --- pegged orders -----------------------------------------------------------------------------------------------


def _tell_peg(moment: Moment, peg: e.PegAccepted, event: e.OrderRepriced) -> list[Line]:
    """Tell from which price shown a peg got its own: what that was, what was added, and what kept it back."""
    old = moment.before.order.price if moment.before.order else 0
    was, now = _base(moment.before, peg.kind, event.side), _base(moment.after, peg.kind, event.side)
    price = format_price(event.price)
    moved = f"went from {format_price(old)} to {price}" if old else f"is {price}"
    name = _base_name(peg.kind, event.side)
    if not now:
        return [Line(f"What it is pegged to moved within this command, so its price {moved}.", "1.16")]
    base = f"{name} is {now}"
    if was and was != now:
        base = (
            f"{name} was {was} and is {now}"
            if peg.kind == PegKind.MIDPOINT
            else f"{name} went from {was} to {now}"
        )
    base = base[0].upper() + base[1:]
    lines = [Line(f"{base}, so its price {moved}{', last in the queue there' if old else ''}.", "1.16")]
    if offset := peg.offset:
        sign = "more" if offset > 0 else "less"
        lines.append(Line(f"Its offset is {format_price(abs(offset))} {sign}.", "1.14"))
    if peg.limit and event.price == peg.limit:
        lines.append(Line(f"Its limit of {format_price(peg.limit)} holds it there.", "1.14"))
    elif peg.kind == PegKind.MARKET and not peg.offset:
        lines.append(
            Line("It stays one tick behind that price, for a peg does not take what is shown.", "1.15")
        )
    return lines


def _tell_parked(after: View, peg: e.PegAccepted, side: Side) -> Line:
    phase = after.symbol.phase if after.symbol else Phase.CONTINUOUS
    if phase is not Phase.CONTINUOUS:
        why = f"the symbol is {words.word(phase)}"
    elif _base(after, peg.kind, side):
        why = "its price would be none that there is"
    else:
        why = "nobody shows a price to which it could be pegged"
    return Line(f"It has no price for now, because {why}: it waits aside and trades with nobody.", "1.17")


def _base(view: View, kind: PegKind, side: Side) -> str:
    """Write the price shown that an order is pegged to; empty where there is none."""
    bid = view.bids[0].price if view.bids else 0
    ask = view.asks[0].price if view.asks else 0
    if kind == PegKind.MIDPOINT:
        return f"{format_price(bid)} to {format_price(ask)}" if bid and ask else ""
    is_bid = (kind == PegKind.PRIMARY) == (side is Side.BUY)
    price = bid if is_bid else ask
    return format_price(price) if price else ""


def _base_name(kind: PegKind, side: Side) -> str:
    if kind == PegKind.MIDPOINT:
        return "the spread whose middle it follows"
    return "the best bid" if (kind == PegKind.PRIMARY) == (side is Side.BUY) else "the best offer"


# --- order lists -------------------------------------------------------------------------------------------------


def table_of(ties: Ties) -> list[Table]:
    """Lay out the list in which an order was entered; none where it was entered alone."""
    if ties.listed is None:
        return []
    parts = PARTS.get(Contingency(ties.listed.contingency), ())
    rows = [
        [str(ties.list_id - place), _order_text(order), parts[place] if place < len(parts) else ""]
        for place, order in enumerate(ties.listed.orders)
    ]
    name = words.word(Contingency(ties.listed.contingency))
    return [Table(f"Its list: {name}", [">order", "what", "part"], rows, ties.place)]


def _order_text(order: ListedOrder) -> str:
    at = f"at {format_price(order.price)}" if order.price else "at market"
    stop = f", stop {format_price(order.stop_price)}" if order.stop_price else ""
    return f"{words.word(Side(order.side))} {order.quantity} {at}{stop}"


def tell_in_list(events: Iterable[e.Event], ties: Ties) -> list[Line]:
    """Return why an order of a list has not come in: it waits for its entry, or the list is over."""
    ended = next((event for event in events if isinstance(event, e.OrderListEnded)), None)
    return [_tell_end(ended, ties)] if ended else _tell_list(ties)


def _tell_list(ties: Ties) -> list[Line]:
    assert ties.listed is not None, "an order that is named by a list is in it"
    count = len(ties.listed.orders)
    lines = [
        Line(
            f"It was entered in one command with {count - 1} that depend on it or on which it depends.", "8.1"
        )
    ]
    if ties.has_waited:
        lines.append(Line(
            f"It waits for order {ties.list_id}, the entry: when that is done it comes in, with as many shares as the"
            " entry filled. Until then it is no live order and has no place.", "8.3",
        ))  # fmt: skip
    elif ties.listed.contingency == Contingency.ONE_CANCELS_OTHER:
        other = ties.list_id - 1 + ties.place
        lines.append(
            Line(f"What it fills order {other} has less, and when it ends the other one does.", "8.2")
        )
    return lines


def _tell_entry(event: e.OrderListTriggered, ties: Ties) -> Line:
    if ties.has_waited:
        text = (
            f"Order {ties.list_id}, the entry, is done and filled {event.quantity} shares: now it comes in."
        )
    else:
        text = f"It is done and filled {event.quantity} shares: what waited for it comes in with so many."
    return Line(text, "8.3")


def _tell_end(event: e.OrderListEnded, ties: Ties) -> Line:
    end = ENDS.get(event.end)
    if end is None:
        return words.line_of(event)
    if event.order_id == ties.order_id:
        return Line(f"It {end}, and so its list is over.", "8.2")
    if ties.has_waited and event.order_id == ties.list_id:
        return Line(
            f"Order {event.order_id}, its entry, filled nothing or was taken back: it never came in.", "8.3"
        )
    return Line(f"Order {event.order_id}, the other one of its pair, {end}, and so the list is over.", "8.2")


def _other_traded(moment: Moment, ties: Ties) -> bool:
    assert ties.listed is not None, "asked of orders in a list only"
    others = {ties.list_id - place for place in range(len(ties.listed.orders))} - {ties.order_id}
    return any(
        isinstance(event, e.TradeExecuted)
        and (event.maker_order_id in others or event.taker_order_id in others)
        for event in moment.events
    )
