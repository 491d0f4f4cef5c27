"""REST of orders and fills: enter, cancel, amend, replace, look up, list; one order or an array of them."""

from __future__ import annotations

from exchange.domain.order import CLIENT_ORDER_ID_PATTERN
from exchange.domain.participant import Role
from exchange.domain.reasons import Reason
from exchange.engine.gateway import Gateway
from exchange.engine.order_entry import id_of, shown
from exchange.engine.order_store import ROW_ID_MAX, OrderFilter
from exchange.engine.order_views import fill_view, order_view, prevented_view
from exchange.engine.refusals import invalid_parameter, refusal
from exchange.infra.http_routes import ApiError, Call, Reply, Route
from exchange.wire.rest.errors import ErrorCode
from exchange.wire.rest.orders import (
    ORDERS_PER_REQUEST_MAX,
    AmendedOrder,
    AmendRequest,
    ArrayedOrder,
    CanceledOrder,
    CanceledOrders,
    CancelQuery,
    ClientOrderIdQuery,
    FillList,
    FillsQuery,
    NewOrder,
    Order,
    OrderList,
    OrderResults,
    OrdersQuery,
    PreventedMatches,
    PreventedQuery,
    ReplaceRequest,
)

ORDERS_BODY_BYTES_MAX = 1024 * 1024
TRADER = frozenset((Role.TRADER,))
CANCELLER = frozenset((Role.TRADER, Role.RISK))
READER = frozenset((Role.VIEWER,))
_EXAMPLE = {"symbol": "AAPL", "side": "buy", "qty": "100", "price": "189.20", "client_order_id": "my-1"}
_ID = {"order_id": "1042"}
_STATUS_TO_FILTER = {"open": True, "closed": False, "all": None}


