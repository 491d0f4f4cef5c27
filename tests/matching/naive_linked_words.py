"""Words for what happened to order lists, pegs and quotes: by them the drive's tests see that it happened at all."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum

from exchange.domain import commands as c
from exchange.domain.order import PegKind, Side
from exchange.domain.order_list import Contingency, ListEnd
from exchange.domain.quote import ProtectionKind
from exchange.domain.reasons import Reason
from tests.matching.naive_model import NaiveVenue
from tests.matching.naive_values import Fact, Order

OF_LINKED: dict[object, tuple[type[IntEnum], int]] = {
    "list": (Contingency, 2), "list over": (ListEnd, 3), "pegged": (PegKind, 2), "no quote": (Reason, 4),
    "protection reached": (ProtectionKind, 3),
}  # fmt: skip
"""Facts that are of several kinds: the kinds, and which number tells."""
REASONS_OF_LINKED = (
    Reason.PEG_INVALID, Reason.ORDER_LIST_INVALID, Reason.ORDER_IDS_MISSING, Reason.LIST_ORDER_INVALID,
    Reason.LIST_SIDES_INVALID, Reason.LIST_QUANTITIES_DIFFER, Reason.PEG_NOT_CHANGED, Reason.QUOTE_NOT_CHANGED,
    Reason.QUOTE_INVALID, Reason.QUOTE_PROTECTION_INVALID,
)  # fmt: skip
REASONS_OF_QUOTES = (
    Reason.QUOTES_NOT_RESET, Reason.QUOTE_INVALID, Reason.QUOTE_CROSSED, Reason.UNKNOWN_SYMBOL,
    Reason.SYMBOL_SUSPENDED, Reason.PRICE_NOT_ON_TICK, Reason.POSITION_LIMIT, Reason.SHORT_SALE_UNMARKED,
)  # fmt: skip
LINKED_WORDS = (
    *(f"list {kind.name}" for kind in Contingency),
    *(f"list over {end.name}" for end in ListEnd),
    *(f"pegged {kind.name}" for kind in PegKind),
    *(f"protection reached {kind.name}" for kind in ProtectionKind),
    *(f"refused {reason.name}" for reason in REASONS_OF_LINKED),
    *(f"no quote {reason.name}" for reason in REASONS_OF_QUOTES),
    "brings in", "quoted", "withdrew", "protected", "reset",
    "stop of a pair has less", "peg aside", "peg between two ticks", "peg behind the other side", "peg at its limit",
    *(f"{kind} {what}" for kind in ("list", "peg", "quote") for what in ("traded", "prevented")),
    "list in an auction", "quote in an auction", "list in a split", "list in a dividend",
    *(f"restored with {kind}" for kind in ("list", "waiting", "peg", "aside", "quote", "protection reached")),
)  # fmt: skip
"""What the seeds must reach."""


def linked_word_of(fact: Fact) -> str:
    """Name a fact with its kind."""
    kinds, place = OF_LINKED[fact[0]]
    return f"{fact[0]} {kinds(fact[place]).name}"


def words_of_linked(naive: NaiveVenue, command: c.Command, facts: list[Fact]) -> Iterator[str]:
    """Give what a command's facts say of orders of lists, pegs and sides of quotes."""
    orders = {order.id: order for order in naive.orders}
    in_auction = any(fact[0] == "auction" for fact in facts)
    for fact in facts:
        if fact[0] in ("trade", "prevented"):
            what = "traded" if fact[0] == "trade" else "prevented"
            for kind in sorted({kind for id in fact[1:3] for kind in kinds_of(naive, orders[int(str(id))])}):
                yield f"{kind} {what}"
                if in_auction and what == "traded":
                    yield f"{kind} in an auction"
        elif fact[0] == "repriced":
            yield from words_of_price(naive, orders[int(str(fact[1]))], int(str(fact[2])))
        elif fact[0] == "amended":
            yield from words_of_change(naive, orders[int(str(fact[1]))], command)


def kinds_of(naive: NaiveVenue, order: Order) -> list[str]:
    """Tell of what an order is: a list that lives, a peg, a quote."""
    kinds = {"list": naive.list_of(order.id), "peg": order.peg, "quote": order.quoted}
    return [kind for kind, holds in kinds.items() if holds]


def words_of_price(naive: NaiveVenue, order: Order, price: int) -> Iterator[str]:
    """Tell where the price of a pegged order came to lie."""
    if not order.peg:
        return
    ticks = naive.symbols[order.symbol]
    opposite = Side.SELL if order.side == Side.BUY else Side.BUY
    best = next((o.price for o in naive.resting(order.symbol, opposite) if not o.hidden), 0)
    behind = ticks.tick_down(best - 1) if order.side == Side.BUY else ticks.tick_up(best + 1)
    places = {
        "aside": price == 0,
        "between two ticks": price % ticks.tick_at(price) != 0,
        "behind the other side": best > 0 and price == behind and order.peg.kind != PegKind.MIDPOINT,
        "at its limit": price > 0 and price == order.peg.limit,
    }
    yield from (f"peg {place}" for place, holds in places.items() if holds)


def words_of_change(naive: NaiveVenue, order: Order, command: c.Command) -> Iterator[str]:
    """Tell what changed an order of a pair."""
    pair = naive.pair_of(order.id)
    if not pair:
        return
    if isinstance(command, c.SplitSymbol):
        yield "list in a split"
    elif isinstance(command, c.PayDividend):
        yield "list in a dividend"
    elif order.id == pair.stop and not isinstance(command, c.AmendOrder):
        yield "stop of a pair has less"


def what_lives(naive: NaiveVenue) -> Iterator[str]:
    """Tell what of lists, pegs and quotes a snapshot would have to keep."""
    lives = {
        "list": naive.lists,
        "waiting": [each for each in naive.lists if each.waiting],
        "peg": [order for order in naive.orders if order.live and order.peg and order.price],
        "aside": [order for order in naive.orders if order.live and order.aside],
        "quote": [order for order in naive.orders if order.live and order.quoted],
        "protection reached": [each for each in naive.protections.values() if each.is_reached],
    }
    yield from (kind for kind, found in lives.items() if found)
