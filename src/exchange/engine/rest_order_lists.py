"""REST of order lists: enter one, and show those that live."""

from __future__ import annotations

from collections.abc import Iterator

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain.order_list import ListedOrder
from exchange.domain.reasons import Reason
from exchange.domain.units import AccountId, SymbolId
from exchange.engine import order_results
from exchange.engine.gateway import Gateway
from exchange.engine.order_entry import (
    client_order_id_of,
    flags_of,
    not_a_choice,
    price_of,
    quantity_of,
    shown,
    terms_of,
    unknown_symbol,
)
from exchange.engine.order_results import ACCEPTED, Duplicate
from exchange.engine.refusals import refusal
from exchange.engine.rest_orders import READER, TRADER
from exchange.infra.auth import Principal
from exchange.infra.http_routes import ApiError, Call, Reply, Route
from exchange.matching.order_book import RestingOrder
from exchange.matching.venue_state import OrderList
from exchange.wire.records import decode_event, encode_command, number_of, split
from exchange.wire.rest.order_lists import (
    CONTINGENCIES,
    CONTINGENCY_TEXT,
    EnteredOrderList,
    LiveOrderList,
    LiveOrderLists,
    NewListedOrder,
    NewOrderList,
    OrderListsQuery,
    WaitingOrder,
)
from exchange.wire.rest.orders import ORDER_TYPE_TEXT, SIDE_TEXT, TIME_IN_FORCE_TEXT, Order, price_or_none
from exchange.wire.rest.texts import ORDER_TYPES, SIDES, TIMES_IN_FORCE

LIST_ACCEPTED, DUPLICATED = number_of(e.OrderListAccepted), number_of(e.OrderDuplicated)
_RESERVATION = encode_command(c.ReserveOrderId())
_EXAMPLE = {
    "contingency": "bracket", "symbol": "AAPL", "qty": "100", "orders": [
        {"side": "buy", "price": "189.20"}, {"side": "sell", "price": "195.00"},
        {"side": "sell", "type": "stop", "stop_price": "185.00"},
    ],
}  # fmt: skip


