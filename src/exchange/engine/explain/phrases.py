"""Sentences of events that are not one pattern: what is said depends on which of their figures there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from exchange.domain import corporate_events as ca
from exchange.domain import events as e
from exchange.domain import volatility_events as v
from exchange.domain.order import PegKind
from exchange.domain.order_list import ListEnd
from exchange.domain.quote import ProtectionKind
from exchange.domain.units import format_price, format_time
from exchange.domain.volatility import LimitState

PEGGED_TO = {
    PegKind.PRIMARY: "the best price shown on its own side",
    PegKind.MARKET: "the best price shown on the other side",
    PegKind.MIDPOINT: "the middle between best bid and best offer",
}
LIST_ENDS = {
    ListEnd.FILLED: "one order of its pair was filled",
    ListEnd.TRIGGERED: "the stop order of its pair was triggered",
    ListEnd.CANCELLED: "an order of it was cancelled, or its entry ended with nothing filled",
    ListEnd.ENTERED: "what waited for its entry came in",
    ListEnd.SUSPENDED: "its entry ended while the symbol was suspended",
}
REACHED = {
    ProtectionKind.QUANTITY: "shares traded",
    ProtectionKind.EXECUTIONS: "trades",
    ProtectionKind.PERCENT: "basis points of the quoted quantities traded",
    ProtectionKind.DELTA: "shares bought less shares sold, whichever way",
}


def percent(bps: int) -> str:
    """Write basis points as per cent: `1.25 %`."""
    whole, part = divmod(bps, 100)
    return f"{whole}.{part:02d}".rstrip("0").rstrip(".") + " %"


def terms_of_peg(event: e.PegAccepted) -> str:
    """Write how a pegged order gets its price."""
    text = f"Its price follows {PEGGED_TO.get(event.kind, 'the market')}"
    if event.offset:
        text += f", {format_price(abs(event.offset))} {'above' if event.offset > 0 else 'below'} it"
    return text + (f", and never passes {format_price(event.limit)}." if event.limit else ".")


def _limit_state(event: v.LimitStateChanged) -> str:
    bid = f"The best bid is {format_price(event.bid)}" if event.bid else "Nobody bids"
    ask = f"the best offer {format_price(event.ask)}" if event.ask else "nobody offers"
    if event.state == LimitState.LIMIT:
        until = f" at {format_time(event.ends_ns)}" if event.ends_ns else ""
        return f"{bid} and {ask}: a band is reached, and unless that ends trading pauses{until}."
    if event.state == LimitState.STRADDLE:
        return f"{bid} and {ask}: one of them is beyond its band, and nothing follows (straddle state)."
    return f"{bid} and {ask}: both are inside the bands again."


def _bands(event: v.PriceBandsSet) -> str:
    return (
        f"Price bands of tier {event.tier} protect it now."
        if event.tier
        else "No price bands protect it now."
    )


def _corridor(event: v.PriceCorridorSet) -> str:
    around = [(event.dynamic_bps, "the last price"), (event.static_bps, "the last auction's price")]
    widths = [f"{percent(bps)} around {what}" for bps, what in around if bps]
    return (
        f"A corridor protects it now: {' and '.join(widths)}." if widths else "No corridor protects it now."
    )


def _list_ended(event: e.OrderListEnded) -> str:
    return f"Its list is over: {LIST_ENDS.get(event.end, 'its orders do not depend on each other')}."


def _protection(event: e.QuoteProtectionReached) -> str:
    what = REACHED.get(event.kind, "in all")
    return f"The maker's protection was reached: {event.measured} {what}, and {event.limit} is the limit."


def _short_sales(event: ca.ShortSaleRestricted) -> str:
    if not event.is_restricted:
        return "Short sales may be at any price again."
    price = f" after a trade at {format_price(event.price)}" if event.price else ""
    days = "this business date" if event.days == 1 else f"{event.days} business dates, this one included"
    return f"Short sales need a limit above the best bid{price}, for {days}."


PHRASES: dict[type[e.Event], Callable[[Any], str]] = {
    e.PegAccepted: terms_of_peg,
    e.OrderListEnded: _list_ended,
    e.QuoteProtectionReached: _protection,
    v.LimitStateChanged: _limit_state,
    v.PriceBandsSet: _bands,
    v.PriceCorridorSet: _corridor,
    ca.ShortSaleRestricted: _short_sales,
}
"""What is said of an event where it depends on its figures; the rule is that of `words.EVENTS`."""