class OrdersApi:
    """The routes of orders and fills."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def routes(self) -> list[Route]:
        """List the routes."""
        return [*self._one_order(), *self._many_orders(), *self._lists()]

    def _one_order(self) -> list[Route]:
        path = "/api/v1/order/{order_id}"
        return [
            Route(
                "POST", "/api/v1/order", self.enter, "Enter an order", "orders", TRADER,
                body=NewOrder, returns=Order, status=201, also={200: Order}, errors=(404, 409, 422, 503),
                example=_EXAMPLE, is_hot=True,
                description="The answer comes when the order is on disk. The same order with the same "
                "client_order_id answers 200 and the first order as it stands; another one 409.",
            ),
            Route(
                "GET", path, self.order, "Show an order, finished ones too", "orders", READER,
                returns=Order, errors=(404, 503), path_examples=_ID,
            ),
            Route(
                "DELETE", path, self.cancel, "Cancel an order", "orders", CANCELLER,
                returns=CanceledOrder, errors=(404, 422, 503), path_examples=_ID,
            ),
            Route(
                "PATCH", path, self.amend, "Amend an order: it keeps its id", "orders", TRADER,
                body=AmendRequest, returns=AmendedOrder, errors=(404, 422, 503), example={"qty": "50"},
                path_examples=_ID,
                description="Less quantity at the same price keeps the place in the queue; all else goes to its end.",
            ),
            Route(
                "POST", path + "/replace", self.replace, "Replace an order by a new one, in one step", "orders",
                TRADER, body=ReplaceRequest, returns=Order, status=201, also={200: Order},
                errors=(404, 409, 422, 503), example={"qty": "50", "price": "189.10"}, path_examples=_ID,
                description="The old order is cancelled and the new one, with its own id, is last in its queue.",
            ),
        ]  # fmt: skip

    def _many_orders(self) -> list[Route]:
        return [
            Route(
                "POST", "/api/v1/orders", self.enter_all, "Enter up to 1,000 orders", "orders", TRADER,
                body=list[ArrayedOrder], returns=OrderResults, errors=(413, 503), example=[_EXAMPLE],
                body_limit=ORDERS_BODY_BYTES_MAX, is_hot=True,
                description="They are carried out in order, and each has its own result. A body that is malformed "
                "as a whole answers 400 and enters none.",
            ),
            Route(
                "DELETE", "/api/v1/orders", self.cancel_all, "Cancel all live orders that fit", "orders",
                CANCELLER, query=CancelQuery, returns=CanceledOrders, errors=(422, 503),
            ),
        ]  # fmt: skip

    def _lists(self) -> list[Route]:
        return [
            Route(
                "GET", "/api/v1/orders", self.orders, "List orders, newest first", "orders", READER,
                query=OrdersQuery, returns=OrderList, errors=(422, 503),
            ),
            Route(
                "GET", "/api/v1/orders:by_client_order_id", self.by_client_order_id,
                "Show the order that was entered with a client_order_id", "orders", READER,
                query=ClientOrderIdQuery, returns=Order, errors=(404, 422, 503),
                description="The way out when an answer was lost: look here, then send the same order again.",
            ),
            Route(
                "GET", "/api/v1/fills", self.fills, "List fills, newest first", "orders", READER,
                query=FillsQuery, returns=FillList, errors=(404, 422, 503),
                description="A busted trade stays in the list, with its status.",
            ),
            Route(
                "GET", "/api/v1/prevented_matches", self.prevented, "List prevented self-trades, newest first",
                "orders", READER, query=PreventedQuery, returns=PreventedMatches, errors=(422, 503),
            ),
        ]  # fmt: skip

    # --- handlers ---------------------------------------------------------------------------------

    async def enter(self, call: Call) -> Order | Reply:
        """Answer POST /order."""
        status, order = await self._gateway.enter(call.body, call.who)
        return order if status == 201 else Reply(status, order)

    async def enter_all(self, call: Call) -> OrderResults:
        """Answer POST /orders."""
        if len(call.body) > ORDERS_PER_REQUEST_MAX:
            text = f"an array may hold {ORDERS_PER_REQUEST_MAX} orders, got {len(call.body)}; nothing was entered"
            raise ApiError.of(ErrorCode.BODY_TOO_LARGE, text)
        return OrderResults(await self._gateway.enter_all(call.body, call.who, call.request_id))

    async def cancel(self, call: Call) -> CanceledOrder:
        """Answer DELETE /order/{id}."""
        return await self._gateway.cancel(call.path_id("order_id"), call.who)

    async def cancel_all(self, call: Call) -> CanceledOrders:
        """Answer DELETE /orders."""
        return await self._gateway.cancel_all(call.query, call.who)

    async def amend(self, call: Call) -> AmendedOrder:
        """Answer PATCH /order/{id}."""
        return await self._gateway.amend(call.path_id("order_id"), call.body, call.who)

    async def replace(self, call: Call) -> Order | Reply:
        """Answer POST /order/{id}/replace."""
        status, order = await self._gateway.replace(call.path_id("order_id"), call.body, call.who)
        return order if status == 201 else Reply(status, order)

    async def order(self, call: Call) -> Order:
        """Answer GET /order/{id}."""
        return await self._gateway.order(call.path_id("order_id"), call.who)

    async def by_client_order_id(self, call: Call) -> Order:
        """Answer GET /orders:by_client_order_id."""
        query: ClientOrderIdQuery = call.query
        gateway = self._gateway
        if query.account:
            accounts = gateway.entry.accounts_seen_by(query.account, call.who) or []
        else:
            accounts = [gateway.entry.account_for("", call.who)]
        stored = None
        if CLIENT_ORDER_ID_PATTERN.match(query.client_order_id):
            look_up = gateway.history.by_client_order_id
            stored = await gateway.from_history(look_up, accounts[0], query.client_order_id)
        if stored is None:
            raise refusal(
                Reason.UNKNOWN_ORDER,
                f"account {accounts[0]} has no order with client_order_id {shown(query.client_order_id)}",
            )
        return order_view(stored, gateway.symbols)

    async def orders(self, call: Call) -> OrderList:
        """Answer GET /orders."""
        query: OrdersQuery = call.query
        gateway = self._gateway
        accounts = gateway.entry.accounts_seen_by(query.account, call.who)
        wanted = OrderFilter(
            accounts=None if accounts is None else tuple(accounts),
            symbol_id=gateway.entry.symbol_id(query.symbol),
            is_open=_STATUS_TO_FILTER[query.status],
            before=cursor_of(query.cursor),
            limit=query.limit + 1,
        )
        rows = await gateway.from_history(gateway.history.orders, wanted)
        items = [order_view(row, gateway.symbols) for row in rows[: query.limit]]
        return OrderList(items, items[-1].id if len(rows) > query.limit else None)

    async def fills(self, call: Call) -> FillList:
        """Answer GET /fills."""
        query: FillsQuery = call.query
        gateway = self._gateway
        accounts = gateway.entry.accounts_seen_by(query.account, call.who)
        if accounts is None and not query.order_id:
            raise invalid_parameter("account", "say which account or order_id; this key sees all of them")
        before, before_side = fill_cursor_of(query.cursor)
        wanted = OrderFilter(
            accounts=None if accounts is None else tuple(accounts),
            symbol_id=gateway.entry.symbol_id(query.symbol),
            order_id=min(id_of(query.order_id, "order_id"), ROW_ID_MAX) if query.order_id else 0,
            before=before,
            before_side=before_side,
            limit=query.limit + 1,
        )
        rows = await gateway.from_history(gateway.history.fills, wanted)
        page = rows[: query.limit]
        items = [fill_view(row, gateway.symbols) for row in page]
        more = len(rows) > query.limit
        return FillList(items, str(page[-1].match_id * 2 + page[-1].side - 1) if more else None)

    async def prevented(self, call: Call) -> PreventedMatches:
        """Answer GET /prevented_matches."""
        query: PreventedQuery = call.query
        gateway = self._gateway
        accounts = gateway.entry.accounts_seen_by(query.account, call.who)
        wanted = OrderFilter(
            accounts=None if accounts is None else tuple(accounts),
            symbol_id=gateway.entry.symbol_id(query.symbol),
            before=cursor_of(query.cursor),
            limit=query.limit + 1,
        )
        rows = await gateway.from_history(gateway.history.prevented, wanted)
        page = rows[: query.limit]
        views = [
            prevented_view(row, gateway.symbols, lambda a: gateway.entry.may_see(a, call.who)) for row in page
        ]
        return PreventedMatches(views, views[-1].id if len(rows) > query.limit else None)


def cursor_of(text: str) -> int:
    """Return the id below which a page goes on, 0 for the first page. Raise `ApiError` where it is no cursor."""
    if not text:
        return 0
    if text.isascii() and text.isdigit() and len(text) <= 20:
        return min(int(text), ROW_ID_MAX)
    raise invalid_parameter("cursor", "cursor must be `next` of the page before")


def fill_cursor_of(text: str) -> tuple[int, int]:
    """Return match id and side below which a page of fills goes on; the two parts of one trade may be in it."""
    before, side = divmod(cursor_of(text), 2)
    return (before, side + 1) if text else (0, 0)
