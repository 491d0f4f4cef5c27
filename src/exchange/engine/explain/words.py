"""What is said of an event, a refusal or a cancel: one line each in a table, with the rule that it rests on.

A sentence names fields of its event in braces: `{price}` is written as a price, `{side}` as a word. An event that has
no line here is told by the first sentence of its description in `domain/events.py` and by its figures.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import IntEnum
from typing import NamedTuple

from exchange.domain import corporate_events as ca
from exchange.domain import events as e
from exchange.domain import volatility_events as v
from exchange.domain.order import CancelReason, RepriceReason
from exchange.domain.phase import PhaseCause
from exchange.domain.reasons import REASONS, Reason
from exchange.domain.units import format_price, format_time
from exchange.engine.explain.phrases import PHRASES
from exchange.wire.rest.explain import ExplainedLine, ExplainedRule
from exchange.wire.rest.rejects import reject_message


class Telling(NamedTuple):
    """A sentence, and the paragraph of the rulebook that it rests on. title: of a moment that begins with it."""

    text: str
    rule: str = ""
    title: str = ""


EVENTS: dict[type[e.Event], Telling] = {
    e.OrderAccepted: Telling("The order was taken: {side} {quantity} at {price}, {time_in_force}.", "1.2", "Taken"),
    e.OrderRejected: Telling("The order was refused and changed nothing.", "3.2", "Refused"),
    e.OrderReplaced: Telling(
        "A replace took {cancelled_quantity} shares out and entered {quantity} at {price}, last in the queue.",
        "1.11", "Replaced",
    ),
    e.OrderAmended: Telling("It was changed to {quantity} at {price}, {leaves} of them open.", "1.11", "Changed"),
    e.OrderTriggered: Telling(
        "A trade at {last_price} reached its stop price of {stop_price}: now it comes in.", "1.10", "Triggered"
    ),
    e.OrderRefreshed: Telling(
        "What was shown is used up. The next part of {displayed} is shown, last in the queue at {price}.", "1.7"
    ),
    e.MatchPrevented: Telling(
        "A match of {quantity} at {price} was prevented: both orders belong to one group ({mode}).", "1.13",
        "Self-trade prevented",
    ),
    e.TradeExecuted: Telling("{quantity} shares traded at {price}.", "1.1", "Traded"),
    e.OrderCancelled: Telling("What was left of it, {quantity} shares, was cancelled.", "1.4", "Cancelled"),
    e.TradeBusted: Telling(
        "Its trade of {quantity} at {price} was busted ({reason}): it counts as never made. The order stays as it was.",
        "2.2", "Trade busted",
    ),
    e.TradeCorrected: Telling(
        "Its trade of {quantity} at {price} was corrected to {new_quantity} at {new_price} ({reason}).", "2.2",
        "Trade corrected",
    ),
    e.PhaseChanged: Telling("The phase became {phase}.", "5.1"),
    e.AuctionExecuted: Telling("The {auction} auction ended and traded {volume} shares at {price}.", "5.4", "Auction"),
    e.AuctionExtended: Telling(
        "The auction goes on: its price of {price} is outside the collar of {lowest} to {highest}.", "5.8"
    ),
    v.CorridorLeft: Telling(
        "At {price} the next trade would be outside the corridor of {lowest} to {highest}: an auction makes the price.",
        "7.7",
    ),
    v.PriceBandsMoved: Telling("The bands are {lower} to {upper}, around {reference_price}.", "7.2"),
    v.PriceBandsSet: Telling("", "7.1"),
    v.PriceCorridorSet: Telling("", "7.7"),
    v.LimitStateChanged: Telling("", "7.4"),
    v.AuctionCollarSet: Telling("The auction may end from {lower} to {upper}.", "7.5"),
    e.OrderListAccepted: Telling("It was entered together with others that depend on it.", "8.1", "Entered in a list"),
    e.OrderListTriggered: Telling(
        "The entry of its list is done and filled {quantity} shares: what waited for it comes in with so many.", "8.3",
        "Its list went on",
    ),
    e.OrderListEnded: Telling("", "8.2", "Its list ended"),
    e.PegAccepted: Telling("", "1.14"),
    e.QuoteAccepted: Telling("It is a side of its market maker's quote {quote_id}.", "8.7", "Quoted"),
    e.QuoteProtectionReached: Telling("", "8.8"),
    ca.SymbolSplit: Telling(
        "The symbol was split, {new_shares} new shares for {old_shares}: its reference price went from"
        " {old_reference} to {reference_price}.", "9.2",
    ),
    ca.DividendPaid: Telling(
        "The symbol went ex a cash dividend of {amount} a share: its reference price went from {old_reference} to"
        " {reference_price}.", "9.8",
    ),
    ca.SymbolRenamed: Telling("The symbol's ticker went from {old_symbol} to {symbol}.", "9.7"),
    ca.SpecialTermsAdjusted: Telling("Its special terms were adjusted with it.", "9.3"),
    ca.ShortSaleRestricted: Telling("", "4.6"),
    v.IndexLevelReported: Telling(
        "The index stands at {level}, {fall_bps} basis points below its last close.", "7.8"
    ),
    v.MarketBreakerTripped: Telling("The market's breaker tripped at level {level}: all that trades stops.", "7.8"),
}  # fmt: skip
"""What is said of an event; one without a sentence has it in `phrases.py`. The first one with a title names the
moment."""

CANCELS: dict[CancelReason, Telling] = {
    CancelReason.REQUESTED: Telling("Its owner cancelled it.", "1.11"),
    CancelReason.IMMEDIATE_OR_CANCEL: Telling(
        "What does not trade at once may not rest, so it was cancelled.", "1.4"
    ),
    CancelReason.FILL_OR_KILL: Telling("It could not fill whole at once, so nothing traded.", "1.4"),
    CancelReason.DAY_ENDED: Telling("It was good for the day, and the day is over.", "1.4"),
    CancelReason.OPERATOR: Telling("The exchange cancelled it.", "1.11"),
    CancelReason.MASS_CANCEL: Telling(
        "Its owner cancelled all orders of a kind, this one among them.", "3.3"
    ),
    CancelReason.EXPIRED: Telling("The time until which it was good is over.", "1.4"),
    CancelReason.MINIMUM_QUANTITY: Telling("Its minimum was not there, and it may not wait.", "1.6"),
    CancelReason.PROTECTION: Telling("What is left would trade outside the protection band.", "1.8"),
    CancelReason.NO_OPPOSITE: Telling("There was no price to take.", "1.3"),
    CancelReason.SELF_TRADE: Telling("It would have traded with an order of its own group.", "1.13"),
    CancelReason.AUCTION_ENDED: Telling("It was for this auction alone, and the auction is over.", "5.6"),
    CancelReason.QUOTE_REPLACED: Telling("Its market maker quoted anew.", "8.7"),
    CancelReason.QUOTE_CANCELLED: Telling("Its market maker withdrew the quote.", "8.7"),
    CancelReason.QUOTE_PROTECTION: Telling(
        "What traded of the maker's quotes reached its protection.", "8.8"
    ),
    CancelReason.LINKED: Telling("The other order of its pair was filled, triggered or cancelled.", "8.2"),
    CancelReason.PRICE_LIMIT: Telling("It would trade beyond the symbol's price limits.", "7.3"),
    CancelReason.KILL_SWITCH: Telling("Trading was blocked by the kill switch.", "4.1"),
    CancelReason.CANCEL_TIMER: Telling("Its owner did not set the cancel timer again in time.", "3.4"),
    CancelReason.RISK_LIMIT: Telling("When it was triggered it broke a limit.", "4.4"),
    CancelReason.CORPORATE_ACTION: Telling(
        "A corporate action left it without a price or a lot, or it is of a kind that is not adjusted.", "9.3"
    ),
    CancelReason.SHORT_SALE: Telling(
        "It is a short sale, and when it came in short sales needed a limit above the best bid, or shares to sell.",
        "4.6",
    ),
}
"""Why an order went; a reason without a line is told by its name."""

REPRICES: dict[RepriceReason, Telling] = {
    RepriceReason.MARKET_TO_LIMIT: Telling("It takes the best price only: from now on its limit is {price}.", "1.3"),
    RepriceReason.POST_ONLY: Telling(
        "It would have traded at once, so its price became {price}, one tick behind the best opposite price.", "1.5"
    ),
    RepriceReason.PEG: Telling("The quote it is pegged to moved, so its price became {price}.", "1.14"),
    RepriceReason.PRICE_LIMIT: Telling("Its own price was beyond the band, so it became the band's: {price}.", "7.3"),
}  # fmt: skip

REFUSALS: dict[Reason, str] = {
    **dict.fromkeys((Reason.POST_ONLY_WOULD_TRADE, Reason.POST_ONLY_NOT_ALLOWED), "1.5"),
    **dict.fromkeys((Reason.TIME_IN_FORCE_NOT_ALLOWED, Reason.EXPIRY_INVALID), "1.4"),
    **dict.fromkeys((Reason.DISPLAY_NOT_ALLOWED, Reason.DISPLAY_QUANTITY_INVALID), "1.7"),
    **dict.fromkeys((Reason.CLIENT_ORDER_ID_REUSED, Reason.CLIENT_ORDER_ID_TABLE_FULL), "1.12"),
    **dict.fromkeys(
        (Reason.STOP_PRICE_NOT_ALLOWED, Reason.STOP_PRICE_MISSING, Reason.STOP_PRICE_INVALID,
         Reason.STOP_ALREADY_REACHED, Reason.TRAIL_INVALID), "1.10"),
    **dict.fromkeys(
        (Reason.MARKET_BLOCKED, Reason.PARTICIPANT_BLOCKED, Reason.ACCOUNT_BLOCKED, Reason.SYMBOL_BLOCKED), "4.1"),
    **dict.fromkeys(
        (Reason.SYMBOL_BARRED, Reason.MAX_QUANTITY, Reason.MAX_NOTIONAL, Reason.PRICE_COLLAR, Reason.DUPLICATE_ORDERS,
         Reason.MESSAGE_RATE, Reason.POSITION_LIMIT, Reason.BUYING_POWER, Reason.SHORT_SALE, Reason.GROSS_LIMIT,
         Reason.LOSS_LIMIT), "4.3"),
    **dict.fromkeys(
        (Reason.PHASE_TAKES_NO_ORDERS, Reason.PHASE_TAKES_NO_CANCELS, Reason.ORDER_NOT_IN_PHASE), "5.1"),
    **dict.fromkeys(
        (Reason.SHORT_FLAG_INVALID, Reason.SHORT_SALE_NOT_PERMITTED, Reason.LOCATE_MISSING,
         Reason.SHORT_SALE_UNMARKED), "4.5"),
    **dict.fromkeys((Reason.PEG_INVALID, Reason.PEG_NOT_CHANGED), "1.14"),
    **dict.fromkeys((Reason.QUOTE_INVALID, Reason.QUOTE_CROSSED, Reason.QUOTE_NOT_CHANGED), "8.7"),
    **dict.fromkeys((Reason.ORDER_LIST_INVALID, Reason.ORDER_IDS_MISSING), "8.1"),
    **dict.fromkeys(
        (Reason.LIST_ORDER_INVALID, Reason.LIST_SIDES_INVALID, Reason.LIST_QUANTITIES_DIFFER), "8.2"),
    **dict.fromkeys((Reason.NOTHING_TO_AMEND, Reason.AMEND_BELOW_FILLED), "1.11"),
    Reason.SHORT_SALE_PRICE: "4.6",
    Reason.QUOTES_NOT_RESET: "8.8",
    Reason.SESSION_BLOCKED: "4.1",
    Reason.SYMBOL_RENAMED: "9.7",
    Reason.MINIMUM_QUANTITY_INVALID: "1.6",
    Reason.SYMBOL_SUSPENDED: "3.1",
    Reason.SYMBOL_HALTED: "5.9",
    Reason.AUCTION_OVER: "5.6",
}  # fmt: skip
"""The paragraph behind a refusal; 3.2 where none is named."""

RULES = {
    "1.1": "Priority", "1.2": "Kinds", "1.3": "Market-to-limit", "1.4": "Time in force", "1.5": "Post-only",
    "1.6": "Minimum quantity and all-or-none", "1.7": "Iceberg orders", "1.8": "Protection of market orders",
    "1.9": "Hidden orders", "1.10": "Stop orders", "1.11": "Changes", "1.12": "Client order ids",
    "1.13": "Self-trade prevention", "1.14": "Pegged orders", "1.15": "Their price", "1.16": "When it moves",
    "1.17": "Without a price",
    "2.1": "Reference price", "2.2": "Busts and corrections", "3.1": "Suspension",
    "3.2": "Refusals", "3.3": "Mass cancel", "3.4": "Cancel timer", "4.1": "Kill switch", "4.3": "Limits",
    "4.4": "Worst price", "4.5": "Short sales", "4.6": "Restriction after a decline",
    "5.1": "Phases", "5.3": "When there is an auction", "5.4": "Price", "5.5": "Sequence",
    "5.6": "Orders for an auction", "5.7": "Indication", "5.8": "Collar", "5.9": "Halts", "6.1": "Whose trade it is",
    "6.2": "Steps", "6.3": "Top order", "6.4": "What is not shown", "7.1": "Bands", "7.2": "Reference",
    "7.3": "Orders beyond a band", "7.4": "Limit state", "7.5": "Pause", "7.7": "Corridor", "7.8": "Breaker",
    "8.1": "Order lists", "8.2": "Pairs", "8.3": "Entries", "8.7": "Quotes", "8.8": "Protection",
    "9.2": "Split", "9.3": "Orders in a split", "9.7": "New ticker", "9.8": "Cash dividend",
}  # fmt: skip
"""Titles of the paragraphs that are cited."""
_SECTIONS = {
    "1": "1-orders", "2": "2-trades", "3": "3-market", "4": "4-risk-before-the-match", "5": "5-phases-and-auctions",
    "6": "6-allocation", "7": "7-price-limits-and-the-breaker-of-the-market",
    "8": "8-linked-orders-and-quotes", "9": "9-corporate-actions",
}  # fmt: skip
_TOLD_CAUSES = (PhaseCause.PRICE_LIMIT, PhaseCause.BREAKER, PhaseCause.TIME_OVER)
RULEBOOK = "docs/rulebook.md"

_PRICES = (
    "price",
    "amount",
    "old_reference",
    "lowest",
    "highest",
    "lower",
    "upper",
    "bid",
    "ask",
    "trail_amount",
)
_PRIVATE = ("_id", "note", "text", "sha256")
"""Endings of fields that are not told where an event has no line: they could name somebody."""
_HEADER = frozenset(e.Event.__struct_fields__)


def line_of(event: e.Event) -> ExplainedLine:
    """Return the sentence of an event."""
    if isinstance(event, e.OrderRejected):
        return refusal_line(event)
    telling = _telling_of(event)
    if telling is None:
        return ExplainedLine(general_sentence(event))
    if phrase := PHRASES.get(type(event)):
        return ExplainedLine(phrase(event), telling.rule)
    said = _because(event) if isinstance(event, e.PhaseChanged) else ""
    return ExplainedLine(telling.text.format_map(_fields(event))[:-1] + f"{said}.", telling.rule)


def title_of(events: list[e.Event]) -> str:
    """Return what a moment is called: by the first event that has a title, else by the first one's name."""
    titles = (EVENTS[type(event)].title for event in events if type(event) in EVENTS)
    return next(filter(None, titles), "") or _spaced(type(events[0]).__name__)


