"""Drop copies as JSON: what happened to one participant's orders and trades, for its back office and its risk desk."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from exchange.wire.rest.texts import (
    PAGE_DEFAULT,
    Id,
    IdOrEmpty,
    Limit,
    PriceText,
    QuantityText,
    SideText,
    SymbolText,
    TimeText,
)

Sequence = Annotated[int, Meta(ge=0, lt=10**18)]


class DropCopyQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which drop copies: those after an event, oldest first. participant: for keys of the exchange itself."""

    after: Sequence = 0
    participant: IdOrEmpty = ""
    limit: Limit = PAGE_DEFAULT


class DropCopyOperation(Struct, kw_only=True, forbid_unknown_fields=True):
    """What a client sends on the WebSocket. from_seq: the first sequence wanted; left out: only what is new."""

    op: Literal["subscribe"]
    from_seq: Sequence | None = None
    participant: IdOrEmpty = ""


class DropCopy(Struct, kw_only=True, gc=False):
    """One thing that happened to one order of one of the participant's accounts. seq: of its event.

    execution: price and qty of the trade, leaves_qty of the order after it; cancel: the price of the order and the
    shares that were left; bust: what the trade stood at; correction: that too, with new_price and new_qty;
    adjustment by a split or a dividend: the order's price, qty and leaves_qty from then on.
    """

    type: Literal["execution", "cancel", "bust", "correction", "adjustment"]
    seq: int
    at: TimeText
    account: Id
    symbol: SymbolText
    order_id: Id
    side: SideText
    price: PriceText | None
    qty: QuantityText
    match_id: Id | UnsetType = UNSET
    liquidity: Literal["maker", "taker"] | UnsetType = UNSET
    leaves_qty: QuantityText | UnsetType = UNSET
    reason: str | UnsetType = UNSET
    ruling_id: Id | UnsetType = UNSET
    executed_at: TimeText | UnsetType = UNSET
    new_price: PriceText | UnsetType = UNSET
    new_qty: QuantityText | UnsetType = UNSET


class DropCopyList(Struct):
    """A page of drop copies, oldest first. next: the `after` of the page behind it, null where there is none yet.

    seq: of the last event that the reporter has published: everything up to it is in the pages.
    """

    items: list[DropCopy]
    next: int | None
    seq: int


class DropCopyBegun(Struct, tag_field="type", tag="subscribed"):
    """The subscription stands; what happened from from_seq on follows, then what happens."""

    participant: Id
    from_seq: int


class DropCopyHeartbeat(Struct, tag_field="type", tag="heartbeat"):
    """Nothing happened for a while. seq: everything up to this event was sent."""

    seq: int
