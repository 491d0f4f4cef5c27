"""The order book as JSON: public and anonymous, but for what a key shows its owner of its own orders."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from exchange.wire.rest.texts import (
    PAGE_DEFAULT,
    Cursor,
    Id,
    Limit,
    OrderTypeText,
    PriceText,
    QuantityText,
    SideText,
    SymbolOrEmpty,
    SymbolText,
    TimeInForceText,
    TimeText,
)

DEPTH_MAX = 1_000
DEPTH_DEFAULT = 10


class BookQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which books, and how much of each. depth: price levels (level 2) or orders (level 3) per side."""

    symbol: SymbolOrEmpty = ""
    depth: Annotated[int, Meta(ge=1, le=DEPTH_MAX)] = DEPTH_DEFAULT
    level: Literal[2, 3] = 2
    limit: Limit = PAGE_DEFAULT
    cursor: Cursor = ""


class BookRow(Struct, kw_only=True, gc=False):
    """A price level (level 2: qty and number of orders at a price) or a resting order (level 3: its id).

    account and client_order_id: only of an order that belongs to the key's participant.
    """

    price: PriceText
    qty: QuantityText
    orders: int | UnsetType = UNSET
    id: Id | UnsetType = UNSET
    account: Id | UnsetType = UNSET
    client_order_id: str | UnsetType = UNSET


class Book(Struct, kw_only=True):
    """A symbol's book after an event. bids, asks: best first; level 3: in trading order."""

    symbol: SymbolText
    seq: int
    at: TimeText
    bids: list[BookRow]
    asks: list[BookRow]


class BookList(Struct):
    """A page of books."""

    items: list[Book]
    next: str | None = None


class BookEntry(Struct, kw_only=True):
    """One resting order and its place in the queue of its price level.

    place: 1 is first; orders_ahead, qty_ahead: what trades before it at its price.
    qty: what is shown; account, client_order_id, filled_qty, leaves_qty: only where it belongs to the key's
    participant.
    """

    id: Id
    symbol: SymbolText
    side: SideText
    type: OrderTypeText
    time_in_force: TimeInForceText
    price: PriceText
    qty: QuantityText
    place: int
    orders_ahead: int
    qty_ahead: QuantityText
    entered_at: TimeText
    seq: int
    account: Id | UnsetType = UNSET
    client_order_id: str | UnsetType = UNSET
    filled_qty: QuantityText | UnsetType = UNSET
    leaves_qty: QuantityText | UnsetType = UNSET