def refusal_line(event: e.OrderRejected) -> ExplainedLine:
    """Return why an order was refused, with what was measured."""
    text = reject_message(event.reason, event.measured, event.limit)
    sentence = text[0].upper() + text[1:]
    return ExplainedLine(
        sentence if sentence.endswith(".") else f"{sentence}.", REFUSALS.get(event.reason, "3.2")
    )


def advice_on(reason: Reason) -> str:
    """Say whether the same order can be taken later."""
    if REASONS[reason].retry:
        return "The same order can be taken later, when that has changed."
    field = REASONS[reason].field.replace("_", " ")
    return f"The same order will be refused again: change its {field}." if field else ""


def general_sentence(event: e.Event) -> str:
    """Tell an event by its description and its figures, without ids and texts that could name somebody."""
    description = (type(event).__doc__ or "").split("\n", 1)[0].split(". ")[0].rstrip(".")
    fields = _fields(event)
    figures = [
        f"{name.replace('_', ' ')} {fields[name]}"
        for name in type(event).__struct_fields__
        if name not in _HEADER and not name.endswith(_PRIVATE)
    ]
    return f"{description}{': ' if figures else ''}{', '.join(figures)}."


def rules_cited(numbers: list[str]) -> list[ExplainedRule]:
    """Return the paragraphs that were cited, in their order, each with where it stands."""
    cited = sorted(
        {number for number in numbers if number}, key=lambda n: [int(part) for part in n.split(".")]
    )
    return [ExplainedRule(number, RULES.get(number, ""), _place_of(number)) for number in cited]


