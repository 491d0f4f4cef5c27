"""What an order is told of a corporate action that adjusted it: the arithmetic of its shares and of its prices."""

from __future__ import annotations

from exchange.domain import corporate_events as ca
from exchange.domain import events as e
from exchange.domain.order import Side
from exchange.domain.units import format_price
from exchange.engine.explain.witness import Moment
from exchange.wire.rest.explain import ExplainedLine as Line


def title_of(moment: Moment) -> str:
    """Name a moment in which a corporate action was carried out; empty for any other."""
    for event in moment.events:
        if isinstance(event, ca.SymbolSplit):
            return "Split"
        if isinstance(event, ca.DividendPaid):
            return "Ex dividend"
    return ""


def tell_adjusted(event: e.Event, moment: Moment) -> list[Line] | None:
    """Return what a corporate action of the same command did to an order; None where there is none."""
    action = next((one for one in moment.events if isinstance(one, (ca.SymbolSplit, ca.DividendPaid))), None)
    if action is None:
        return None
    if isinstance(event, ca.SpecialTermsAdjusted):
        return _tell_terms(event, moment)
    if not isinstance(event, e.OrderAmended) or moment.before.order is None:
        return None
    if isinstance(action, ca.DividendPaid):
        text = f"Its price was lowered by {format_price(action.amount)}, to the tick below"
        return [Line(f"{text}: from {format_price(event.old_price)} to {format_price(event.price)}.", "9.8")]
    return _tell_split(event, action, moment.before.order.leaves)


def _tell_split(event: e.OrderAmended, split: ca.SymbolSplit, old_leaves: int) -> list[Line]:
    new, old = split.new_shares, split.old_shares
    rounded = "" if old_leaves * new == event.leaves * old else ", in whole lots rounded down"
    lines = [
        Line(
            f"Its {old_leaves} open shares became {event.leaves}: {old_leaves} x {new} / {old}{rounded}.",
            "9.3",
        )
    ]
    if event.old_price:
        exact = event.old_price * old == event.price * new
        way = "down" if event.side is Side.BUY else "up"
        which = "buys" if event.side is Side.BUY else "sales"
        rounded = "" if exact else f", {which} rounded {way} to the tick"
        was = format_price(event.old_price)
        text = f"Its price went from {was} to {format_price(event.price)}: {was} x {old} / {new}{rounded}."
        lines.append(Line(text, "9.3"))
    if filled := event.quantity - event.leaves:
        lines.append(Line(f"The {filled} shares that had traded stay as they were.", "9.3"))
    return lines


def _tell_terms(event: ca.SpecialTermsAdjusted, moment: Moment) -> list[Line]:
    order = moment.before.order
    if order is None or not event.stop_price or order.terms.stop_price == event.stop_price:
        return [Line("Its display, minimum or trail was adjusted with it.", "9.3")]
    was, now = format_price(order.terms.stop_price), format_price(event.stop_price)
    return [
        Line(
            f"Its stop price went from {was} to {now}, away from the market where it had to be rounded.",
            "9.3",
        )
    ]