class OrderListsApi:
    """The routes of order lists."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def routes(self) -> list[Route]:
        """List the routes."""
        return [
            Route(
                "POST", "/api/v1/order_lists", self.enter, "Enter an order list, as a whole or not at all", "orders",
                TRADER, body=NewOrderList, returns=EnteredOrderList, status=201, also={200: Order},
                errors=(404, 409, 422, 503), example=_EXAMPLE,
                description="oco: a limit order and then a stop order on one side; what the limit order fills the stop "
                "order has less, and the end or trigger of one cancels the other. oto and bracket: the entry first; "
                "what waits for it comes in, with what it filled, once it is done, unless somebody took it back. "
                "Whoever cancels an order of a list ends the list. The same list with the same client_order_id in its "
                "first order that has one answers 200 and that order as it stands.",
            ),
            Route(
                "GET", "/api/v1/order_lists", self.lists, "List the order lists that live, oldest first", "orders",
                READER, query=OrderListsQuery, returns=LiveOrderLists, errors=(422, 503),
            ),
        ]  # fmt: skip

    async def enter(self, call: Call) -> EnteredOrderList | Reply:
        """Answer POST /order_lists."""
        gateway = self._gateway
        records = record_of(gateway, call.body, call.who)
        events = await gateway.submit(records, len(call.body.orders))
        _, number = order_results.LENGTH_AND_TYPE.unpack_from(events)
        if number == DUPLICATED:
            first = decode_event(events)
            assert isinstance(first, e.OrderDuplicated)
            return Reply(200, await gateway.order(first.order_id, call.who))
        if number != LIST_ACCEPTED:
            raise refused(events)
        return entered(gateway, events)

    async def lists(self, call: Call) -> LiveOrderLists:
        """Answer GET /order_lists."""
        gateway, query = self._gateway, call.query
        symbol_id = gateway.entry.symbol_id(query.symbol)
        found = await gateway.read(lambda venue: venue.order_lists())
        return LiveOrderLists([
            list_view(gateway, each)
            for each in found
            if symbol_id in (0, each.symbol_id) and gateway.entry.may_see(each.account_id, call.who)
        ])  # fmt: skip


def record_of(gateway: Gateway, new: NewOrderList, who: Principal) -> bytes:
    """Return the records that reserve ids, and that of the list. Raise `ApiError` where no record can carry it."""
    account_id = gateway.entry.account_for(new.account, who)
    symbol_id = gateway.venue.directory.symbol_ids.get(new.symbol)
    if symbol_id is None:
        raise unknown_symbol(new.symbol)
    contingency = CONTINGENCIES.get(new.contingency)
    if contingency is None:
        text = f"contingency must be one of {', '.join(CONTINGENCIES)}, got {shown(new.contingency)}"
        raise refusal(Reason.ORDER_LIST_INVALID, text, field="contingency")
    quantity = quantity_of(new.qty)
    command = c.EnterOrderList(
        account_id=AccountId(account_id), symbol_id=SymbolId(symbol_id), contingency=contingency,
        orders=tuple(listed_order(order, quantity) for order in new.orders),
    )  # fmt: skip
    return _RESERVATION * (len(new.orders) - 1) + encode_command(command)


def listed_order(order: NewListedOrder, quantity: int) -> ListedOrder:
    """Return an order of a list as its command has it. Raise `ApiError` where no record can carry it."""
    for reason, value, choices in (
        (Reason.SIDE_INVALID, order.side, SIDES),
        (Reason.ORDER_TYPE_INVALID, order.type, ORDER_TYPES),
        (Reason.TIME_IN_FORCE_INVALID, order.time_in_force, TIMES_IN_FORCE),
    ):
        if value not in choices:
            raise not_a_choice(reason, value, choices)
    client_order_id_of(order.client_order_id)
    return ListedOrder(
        SIDES[order.side], ORDER_TYPES[order.type], TIMES_IN_FORCE[order.time_in_force], flags_of(order),
        price_of(order.price), quantity, order.client_order_id, *terms_of(order),
    )  # fmt: skip


def refused(events: bytes) -> ApiError:
    """Make the error of a list that was refused, with the place of the order at fault in it, from 1 on."""
    event = decode_event(events)
    assert isinstance(event, e.CommandRejected), f"{event} is no answer to an order list"
    place = {"order": event.subject} if event.subject else {}
    return refusal(event.reason, measured=event.measured, limit=event.limit, extra=place)


def entered(gateway: Gateway, events: bytes) -> EnteredOrderList:
    """Return what became of a list that was taken."""
    taken = decode_event(events)
    assert isinstance(taken, e.OrderListAccepted)
    orders = sorted(orders_in(gateway, events), key=lambda order: -int(order.id))
    came_in = {order.id for order in orders}
    waiting = [
        waiting_view(row, order_id)
        for place, row in enumerate(taken.orders)
        for order_id in [str(taken.list_id - place)]
        if order_id not in came_in
    ]
    return EnteredOrderList(
        list_id=str(taken.list_id), contingency=CONTINGENCY_TEXT[taken.contingency], account=str(taken.account_id),
        symbol=gateway.symbols[taken.symbol_id].symbol, qty=str(taken.orders[0].quantity), seq=taken.sequence,
        orders=orders, waiting=waiting,
    )  # fmt: skip


def orders_in(gateway: Gateway, events: bytes) -> Iterator[Order]:
    """Give the orders that one command entered, each as it stands after it."""
    for offset, _ in split(events):
        if order_results.LENGTH_AND_TYPE.unpack_from(events, offset)[1] == ACCEPTED:
            outcome, _ = order_results.entered(events, offset, gateway.symbols)
            assert not isinstance(outcome, (ApiError, Duplicate)), "an accepted order is told as one"
            yield outcome


def list_view(gateway: Gateway, order_list: OrderList) -> LiveOrderList:
    """Write a list that lives."""
    return LiveOrderList(
        list_id=str(order_list.list_id), contingency=CONTINGENCY_TEXT[order_list.contingency],
        account=str(order_list.account_id), symbol=gateway.symbols[order_list.symbol_id].symbol,
        order_ids=[str(order_id) for order_id in (order_list.first, order_list.second) if order_id],
        filled_qty=str(order_list.filled),
        waiting=[waiting_view(order, str(order.order_id)) for order in order_list.waiting],
    )  # fmt: skip


def waiting_view(order: ListedOrder | RestingOrder, order_id: str) -> WaitingOrder:
    """Write an order that waits for the entry of its list."""
    return WaitingOrder(
        id=order_id, side=SIDE_TEXT[order.side], type=ORDER_TYPE_TEXT[order.order_type],
        time_in_force=TIME_IN_FORCE_TEXT[order.time_in_force], client_order_id=order.client_order_id,
        price=price_or_none(order.price), stop_price=price_or_none(order.terms.stop_price),
    )  # fmt: skip