def _place_of(rule: str) -> str:
    section = _SECTIONS.get(rule.split(".")[0])
    return f"{RULEBOOK}#{section}" if section else RULEBOOK


def word(value: IntEnum) -> str:
    """Write a member of an enum as words."""
    return value.name.lower().replace("_", " ")


def price_or_market(price: int) -> str:
    """Write a price, or that there is none."""
    return format_price(price) if price else "market"


def _because(event: e.PhaseChanged) -> str:
    why = event.reason or (word(event.cause) if event.cause in _TOLD_CAUSES else "")
    return f" ({why})" if why else ""


def _telling_of(event: e.Event) -> Telling | None:
    if isinstance(event, e.OrderCancelled):
        why = CANCELS.get(event.reason) or Telling(f"It was cancelled: {word(event.reason)}.")
        return Telling(f"{why.text} {{quantity}} shares were left.", why.rule)
    if isinstance(event, e.OrderRepriced):
        return REPRICES.get(event.reason) or Telling(f"Its price became {{price}}: {word(event.reason)}.")
    return EVENTS.get(type(event))


def _fields(event: e.Event) -> dict[str, str]:
    return {name: _written(name, getattr(event, name)) for name in type(event).__struct_fields__}


def _written(name: str, value: object) -> str:
    for ending, write in _WRITERS:
        if isinstance(value, int) and not isinstance(value, (bool, IntEnum)) and name.endswith(ending):
            return write(value)
    if isinstance(value, IntEnum):
        return word(value)
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


_WRITERS: tuple[tuple[tuple[str, ...], Callable[[int], str]], ...] = (
    (_PRICES, price_or_market),
    (("_ns",), lambda value: format_time(value) if value else "never"),
    (("",), str),
)


def _spaced(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).capitalize()
