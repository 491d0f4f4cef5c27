"""Order lists as JSON: what REST takes and answers."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from exchange.domain.order import TRAIL_BPS_MAX
from exchange.domain.order_list import Contingency
from exchange.wire.rest.orders import Order
from exchange.wire.rest.texts import (
    ClientOrderIdText,
    Id,
    IdOrEmpty,
    OrderTypeText,
    PriceNumber,
    PriceText,
    QuantityText,
    SharesIn,
    SharesNumber,
    SideText,
    SymbolOrEmpty,
    SymbolText,
    TimeInForceText,
    TimeText,
    choice,
)

CONTINGENCIES = {
    "oco": Contingency.ONE_CANCELS_OTHER,
    "oto": Contingency.ONE_TRIGGERS_OTHER,
    "bracket": Contingency.BRACKET,
}
CONTINGENCY_TEXT = {int(contingency): text for text, contingency in CONTINGENCIES.items()}
ContingencyText = Annotated[str, choice(CONTINGENCIES)]


class NewListedOrder(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """One order of a list; each field as in `NewOrder`. The symbol, the quantity and the account are the list's."""

    side: SideText
    type: OrderTypeText = "limit"
    price: PriceText | PriceNumber | None = None
    time_in_force: TimeInForceText = "day"
    post_only: bool = False
    client_order_id: ClientOrderIdText = ""
    reprice: bool = False
    all_or_none: bool = False
    hidden: bool = False
    do_not_reduce: bool = False
    short: bool = False
    short_exempt: bool = False
    located: bool = False
    min_qty: SharesIn | SharesNumber | None = None
    display_qty: SharesIn | SharesNumber | None = None
    expires_at: TimeText | None = None
    stop_price: PriceText | PriceNumber | None = None
    trail_amount: PriceText | PriceNumber | None = None
    trail_bps: Annotated[int, Meta(ge=1, le=TRAIL_BPS_MAX)] | None = None


class NewOrderList(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """Orders to enter together, all or none. account: may be left out where the key's participant has exactly one.

    contingency: oco, a limit order and a stop order of which one cancels the other; oto, an entry and the order that
    comes in once it is done; bracket, an entry and such a pair. qty: of each of them.
    """

    contingency: ContingencyText
    symbol: SymbolText
    qty: SharesIn | SharesNumber
    orders: Annotated[list[NewListedOrder], Meta(min_length=2, max_length=3)]
    account: IdOrEmpty = ""


class WaitingOrder(Struct, kw_only=True, omit_defaults=True, gc=False):
    """An order that waits for the entry of its list; it is no live order yet."""

    id: Id
    side: SideText
    type: OrderTypeText
    time_in_force: TimeInForceText
    client_order_id: str = ""
    price: PriceText | None = None
    stop_price: PriceText | None = None


class EnteredOrderList(Struct, kw_only=True, gc=False):
    """A list that was taken. orders: those that came in; waiting: those that wait for the entry."""

    list_id: Id
    contingency: ContingencyText
    account: Id
    symbol: SymbolText
    qty: QuantityText
    seq: int
    orders: list[Order]
    waiting: list[WaitingOrder]


class LiveOrderList(Struct, kw_only=True, gc=False):
    """A list that lives. order_ids: of its live orders; filled_qty: by its entry."""

    list_id: Id
    contingency: ContingencyText
    account: Id
    symbol: SymbolText
    order_ids: list[Id]
    filled_qty: QuantityText
    waiting: list[WaitingOrder]


class LiveOrderLists(Struct):
    """The lists that live, oldest first."""

    items: list[LiveOrderList]
    next: str | None = None


class OrderListsQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which lists to show."""

    symbol: SymbolOrEmpty = ""
