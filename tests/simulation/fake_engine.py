"""An engine for replays: enters, cancels and amends as the real one answers, and can lose connections on command."""

from __future__ import annotations

from typing import Any

from exchange.simulation.rest import ConnectionFailed, RequestRefused
from exchange.wire.rest.errors import ErrorBody
from exchange.wire.rest.orders import AmendedOrder, CanceledOrder, NewOrder, Order, OrderResult, OrderResults

TIME = "2026-11-23T05:00:00.000000000Z"


class FakeEngine:
    """Orders by id, whatever rests rests, and an incoming order fills whole.

    lose_after: number of the request whose answer is lost; lose_before: number of the one that is never taken.
    """

    def __init__(self) -> None:
        self.orders: dict[str, Order] = {}
        self.log: list[str] = []
        self.requests = 0
        self.lose_after = 0
        self.lose_before = 0
        self.busy = 0
        self._seq = 100

    def _next(self) -> int:
        self._seq += 1
        return self._seq

    def begin(self) -> None:
        self.requests += 1
        if self.requests == self.lose_before:
            raise ConnectionFailed("lost before")
        if self.busy:
            self.busy -= 1
            raise RequestRefused(503, ErrorBody(1043, "engine_busy", "busy", retry=True))

    def end(self) -> None:
        if self.requests == self.lose_after:
            raise ConnectionFailed("lost after")

    def enter(self, new: NewOrder) -> OrderResult:
        for order in self.orders.values():
            if order.client_order_id == new.client_order_id:
                return OrderResult(status=200, order=order)
        seq = self._next()
        fills = new.time_in_force == "ioc"
        quantity = str(new.qty)
        order = Order(
            id=str(seq), client_order_id=new.client_order_id, account="1", symbol=new.symbol, seq=seq,
            side=new.side, type="limit", time_in_force=new.time_in_force, qty=quantity, price=str(new.price),
            post_only=False, status="filled" if fills else "new", filled_qty=quantity if fills else "0",
            avg_price=None, leaves_qty="0" if fills else quantity, created_at=TIME, updated_at=TIME,
        )  # fmt: skip
        self.orders[order.id] = order
        self.log.append(
            f"enter {new.client_order_id} {new.side} {quantity} @ {new.price} {new.time_in_force}"
        )
        return OrderResult(status=201, order=order)

    def live(self, order_id: str) -> Order:
        order = self.orders.get(order_id)
        if order is None or order.leaves_qty == "0":
            raise RequestRefused(404, ErrorBody(20, "unknown_order", "No live order has this id.", "id"))
        return order

    def cancel(self, order_id: str) -> CanceledOrder:
        order = self.live(order_id)
        seq = self._next()
        left, order.leaves_qty, order.status = order.leaves_qty, "0", "canceled"
        self.log.append(f"cancel {order.client_order_id}")
        return CanceledOrder(
            id=order.id, account="1", symbol=order.symbol, side=order.side, price=order.price,
            canceled_qty=left, cancel_reason="requested", seq=seq, updated_at=TIME,
        )  # fmt: skip

    def amend(self, order_id: str, quantity: int) -> AmendedOrder:
        order = self.live(order_id)
        if int(order.qty) == quantity:
            raise RequestRefused(422, ErrorBody(21, "nothing_to_amend", "Nothing to amend.", "qty"))
        seq = self._next()
        order.qty = order.leaves_qty = str(quantity)
        self.log.append(f"amend {order.client_order_id} to {quantity}")
        return AmendedOrder(
            id=order.id, account="1", symbol=order.symbol, side=order.side, qty=order.qty,
            price=str(order.price), filled_qty="0", leaves_qty=order.leaves_qty, status="new",
            kept_priority=True, seq=seq, updated_at=TIME,
        )  # fmt: skip


class FakeSession:
    """What a `RestSession` to a fake engine does."""

    def __init__(self, engine: FakeEngine) -> None:
        self.engine = engine
        self.url = "http://fake"

    async def get(self, path: str, returns: Any, **query: Any) -> Any:
        if path == "/api/v1/orders:by_client_order_id":
            for order in self.engine.orders.values():
                if order.client_order_id == query["client_order_id"]:
                    return order
            raise RequestRefused(404, ErrorBody(1021, "not_found", "There is no such order."))
        if path == "/api/v1/orders":
            return returns(items=[o for o in self.engine.orders.values() if o.leaves_qty != "0"])
        return self.engine.orders[path.rpartition("/")[2]]

    async def post(self, path: str, body: Any, returns: Any) -> Any:
        self.engine.begin()
        if path == "/api/v1/orders":
            answer: Any = OrderResults([self.engine.enter(new) for new in body])
        else:
            self.engine.log.append(f"{path} {body}")
            answer = None
        self.engine.end()
        return answer

    async def ask(self, method: str, path: str, returns: Any, body: Any = None, query: Any = None) -> Any:
        self.engine.begin()
        order_id = path.rpartition("/")[2]
        is_cancel = method == "DELETE"
        answer = self.engine.cancel(order_id) if is_cancel else self.engine.amend(order_id, body.qty)
        self.engine.end()
        return answer
